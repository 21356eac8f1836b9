//! Parts of issues that a caller leaves out (`collapse`) or asks for besides (`expand`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Value, json};
use storage::columns::{Answer as Found, Filter, Order, Question};
use storage::life::{Status, Substatus, substatus_at};
use storage::ownership::{self as rules, Owner, Subject};
use storage::relational::issues::Issue;
use storage::relational::ownership::Kept;
use storage::relational::people::Member;
use storage::relational::projects::Project;
use storage::relational::repositories::Mapping;
use storage::relational::teams::Team;
use storage::relational::{attachments, commits, ownership, people, repositories, teams};
use storage::suspects;

use crate::answer::ApiError;
use crate::call::Call;
use crate::endpoints::events::load_all;
use crate::kept;
use crate::scope::{Scope, extent};
use crate::views::event::Loaded;
use crate::views::time;

/// Members of an issue that stand and fall with a part of it.
const PARTS: &[(&str, &[&str])] = &[
    (
        "stats",
        &[
            "stats",
            "count",
            "userCount",
            "firstSeen",
            "lastSeen",
            "lifetime",
            "filtered",
        ],
    ),
    ("lifetime", &["lifetime"]),
    ("filtered", &["filtered"]),
    ("unhandled", &["isUnhandled"]),
];

/// What `collapse=base` leaves.
const BASE: &[&str] = &[
    "id",
    "stats",
    "count",
    "userCount",
    "firstSeen",
    "lastSeen",
    "lifetime",
    "filtered",
];

/// What a caller wants and does not want.
pub struct Parts<'a> {
    collapse: Vec<&'a str>,
    /// It is about one issue in full: there `stats` are series alone, and `base` is the page itself.
    page: bool,
    expand: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    /// Reads `collapse` and `expand`, repeated or with commas. What is not known there is not asked for.
    pub fn of(call: &'a Call) -> Parts<'a> {
        let read = |name: &str| {
            let all = call.values(name).into_iter();
            all.flat_map(|v| v.split(',')).map(str::trim).collect()
        };
        Parts {
            page: false,
            collapse: read("collapse"),
            expand: read("expand"),
        }
    }

    /// As [`Parts::of`], for an issue in full.
    pub fn of_page(call: &'a Call) -> Parts<'a> {
        let mut parts = Parts::of(call);
        parts.page = true;
        parts.collapse.retain(|part| *part != "base");
        parts
    }

    /// Whether a part is left out.
    pub fn leaves(&self, name: &str) -> bool {
        self.collapse.contains(&name)
    }

    fn wants(&self, name: &str) -> bool {
        self.expand.contains(&name)
    }

    /// Takes the parts that are not wanted out of an issue of a list.
    pub fn leave(&self, view: &mut Value) {
        let Some(members) = view.as_object_mut() else {
            return;
        };
        if self.leaves("base") {
            members.retain(|name, _| BASE.contains(&name.as_str()) || self.wants(name));
        }
        for (_, names) in PARTS.iter().filter(|(part, _)| self.leaves(part)) {
            let few = if self.page { &names[..1] } else { names };
            few.iter().for_each(|name| {
                members.remove(*name);
            });
        }
    }

    /// Adds the parts that are wanted besides, and takes out those that are not.
    pub fn apply(
        &self,
        call: &Call,
        found: &[(&Issue, &Project)],
        views: &mut [Value],
    ) -> Result<(), ApiError> {
        let mut owners = Owners::default();
        for ((issue, project), view) in found.iter().zip(views) {
            if self.wants("inbox") {
                view["inbox"] = inbox(issue, call.now());
            }
            if self.wants("integrationIssues") || self.wants("sentryAppIssues") {
                let (of_integrations, others) = kept::integrations::links_of(call, issue.id)?;
                for (name, links) in [
                    ("integrationIssues", of_integrations),
                    ("sentryAppIssues", others),
                ] {
                    if self.wants(name) {
                        view[name] = json!(links);
                    }
                }
            }
            if self.wants("pluginActions") {
                view["pluginActions"] = json!([]);
            }
            let asks_event = self.wants("owners") || self.wants("latestEventHasAttachments");
            let event = if asks_event {
                newest(call, issue, project)?
            } else {
                None
            };
            if self.wants("latestEventHasAttachments") {
                view["latestEventHasAttachments"] = json!(has_attachments(call, project, event.as_ref())?);
            }
            if self.wants("owners") {
                view["owners"] = match &event {
                    Some(event) => owners.of(call, project, event)?,
                    None => Value::Null,
                };
            }
            self.leave(view);
        }
        Ok(())
    }
}

/// Why somebody should look at an issue, by Sentry's number: those that `is:for_review` finds.
fn inbox(issue: &Issue, now: i64) -> Value {
    if issue.state.status != Status::Unresolved
        || issue.assigned_user.is_some()
        || issue.assigned_team.is_some()
    {
        return Value::Null;
    }
    let reason = match substatus_at(issue.state.substatus, issue.state.changed, now) {
        Substatus::New => 0,
        Substatus::Regressed => 2,
        Substatus::Escalating => 5,
        _ => return Value::Null,
    };
    json!({ "reason": reason, "reason_details": null, "date_added": time(issue.state.changed) })
}

/// The newest event of an issue.
fn newest(call: &Call, issue: &Issue, project: &Project) -> Result<Option<Loaded>, ApiError> {
    let question = Question::Rows {
        order: Order::Newest,
        after: None,
        limit: 1,
    };
    let scope = Scope::bare(project.clone());
    match scope.select(call, Filter::All, Some(extent(call, issue.id)?), question)? {
        Found::Rows { rows, .. } => Ok(load_all(call, &rows)?.pop()),
        _ => Ok(None),
    }
}

fn has_attachments(call: &Call, project: &Project, event: Option<&Loaded>) -> Result<bool, ApiError> {
    let Some(event) = event else { return Ok(false) };
    let id = event.id();
    let found = call
        .api
        .stores
        .sql
        .reading(|c| attachments::of_event(c, project.id, &id))?;
    Ok(!found.is_empty())
}

/// What owners of a project's issues are found by.
struct Known {
    kept: Option<Kept>,
    mappings: Vec<Mapping>,
    members: Vec<Member>,
    teams: Vec<Team>,
}

/// Finds owners; what a project says of them is read once.
#[derive(Default)]
struct Owners {
    projects: HashMap<i64, Known>,
}

impl Owners {
    /// Whose an event is, by suspect commits and by the rules of the project, as far as they are of the
    /// organization; null if nobody's.
    fn of(&mut self, call: &Call, project: &Project, event: &Loaded) -> Result<Value, ApiError> {
        let sql = &call.api.stores.sql;
        let org = project.org_id;
        let known = match self.projects.entry(project.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(sql.reading(|c| {
                Ok(Known {
                    kept: ownership::of_project(c, project.id)?,
                    mappings: repositories::mappings(c, org, Some(project.id))?,
                    members: people::members(c, org)?,
                    teams: teams::of_organization(c, org)?,
                })
            })?),
        };
        let release = event.json["release"].as_str();
        let files = sql.reading(|c| commits::files_near(c, org, project.id, release))?;
        let user = |email: &str| {
            let found = known.members.iter().find(|m| m.user.email == email);
            found.map(|m| format!("user:{}", m.user.id))
        };
        let mut all: Vec<(&str, String)> = Vec::new();
        for (commit, _) in suspects::rank(&suspects::paths(&event.json), &files) {
            all.extend(
                commit
                    .author_email
                    .as_deref()
                    .and_then(user)
                    .map(|o| ("suspectCommit", o)),
            );
        }
        if let Some(kept) = &known.kept {
            let mut every = rules::parse_codeowners(&kept.codeowners).unwrap_or_default();
            let of_file = every.len();
            every.extend(rules::parse(&kept.raw).unwrap_or_default());
            let mut subject = Subject::of_event(&event.json);
            let mapped = |p: &String| known.mappings.iter().find_map(|m| m.apply(p));
            let mapped: Vec<String> = subject.paths.iter().filter_map(mapped).collect();
            subject.paths.extend(mapped);
            if let Some(rule) = rules::winner(&every, &subject) {
                let own = every.iter().skip(of_file).any(|r| std::ptr::eq(r, rule));
                let kind = if own { "ownershipRule" } else { "codeowners" };
                let named = rule.owners.iter().filter_map(|owner| match owner {
                    Owner::User(email) => user(email),
                    Owner::Team(slug) => {
                        let team = known.teams.iter().find(|t| t.slug == *slug);
                        team.map(|t| format!("team:{}", t.id))
                    }
                    Owner::External(_) => None,
                });
                all.extend(named.map(|owner| (kind, owner)));
            }
        }
        let mut seen = Vec::new();
        all.retain(|pair| {
            let fresh = !seen.contains(pair);
            seen.push(pair.clone());
            fresh
        });
        if all.is_empty() {
            return Ok(Value::Null);
        }
        let added = time(event.record.row.received);
        let view =
            |(kind, owner): &(&str, String)| json!({ "type": kind, "owner": owner, "date_added": added });
        Ok(json!(all.iter().map(view).collect::<Vec<_>>()))
    }
}

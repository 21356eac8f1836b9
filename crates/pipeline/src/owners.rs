//! Whose new issues are: rules of ownership and suspect commits are asked about the newest event of each issue, once,
//! some seconds after it began. Nothing waits for it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use storage::columns::{Answer, Filter, Order, Question, Select};
use storage::ownership::{Owner, Subject, parse, parse_codeowners, winner};
use storage::record::StoredEvent;
use storage::relational::ownership::{self, Kept};
use storage::relational::people::{self, Member};
use storage::relational::{activity, commits, hashes, projects, repositories, teams};
use storage::sql::{Connection, SqlError};
use storage::stores::Stores;
use storage::suspects;

use crate::jobs::{JobError, store};

/// Issues of one round.
const ROUND: i64 = 100;

/// By rules.
pub const BY_RULES: &str = "Auto Assign to Issue Owner";
/// By suspect commits, else by rules.
pub const BY_COMMITS: &str = "Auto Assign to Suspect Commits";

/// Assigns issues that began since the last time, up to `newest`: that which was the newest a round ago, as an event
/// is found only shortly after its issue. Answers which is the newest now.
///
/// # Errors
/// As the stores say.
pub fn assign(stores: &Stores, newest: Option<i64>) -> Result<i64, JobError> {
    let (position, last) = stores
        .sql
        .reading(|c| Ok((ownership::position(c)?, ownership::newest_issue(c)?)))?;
    let Some(position) = position else {
        // Nobody gave rules yet.
        return Ok(last);
    };
    let Some(newest) = newest.filter(|n| *n > position) else {
        return Ok(last);
    };
    let (issues, kept) = stores.sql.reading(|c| {
        let issues = ownership::issues_behind(c, position, ROUND)?;
        Ok((issues, ownership::every(c)?))
    })?;
    let kept: HashMap<i64, Kept> = kept
        .into_iter()
        .filter(|k| matches!(k.auto_assignment.as_str(), BY_RULES | BY_COMMITS))
        .map(|k| (k.project, k))
        .collect();
    let mut done = position;
    for (issue, project, assigned) in issues.into_iter().filter(|i| i.0 <= newest) {
        if let (Some(kept), false) = (kept.get(&project), assigned)
            && let Some(event) = event(stores, project, issue)?
        {
            let now = stores.clock.now();
            stores.sql.writing(|c| one(c, kept, issue, &event, now))?;
        }
        done = issue;
    }
    if done > position {
        stores.sql.writing(|c| ownership::advance(c, done))?;
    }
    Ok(last)
}

/// The newest event of an issue.
fn event(stores: &Stores, project: i64, issue: i64) -> Result<Option<Value>, JobError> {
    let project = u64::try_from(project).unwrap_or(0);
    let (extent, hidden) = stores
        .sql
        .reading(|c| Ok((hashes::of_issues(c, &[issue])?, hashes::hidden(c, &[project])?)))?;
    let select = Select {
        table: stores.catalog.errors,
        projects: vec![project],
        time: i64::MIN / 2..i64::MAX / 2,
        hashes: Some(extent.iter().map(|h| h.hash.0).collect()),
        filter: Filter::All,
        hidden: Arc::new(hidden),
        question: Question::Rows {
            order: Order::Newest,
            after: None,
            limit: 1,
        },
    };
    let Answer::Rows { rows, .. } = stores.columns.select(&select).map_err(store)? else {
        return Ok(None);
    };
    let locators: Vec<_> = rows.iter().map(|r| r.locator).collect();
    let bytes = stores.payloads.get(&locators).pop().and_then(Result::ok);
    let record = bytes.and_then(|b| StoredEvent::decode(&b).ok());
    Ok(record.and_then(|r| serde_json::from_slice(&r.json).ok()))
}

fn one(c: &mut dyn Connection, kept: &Kept, issue: i64, event: &Value, now: i64) -> Result<(), SqlError> {
    let Some(project) = projects::by_id(c, kept.project)? else {
        return Ok(());
    };
    let members = people::members(c, project.org_id)?;
    let by_commit = match kept.auto_assignment.as_str() {
        BY_COMMITS => author(c, &members, project.org_id, project.id, event)?,
        _ => None,
    };
    let (whose, how) = match by_commit {
        Some((user, commit)) => (
            Whose::User(user),
            json!({ "integration": "suspectCommitter", "commit": commit }),
        ),
        None => match by_rule(c, kept, &members, project.org_id, event)? {
            Some((whose, rule)) => (whose, json!({ "integration": "projectOwnership", "rule": rule })),
            None => return Ok(()),
        },
    };
    let (user, team) = match whose {
        Whose::User(id) => (Some(id), None),
        Whose::Team(id) => (None, Some(id)),
    };
    if ownership::assign(c, issue, user, team)? {
        let kind = if team.is_some() { "team" } else { "user" };
        let id = user.or(team).map(|id| id.to_string());
        let mut data = json!({ "assignee": id, "assigneeType": kind });
        for (key, value) in how.as_object().into_iter().flatten() {
            data[key] = value.clone();
        }
        activity::add(c, issue, project.id, None, "assigned", &data, now)?;
    }
    Ok(())
}

/// Whose an issue becomes.
enum Whose {
    User(i64),
    Team(i64),
}

fn member(members: &[Member], email: &str) -> Option<i64> {
    members.iter().find(|m| m.user.email == email).map(|m| m.user.id)
}

/// The first owner of the rule that is about an event, with the rule.
fn by_rule(
    c: &mut dyn Connection,
    kept: &Kept,
    members: &[Member],
    org: i64,
    event: &Value,
) -> Result<Option<(Whose, String)>, SqlError> {
    // What was kept was read before; a rule that cannot be read any more is none.
    let mut rules = parse_codeowners(&kept.codeowners).unwrap_or_default();
    rules.extend(parse(&kept.raw).unwrap_or_default());
    let mut subject = Subject::of_event(event);
    let mappings = repositories::mappings(c, org, Some(kept.project))?;
    let mapped: Vec<String> = subject
        .paths
        .iter()
        .filter_map(|p| mappings.iter().find_map(|m| m.apply(p)))
        .collect();
    subject.paths.extend(mapped);
    let Some(rule) = winner(&rules, &subject) else {
        return Ok(None);
    };
    for owner in &rule.owners {
        let whose = match owner {
            Owner::User(email) => member(members, email).map(Whose::User),
            Owner::Team(slug) => teams::find(c, org, slug)?.map(|t| Whose::Team(t.id)),
            Owner::External(_) => None,
        };
        if let Some(whose) = whose {
            return Ok(Some((whose, format!("{}:{}", rule.kind, rule.pattern))));
        }
    }
    Ok(None)
}

/// Who wrote the commit that most likely brought an event, with the commit.
fn author(
    c: &mut dyn Connection,
    members: &[Member],
    org: i64,
    project: i64,
    event: &Value,
) -> Result<Option<(i64, String)>, SqlError> {
    let files = commits::files_near(c, org, project, event["release"].as_str())?;
    let paths = suspects::paths(event);
    let ranked = suspects::rank(&paths, &files);
    let known = ranked
        .iter()
        .find_map(|(k, _)| Some((member(members, k.author_email.as_deref()?)?, k.key.clone())));
    Ok(known)
}

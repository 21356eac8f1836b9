//! Issues as lists and pages show them.

use std::collections::HashMap;

use serde_json::{Value, json};
use storage::life::{Status, Substatus, substatus_at};
use storage::relational::activity::Entry;
use storage::relational::hashes;
use storage::relational::issues::{Issue, short_id};
use storage::relational::people::{self, User};
use storage::relational::personal::{self, Personal};
use storage::relational::projects::Project;
use storage::relational::sharing;
use storage::relational::teams::{self, Team};

use super::{constant, people as people_view, project as project_view, time};
use crate::access::Principal;
use crate::answer::ApiError;
use crate::call::Call;
use crate::endpoints::issues::parts::Parts;

const HOUR: i64 = 3_600_000_000;

/// What lists add to issues: counts of the window, users, the caller's own.
pub struct Extra {
    /// Events and users under the query's filter, by issue, where there is one.
    pub filtered: HashMap<i64, (i64, i64, i64, i64)>,
    /// Events by issue and hour in the window of the counts.
    pub hours: HashMap<i64, Vec<(i64, i64)>>,
    /// Users in the window of the counts.
    pub users: HashMap<i64, u64>,
    pub personal: Personal,
    pub people: HashMap<i64, User>,
    pub teams: HashMap<i64, Team>,
    /// Public links, as far as the organization lets them lead anywhere.
    pub shared: HashMap<i64, String>,
    /// The window of the counts, µs.
    pub window: (i64, i64),
    /// The window is all of the retention: totals are those of the issue's life.
    pub whole: bool,
    /// The name and step (hours) of the sparkline, if asked for.
    pub spark: Option<(&'static str, i64, i64)>,
}

impl Extra {
    /// Reads it for a page of issues.
    pub fn load(call: &Call, issues: &[Issue], window: (i64, i64), whole: bool) -> Result<Extra, ApiError> {
        Extra::read(call, issues, window, whole, (true, true))
    }

    /// Reads it as far as the parts that it is for are wanted.
    pub fn parts(
        call: &Call,
        parts: &Parts<'_>,
        issues: &[Issue],
        window: (i64, i64),
        whole: bool,
    ) -> Result<Extra, ApiError> {
        let wanted = (!parts.leaves("stats"), !parts.leaves("base"));
        Extra::read(call, issues, window, whole, wanted)
    }

    fn read(
        call: &Call,
        issues: &[Issue],
        window: (i64, i64),
        whole: bool,
        (counts, base): (bool, bool),
    ) -> Result<Extra, ApiError> {
        let ids: Vec<i64> = issues.iter().map(|i| i.id).collect();
        let me = call.principal.as_ref().and_then(Principal::user_id).unwrap_or(0);
        let spark = match call.value("groupStatsPeriod") {
            Some("24h") | Some("auto") => Some(("24h", 1, 24)),
            Some("14d") => Some(("14d", 24, 14)),
            _ => None,
        };
        let now_hour = call.now().div_euclid(HOUR);
        let from = match spark {
            Some((_, step, n)) => window.0.div_euclid(HOUR).min(now_hour - step * n),
            None => window.0.div_euclid(HOUR),
        };
        let wanted: Vec<i64> = issues
            .iter()
            .filter_map(|i| i.assigned_user.filter(|_| base))
            .collect();
        let wanted_teams: Vec<i64> = issues
            .iter()
            .filter_map(|i| i.assigned_team.filter(|_| base))
            .collect();
        let shares = base && call.organization.as_ref().is_some_and(crate::sight::shares);
        let (rows, sketches, own, people, teams, shared) = call.api.stores.sql.reading(|c| {
            let mut people = HashMap::new();
            for id in &wanted {
                if let Some(user) = people::user(c, *id)? {
                    people.insert(*id, user);
                }
            }
            let days = window.0.div_euclid(24 * HOUR);
            let sketches = if whole || !counts {
                HashMap::new()
            } else {
                hashes::users_since(c, &ids, days)?
            };
            Ok((
                match counts && (!whole || spark.is_some()) {
                    true => hashes::hours(c, &ids, from, now_hour + 2)?,
                    false => vec![],
                },
                sketches,
                match base {
                    true => personal::of(c, me, &ids)?,
                    false => Personal::default(),
                },
                people,
                match wanted_teams.is_empty() {
                    true => vec![],
                    false => teams::by_ids(c, &wanted_teams)?,
                },
                match shares {
                    true => sharing::of(c, &ids)?,
                    false => HashMap::new(),
                },
            ))
        })?;
        let teams = teams.into_iter().map(|t| (t.id, t)).collect();
        let mut hours: HashMap<i64, Vec<(i64, i64)>> = HashMap::new();
        for (issue, hour, n) in rows {
            hours.entry(issue).or_default().push((hour, n));
        }
        let users = sketches.into_iter().map(|(id, s)| (id, s.count())).collect();
        Ok(Extra {
            filtered: HashMap::new(),
            hours,
            users,
            personal: own,
            people,
            teams,
            shared,
            window,
            whole,
            spark,
        })
    }

    fn events(&self, issue: &Issue) -> i64 {
        if self.whole {
            return issue.times_seen;
        }
        let (from, to) = (self.window.0.div_euclid(HOUR), self.window.1.div_euclid(HOUR));
        self.hours.get(&issue.id).map_or(0, |h| {
            h.iter()
                .filter(|(t, _)| (from..=to).contains(t))
                .map(|(_, n)| n)
                .sum()
        })
    }

    fn user_count(&self, issue: &Issue) -> i64 {
        if self.whole {
            return issue.users_seen;
        }
        self.users
            .get(&issue.id)
            .map_or(0, |n| i64::try_from(*n).unwrap_or(i64::MAX))
    }
}

/// Steps of a sparkline that ends now: (start in seconds, events).
pub fn series(hours: &[(i64, i64)], now: i64, step: i64, n: i64) -> Vec<Value> {
    let last = now.div_euclid(HOUR).div_euclid(step);
    (last - n + 1..=last)
        .map(|slot| {
            let sum: i64 = hours
                .iter()
                .filter(|(h, _)| h.div_euclid(step) == slot)
                .map(|(_, c)| c)
                .sum();
            json!([slot * step * 3600, sum])
        })
        .collect()
}

/// What a resolution or archive waits for, as Sentry says it.
fn status_details(issue: &Issue) -> Value {
    let d = &issue.state.details;
    let mut out = serde_json::Map::new();
    if let Some(version) = &d.after_release {
        out.insert("inNextRelease".into(), json!(true));
        out.insert("afterRelease".into(), json!(version));
    } else if issue.state.status == Status::Resolved && d.in_release.is_some() {
        out.insert("inRelease".into(), json!(d.in_release));
    }
    if let Some(until) = d.until {
        out.insert("ignoreUntil".into(), time(until));
    }
    if let Some(count) = d.until_count {
        out.insert("ignoreCount".into(), json!((count - issue.times_seen).max(0)));
    }
    if let Some(users) = d.until_users {
        out.insert("ignoreUserCount".into(), json!((users - issue.users_seen).max(0)));
    }
    if issue.state.substatus == Substatus::UntilEscalating {
        out.insert("untilEscalating".into(), json!(true));
    }
    Value::Object(out)
}

/// Who takes care of an issue: a user or a team.
fn assigned(issue: &Issue, extra: &Extra) -> Option<Value> {
    if let Some(team) = issue.assigned_team.and_then(|id| extra.teams.get(&id)) {
        return Some(json!({ "type": "team", "id": team.id.to_string(), "name": team.slug }));
    }
    issue.assigned_user.and_then(|id| extra.people.get(&id)).map(|u| {
        let name = if u.name.is_empty() { &u.email } else { &u.name };
        json!({ "type": "user", "id": u.id.to_string(), "name": name, "email": u.email })
    })
}

/// An issue in a list.
pub fn issue(call: &Call, issue: &Issue, project: &Project, extra: &Extra) -> Value {
    let substatus = substatus_at(issue.state.substatus, issue.state.changed, call.now());
    let org = call.organization.as_ref().map_or("", |o| o.slug.as_str());
    let assigned = assigned(issue, extra);
    let metadata: Value = serde_json::from_str(&issue.metadata).unwrap_or_else(|_| json!({}));
    let (count, users, first, last) = match extra.filtered.get(&issue.id) {
        Some(f) => *f,
        None => (
            extra.events(issue),
            extra.user_count(issue),
            issue.first_seen,
            issue.last_seen,
        ),
    };
    let mut view = json!({
        "id": issue.id.to_string(),
        "shareId": extra.shared.get(&issue.id),
        "shortId": short_id(&project.slug, issue.short_number),
        "title": issue.title,
        "culprit": issue.culprit,
        "permalink": format!("{}/organizations/{org}/issues/{}/", call.api.url, issue.id),
        "logger": if issue.logger.is_empty() { Value::Null } else { json!(issue.logger) },
        "level": issue.level,
        "status": issue.state.status.name(),
        "statusDetails": status_details(issue),
        "substatus": if substatus == Substatus::None { Value::Null } else { json!(substatus.name()) },
        "isPublic": extra.shared.contains_key(&issue.id),
        "platform": issue.platform,
        "project": project_view::reference(project),
        "type": issue.kind,
        "issueType": "error",
        "issueCategory": "error",
        "metadata": metadata,
        "numComments": issue.num_comments,
        "assignedTo": assigned,
        "isBookmarked": extra.personal.bookmarked.contains(&issue.id),
        "isSubscribed": extra.personal.subscribed.contains(&issue.id),
        "subscriptionDetails": null,
        "hasSeen": extra.personal.seen.contains(&issue.id),
        "annotations": [],
        "isUnhandled": issue.handled == Some(false),
        "priority": issue.state.priority.name(),
        "priorityLockedAt": if issue.state.priority_locked { time(issue.state.changed) } else { Value::Null },
        "count": count.to_string(),
        "userCount": users,
        "firstSeen": time(first),
        "lastSeen": time(last),
        "lifetime": {
            "count": issue.times_seen.to_string(), "userCount": issue.users_seen,
            "firstSeen": time(issue.first_seen), "lastSeen": time(issue.last_seen),
        },
        "pendingDeletion": issue.delete_after.is_some(),
    });
    if let Some((name, step, n)) = extra.spark {
        let hours = extra.hours.get(&issue.id).map_or(&[][..], Vec::as_slice);
        view["stats"] = json!({ name: series(hours, call.now(), step, n) });
    }
    let state = if issue.state.status == Status::Unresolved {
        "open"
    } else {
        "done"
    };
    view["derivedData"] = json!({
        "blocker": "", "progress": "", "status": state, "viewCount": 0, "hasOpenFixPr": false,
        "isAssigned": issue.assigned_user.is_some(), "hasRootCause": false, "lastCompletedAutofixStep": "",
        "lastProgressedAt": null,
    });
    constant::complete(&mut view, constant::issue());
    view
}

/// An entry of the activity list.
pub fn activity(entry: &Entry, people: &HashMap<i64, User>) -> Value {
    let user = entry.user.and_then(|id| people.get(&id)).map(people_view::user);
    json!({
        "id": entry.id.to_string(), "type": entry.kind, "data": entry.data, "user": user, "sentry_app": null,
        "dateCreated": time(entry.date_added),
    })
}

/// A comment.
pub fn note(entry: &Entry, people: &HashMap<i64, User>) -> Value {
    activity(entry, people)
}

/// The first entry of every issue's list.
pub fn first_seen_activity(issue: &Issue) -> Value {
    json!({
        "id": "0", "type": "first_seen", "user": null, "sentry_app": null, "dateCreated": time(issue.first_seen),
        "data": { "priority": issue.state.priority.name() },
    })
}

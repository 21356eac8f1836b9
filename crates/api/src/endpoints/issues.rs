//! Lists of issues: found, counted, changed and deleted together.

mod assignee;
mod find;
pub mod parts;

use std::collections::HashMap;

use serde_json::{Value, json};
use storage::life::{self, Substatus, Wish};
use storage::relational::issues::{self, Issue};
use storage::relational::listing::{Place, Sort};
use storage::relational::projects::Project;
use storage::relational::{activity, hashes, personal, releases};

use self::assignee::Assignee;
use self::parts::Parts;
use super::shared;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::scope::Scope;
use crate::views;
use crate::views::issue::Extra;

/// Issues that one request changes at most.
const BULK: usize = 10_000;
/// Issues that a list with conditions on events is counted up to.
const SHOWN: usize = 1_000;
/// How long a deletion can be taken back, µs.
const UNDO: i64 = 10_000_000;

/// The list.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let scope = Scope::of(call)?;
    let (sort, limit) = (find::sort(call)?, call.limit(25)?);
    let start = find::start(call, sort)?;
    let text = find::query(call);
    let mut page = match find::lookup(call, &scope, &text)? {
        Some(page) => page,
        None => find::find(call, &scope, &text, sort, start, limit, SHOWN)?,
    };
    let parts = Parts::of(call);
    let window = (scope.start, scope.end);
    let mut extra = Extra::parts(call, &parts, &page.issues, window, !scope.bounded)?;
    extra.filtered = std::mem::take(&mut page.filtered);
    let shown = page
        .issues
        .iter()
        .filter_map(|i| scope.project(i.project).map(|p| (i, p)));
    let shown: Vec<_> = shown.collect();
    let view = |(i, p): &(&Issue, &Project)| views::issue::issue(call, i, p, &extra);
    let mut views: Vec<Value> = shown.iter().map(view).collect();
    parts.apply(call, &shown, &mut views)?;
    Ok(find::links(Answer::json(views), call, &page, start, sort, limit))
}

/// How many issues several queries find: `?query=a&query=b` → `{"a": 3, "b": 0}`.
pub fn count(call: &Call) -> Result<Answer, ApiError> {
    let scope = Scope::of(call)?;
    let mut out = serde_json::Map::new();
    for (_, text) in call.query.iter().filter(|(k, _)| k == "query").take(20) {
        let page = find::find(call, &scope, text, Sort::LastSeen, Place::Offset(0), 1, SHOWN)?;
        out.insert(text.clone(), json!(page.total));
    }
    Ok(Answer::json(Value::Object(out)))
}

/// Counts of issues by number: `?groups=1&groups=2`.
pub fn stats(call: &Call) -> Result<Answer, ApiError> {
    let scope = Scope::of(call)?;
    let ids: Vec<i64> = call
        .values("groups")
        .iter()
        .filter_map(|g| g.parse().ok())
        .take(100)
        .collect();
    let found = call.api.stores.sql.reading(|c| issues::by_ids(c, &ids))?;
    let extra = Extra::load(call, &found, (scope.start, scope.end), !scope.bounded)?;
    let views: Vec<Value> = found
        .iter()
        .filter_map(|i| {
            scope
                .project(i.project)
                .map(|p| views::issue::issue(call, i, p, &extra))
        })
        .collect();
    Ok(Answer::json(views))
}

/// The issues that a bulk request names: by `id`, or all that its query finds.
fn named(call: &Call) -> Result<(Scope, Vec<Issue>, bool), ApiError> {
    let scope = Scope::of(call)?;
    let ids: Vec<i64> = call.values("id").iter().filter_map(|i| i.parse().ok()).collect();
    if call.values("id").len() != ids.len() {
        return Err(ApiError::Bad("id is the number of an issue".into()));
    }
    let by_id = !ids.is_empty();
    let found = if by_id {
        let mut found = call.api.stores.sql.reading(|c| issues::by_ids(c, &ids))?;
        found.retain(|i| scope.project(i.project).is_some());
        if found.is_empty() {
            return Err(ApiError::missing("Issue"));
        }
        found
    } else {
        let text = find::query(call);
        let status = call.value("status");
        let text = match status {
            Some(s) => format!("{text} is:{s}"),
            None => text,
        };
        let start = Place::Offset(0);
        let page = find::find(call, &scope, &text, Sort::LastSeen, start, BULK, BULK + 1)?;
        if page.total > BULK {
            let what = format!(
                "more than {BULK} issues match, and one request changes at most so many: narrow the query"
            );
            return Err(ApiError::Bad(what));
        }
        page.issues
    };
    Ok((scope, found, by_id))
}

/// Changes issues.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let (_, found, by_id) = named(call)?;
    let body = call.json()?;
    let asked = |key: &str| {
        body.get(key)
            .is_some_and(|v| v.as_bool() == Some(true) || v.as_i64() == Some(1) || v == "1")
    };
    if asked("merge") {
        if !by_id {
            return Err(ApiError::Bad("merging takes issues by id, not by query".into()));
        }
        return Ok(Answer::json(
            json!({ "merge": super::hashes::merge(call, &found)? }),
        ));
    }
    if asked("discard") {
        // It deletes: who may not do that may not do it this way.
        call.demand("event:admin")?;
        super::discarded::discard(call, &found)?;
        return Ok(Answer::nothing());
    }
    let mut done = change(call, found)?;
    // The old form of this answer, which the path of a project has, names these always.
    let rest = json!({ "isPublic": false, "statusDetails": body.get("statusDetails").cloned().unwrap_or(json!({})) });
    views::constant::complete(&mut done, rest);
    Ok(Answer::json(done))
}

/// Marks issues for deletion; a job deletes them when the time to take it back is over.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let (_, mut found, _) = named(call)?;
    mark_deleted(call, &mut found)?;
    Ok(Answer::nothing())
}

/// Marks issues for deletion.
pub fn mark_deleted(call: &Call, found: &mut [Issue]) -> Result<(), ApiError> {
    let due = call.now() + UNDO;
    let ids: Vec<i64> = found.iter().map(|i| i.id).collect();
    call.change(|c| {
        let mut fresh = issues::by_ids(c, &ids)?;
        for issue in &mut fresh {
            issue.delete_after = Some(due);
            let data = json!({ "issue_id": issue.id, "title": issue.title, "project_id": issue.project });
            call.audit(c, "issue.delete", Some(issue.id), &data)?;
        }
        Ok(issues::save(c, &fresh.iter().collect::<Vec<_>>())?)
    })
}

fn number(value: Option<&Value>, name: &str) -> Result<Option<i64>, ApiError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64().filter(|n| *n > 0) {
            Some(n) => Ok(Some(n)),
            None => Err(ApiError::field(name, "expected a number above 0")),
        },
    }
}

/// The wish in a body, as far as it is the same for every issue.
enum Status {
    Wish(Wish),
    NextRelease,
    UntilEscalating,
    /// Back to what it was: an undone change.
    Back(Substatus),
}

fn status(body: &serde_json::Map<String, Value>) -> Result<Option<Status>, ApiError> {
    let Some(status) = body.get("status").filter(|s| !s.is_null()) else {
        return Ok(None);
    };
    let details = body
        .get("statusDetails")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let substatus = body.get("substatus").and_then(Value::as_str).unwrap_or("");
    let get = |name: &str| number(details.get(name).or_else(|| body.get(name)), name);
    Ok(Some(match status.as_str().unwrap_or("") {
        "unresolved" => match Substatus::parse(substatus) {
            Some(s @ (Substatus::New | Substatus::Regressed | Substatus::Escalating)) => Status::Back(s),
            _ => Status::Wish(Wish::Unresolve),
        },
        "resolvedInNextRelease" => Status::NextRelease,
        "resolved" => {
            if details.get("inNextRelease").and_then(Value::as_bool) == Some(true) {
                Status::NextRelease
            } else if let Some(version) = details.get("inRelease").and_then(Value::as_str) {
                Status::Wish(Wish::ResolveInRelease(version.to_owned()))
            } else {
                Status::Wish(Wish::Resolve)
            }
        }
        "ignored" | "muted" | "archived" => {
            let minutes = match get("ignoreDuration")? {
                Some(n) => Some(n),
                None => get("snoozeDuration")?,
            };
            let (events, users) = (get("ignoreCount")?, get("ignoreUserCount")?);
            let escalating = substatus == "archived_until_escalating"
                || ["ignoreUntilEscalating", "untilEscalating"]
                    .iter()
                    .any(|k| details.get(*k).and_then(Value::as_bool) == Some(true));
            if minutes.is_some() || events.is_some() || users.is_some() {
                Status::Wish(Wish::ArchiveUntil {
                    minutes,
                    events,
                    users,
                })
            } else if escalating {
                Status::UntilEscalating
            } else {
                Status::Wish(Wish::ArchiveForever)
            }
        }
        other => {
            return Err(ApiError::field(
                "status",
                format!("status is resolved, unresolved or ignored, not '{other}'"),
            ));
        }
    }))
}

fn flag(body: &serde_json::Map<String, Value>, name: &str) -> Result<Option<bool>, ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(*on)),
        Some(_) => Err(ApiError::field(name, "expected true or false")),
    }
}

/// Applies the body to issues; answers what was set.
pub fn change(call: &Call, found: Vec<Issue>) -> Result<Value, ApiError> {
    let body = call.json()?;
    let status = status(&body)?;
    let assignee = Assignee::of(call, &body)?;
    let priority = match body.get("priority").and_then(Value::as_str) {
        None => None,
        Some(text) => match life::Priority::parse(text) {
            Some(priority) => Some(priority),
            None => return Err(ApiError::field("priority", "priority is high, medium or low")),
        },
    };
    let (bookmark, seen) = (flag(&body, "isBookmarked")?, flag(&body, "hasSeen")?);
    let subscribe = flag(&body, "isSubscribed")?;
    let keep = flag(&body, "pendingDeletion")? == Some(false);
    let public = flag(&body, "isPublic")?;
    if public == Some(true) {
        shared::demand(call)?;
    }
    let (me, now) = (call.user_id()?, call.now());
    let ids: Vec<i64> = found.iter().map(|i| i.id).collect();
    let shown = call.change(|c| {
        let mut shown = None;
        let mut all = issues::by_ids(c, &ids)?;
        let mut newest: HashMap<i64, Option<String>> = HashMap::new();
        for issue in &mut all {
            if keep {
                issue.delete_after = None;
            }
            let wish = match &status {
                None => None,
                Some(Status::Wish(wish)) => Some(wish.clone()),
                Some(Status::NextRelease) => {
                    if let std::collections::hash_map::Entry::Vacant(e) = newest.entry(issue.project) {
                        let known = releases::of_project(c, issue.project)?;
                        e.insert(releases::latest(&known).map(|r| r.version.clone()));
                    }
                    Some(Wish::ResolveInNextRelease(
                        newest.get(&issue.project).cloned().flatten(),
                    ))
                }
                Some(Status::UntilEscalating) => {
                    let hour = now.div_euclid(3_600_000_000);
                    Some(Wish::ArchiveUntilEscalating(hashes::forecast(c, issue, hour)?))
                }
                Some(Status::Back(substatus)) => {
                    issue.state.status = life::Status::Unresolved;
                    issue.state.substatus = *substatus;
                    issue.state.details = life::Details::default();
                    if *substatus == Substatus::New {
                        issue.state.changed = issue.first_seen;
                    }
                    activity::add(
                        c,
                        issue.id,
                        issue.project,
                        Some(me),
                        "set_unresolved",
                        &json!({}),
                        now,
                    )?;
                    None
                }
            };
            if let Some(wish) = wish {
                let counts = (issue.times_seen, issue.users_seen);
                if let Some(kind) = life::on_wish(&mut issue.state, &wish, counts, Some(me), now) {
                    let mut data = serde_json::to_value(&issue.state.details).unwrap_or_default();
                    if let Some(map) = data.as_object_mut()
                        && map.remove("forecast").is_some()
                    {
                        map.insert("untilEscalating".into(), json!(true));
                    }
                    activity::add(c, issue.id, issue.project, Some(me), kind, &data, now)?;
                    personal::subscribe(c, issue.id, me, true)?;
                }
            }
            if let Some(to) = &assignee
                && to.give(issue)
            {
                activity::add(c, issue.id, issue.project, Some(me), to.kind(), &to.data(), now)?;
            }
            if let Some(priority) = priority
                && issue.state.priority != priority
            {
                issue.state.priority = priority;
                issue.state.priority_locked = true;
                let data = json!({ "priority": priority.name() });
                activity::add(c, issue.id, issue.project, Some(me), "set_priority", &data, now)?;
            }
            if let Some(on) = bookmark {
                personal::bookmark(c, issue.id, me, on, now)?;
            }
            if let Some(on) = seen {
                personal::see(c, issue.id, me, on, now)?;
            }
            if let Some(on) = subscribe {
                personal::subscribe(c, issue.id, me, on)?;
            }
            if let Some(on) = public {
                shown = shared::set(call, c, issue, on)?;
            }
        }
        issues::save(c, &all.iter().collect::<Vec<_>>())?;
        Ok(shown)
    })?;
    let mut done = serde_json::Map::new();
    for key in [
        "status",
        "statusDetails",
        "substatus",
        "assignedTo",
        "isBookmarked",
        "hasSeen",
        "isSubscribed",
        "priority",
        "pendingDeletion",
        "isPublic",
    ] {
        if let Some(value) = body.get(key) {
            done.insert(key.into(), value.clone());
        }
    }
    if public.is_some() {
        // Of several issues each has its own.
        let one = shown.filter(|_| ids.len() == 1);
        done.insert("shareId".into(), json!(one));
    }
    Ok(Value::Object(done))
}

//! The hashes of an issue, and changes of which hash belongs to which issue.

use std::collections::BTreeSet;

use protocol::ids::GroupHash;
use serde_json::{Value, json};
use storage::columns::{Answer as Found, Filter, Order, Question};
use storage::relational::hashes as counted;
use storage::relational::issues::{self, Issue};
use storage::relational::projects::Project;
use storage::relational::{activity, regroup};

use super::issue::find;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::scope::{Scope, extent};
use crate::views;
use crate::views::event::Loaded;

/// Hashes that are listed, or changed by one request, at most.
const MOST: usize = 100;

/// The newest or oldest event under some hashes of a project.
fn one(
    call: &Call,
    project: &Project,
    hashes: Vec<[u8; 16]>,
    order: Order,
) -> Result<Option<Loaded>, ApiError> {
    let scope = Scope::all_of(call, project.clone())?;
    let question = Question::Rows {
        order,
        after: None,
        limit: 1,
    };
    match scope.select(call, Filter::All, Some(hashes), question)? {
        Found::Rows { rows, .. } => match rows.first() {
            Some(row) => super::events::load(call, row.locator),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The newest event of an issue.
pub fn newest(call: &Call, issue: &Issue, project: &Project) -> Result<Option<Loaded>, ApiError> {
    one(call, project, extent(call, issue.id)?, Order::Newest)
}

/// The hashes of an issue that events came under, those with the newest first, each with its latest event.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let known = call
        .api
        .stores
        .sql
        .reading(|c| counted::counted(c, &[issue.id]))?;
    let mut out = Vec::new();
    for (_, hash, tally) in known.into_iter().take(MOST) {
        let latest = one(call, &project, vec![hash.0], Order::Newest)?;
        let latest = latest.map(|l| views::event::summary(&l, &project, Some(issue.id)));
        out.push(json!({
            "id": hash.to_string(), "mergedBySeer": false, "seerMatchDistance": null, "latestEvent": latest, "count": tally.events,
            "firstSeen": views::time(tally.span.0), "lastSeen": views::time(tally.span.1),
        }));
    }
    Ok(Answer::json(out))
}

fn parse(texts: &[&str]) -> Result<Vec<GroupHash>, ApiError> {
    if texts.is_empty() || texts.len() > MOST {
        return Err(ApiError::Bad(format!(
            "name 1 to {MOST} hashes, each by its 32 hexadecimal digits"
        )));
    }
    texts
        .iter()
        .map(|t| {
            t.parse()
                .map_err(|_| ApiError::Bad(format!("'{t}' is not a hash")))
        })
        .collect()
}

/// Lets issues look like their newest events: after their hashes changed.
fn refresh(call: &Call, project: &Project, numbers: &[i64]) -> Result<(), ApiError> {
    for id in numbers {
        let hashes = extent(call, *id)?;
        let last = one(call, project, hashes.clone(), Order::Newest)?;
        let first = one(call, project, hashes, Order::Oldest)?;
        call.api.stores.sql.writing(|c| {
            let Some(mut issue) = issues::by_ids(c, &[*id])?.pop() else {
                return Ok(());
            };
            if let Some(last) = &last {
                issue.wear(&looks(&issue, last));
            }
            if let Some(first) = &first {
                issue.first_release = text(first, "release");
            }
            issues::save(c, &[&issue])
        })?;
    }
    Ok(())
}

fn text(event: &Loaded, key: &str) -> Option<String> {
    let text = event.json.get(key).and_then(Value::as_str);
    text.filter(|t| !t.is_empty()).map(str::to_owned)
}

/// An issue as its newest event makes it look.
fn looks(issue: &Issue, event: &Loaded) -> Issue {
    let get = |key: &str, old: &str| text(event, key).unwrap_or_else(|| old.to_owned());
    let values = event.json.pointer("/exception/values").and_then(Value::as_array);
    let handled: Vec<bool> = values
        .into_iter()
        .flatten()
        .filter_map(|e| e.pointer("/mechanism/handled")?.as_bool())
        .collect();
    let metadata = event.json.get("metadata").filter(|m| m.is_object());
    Issue {
        level: get("level", &issue.level),
        platform: get("platform", &issue.platform),
        kind: get("type", &issue.kind),
        logger: text(event, "logger").unwrap_or_default(),
        title: get("title", &issue.title),
        culprit: text(event, "culprit").unwrap_or_default(),
        metadata: metadata.map_or_else(|| issue.metadata.clone(), Value::to_string),
        handled: if handled.is_empty() {
            None
        } else {
            Some(handled.iter().all(|h| *h))
        },
        last_release: text(event, "release").or_else(|| issue.last_release.clone()),
        ..issue.clone()
    }
}

fn named(issue: &Issue, project: &Project) -> Value {
    json!({ "id": issue.id.to_string(), "shortId": issues::short_id(&project.slug, issue.short_number) })
}

/// Takes the hashes that `id` names out of an issue, into a new one of their own.
pub fn unmerge(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let mut out: BTreeSet<GroupHash> = parse(&call.values("id"))?.into_iter().collect();
    // The other hashes of their events go along, unless events came under them themselves.
    let known = call.api.stores.sql.reading(|c| {
        let own = counted::of_issues(c, &[issue.id])?;
        let primary = counted::counted(c, &[issue.id])?;
        Ok((own, primary))
    })?;
    for hash in out.clone() {
        if let Some(event) = one(call, &project, vec![hash.0], Order::Newest)? {
            let along = event.record.hashes.iter().filter(|h| {
                known.0.iter().any(|k| k.hash == **h) && !known.1.iter().any(|(_, p, _)| p == *h)
            });
            out.extend(along.copied());
        }
    }
    let out: Vec<GroupHash> = out.into_iter().collect();
    let (me, now) = (call.user_id()?, call.now());
    let done = call.api.stores.sql.writing(|c| {
        let Some((fresh, old)) = regroup::split(c, issue.id, &out, &issue)? else {
            return Ok(None);
        };
        let prints: Vec<String> = out.iter().map(ToString::to_string).collect();
        for (at, other, kind, key) in [
            (&old, &fresh, "unmerge_source", "destination"),
            (&fresh, &old, "unmerge_destination", "source"),
        ] {
            let data = json!({ "fingerprints": prints, key: named(other, &project) });
            activity::add(c, at.id, at.project, Some(me), kind, &data, now)?;
        }
        Ok(Some((fresh, old)))
    })?;
    let Some((fresh, old)) = done else {
        return Err(ApiError::Bad(
            "these hashes cannot be taken out: the issue has no events under them, or none under others"
                .into(),
        ));
    };
    refresh(call, &project, &[fresh.id, old.id])?;
    let mut answer = Answer::json(json!({ "issue": named(&fresh, &project) }));
    answer.status = http::StatusCode::ACCEPTED;
    Ok(answer)
}

/// Says that hashes belong to this issue: `{"hashes": [...]}`. Those of other issues move, and those that were
/// never seen will be of this issue when they come.
pub fn give(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let body = call.json()?;
    let texts: Option<Vec<&str>> = body
        .get("hashes")
        .and_then(Value::as_array)
        .and_then(|l| l.iter().map(Value::as_str).collect());
    let Some(texts) = texts else {
        return Err(ApiError::field("hashes", "expected a list of hashes"));
    };
    let wanted = parse(&texts)?;
    let (me, now) = (call.user_id()?, call.now());
    let given = call.api.stores.sql.writing(|c| {
        let Some(given) = regroup::give(c, issue.id, &wanted, now)? else {
            return Ok(None);
        };
        let data = json!({ "fingerprints": texts });
        activity::add(c, issue.id, issue.project, Some(me), "hashes_given", &data, now)?;
        Ok(Some(given))
    })?;
    let given = given.ok_or_else(|| ApiError::missing("Issue"))?;
    let mut touched = given.smaller.clone();
    touched.push(issue.id);
    refresh(call, &project, &touched)?;
    let ids = |list: &[i64]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    Ok(Answer::json(json!({
        "issue": named(&given.issue, &project), "merged": ids(&given.merged), "smaller": ids(&given.smaller),
    })))
}

/// Merges issues into the one of them with the most events: `{"merge": 1}` on a list.
pub fn merge(call: &Call, found: &[Issue]) -> Result<Value, ApiError> {
    let Some(first) = found.first().filter(|_| found.len() > 1) else {
        return Err(ApiError::Bad(
            "merging takes at least two issues: name them by id".into(),
        ));
    };
    if found.len() > MOST {
        return Err(ApiError::Bad(format!("one request merges at most {MOST} issues")));
    }
    if found.iter().any(|i| i.project != first.project) {
        return Err(ApiError::Bad(
            "issues of different projects cannot be merged".into(),
        ));
    }
    let project = call.projects()?.into_iter().find(|p| p.id == first.project);
    let project = project.ok_or_else(|| ApiError::missing("Project"))?;
    let parent = found
        .iter()
        .max_by_key(|i| (i.times_seen, std::cmp::Reverse(i.id)));
    let parent = parent.map_or(first.id, |i| i.id);
    let children: Vec<&Issue> = found.iter().filter(|i| i.id != parent).collect();
    let numbers: Vec<i64> = children.iter().map(|i| i.id).collect();
    let (me, now) = (call.user_id()?, call.now());
    let merged = call.api.stores.sql.writing(|c| {
        let Some(merged) = regroup::merge(c, parent, &numbers)? else {
            return Ok(false);
        };
        let list: Vec<Value> = children
            .iter()
            .map(|i| {
                let mut one = named(i, &project);
                one["title"] = json!(i.title);
                one
            })
            .collect();
        let data = json!({ "issues": list });
        activity::add(c, parent, merged.project, Some(me), "merge", &data, now)?;
        Ok(true)
    })?;
    if !merged {
        return Err(ApiError::Conflict(
            "one of the issues is not there any more: load the list again".into(),
        ));
    }
    Ok(json!({
        "parent": parent.to_string(),
        "children": numbers.iter().map(ToString::to_string).collect::<Vec<_>>(),
    }))
}

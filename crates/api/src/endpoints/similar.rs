//! Issues that look like one another, and what sets them apart.

use serde_json::{Value, json};
use storage::relational::issues::{self, Issue};
use storage::relational::projects::Project;
use storage::relational::{features, hashes};

use super::hashes::newest;
use super::issue::find;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::views;
use crate::views::event::Loaded;
use crate::views::issue::Extra;

/// Hashes that are looked through, those that began last first.
const LOOKED_THROUGH: i64 = 50_000;
/// From this score on, an issue may well be the same.
const LIKELY: f64 = 0.6;

/// Issues of the project that look like this one, most like it first: `[[issue, {"exception": 0.93}], …]`.
pub fn similar(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let limit = call.limit(10)?.min(50);
    let Some(event) = newest(call, &issue, &project)? else {
        return Ok(Answer::json(Vec::<Value>::new()));
    };
    let query = (call.api.hooks.features)(&event.json);
    let mut candidates = call
        .api
        .stores
        .sql
        .reading(|c| features::of_project(c, project.id, LOOKED_THROUGH))?;
    candidates.retain(|(id, _)| *id != issue.id);
    let ranked = (call.api.hooks.rank)(&query, &candidates, limit + 10);
    let ids: Vec<i64> = ranked.iter().map(|(id, _)| *id).collect();
    let mut found = call.api.stores.sql.reading(|c| issues::by_ids(c, &ids))?;
    found.retain(|i| i.delete_after.is_none());
    let extra = Extra::load(call, &found, (0, call.now()), true)?;
    let out: Vec<Value> = ranked
        .into_iter()
        .filter_map(|(id, score)| found.iter().find(|i| i.id == id).map(|i| (i, score)))
        .take(limit)
        .map(|(i, score)| {
            let score = (score * 1000.0).round() / 1000.0;
            let likely = if score >= LIKELY { "Yes" } else { "No" };
            json!([
                views::issue::issue(call, i, &project, &extra),
                { "exception": score, "shouldBeGrouped": likely },
            ])
        })
        .collect();
    Ok(Answer::json(out))
}

/// The event of a side: the one that was asked for, which must be of the issue, or the newest.
fn side(call: &Call, issue: &Issue, project: &Project, parameter: &str) -> Result<Loaded, ApiError> {
    let loaded = match call.value(parameter) {
        None => newest(call, issue, project)?,
        Some(text) => {
            let id = text.parse().map_err(|_| ApiError::missing("Event"))?;
            match super::events::by_id(call, project, id)? {
                Some(event) if super::events::issue_of(call, &event)? == Some(issue.id) => Some(event),
                _ => None,
            }
        }
    };
    loaded.ok_or_else(|| ApiError::missing("Event"))
}

/// Why two issues are not one: their newest events, or `event` and `otherEvent`, compared part by part.
pub fn compare(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let (other, other_project) = super::issue::find_named(call, call.param("other"))?;
    let (left, right) = (
        side(call, &issue, &project, "event")?,
        side(call, &other, &other_project, "otherEvent")?,
    );
    let mut out = (call.api.hooks.compare)(&left.json, &right.json);
    let both = [issue.clone(), other.clone()];
    let extra = Extra::load(call, &both, (0, call.now()), true)?;
    out["issues"] = json!([
        views::issue::issue(call, &issue, &project, &extra),
        views::issue::issue(call, &other, &other_project, &extra),
    ]);
    out["events"] = json!([left.id(), right.id()]);
    out["explanation"] = json!(explain(call, &out, &both)?);
    Ok(Answer::json(out))
}

/// One sentence on why the issues are apart.
fn explain(call: &Call, compared: &Value, both: &[Issue; 2]) -> Result<String, ApiError> {
    if both[0].id == both[1].id {
        return Ok("both are the same issue".into());
    }
    if both[0].project != both[1].project {
        return Ok("issues of different projects are never one".into());
    }
    let shared = compared["shared"].as_array().is_some_and(|s| !s.is_empty());
    if shared {
        let own = call
            .api
            .stores
            .sql
            .reading(|c| hashes::of_issues(c, &[both[0].id]))?;
        let mine = compared["shared"][0]
            .as_str()
            .is_some_and(|s| own.iter().any(|h| h.hash.to_string() == s));
        return Ok(format!(
            "the events share a hash, which belongs to {} issue: the issues began before one event had both hashes, \
             or were taken apart; merge them to make them one",
            if mine { "the first" } else { "the second" }
        ));
    }
    let n = compared["differences"].as_array().map_or(0, Vec::len)
        + compared["moreDifferences"]
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(0);
    Ok(match n {
        0 => "nothing that is stored of them tells them apart; they were grouped by other rules".into(),
        1 => "they differ in one place that counts".into(),
        n => format!("they differ in {n} places that count"),
    })
}

//! One issue.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use storage::relational::issues::{self, Issue, parse_short_id};
use storage::relational::people::{self, User};
use storage::relational::projects::{self, Project};
use storage::relational::{activity, hashes, personal};
use storage::sql::{Connection, Result as SqlResult};

use super::issues::parts::Parts;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::views;
use crate::views::issue::Extra;

/// The issue of the path, by number or short id, with its project.
pub fn find(call: &Call) -> Result<(Issue, Project), ApiError> {
    find_named(call, call.param("issue"))
}

/// An issue by number or short id, also of one that was merged into another, with its project.
pub fn find_named(call: &Call, name: &str) -> Result<(Issue, Project), ApiError> {
    let org = call.organization()?.id;
    let missing = || ApiError::missing("Issue");
    let found = call.api.stores.sql.reading(|c| {
        let issue = match name.parse::<i64>() {
            Ok(id) => by_number(c, id)?,
            Err(_) => match parse_short_id(name) {
                Some((slug, number)) => match call.sight.project(c, org, &slug)? {
                    Some(project) => by_short(c, project.id, number)?,
                    None => None,
                },
                None => None,
            },
        };
        let Some(issue) = issue else { return Ok(None) };
        Ok(projects::by_id(c, issue.project)?.map(|p| (issue, p)))
    })?;
    found
        .filter(|(_, p)| p.org_id == org && p.status == "active" && call.sight.sees(p.id))
        .ok_or_else(missing)
}

fn by_number(c: &mut dyn Connection, id: i64) -> SqlResult<Option<Issue>> {
    if let Some(issue) = issues::by_ids(c, &[id])?.pop() {
        return Ok(Some(issue));
    }
    match issues::redirect(c, id)? {
        Some(target) => Ok(issues::by_ids(c, &[target])?.pop()),
        None => Ok(None),
    }
}

/// An issue by its short number, also of one that was merged into another.
pub fn by_short(c: &mut dyn Connection, project: i64, number: i64) -> SqlResult<Option<Issue>> {
    if let Some(issue) = issues::by_short(c, project, number)? {
        return Ok(Some(issue));
    }
    match issues::redirect_short(c, project, number)? {
        Some(target) => Ok(issues::by_ids(c, &[target])?.pop()),
        None => Ok(None),
    }
}

/// The users of some numbers.
pub fn users(c: &mut dyn Connection, ids: impl IntoIterator<Item = i64>) -> SqlResult<HashMap<i64, User>> {
    let mut out = HashMap::new();
    for id in ids.into_iter().collect::<HashSet<_>>() {
        if let Some(user) = people::user(c, id)? {
            out.insert(id, user);
        }
    }
    Ok(out)
}

/// The issue in full.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let window = (
        call.now() - i64::from(call.api.retention) * 86_400_000_000,
        call.now(),
    );
    let parts = Parts::of_page(call);
    let extra = Extra::load(call, std::slice::from_ref(&issue), window, true)?;
    let counts = !parts.leaves("stats");
    let from = window.0.div_euclid(3_600_000_000);
    let (entries, seen, participants, people, hours) = call.api.stores.sql.reading(|c| {
        let entries = activity::of_issue(c, issue.id, 100)?;
        let seen = personal::seen_by(c, issue.id)?;
        let participants = personal::participants(c, issue.id)?;
        let ids = entries
            .iter()
            .filter_map(|e| e.user)
            .chain(seen.iter().map(|s| s.0))
            .chain(participants.iter().copied());
        let people = users(c, ids.collect::<Vec<_>>())?;
        let hours = match counts {
            true => hashes::hours(c, &[issue.id], from, call.now().div_euclid(3_600_000_000) + 2)?,
            false => vec![],
        };
        Ok((entries, seen, participants, people, hours))
    })?;
    let hours: Vec<(i64, i64)> = hours.into_iter().map(|(_, h, n)| (h, n)).collect();
    let mut view = views::issue::issue(call, &issue, &project, &extra);
    let mut list: Vec<Value> = entries
        .iter()
        .map(|e| views::issue::activity(e, &people))
        .collect();
    list.push(views::issue::first_seen_activity(&issue));
    view["activity"] = json!(list);
    view["stats"] = json!({
        "24h": views::issue::series(&hours, call.now(), 1, 24),
        "14d": views::issue::series(&hours, call.now(), 24, 14),
        "30d": views::issue::series(&hours, call.now(), 24, 30),
        "90d": views::issue::series(&hours, call.now(), 24, 90),
    });
    if !parts.leaves("release") {
        let release = |v: &Option<String>| v.as_deref().map(views::project::release_reference);
        view["firstRelease"] = json!(release(&issue.first_release));
        view["lastRelease"] = json!(release(&issue.last_release));
    }
    let seen: Vec<Value> = seen
        .iter()
        .filter_map(|(id, at)| {
            let mut view = views::people::user(people.get(id)?);
            view["lastSeen"] = views::time(*at);
            Some(view)
        })
        .collect();
    view["seenBy"] = json!(seen);
    let who: Vec<Value> = participants
        .iter()
        .filter_map(|id| people.get(id).map(views::people::user))
        .collect();
    view["participants"] = json!(who);
    for key in [
        "pluginActions",
        "pluginContexts",
        "pluginIssues",
        "integrationIssues",
        "sentryAppIssues",
    ] {
        view[key] = json!([]);
    }
    view["userReportCount"] = json!(0);
    if !parts.leaves("tags") {
        view["tags"] = json!(super::tags::of_issue(call, &issue, &project, 1, 10_000)?);
    }
    parts.apply(call, &[(&issue, &project)], std::slice::from_mut(&mut view))?;
    Ok(Answer::json(view))
}

/// Changes the issue.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let id = issue.id;
    super::issues::change(call, vec![issue])?;
    let issue = call.api.stores.sql.reading(|c| issues::by_ids(c, &[id]))?.pop();
    let issue = issue.ok_or_else(|| ApiError::missing("Issue"))?;
    let extra = Extra::load(call, std::slice::from_ref(&issue), (0, call.now()), true)?;
    Ok(Answer::json(views::issue::issue(call, &issue, &project, &extra)))
}

/// Marks the issue for deletion.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let (issue, _) = find(call)?;
    super::issues::mark_deleted(call, &mut [issue])?;
    let mut answer = Answer::nothing();
    answer.status = http::StatusCode::ACCEPTED;
    Ok(answer)
}

/// The issue of a short id.
pub fn by_short_id(call: &Call) -> Result<Answer, ApiError> {
    let text = call.param("short");
    let org = call.organization()?;
    let found = match parse_short_id(text) {
        Some((slug, number)) => {
            call.api
                .stores
                .sql
                .reading(|c| match call.sight.project(c, org.id, &slug)? {
                    Some(project) => Ok(by_short(c, project.id, number)?.map(|i| (i, project))),
                    None => Ok(None),
                })?
        }
        None => None,
    };
    let (issue, project) = found.ok_or_else(|| ApiError::missing("Issue"))?;
    let parts = Parts::of(call);
    let extra = Extra::parts(call, &parts, std::slice::from_ref(&issue), (0, call.now()), true)?;
    let mut view = views::issue::issue(call, &issue, &project, &extra);
    parts.leave(&mut view);
    Ok(Answer::json(json!({
        "organizationSlug": org.slug, "projectSlug": project.slug, "groupId": issue.id.to_string(),
        "shortId": issues::short_id(&project.slug, issue.short_number),
        "group": view,
    })))
}

/// Events of the issue over time: `[[seconds, count], …]`.
pub fn stats(call: &Call) -> Result<Answer, ApiError> {
    let (issue, _) = find(call)?;
    let (start, _, _, _) = crate::scope::window(call, 86_400_000_000)?;
    let now = call.now();
    let step = if now - start > 4 * 86_400_000_000 { 24 } else { 1 };
    let (from, to) = (start.div_euclid(3_600_000_000), now.div_euclid(3_600_000_000) + 1);
    let rows = call
        .api
        .stores
        .sql
        .reading(|c| hashes::hours(c, &[issue.id], from, to))?;
    let hours: Vec<(i64, i64)> = rows.into_iter().map(|(_, h, n)| (h, n)).collect();
    let n = (to - from).div_euclid(step).clamp(1, 2000);
    Ok(Answer::json(views::issue::series(&hours, now, step, n)))
}

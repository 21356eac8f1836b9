//! Changes of which hash belongs to which issue: merging, taking apart, and moving hashes. Counts are kept per
//! hash, so that what an issue has is added up anew; no event is touched.
//!
//! Each function first waits until no batch is being applied ([`positions::hold`]).

use std::collections::BTreeSet;

use protocol::ids::GroupHash;

use super::issues::{self, Issue};
use super::{documents, hashes, list, positions, projects};
use crate::params;
use crate::sql::{Connection, Result, SqlError};

fn ids(numbers: &[i64]) -> String {
    list(numbers.iter().map(|i| serde_json::json!({"i": i})).collect())
}

/// Adds up what an issue's hashes have: events, users, first and last seen.
///
/// # Errors
/// As the database says; so for every function here.
fn recount(c: &mut dyn Connection, issue: &mut Issue) -> Result<()> {
    let counted = hashes::counted(c, &[issue.id])?;
    issue.times_seen = counted.iter().map(|(_, _, t)| t.events).sum();
    if let Some(first) = counted.iter().map(|(_, _, t)| t.span.0).min() {
        issue.first_seen = first;
    }
    if let Some(last) = counted.iter().map(|(_, _, t)| t.span.1).max() {
        issue.last_seen = last;
    }
    let users = hashes::whole_life(c, &[issue.id])?.remove(&issue.id);
    issue.users_seen = users.map_or(0, |u| i64::try_from(u.count()).unwrap_or(i64::MAX));
    Ok(())
}

/// Adds up anew what an issue's hashes have.
pub fn recount_issue(c: &mut dyn Connection, issue: i64) -> Result<()> {
    if let Some(mut issue) = issues::by_ids(c, &[issue])?.pop() {
        recount(c, &mut issue)?;
        issues::save(c, &[&issue])?;
    }
    Ok(())
}

/// Merges issues of one project into the first of them, which keeps its number, state and assignee. Comments,
/// history, bookmarks and subscriptions move; the numbers and short ids of the others lead to it from now on.
/// Answers the issue, or nothing if one of them is not there or is of another project.
pub fn merge(c: &mut dyn Connection, parent: i64, children: &[i64]) -> Result<Option<Issue>> {
    positions::hold(c)?;
    let mut wanted: BTreeSet<i64> = children.iter().copied().collect();
    wanted.insert(parent);
    let all = issues::by_ids(c, &wanted.iter().copied().collect::<Vec<_>>())?;
    let Some(kept) = all.iter().find(|i| i.id == parent) else {
        return Ok(None);
    };
    if all.len() != wanted.len() || all.iter().any(|i| i.project != kept.project) {
        return Ok(None);
    }
    let mut kept = kept.clone();
    let others: Vec<&Issue> = all.iter().filter(|i| i.id != parent).collect();
    let numbers = ids(&others.iter().map(|i| i.id).collect::<Vec<_>>());
    for sql in [
        "update issue_hashes set issue_id = $2 from {rows $1 i int} x where issue_hashes.issue_id = x.i",
        "update activity set issue_id = $2 from {rows $1 i int} x where activity.issue_id = x.i",
        "update issue_redirects set target = $2 from {rows $1 i int} x where issue_redirects.target = x.i",
        "insert into bookmarks (issue_id, user_id, date_added) \
         select $2, b.user_id, min(b.date_added) from {rows $1 i int} x join bookmarks b on b.issue_id = x.i \
         where true group by b.user_id on conflict (issue_id, user_id) do nothing",
        "insert into subscriptions (issue_id, user_id, is_active) \
         select $2, s.user_id, max(s.is_active) from {rows $1 i int} x join subscriptions s on s.issue_id = x.i \
         where true group by s.user_id on conflict (issue_id, user_id) do nothing",
    ] {
        c.execute(sql, params![&numbers, parent])?;
    }
    let rows = others
        .iter()
        .map(|i| serde_json::json!({"i": i.id, "p": i.project, "n": i.short_number}))
        .collect();
    c.execute(
        "insert into issue_redirects (issue_id, project_id, short_number, target) \
         select i, p, n, $2 from {rows $1 i int, p int, n int} x",
        params![list(rows), parent],
    )?;
    for other in &others {
        documents::give_links(c, other.id, parent)?;
        issues::remove(c, other.id)?;
    }
    // It looks like its newest event.
    if let Some(newest) = others.iter().max_by_key(|i| i.last_seen)
        && (newest.last_seen > kept.last_seen || kept.times_seen <= 0)
    {
        kept.wear(newest);
    }
    if let Some(oldest) = others.iter().min_by_key(|i| i.first_seen)
        && oldest.first_seen < kept.first_seen
    {
        kept.first_release.clone_from(&oldest.first_release);
    }
    recount(c, &mut kept)?;
    issues::save(c, &[&kept])?;
    super::activity::recount_notes(c, parent)?;
    Ok(Some(kept))
}

/// Takes hashes out of an issue into a new one, which looks like `looks`: its texts, state and assignee are taken
/// from there. Answers the new issue's number and the old issue; nothing if the issue has none of the hashes, or
/// none of its events would be left.
pub fn split(
    c: &mut dyn Connection,
    issue: i64,
    out: &[GroupHash],
    looks: &Issue,
) -> Result<Option<(Issue, Issue)>> {
    positions::hold(c)?;
    let Some(mut old) = issues::by_ids(c, &[issue])?.pop() else {
        return Ok(None);
    };
    let counted = hashes::counted(c, &[issue])?;
    let stays = counted.iter().any(|(_, h, _)| !out.contains(h));
    if !stays || !counted.iter().any(|(_, h, _)| out.contains(h)) {
        return Ok(None);
    }
    let mut fresh = Issue {
        short_number: projects::take_numbers(c, old.project, 1)?,
        num_comments: 0,
        delete_after: None,
        project: old.project,
        ..looks.clone()
    };
    let added = issues::add(c, std::slice::from_ref(&fresh))?;
    fresh.id = added
        .first()
        .map(|(_, _, id)| *id)
        .ok_or_else(|| SqlError::Row("an issue was added without a number".into()))?;
    claim(c, old.project, fresh.id, out, Some(issue))?;
    recount(c, &mut fresh)?;
    recount(c, &mut old)?;
    issues::save(c, &[&fresh, &old])?;
    Ok(Some((fresh, old)))
}

fn claim(
    c: &mut dyn Connection,
    project: i64,
    issue: i64,
    wanted: &[GroupHash],
    only_from: Option<i64>,
) -> Result<()> {
    let rows = wanted
        .iter()
        .map(|h| serde_json::json!({"p": project, "h": h.to_string()}))
        .collect();
    c.execute(
        "update issue_hashes set issue_id = $2 from {rows $1 p int, h text} x where issue_hashes.hash = x.h \
         and issue_hashes.project_id = x.p and (issue_hashes.issue_id = $3 or $3 = -1)",
        params![list(rows), issue, only_from.unwrap_or(-1)],
    )?;
    Ok(())
}

/// What became of hashes that an issue was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The issue.
    pub issue: Issue,
    /// Issues that lost some of their hashes.
    pub smaller: Vec<i64>,
    /// Issues that lost all of their hashes, and are part of the issue now.
    pub merged: Vec<i64>,
}

/// Says that hashes belong to an issue: those of other issues move, those that were never seen are bound, so that
/// their first event will be one of this issue. Answers nothing if the issue is not there.
pub fn give(c: &mut dyn Connection, issue: i64, wanted: &[GroupHash], now: i64) -> Result<Option<Given>> {
    positions::hold(c)?;
    let Some(mut target) = issues::by_ids(c, &[issue])?.pop() else {
        return Ok(None);
    };
    let project = u64::try_from(target.project).unwrap_or(0);
    let keys: Vec<_> = wanted.iter().map(|h| (project, *h)).collect();
    let owners: BTreeSet<i64> = hashes::find(c, &keys)?
        .iter()
        .filter_map(|h| h.issue)
        .filter(|i| *i != issue)
        .collect();
    let bound: Vec<_> = keys.iter().map(|(p, h)| (*p, *h, issue)).collect();
    hashes::add(c, &bound, now)?;
    claim(c, target.project, issue, wanted, None)?;
    let mut given = Given {
        issue: target.clone(),
        smaller: vec![],
        merged: vec![],
    };
    for mut owner in issues::by_ids(c, &owners.into_iter().collect::<Vec<_>>())? {
        if hashes::counted(c, &[owner.id])?.is_empty() {
            given.merged.push(owner.id);
        } else {
            recount(c, &mut owner)?;
            issues::save(c, &[&owner])?;
            given.smaller.push(owner.id);
        }
    }
    if given.merged.is_empty() {
        recount(c, &mut target)?;
        issues::save(c, &[&target])?;
        given.issue = target;
    } else if let Some(merged) = merge(c, issue, &given.merged)? {
        given.issue = merged;
    }
    Ok(Some(given))
}

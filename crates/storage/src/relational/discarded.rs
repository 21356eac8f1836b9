//! Issues that were deleted with all their future events: what they were, and the hashes by which their events
//! are known and left out.

use std::collections::HashMap;

use protocol::ids::GroupHash;

use super::issues::Issue;
use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A discarded issue.
#[derive(Debug, Clone, PartialEq)]
pub struct Discarded {
    /// Its number; that of the issue is gone.
    pub id: i64,
    /// The project.
    pub project: i64,
    /// The level of its last event.
    pub level: String,
    /// `error`, `default`, `csp`.
    pub kind: String,
    /// What it was called.
    pub title: String,
    /// Where it happened.
    pub culprit: String,
    /// Type, value, file name and so on, JSON.
    pub metadata: String,
    /// Who discarded it.
    pub user: Option<i64>,
    /// When, µs.
    pub date_added: i64,
    /// Events left out since.
    pub times_discarded: i64,
    /// When the last was left out, µs.
    pub last_discarded: Option<i64>,
}

const COLUMNS: &str = "id, project_id, level, kind, title, culprit, metadata, user_id, date_added, times_discarded, last_discarded";

fn read(r: &Row) -> Result<Discarded> {
    Ok(Discarded {
        id: r.int(0)?,
        project: r.int(1)?,
        level: r.text(2)?,
        kind: r.text(3)?,
        title: r.text(4)?,
        culprit: r.text(5)?,
        metadata: r.text(6)?,
        user: r.opt_int(7)?,
        date_added: r.int(8)?,
        times_discarded: r.int(9)?,
        last_discarded: r.opt_int(10)?,
    })
}

/// Notes that events of an issue's hashes are left out from now on; the issue itself is deleted apart.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, issue: &Issue, user: Option<i64>, now: i64) -> Result<i64> {
    let id = c
        .query_one(
            "insert into discarded_issues (project_id, level, kind, title, culprit, metadata, user_id, date_added, \
             times_discarded) values ($1, $2, $3, $4, $5, $6, $7, $8, 0) returning id",
            params![
                issue.project,
                &issue.level,
                &issue.kind,
                &issue.title,
                &issue.culprit,
                &issue.metadata,
                user,
                now
            ],
        )?
        .int(0)?;
    c.execute(
        "insert into discarded_hashes (project_id, hash, discarded_id) \
         select project_id, hash, $2 from issue_hashes where issue_id = $1 \
         on conflict (project_id, hash) do update set discarded_id = excluded.discarded_id",
        params![issue.id, id],
    )?;
    Ok(id)
}

/// The discarded issues of a project, newest first.
pub fn of_project(c: &mut dyn Connection, project: i64, offset: i64, limit: i64) -> Result<Vec<Discarded>> {
    let sql = format!(
        "select {COLUMNS} from discarded_issues where project_id = $1 order by id desc limit $2 offset $3"
    );
    all(c.query(&sql, params![project, limit, offset])?, read)
}

/// Takes one back: its events are stored again. Answers false if the project has none with this number.
pub fn remove(c: &mut dyn Connection, project: i64, id: i64) -> Result<bool> {
    let n = c.execute(
        "delete from discarded_issues where id = $1 and project_id = $2",
        params![id, project],
    )?;
    if n > 0 {
        c.execute(
            "delete from discarded_hashes where discarded_id = $1",
            params![id],
        )?;
    }
    Ok(n > 0)
}

/// The projects that discard anything.
pub fn projects(c: &mut dyn Connection) -> Result<Vec<u64>> {
    all(
        c.query("select distinct project_id from discarded_issues", &[])?,
        |r| Ok(u64::try_from(r.int(0)?).unwrap_or(0)),
    )
}

/// Which of these hashes are discarded, and as which issue.
pub fn find(c: &mut dyn Connection, hashes: &[(u64, GroupHash)]) -> Result<HashMap<(u64, GroupHash), i64>> {
    let keys = list(
        hashes
            .iter()
            .map(|(p, h)| serde_json::json!({"p": p, "h": h.to_string()}))
            .collect(),
    );
    let rows = c.query(
        "select d.project_id, d.hash, d.discarded_id from {rows $1 p int, h text} x \
         join discarded_hashes d on d.project_id = x.p and d.hash = x.h",
        params![keys],
    )?;
    let mut out = HashMap::with_capacity(rows.len());
    for r in &rows {
        if let Ok(hash) = r.text(1)?.parse::<GroupHash>() {
            out.insert((u64::try_from(r.int(0)?).unwrap_or(0), hash), r.int(2)?);
        }
    }
    Ok(out)
}

/// Counts events that were left out: (discarded issue, events).
pub fn count(c: &mut dyn Connection, counts: &HashMap<i64, i64>, now: i64) -> Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    let rows = counts
        .iter()
        .map(|(i, n)| serde_json::json!({"i": i, "n": n}))
        .collect();
    c.execute(
        "update discarded_issues set times_discarded = discarded_issues.times_discarded + x.n, last_discarded = $2 \
         from {rows $1 i int, n int} x where x.i = discarded_issues.id",
        params![list(rows), now],
    )?;
    Ok(())
}

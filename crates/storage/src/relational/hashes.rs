//! Grouping hashes: which issue each belongs to (the only place where an issue's extent stands), and the hourly
//! counts and user sketches that are kept per hash, so that merging issues is adding.

use std::collections::HashMap;

use protocol::ids::GroupHash;
use protocol::time::hour_of;

use super::issues::Issue;
use super::{all, list};
use crate::life::{Forecast, WEEK};
use crate::params;
use crate::sketch::Distinct;
use crate::sql::{Connection, Result, Row};

/// The day under which the sketch of a hash's whole life is kept.
pub const WHOLE_LIFE: i64 = -1;

/// A hash of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct HashRow {
    /// Its number.
    pub id: i64,
    /// The project.
    pub project: u64,
    /// The hash.
    pub hash: GroupHash,
    /// Its issue.
    pub issue: Option<i64>,
}

/// Reads the hash in a column.
pub(super) fn hash(r: &Row, column: usize) -> Result<GroupHash> {
    let text = r.text(column)?;
    text.parse()
        .map_err(|e| crate::sql::SqlError::Row(format!("hash {text}: {e}")))
}

fn read(r: &Row) -> Result<HashRow> {
    Ok(HashRow {
        id: r.int(0)?,
        project: u64::try_from(r.int(1)?).unwrap_or(0),
        hash: hash(r, 2)?,
        issue: r.opt_int(3)?,
    })
}

fn keys(hashes: &[(u64, GroupHash)]) -> String {
    list(
        hashes
            .iter()
            .map(|(p, h)| serde_json::json!({"p": p, "h": h.to_string()}))
            .collect(),
    )
}

/// The rows of these hashes; those that are not there are missing.
///
/// # Errors
/// As the database says; so for every function here.
pub fn find(c: &mut dyn Connection, hashes: &[(u64, GroupHash)]) -> Result<Vec<HashRow>> {
    let rows = c.query(
        "select h.id, h.project_id, h.hash, h.issue_id from {rows $1 p int, h text} x \
         join issue_hashes h on h.project_id = x.p and h.hash = x.h",
        params![keys(hashes)],
    )?;
    all(rows, read)
}

/// Adds hashes that are not there yet: project, hash, issue, now.
pub fn add(c: &mut dyn Connection, hashes: &[(u64, GroupHash, i64)], now: i64) -> Result<()> {
    if hashes.is_empty() {
        return Ok(());
    }
    let rows = hashes
        .iter()
        .map(|(p, h, i)| serde_json::json!({"p": p, "h": h.to_string(), "i": i}))
        .collect();
    c.execute(
        "insert into issue_hashes (project_id, hash, issue_id, times_seen, first_seen, last_seen) \
         select p, h, i, 0, $2, $2 from {rows $1 p int, h text, i int} x where true \
         on conflict (project_id, hash) do update set issue_id = coalesce(issue_hashes.issue_id, excluded.issue_id)",
        params![list(rows), now],
    )?;
    Ok(())
}

/// Events of a hash in one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// The hash's number.
    pub hash: i64,
    /// How many events.
    pub events: i64,
    /// The first and last, µs.
    pub span: (i64, i64),
}

/// Adds to the totals of hashes.
pub fn tally(c: &mut dyn Connection, tallies: &[Tally]) -> Result<()> {
    let rows = tallies
        .iter()
        .map(|t| serde_json::json!({"i": t.hash, "n": t.events, "a": t.span.0, "z": t.span.1}))
        .collect();
    c.execute(
        "update issue_hashes set times_seen = issue_hashes.times_seen + x.n, \
         first_seen = case when issue_hashes.times_seen = 0 or x.a < issue_hashes.first_seen then x.a \
           else issue_hashes.first_seen end, \
         last_seen = case when issue_hashes.times_seen = 0 or x.z > issue_hashes.last_seen then x.z \
           else issue_hashes.last_seen end \
         from {rows $1 i int, n int, a int, z int} x where x.i = issue_hashes.id",
        params![list(rows)],
    )?;
    Ok(())
}

/// Adds events per hash and hour.
pub fn add_hours(c: &mut dyn Connection, counts: &[(i64, i64, i64)]) -> Result<()> {
    let rows = counts
        .iter()
        .map(|(h, t, n)| serde_json::json!({"h": h, "t": t, "n": n}))
        .collect();
    c.execute(
        "insert into hash_hours (hash_id, hour, events) select h, t, n from {rows $1 h int, t int, n int} x where true \
         on conflict (hash_id, hour) do update set events = hash_hours.events + excluded.events",
        params![list(rows)],
    )?;
    Ok(())
}

/// Events of issues in one hour.
pub fn events_in_hour(c: &mut dyn Connection, issue: i64, hour: i64) -> Result<i64> {
    c.query_one(
        "select cast(coalesce(sum(t.events), 0) as bigint) from issue_hashes h join hash_hours t on t.hash_id = h.id \
         where h.issue_id = $1 and t.hour = $2",
        params![issue, hour],
    )?
    .int(0)
}

/// Events per issue and hour from hour `from` to before `to`.
pub fn hours(c: &mut dyn Connection, issues: &[i64], from: i64, to: i64) -> Result<Vec<(i64, i64, i64)>> {
    let ids = list(issues.iter().map(|i| serde_json::json!({"i": i})).collect());
    let rows = c.query(
        "select h.issue_id, t.hour, cast(sum(t.events) as bigint) from {rows $1 i int} x \
         join issue_hashes h on h.issue_id = x.i join hash_hours t on t.hash_id = h.id \
         where t.hour >= $2 and t.hour < $3 group by h.issue_id, t.hour order by h.issue_id, t.hour",
        params![ids, from, to],
    )?;
    all(rows, |r| Ok((r.int(0)?, r.int(1)?, r.int(2)?)))
}

/// What is expected of an issue from hour `now` on, by the whole hours of the week before.
pub fn forecast(c: &mut dyn Connection, issue: &Issue, now: i64) -> Result<Forecast> {
    let hours = hours(c, &[issue.id], now - WEEK, now)?;
    let events: Vec<(i64, i64)> = hours.into_iter().map(|(_, hour, n)| (hour, n)).collect();
    Ok(Forecast::of(&events, hour_of(issue.first_seen), now))
}

/// The sketches of hashes and days that are there.
pub fn sketches(c: &mut dyn Connection, keys: &[(i64, i64)]) -> Result<HashMap<(i64, i64), Distinct>> {
    let rows = keys
        .iter()
        .map(|(h, d)| serde_json::json!({"h": h, "d": d}))
        .collect();
    let rows = c.query(
        "select u.hash_id, u.day, u.sketch from {rows $1 h int, d int} x \
         join hash_users u on u.hash_id = x.h and u.day = x.d",
        params![list(rows)],
    )?;
    rows.iter()
        .map(|r| Ok(((r.int(0)?, r.int(1)?), Distinct::from_bytes(&r.blob(2)?))))
        .collect()
}

/// Writes a sketch.
pub fn put_sketch(c: &mut dyn Connection, hash: i64, day: i64, sketch: &Distinct) -> Result<()> {
    c.execute(
        "insert into hash_users (hash_id, day, sketch) values ($1, $2, $3) \
         on conflict (hash_id, day) do update set sketch = excluded.sketch",
        params![hash, day, sketch.to_bytes()],
    )?;
    Ok(())
}

/// The users of issues in their whole life.
pub fn whole_life(c: &mut dyn Connection, issues: &[i64]) -> Result<HashMap<i64, Distinct>> {
    let ids = list(issues.iter().map(|i| serde_json::json!({"i": i})).collect());
    let rows = c.query(
        // The plus keeps SQLite from beginning with the index of days, which has every hash under this one.
        "select h.issue_id, u.sketch from {rows $1 i int} x join issue_hashes h on h.issue_id = x.i \
         join hash_users u on u.hash_id = h.id and +u.day = $2",
        params![ids, WHOLE_LIFE],
    )?;
    merged(&rows)
}

fn merged(rows: &[Row]) -> Result<HashMap<i64, Distinct>> {
    let mut out: HashMap<i64, Distinct> = HashMap::new();
    for row in rows {
        out.entry(row.int(0)?)
            .or_default()
            .merge(&Distinct::from_bytes(&row.blob(1)?));
    }
    Ok(out)
}

/// The sketches of issues from day `from` on: (issue, sketch).
pub fn users_since(c: &mut dyn Connection, issues: &[i64], from: i64) -> Result<HashMap<i64, Distinct>> {
    let ids = list(issues.iter().map(|i| serde_json::json!({"i": i})).collect());
    let rows = c.query(
        "select h.issue_id, u.sketch from {rows $1 i int} x join issue_hashes h on h.issue_id = x.i \
         join hash_users u on u.hash_id = h.id where u.day >= $2",
        params![ids, from.max(0)],
    )?;
    merged(&rows)
}

/// The hashes of issues that events were counted under, those with the newest events first: (issue, hash, events,
/// first and last seen in µs).
pub fn counted(c: &mut dyn Connection, issues: &[i64]) -> Result<Vec<(i64, GroupHash, Tally)>> {
    let ids = list(issues.iter().map(|i| serde_json::json!({"i": i})).collect());
    let rows = c.query(
        "select h.issue_id, h.hash, h.id, h.times_seen, h.first_seen, h.last_seen from {rows $1 i int} x \
         join issue_hashes h on h.issue_id = x.i where h.times_seen > 0 order by h.last_seen desc, h.id desc",
        params![ids],
    )?;
    all(rows, |r| {
        let hash = hash(r, 1)?;
        let tally = Tally {
            hash: r.int(2)?,
            events: r.int(3)?,
            span: (r.int(4)?, r.int(5)?),
        };
        Ok((r.int(0)?, hash, tally))
    })
}

/// The hashes of a project that events came under last: (issue, hash).
pub fn newest(c: &mut dyn Connection, project: i64, limit: i64) -> Result<Vec<(i64, GroupHash)>> {
    let rows = c.query(
        "select h.issue_id, h.hash from issue_hashes h where h.project_id = $1 and h.issue_id is not null \
         and h.times_seen > 0 order by h.last_seen desc, h.id desc limit $2",
        params![project, limit],
    )?;
    all(rows, |r| {
        let hash = hash(r, 1)?;
        Ok((r.int(0)?, hash))
    })
}

/// The hashes of issues.
pub fn of_issues(c: &mut dyn Connection, issues: &[i64]) -> Result<Vec<HashRow>> {
    let ids = list(issues.iter().map(|i| serde_json::json!({"i": i})).collect());
    let rows = c.query(
        "select h.id, h.project_id, h.hash, h.issue_id from {rows $1 i int} x join issue_hashes h on h.issue_id = x.i \
         order by h.id",
        params![ids],
    )?;
    all(rows, read)
}

/// What was deleted or processed again: readers hide these rows.
pub fn hidden(c: &mut dyn Connection, projects: &[u64]) -> Result<crate::columns::Hidden> {
    let ids = list(projects.iter().map(|p| serde_json::json!({"p": p})).collect());
    let rows = c.query(
        "select t.project_id, t.hash, t.upto from {rows $1 p int} x join tombstones t on t.project_id = x.p",
        params![ids],
    )?;
    let mut out = crate::columns::Hidden::default();
    for r in &rows {
        if let Ok(hash) = r.text(1)?.parse::<GroupHash>() {
            out.deleted.insert(
                (u64::try_from(r.int(0)?).unwrap_or(0), hash.0),
                u64::try_from(r.int(2)?).unwrap_or(0),
            );
        }
    }
    for r in c.query(
        "select t.seq from {rows $1 p int} x join replaced_events t on t.project_id = x.p",
        params![list(
            projects.iter().map(|p| serde_json::json!({"p": p})).collect()
        )],
    )? {
        out.replaced.insert(u64::try_from(r.int(0)?).unwrap_or(0));
    }
    Ok(out)
}

/// Deletes the rows of an issue's hashes up to a place in the order of application, and forgets the hashes.
pub fn bury(c: &mut dyn Connection, issue: i64, upto: u64) -> Result<()> {
    c.execute(
        "insert into tombstones (project_id, hash, upto) \
         select project_id, hash, $2 from issue_hashes where issue_id = $1 \
         on conflict (project_id, hash) do update set upto = excluded.upto",
        params![issue, upto],
    )?;
    for sql in [
        "delete from hash_features where hash_id in (select id from issue_hashes where issue_id = $1)",
        "delete from hash_hours where hash_id in (select id from issue_hashes where issue_id = $1)",
        "delete from hash_users where hash_id in (select id from issue_hashes where issue_id = $1)",
        "delete from issue_hashes where issue_id = $1",
    ] {
        c.execute(sql, params![issue])?;
    }
    Ok(())
}

/// Forgets hourly counts and daily sketches before an hour.
pub fn sweep(c: &mut dyn Connection, before_hour: i64) -> Result<u64> {
    let hours = c.execute("delete from hash_hours where hour < $1", params![before_hour])?;
    let days = c.execute(
        "delete from hash_users where day >= 0 and day < $1",
        params![before_hour.div_euclid(24)],
    )?;
    Ok(hours + days)
}

//! Issues whose events are processed again, and the records that others took the place of.

use std::collections::BTreeMap;

use super::issues::{self, Condition, Issue};
use super::{all, list, positions};
use crate::params;
use crate::payloads::Partition;
use crate::sql::{Connection, Result, Row, SqlError};

/// Events of an issue that are processed again at most.
pub const MOST: i64 = 10_000;

/// Events of a project that were processed again, at most, as long as their days are kept.
pub const MOST_REPLACED: i64 = 100_000;

/// The events of an issue, processed again from the newest to the oldest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reprocessing {
    /// Its number.
    pub id: i64,
    /// The organization.
    pub org: i64,
    /// The project.
    pub project: i64,
    /// The issue.
    pub issue: i64,
    /// Who asked for it; none for a command.
    pub user: Option<i64>,
    /// `open` until it is `done`.
    pub status: String,
    /// Events at most.
    pub most: i64,
    /// Events that the issue had when it was asked.
    pub total: i64,
    /// Events that were looked at.
    pub done: i64,
    /// Events that came out otherwise.
    pub changed: i64,
    /// The time and place of the last event that was looked at.
    pub after: Option<(i64, i64)>,
    /// How many events went to which issue, by its number.
    pub went_to: BTreeMap<String, i64>,
    /// Records from this place on are newer than the wish, and are left alone.
    pub first_seq: i64,
    /// When it was asked for, µs.
    pub date_added: i64,
    /// When it was done, µs.
    pub date_done: Option<i64>,
}

const COLUMNS: &str = "id, org_id, project_id, issue_id, user_id, status, most, total, done, changed, after_time, \
                       after_seq, first_seq, date_added, date_done, went_to";

fn read(r: &Row) -> Result<Reprocessing> {
    Ok(Reprocessing {
        id: r.int(0)?,
        org: r.int(1)?,
        project: r.int(2)?,
        issue: r.int(3)?,
        user: r.opt_int(4)?,
        status: r.text(5)?,
        most: r.int(6)?,
        total: r.int(7)?,
        done: r.int(8)?,
        changed: r.int(9)?,
        after: r.opt_int(10)?.zip(r.opt_int(11)?),
        first_seq: r.int(12)?,
        date_added: r.int(13)?,
        date_done: r.opt_int(14)?,
        went_to: serde_json::from_value(r.json(15)?).unwrap_or_default(),
    })
}

/// Puts one in line; answers its number.
///
/// # Errors
/// As the database says; so for every function here.
fn add(c: &mut dyn Connection, r: &Reprocessing) -> Result<i64> {
    c.query_one(
        "insert into reprocessings (org_id, project_id, issue_id, user_id, status, most, total, done, changed, \
         first_seq, date_added, went_to) values ($1, $2, $3, $4, 'open', $5, $6, 0, 0, $7, $8, '{}') returning id",
        params![r.org, r.project, r.issue, r.user, r.most, r.total, r.first_seq, r.date_added],
    )?
    .int(0)
}

/// Puts the events of an issue in line to be processed again, at most so many. Answers what stands in line, which may be
/// an earlier wish.
pub fn begin(
    c: &mut dyn Connection,
    org: i64,
    issue: &Issue,
    user: Option<i64>,
    most: i64,
    now: i64,
) -> Result<Reprocessing> {
    if let Some(open) = of_issue(c, issue.id)?.filter(|r| r.status == "open") {
        return Ok(open);
    }
    let most = most.clamp(1, MOST);
    // Every question leaves out what was replaced: what that costs is bounded here.
    let replaced = c
        .query_one(
            "select count(*) from replaced_events where project_id = $1",
            params![issue.project],
        )?
        .int(0)?;
    let most = most.min(MOST_REPLACED - replaced);
    if most < 1 {
        return Err(SqlError::Constraint(format!(
            "the project has {replaced} events that were processed again, the most there may be; more can be when \
             retention has dropped those days"
        )));
    }
    let wish = Reprocessing {
        org,
        project: issue.project,
        issue: issue.id,
        user,
        status: "open".into(),
        most,
        total: issue.times_seen.min(most),
        first_seq: i64::try_from(positions::next_place(c)?).unwrap_or(i64::MAX),
        date_added: now,
        ..Reprocessing::default()
    };
    let id = add(c, &wish)?;
    Ok(Reprocessing { id, ..wish })
}

/// Puts the issues of a project in line, or one of them. Answers how many.
pub fn begin_all(
    c: &mut dyn Connection,
    (org, project): (i64, i64),
    only: Option<i64>,
    most: i64,
    now: i64,
) -> Result<usize> {
    let ids = match only {
        Some(id) => vec![id],
        None => issues::ids(c, &[project], &Condition::new("1 = 1", vec![]))?,
    };
    let mut begun = 0;
    for issue in issues::by_ids(c, &ids)?.iter().filter(|i| i.project == project) {
        begin(c, org, issue, None, most, now)?;
        begun += 1;
    }
    Ok(begun)
}

/// The one that is worked on: the oldest that is open.
pub fn next(c: &mut dyn Connection) -> Result<Option<Reprocessing>> {
    let sql = format!("select {COLUMNS} from reprocessings where status = 'open' order by id limit 1");
    c.query_opt(&sql, params![])?.map(|r| read(&r)).transpose()
}

/// The newest of an issue.
pub fn of_issue(c: &mut dyn Connection, issue: i64) -> Result<Option<Reprocessing>> {
    let sql = format!("select {COLUMNS} from reprocessings where issue_id = $1 order by id desc limit 1");
    c.query_opt(&sql, params![issue])?.map(|r| read(&r)).transpose()
}

/// Writes where it is.
pub fn save(c: &mut dyn Connection, r: &Reprocessing) -> Result<()> {
    c.execute(
        "update reprocessings set issue_id = $2, status = $3, done = $4, changed = $5, after_time = $6, after_seq = $7, \
         date_done = $8, went_to = $9 where id = $1",
        params![
            r.id,
            r.issue,
            &r.status,
            r.done,
            r.changed,
            r.after.map(|a| a.0),
            r.after.map(|a| a.1),
            r.date_done,
            serde_json::json!(r.went_to).to_string()
        ],
    )?;
    Ok(())
}

/// Forgets those that were done before a time.
pub fn sweep(c: &mut dyn Connection, before: i64) -> Result<u64> {
    c.execute(
        "delete from reprocessings where status = 'done' and date_done < $1",
        params![before],
    )
}

/// Notes records that others took the place of: the project, the place, the partition.
pub fn replace(c: &mut dyn Connection, records: &[(u64, u64, Partition)]) -> Result<()> {
    let rows = records
        .iter()
        .map(|(p, s, d)| serde_json::json!({"p": p, "s": s, "d": d.to_string()}))
        .collect();
    c.execute(
        "insert into replaced_events (project_id, seq, partition) select p, s, d from {rows $1 p int, s int, d text} x \
         where true on conflict (project_id, seq) do nothing",
        params![list(rows)],
    )?;
    Ok(())
}

/// Forgets the records of a partition that retention drops.
pub fn forget(c: &mut dyn Connection, p: Partition) -> Result<u64> {
    c.execute(
        "delete from replaced_events where partition = $1",
        params![p.to_string()],
    )
}

/// Takes events from the totals of hashes and of their hours: the hash's number, the hour, how many. Answers the hashes
/// that have none left.
pub fn take_back(c: &mut dyn Connection, counts: &[(i64, i64, i64)]) -> Result<Vec<i64>> {
    let rows = || {
        let one = |(h, t, n): &(i64, i64, i64)| serde_json::json!({"h": h, "t": t, "n": n});
        list(counts.iter().map(one).collect())
    };
    c.execute(
        "update hash_hours set events = hash_hours.events - x.n from {rows $1 h int, t int, n int} x \
         where hash_hours.hash_id = x.h and hash_hours.hour = x.t",
        params![rows()],
    )?;
    c.execute(
        "delete from hash_hours where events <= 0 and hash_id in (select x.h from {rows $1 h int, t int, n int} x)",
        params![rows()],
    )?;
    c.execute(
        "update issue_hashes set times_seen = issue_hashes.times_seen - x.n from \
         (select h, cast(sum(n) as bigint) as n from {rows $1 h int, t int, n int} y group by h) x \
         where issue_hashes.id = x.h",
        params![rows()],
    )?;
    let empty = c.query(
        "select distinct i.id from issue_hashes i join {rows $1 h int, t int, n int} x on x.h = i.id where i.times_seen <= 0",
        params![rows()],
    )?;
    let empty = all(empty, |r| r.int(0))?;
    for id in &empty {
        c.execute("delete from hash_users where hash_id = $1", params![*id])?;
    }
    Ok(empty)
}

//! How far the pipeline has come: the applied position of each queue partition and the committed length of each
//! pack.

use super::{all, list};
use crate::params;
use crate::payloads::Partition;
use crate::sql::{Connection, Result, Sql};

/// The committed length of every pack.
///
/// # Errors
/// As the database says; so for every function here.
pub fn packs(sql: &dyn Sql) -> Result<Vec<(Partition, u64)>> {
    sql.reading(packs_seen)
}

/// The same as seen by a connection.
pub fn packs_seen(c: &mut dyn Connection) -> Result<Vec<(Partition, u64)>> {
    let text = "select retention, day, length from packs order by retention, day";
    all(c.query(text, &[])?, |r| {
        let retention = u16::try_from(r.int(0)?).unwrap_or(u16::MAX);
        let day = i32::try_from(r.int(1)?).unwrap_or(i32::MAX);
        let length = u64::try_from(r.int(2)?).unwrap_or(0);
        Ok((Partition { retention, day }, length))
    })
}

/// Where reading of a queue partition goes on.
pub fn applied(sql: &dyn Sql, source: u32) -> Result<u64> {
    sql.reading(|c| applied_seen(c, source))
}

/// The same as seen by a connection.
pub fn applied_seen(c: &mut dyn Connection, source: u32) -> Result<u64> {
    let row = c.query_opt("select position from applied where source = $1", params![source])?;
    row.map_or(Ok(0), |r| r.int(0))
        .map(|n| u64::try_from(n).unwrap_or(0))
}

/// Beside the partitions of the queue, the place in the order of application has a row of its own.
const ORDER: u32 = u32::MAX;

/// The next place in the order in which everything is applied. It grows with each event.
pub fn next_place(c: &mut dyn Connection) -> Result<u64> {
    // Before there was more than one partition, positions of the queue were the places.
    let row = c.query_one(
        "select coalesce(max(case when source = $1 then position end), max(position), 0) from applied",
        params![ORDER],
    )?;
    Ok(u64::try_from(row.int(0)?).unwrap_or(0))
}

/// Notes the next place, first in the transaction that applies a batch: others [`hold`] this row.
pub fn set_next_place(c: &mut dyn Connection, place: u64) -> Result<()> {
    c.execute(
        "insert into applied (source, position) values ($1, $2) \
         on conflict (source) do update set position = excluded.position",
        params![ORDER, place],
    )?;
    Ok(())
}

/// Waits until no batch is being applied, and keeps it so until the end of the transaction: for changes of what
/// belongs to which issue.
pub fn hold(c: &mut dyn Connection) -> Result<()> {
    c.execute(
        "update applied set position = position where source = $1",
        params![ORDER],
    )?;
    Ok(())
}

/// Notes pack lengths and the applied position, in the transaction that applies a batch.
pub fn advance(c: &mut dyn Connection, source: u32, position: u64, packs: &[(Partition, u64)]) -> Result<()> {
    let rows = packs
        .iter()
        .map(|(p, length)| serde_json::json!({"r": p.retention, "d": p.day, "l": length}))
        .collect();
    c.execute(
        "insert into packs (retention, day, length) select r, d, l from {rows $1 r int, d int, l int} x where true \
         on conflict (retention, day) do update set length = excluded.length",
        params![list(rows)],
    )?;
    c.execute(
        "insert into applied (source, position) values ($1, $2) \
         on conflict (source) do update set position = excluded.position",
        params![source, position],
    )?;
    Ok(())
}

/// Forgets a pack that retention has dropped.
pub fn forget_pack(c: &mut dyn Connection, p: Partition) -> Result<()> {
    c.execute(
        "delete from packs where retention = $1 and day = $2",
        params![i64::from(p.retention), i64::from(p.day)],
    )?;
    Ok(())
}

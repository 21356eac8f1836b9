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
    sql.reading(|c| {
        let row = c.query_opt("select position from applied where source = $1", params![source])?;
        row.map_or(Ok(0), |r| r.int(0))
            .map(|n| u64::try_from(n).unwrap_or(0))
    })
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

//! Pieces of files that are uploaded before the whole is put together. Their bytes are blobs.

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result};

/// The key of a chunk's bytes.
pub fn key(org: i64, sha1: &str) -> String {
    format!("chunks/{org}/{sha1}")
}

/// Notes that a chunk is there; one that was there counts as new.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, org: i64, sha1: &str, size: i64, now: i64) -> Result<()> {
    c.execute(
        "insert into chunks (org_id, sha1, size, date_added) values ($1, $2, $3, $4) \
         on conflict (org_id, sha1) do update set size = excluded.size, date_added = excluded.date_added",
        params![org, sha1, size, now],
    )?;
    Ok(())
}

/// Which of these chunks are there, with their sizes.
pub fn have(c: &mut dyn Connection, org: i64, sha1s: &[String]) -> Result<Vec<(String, i64)>> {
    let wanted = list(sha1s.iter().map(|s| serde_json::json!({"s": s})).collect());
    let rows = c.query(
        "select k.sha1, k.size from {rows $2 s text} x join chunks k on k.org_id = $1 and k.sha1 = x.s",
        params![org, wanted],
    )?;
    all(rows, |r| Ok((r.text(0)?, r.int(1)?)))
}

/// What the chunks of an organization take, bytes.
pub fn bytes(c: &mut dyn Connection, org: i64) -> Result<i64> {
    c.query_one(
        "select cast(coalesce(sum(size), 0) as bigint) from chunks where org_id = $1",
        params![org],
    )?
    .int(0)
}

/// Forgets a chunk whose bytes are lost.
pub fn remove(c: &mut dyn Connection, org: i64, sha1: &str) -> Result<()> {
    c.execute(
        "delete from chunks where org_id = $1 and sha1 = $2",
        params![org, sha1],
    )?;
    Ok(())
}

/// Forgets a chunk if it came before a time; whether it did.
pub fn expire(c: &mut dyn Connection, org: i64, sha1: &str, before: i64) -> Result<bool> {
    let n = c.execute(
        "delete from chunks where org_id = $1 and sha1 = $2 and date_added < $3",
        params![org, sha1, before],
    )?;
    Ok(n > 0)
}

/// Chunks that came before a time, organization and SHA-1.
pub fn older(c: &mut dyn Connection, before: i64, limit: i64) -> Result<Vec<(i64, String)>> {
    let rows = c.query(
        "select org_id, sha1 from chunks where date_added < $1 order by date_added limit $2",
        params![before, limit],
    )?;
    all(rows, |r| Ok((r.int(0)?, r.text(1)?)))
}

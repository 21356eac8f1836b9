//! What the events of each hash look like, as numbers to compare by. Derived from the newest event of the hash by
//! a job; what they mean is the matter of processing.

use protocol::ids::GroupHash;

use super::{all, hashes};
use crate::params;
use crate::sql::{Connection, Result};

fn bytes(features: &[u32]) -> Vec<u8> {
    features.iter().flat_map(|f| f.to_le_bytes()).collect()
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    let (whole, _) = bytes.as_chunks::<4>();
    whole.iter().map(|b| u32::from_le_bytes(*b)).collect()
}

/// Hashes behind a number that have events and no features yet: number, project, hash.
///
/// # Errors
/// As the database says; so for every function here.
pub fn missing(c: &mut dyn Connection, after: i64, limit: i64) -> Result<Vec<(i64, i64, GroupHash)>> {
    let rows = c.query(
        "select h.id, h.project_id, h.hash from issue_hashes h left join hash_features f on f.hash_id = h.id \
         where h.id > $1 and f.hash_id is null and h.times_seen > 0 and h.issue_id is not null \
         order by h.id limit $2",
        params![after, limit],
    )?;
    all(rows, |r| Ok((r.int(0)?, r.int(1)?, hashes::hash(r, 2)?)))
}

/// Writes the features of hashes: number, project, features.
pub fn put(c: &mut dyn Connection, found: &[(i64, i64, Vec<u32>)]) -> Result<()> {
    for (hash, project, features) in found {
        c.execute(
            "insert into hash_features (hash_id, project_id, features) \
             select h.id, $2, $3 from issue_hashes h where h.id = $1 \
             on conflict (hash_id) do update set features = excluded.features",
            params![*hash, *project, bytes(features)],
        )?;
    }
    Ok(())
}

/// The features of a project's hashes, those that began last first: issue and features.
pub fn of_project(c: &mut dyn Connection, project: i64, limit: i64) -> Result<Vec<(i64, Vec<u32>)>> {
    let rows = c.query(
        "select h.issue_id, f.features from hash_features f join issue_hashes h on h.id = f.hash_id \
         where f.project_id = $1 and h.issue_id is not null order by f.hash_id desc limit $2",
        params![project, limit],
    )?;
    all(rows, |r| Ok((r.int(0)?, numbers(&r.blob(1)?))))
}

//! Whole files that were uploaded, once for each organization by their SHA-1. Artifact bundles, release files and
//! debug files name the blob of theirs; a file that nothing names is removed.

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The key of its bytes.
    pub blob: String,
    /// Whose it is.
    pub org: i64,
    /// SHA-1 of its bytes, hex.
    pub sha1: String,
    /// Bytes.
    pub size: i64,
}

/// The key under which a file of an organization is kept.
pub fn key(org: i64, sha1: &str) -> String {
    format!("files/{org}/{sha1}")
}

const COLUMNS: &str = "f.blob, f.org_id, f.sha1, f.size";

/// Nothing names the file `f`.
const UNNAMED: &str = "not exists (select 1 from artifact_bundles b where b.blob = f.blob) \
                       and not exists (select 1 from release_files r where r.blob = f.blob) \
                       and not exists (select 1 from debug_files d where d.blob = f.blob)";

fn read(r: &Row) -> Result<StoredFile> {
    Ok(StoredFile {
        blob: r.text(0)?,
        org: r.int(1)?,
        sha1: r.text(2)?,
        size: r.int(3)?,
    })
}

/// A file that an organization uploaded, by its SHA-1.
///
/// # Errors
/// As the database says; so for every function here.
pub fn find(c: &mut dyn Connection, org: i64, sha1: &str) -> Result<Option<StoredFile>> {
    let sql = format!("select {COLUMNS} from stored_files f where f.blob = $1");
    let row = c.query_opt(&sql, params![key(org, sha1)])?;
    row.map(|r| read(&r)).transpose()
}

/// Notes a file whose bytes are kept under [`key`].
pub fn add(c: &mut dyn Connection, org: i64, sha1: &str, size: i64, now: i64) -> Result<StoredFile> {
    let blob = key(org, sha1);
    c.execute(
        "insert into stored_files (blob, org_id, sha1, size, date_added) values ($1, $2, $3, $4, $5) \
         on conflict (blob) do update set date_added = excluded.date_added",
        params![&blob, org, sha1, size, now],
    )?;
    Ok(StoredFile {
        blob,
        org,
        sha1: sha1.to_owned(),
        size,
    })
}

/// How many files an organization keeps, and their bytes.
pub fn total(c: &mut dyn Connection, org: i64) -> Result<(i64, i64)> {
    let row = c.query_one(
        "select count(*), cast(coalesce(sum(size), 0) as bigint) from stored_files where org_id = $1",
        params![org],
    )?;
    Ok((row.int(0)?, row.int(1)?))
}

/// Files that nothing names, of one organization or (0) of all.
pub fn unnamed(c: &mut dyn Connection, org: i64, limit: i64) -> Result<Vec<StoredFile>> {
    let sql = format!(
        "select {COLUMNS} from stored_files f where ($1 = 0 or f.org_id = $1) and {UNNAMED} order by f.blob limit $2"
    );
    all(c.query(&sql, params![org, limit])?, read)
}

/// Whether nothing names a file.
pub fn is_unnamed(c: &mut dyn Connection, blob: &str) -> Result<bool> {
    let sql = format!("select 1 from stored_files f where f.blob = $1 and {UNNAMED}");
    Ok(c.query_opt(&sql, params![blob])?.is_some())
}

/// Whether a file of this key is known.
pub fn known(c: &mut dyn Connection, blob: &str) -> Result<bool> {
    let row = c.query_opt("select 1 from stored_files where blob = $1", params![blob])?;
    Ok(row.is_some())
}

/// Forgets a file if nothing names it; whether it was forgotten.
pub fn forget(c: &mut dyn Connection, blob: &str) -> Result<bool> {
    let sql = format!(
        "delete from stored_files where blob in (select f.blob from stored_files f where f.blob = $1 and {UNNAMED})"
    );
    Ok(c.execute(&sql, params![blob])? > 0)
}

/// Forgets the files of an organization. Those that a project took along to another one belong to that one.
pub fn forget_organization(c: &mut dyn Connection, org: i64) -> Result<()> {
    c.execute(
        "update stored_files set org_id = (select min(p.org_id) from debug_files d \
         join projects p on p.id = d.project_id where d.blob = stored_files.blob) \
         where org_id = $1 and exists (select 1 from debug_files d join projects p on p.id = d.project_id \
         where d.blob = stored_files.blob and p.org_id <> $1)",
        params![org],
    )?;
    c.execute(
        "delete from stored_files where org_id = $1 and not exists \
         (select 1 from debug_files d where d.blob = stored_files.blob)",
        params![org],
    )?;
    Ok(())
}

//! Files that clients uploaded one by one to a release, as older ones do; what bundles hold is in
//! [`super::artifacts`].

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A file of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseFile {
    /// Its number; given when it is added.
    pub id: i64,
    /// Its organization.
    pub org: i64,
    /// Its release.
    pub version: String,
    /// Its project; of all projects if none.
    pub project: Option<i64>,
    /// Its dist; empty if none.
    pub dist: String,
    /// `~/app.js`.
    pub name: String,
    /// Headers, an object of texts with names in lower case.
    pub headers: serde_json::Value,
    /// SHA-1 of its bytes, hex.
    pub sha1: String,
    /// Bytes.
    pub size: i64,
    /// The key of its bytes.
    pub blob: String,
    /// When it was uploaded, µs.
    pub date_added: i64,
    /// When it last served, µs; first its upload.
    pub date_used: i64,
}

const COLUMNS: &str = "f.id, f.org_id, f.version, f.project_id, f.dist, f.name, f.headers, f.sha1, f.size, f.blob, f.date_added, \
     f.date_used";

fn read(r: &Row) -> Result<ReleaseFile> {
    Ok(ReleaseFile {
        id: r.int(0)?,
        org: r.int(1)?,
        version: r.text(2)?,
        project: Some(r.int(3)?).filter(|p| *p != 0),
        dist: r.text(4)?,
        name: r.text(5)?,
        headers: r.json(6)?,
        sha1: r.text(7)?,
        size: r.int(8)?,
        blob: r.text(9)?,
        date_added: r.int(10)?,
        date_used: r.int(11)?,
    })
}

/// Adds a file; answers none if the release has one of this name.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, f: &ReleaseFile) -> Result<Option<i64>> {
    let row = c.query_opt(
        "insert into release_files (org_id, version, project_id, dist, name, headers, sha1, size, blob, date_added, \
         date_used) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         on conflict (org_id, version, project_id, dist, name) do nothing returning id",
        params![
            f.org,
            &f.version,
            f.project.unwrap_or(0),
            &f.dist,
            &f.name,
            &f.headers,
            &f.sha1,
            f.size,
            &f.blob,
            f.date_added,
            f.date_used
        ],
    )?;
    row.map(|r| r.int(0)).transpose()
}

/// What serves a project's event of a release, dist and name: the project's own file before the organization's.
pub fn by_name(
    c: &mut dyn Connection,
    (org, project): (i64, i64),
    (version, dist): (&str, &str),
    name: &str,
) -> Result<Option<ReleaseFile>> {
    let sql = format!(
        "select {COLUMNS} from release_files f where f.org_id = $1 and f.version = $3 and f.project_id in (0, $2) \
         and f.dist = $4 and f.name = $5 order by f.project_id desc limit 1"
    );
    let row = c.query_opt(&sql, params![org, project, version, dist, name])?;
    row.map(|r| read(&r)).transpose()
}

/// The organizations that have files.
pub fn organizations_with_any(c: &mut dyn Connection) -> Result<Vec<i64>> {
    let rows = c.query("select distinct org_id from release_files", params![])?;
    all(rows, |r| r.int(0))
}

/// A page of a release's files by name: of one project and of all, or of all projects.
pub fn page(
    c: &mut dyn Connection,
    org: i64,
    project: Option<i64>,
    version: &str,
    part: &str,
    offset: usize,
    limit: usize,
) -> Result<Vec<ReleaseFile>> {
    let part = part.to_lowercase();
    let contains = c.dialect().contains_ci("f.name", "$4");
    let sql = format!(
        "select {COLUMNS} from release_files f where f.org_id = $1 and f.version = $2 \
         and ($3 = 0 or f.project_id in (0, $3)) and ($4 = '' or {contains}) \
         order by f.name, f.dist, f.id limit $5 offset $6"
    );
    let values = params![org, version, project.unwrap_or(0), part, limit, offset];
    all(c.query(&sql, values)?, read)
}

/// A file of a release by its number.
pub fn by_id(c: &mut dyn Connection, org: i64, version: &str, id: i64) -> Result<Option<ReleaseFile>> {
    let sql =
        format!("select {COLUMNS} from release_files f where f.org_id = $1 and f.version = $2 and f.id = $3");
    let row = c.query_opt(&sql, params![org, version, id])?;
    row.map(|r| read(&r)).transpose()
}

/// Gives a file another name and dist.
pub fn rename(c: &mut dyn Connection, id: i64, name: &str, dist: &str) -> Result<()> {
    c.execute(
        "update release_files set name = $2, dist = $3 where id = $1",
        params![id, name, dist],
    )?;
    Ok(())
}

/// Removes a file.
pub fn remove(c: &mut dyn Connection, id: i64) -> Result<()> {
    c.execute("delete from release_files where id = $1", params![id])?;
    Ok(())
}

/// Removes the files of a release that serve a project, also those of all projects; how many.
pub fn remove_release(c: &mut dyn Connection, org: i64, project: i64, version: &str) -> Result<u64> {
    c.execute(
        "delete from release_files where org_id = $1 and version = $2 and project_id in (0, $3)",
        params![org, version, project],
    )
}

/// The releases that have files for a project: version, how many, when the last came.
pub fn releases(
    c: &mut dyn Connection,
    org: i64,
    project: i64,
    part: &str,
) -> Result<Vec<(String, i64, i64)>> {
    let contains = c.dialect().contains_ci("version", "$3");
    let sql = format!(
        "select version, count(*), max(date_added) from release_files where org_id = $1 and project_id in (0, $2) \
         and ($3 = '' or {contains}) group by version order by max(date_added) desc limit 1000"
    );
    let rows = c.query(&sql, params![org, project, part.to_lowercase()])?;
    all(rows, |r| Ok((r.text(0)?, r.int(1)?, r.int(2)?)))
}

/// Notes that a file served. Call it at most daily for each.
pub fn used(c: &mut dyn Connection, id: i64, now: i64) -> Result<()> {
    c.execute(
        "update release_files set date_used = $2 where id = $1",
        params![id, now],
    )?;
    Ok(())
}

/// Removes the files of an organization.
pub fn remove_organization(c: &mut dyn Connection, org: i64) -> Result<()> {
    c.execute("delete from release_files where org_id = $1", params![org])?;
    Ok(())
}

/// Removes those that did not serve since a time; how many.
pub fn sweep(c: &mut dyn Connection, before: i64) -> Result<u64> {
    c.execute("delete from release_files where date_used < $1", params![before])
}

//! Artifact bundles: minified files, source maps and sources of a build, uploaded together. They belong to an
//! organization; which projects and releases they are for is said beside. Two questions are asked for every frame,
//! so both are found by an index: [`by_debug_id`] and [`by_url`].

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Its number.
    pub id: i64,
    /// The UUID that names it in paths.
    pub bundle_id: String,
    /// SHA-1 of its bytes, hex.
    pub sha1: String,
    /// The key of its bytes.
    pub blob: String,
    /// Bytes.
    pub size: i64,
    /// How many files it holds.
    pub file_count: i64,
    /// When it was first uploaded, µs.
    pub date_uploaded: i64,
    /// When it was last uploaded, µs: of several bundles that serve, the newest by this does.
    pub date_modified: i64,
    /// When it last served, µs; first its upload.
    pub date_used: i64,
}

/// A file in a bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleFile {
    /// Its number; given when it is added.
    pub id: i64,
    /// Its name in the zip.
    pub path: String,
    /// The address it is served under, like `~/app.js`.
    pub url: Option<String>,
    /// `minified_source`, `source_map`, `source`, `indexed_ram_bundle`.
    pub kind: String,
    /// As UUID, lower case.
    pub debug_id: Option<String>,
    /// What its header `sourcemap` says: where the map of a minified file is.
    pub source_map: Option<String>,
    /// Its bytes when it is inflated.
    pub size: i64,
    /// All headers, an object of texts with names in lower case.
    pub headers: serde_json::Value,
}

/// What is said of a bundle when it is added.
#[derive(Debug, Clone)]
pub struct NewBundle<'a> {
    /// Its organization.
    pub org: i64,
    /// The UUID of its manifest.
    pub bundle_id: &'a str,
    /// A UUID to take if another bundle has that one.
    pub spare_id: &'a str,
    /// SHA-1 of its bytes, hex.
    pub sha1: &'a str,
    /// The key of its bytes.
    pub blob: &'a str,
    /// Bytes.
    pub size: i64,
    /// What it holds.
    pub files: &'a [BundleFile],
}

/// A file of a bundle that serves.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The bundle.
    pub bundle: Bundle,
    /// The file in it.
    pub file: BundleFile,
}

const BUNDLE: &str =
    "b.id, b.bundle_id, b.sha1, b.blob, b.size, b.file_count, b.date_uploaded, b.date_modified, b.date_used";
const FILE: &str = "f.id, f.path, f.url, f.kind, f.debug_id, f.source_map, f.size, f.headers";

fn bundle_at(r: &Row, i: usize) -> Result<Bundle> {
    Ok(Bundle {
        id: r.int(i)?,
        bundle_id: r.text(i + 1)?,
        sha1: r.text(i + 2)?,
        blob: r.text(i + 3)?,
        size: r.int(i + 4)?,
        file_count: r.int(i + 5)?,
        date_uploaded: r.int(i + 6)?,
        date_modified: r.int(i + 7)?,
        date_used: r.int(i + 8)?,
    })
}

fn file_at(r: &Row, i: usize) -> Result<BundleFile> {
    Ok(BundleFile {
        id: r.int(i)?,
        path: r.text(i + 1)?,
        url: r.opt_text(i + 2)?,
        kind: r.text(i + 3)?,
        debug_id: r.opt_text(i + 4)?,
        source_map: r.opt_text(i + 5)?,
        size: r.int(i + 6)?,
        headers: r.json(i + 7)?,
    })
}

fn found(r: &Row) -> Result<Found> {
    Ok(Found {
        bundle: bundle_at(r, 0)?,
        file: file_at(r, 9)?,
    })
}

fn first<T>(rows: Vec<Row>, read: impl Fn(&Row) -> Result<T>) -> Result<Option<T>> {
    rows.first().map(read).transpose()
}

/// The file of a kind that carries a debug id, of the newest bundle of a project that has one.
///
/// # Errors
/// As the database says; so for every function here.
pub fn by_debug_id(
    c: &mut dyn Connection,
    org: i64,
    project: i64,
    debug_id: &str,
    kind: &str,
) -> Result<Option<Found>> {
    let sql = format!(
        "select {BUNDLE}, {FILE} from artifact_bundle_files f join artifact_bundles b on b.id = f.bundle_id \
         join artifact_bundle_projects p on p.bundle_id = b.id and p.project_id = $2 \
         where f.debug_id = $3 and f.kind = $4 and b.org_id = $1 order by b.date_modified desc, b.id desc, f.id limit 1"
    );
    first(c.query(&sql, params![org, project, debug_id, kind])?, found)
}

/// The file of an address in the newest bundle that a project has for a release and dist; no dist is an empty one.
pub fn by_url(
    c: &mut dyn Connection,
    (org, project): (i64, i64),
    (version, dist): (&str, &str),
    url: &str,
) -> Result<Option<Found>> {
    let sql = format!(
        "select {BUNDLE}, {FILE} from artifact_bundle_releases r \
         join artifact_bundle_files f on f.bundle_id = r.bundle_id and f.url = $5 \
         join artifact_bundles b on b.id = f.bundle_id \
         join artifact_bundle_projects p on p.bundle_id = b.id and p.project_id = $2 \
         where r.version = $3 and r.dist = $4 and b.org_id = $1 order by b.date_modified desc, b.id desc, f.id limit 1"
    );
    first(c.query(&sql, params![org, project, version, dist, url])?, found)
}

/// The addresses of files that a project's bundles hold for a release and dist, at most so many: to say what there
/// is when one was not found.
pub fn urls(
    c: &mut dyn Connection,
    (org, project): (i64, i64),
    (version, dist): (&str, &str),
    limit: usize,
) -> Result<Vec<String>> {
    let rows = c.query(
        "select distinct f.url from artifact_bundle_releases r \
         join artifact_bundles b on b.id = r.bundle_id and b.org_id = $1 \
         join artifact_bundle_projects p on p.bundle_id = b.id and p.project_id = $2 \
         join artifact_bundle_files f on f.bundle_id = b.id \
         where r.version = $3 and r.dist = $4 and f.url is not null order by f.url limit $5",
        params![org, project, version, dist, limit],
    )?;
    all(rows, |r| r.text(0))
}

/// The projects that have bundles.
pub fn projects_with_any(c: &mut dyn Connection) -> Result<Vec<i64>> {
    let rows = c.query(
        "select distinct project_id from artifact_bundle_projects",
        params![],
    )?;
    all(rows, |r| r.int(0))
}

/// The dists for which a project's bundles of a release hold one of these addresses.
pub fn dists(
    c: &mut dyn Connection,
    (org, project): (i64, i64),
    version: &str,
    urls: &[String],
) -> Result<Vec<String>> {
    let wanted = list(urls.iter().map(|u| serde_json::json!({"u": u})).collect());
    let rows = c.query(
        "select distinct r.dist from {rows $4 u text} x join artifact_bundle_files f on f.url = x.u \
         join artifact_bundles b on b.id = f.bundle_id and b.org_id = $1 \
         join artifact_bundle_projects p on p.bundle_id = b.id and p.project_id = $2 \
         join artifact_bundle_releases r on r.bundle_id = b.id and r.version = $3 order by r.dist limit 20",
        params![org, project, version, wanted],
    )?;
    all(rows, |r| r.text(0))
}

/// Whether a project has bundles, and whether it has some for a release.
pub fn any(c: &mut dyn Connection, project: i64, version: Option<&str>) -> Result<bool> {
    let rows = c.query(
        "select 1 from artifact_bundle_projects p where p.project_id = $1 and ($2 = '' or exists \
         (select 1 from artifact_bundle_releases r where r.bundle_id = p.bundle_id and r.version = $2)) limit 1",
        params![project, version.unwrap_or("")],
    )?;
    Ok(!rows.is_empty())
}

/// A bundle of an organization by the SHA-1 of its bytes.
pub fn by_sha1(c: &mut dyn Connection, org: i64, sha1: &str) -> Result<Option<Bundle>> {
    let sql = format!("select {BUNDLE} from artifact_bundles b where b.org_id = $1 and b.sha1 = $2");
    first(c.query(&sql, params![org, sha1])?, |r| bundle_at(r, 0))
}

/// A bundle of a project by its UUID.
pub fn of_project(c: &mut dyn Connection, org: i64, project: i64, bundle_id: &str) -> Result<Option<Bundle>> {
    let sql = format!(
        "select {BUNDLE} from artifact_bundles b join artifact_bundle_projects p on p.bundle_id = b.id \
         where b.org_id = $1 and p.project_id = $2 and b.bundle_id = $3"
    );
    first(c.query(&sql, params![org, project, bundle_id])?, |r| {
        bundle_at(r, 0)
    })
}

/// Adds a bundle with its files; its number.
pub fn add(c: &mut dyn Connection, new: &NewBundle<'_>, now: i64) -> Result<i64> {
    let taken = c.query_opt(
        "select 1 from artifact_bundles where org_id = $1 and bundle_id = $2",
        params![new.org, new.bundle_id],
    )?;
    let bundle_id = if taken.is_some() {
        new.spare_id
    } else {
        new.bundle_id
    };
    let id = c
        .query_one(
            "insert into artifact_bundles (org_id, bundle_id, sha1, blob, size, file_count, date_uploaded, \
             date_modified, date_used) values ($1, $2, $3, $4, $5, $6, $7, $7, $7) returning id",
            params![
                new.org,
                bundle_id,
                new.sha1,
                new.blob,
                new.size,
                new.files.len(),
                now
            ],
        )?
        .int(0)?;
    for some in new.files.chunks(1000) {
        let rows = some
            .iter()
            .map(|f| {
                serde_json::json!({"p": f.path, "u": f.url, "k": f.kind, "d": f.debug_id, "s": f.source_map, "z": f.size,
                    "h": f.headers.to_string()})
            })
            .collect();
        c.execute(
            "insert into artifact_bundle_files (bundle_id, path, url, kind, debug_id, source_map, size, headers) \
             select $2, p, u, k, d, s, z, h from {rows $1 p text, u text, k text, d text, s text, z int, h text} x",
            params![list(rows), id],
        )?;
    }
    Ok(id)
}

/// Says that a bundle is for projects and, if given, a release and dist; it is the newest from now on.
pub fn link(
    c: &mut dyn Connection,
    bundle: i64,
    projects: &[i64],
    release: Option<(&str, &str)>,
    now: i64,
) -> Result<()> {
    let rows = list(projects.iter().map(|p| serde_json::json!({"p": p})).collect());
    c.execute(
        "insert into artifact_bundle_projects (bundle_id, project_id) select $2, p from {rows $1 p int} x \
         where true on conflict (bundle_id, project_id) do nothing",
        params![rows, bundle],
    )?;
    if let Some((version, dist)) = release {
        c.execute(
            "insert into artifact_bundle_releases (bundle_id, version, dist) values ($1, $2, $3) \
             on conflict (bundle_id, version, dist) do nothing",
            params![bundle, version, dist],
        )?;
    }
    c.execute(
        "update artifact_bundles set date_modified = $2, date_used = $2 where id = $1",
        params![bundle, now],
    )?;
    Ok(())
}

/// Whether a bundle is for all of these projects and, if given, the release and dist.
pub fn linked(
    c: &mut dyn Connection,
    bundle: i64,
    projects: &[i64],
    release: Option<(&str, &str)>,
) -> Result<bool> {
    let rows = list(projects.iter().map(|p| serde_json::json!({"p": p})).collect());
    let n = c
        .query_one(
            "select count(*) from {rows $1 p int} x join artifact_bundle_projects p on p.project_id = x.p \
             where p.bundle_id = $2",
            params![rows, bundle],
        )?
        .int(0)?;
    if usize::try_from(n).unwrap_or(0) < projects.len() {
        return Ok(false);
    }
    let Some((version, dist)) = release else {
        return Ok(true);
    };
    let row = c.query_opt(
        "select 1 from artifact_bundle_releases where bundle_id = $1 and version = $2 and dist = $3",
        params![bundle, version, dist],
    )?;
    Ok(row.is_some())
}

/// A page of a project's bundles, the newest first: those whose UUID, release, dist or debug id of a file is or
/// begins as asked.
pub fn page(
    c: &mut dyn Connection,
    org: i64,
    project: i64,
    part: &str,
    offset: usize,
    limit: usize,
) -> Result<Vec<Bundle>> {
    let dialect = c.dialect();
    let (id, version, dist) = (
        dialect.contains_ci("b.bundle_id", "$3"),
        dialect.contains_ci("r.version", "$3"),
        dialect.contains_ci("r.dist", "$3"),
    );
    let sql = format!(
        "select {BUNDLE} from artifact_bundles b join artifact_bundle_projects p on p.bundle_id = b.id \
         where b.org_id = $1 and p.project_id = $2 and ($3 = '' or {id} \
         or exists (select 1 from artifact_bundle_releases r where r.bundle_id = b.id and ({version} or {dist})) \
         or exists (select 1 from artifact_bundle_files f where f.bundle_id = b.id and f.debug_id = $3)) \
         order by b.date_modified desc, b.id desc limit $4 offset $5"
    );
    let values = params![org, project, part.to_lowercase(), limit, offset];
    all(c.query(&sql, values)?, |r| bundle_at(r, 0))
}

/// The releases and dists of bundles: bundle, version, dist.
pub fn releases(c: &mut dyn Connection, bundles: &[i64]) -> Result<Vec<(i64, String, String)>> {
    let rows = list(bundles.iter().map(|b| serde_json::json!({"b": b})).collect());
    let rows = c.query(
        "select r.bundle_id, r.version, r.dist from {rows $1 b int} x \
         join artifact_bundle_releases r on r.bundle_id = x.b order by r.bundle_id, r.version, r.dist",
        params![rows],
    )?;
    all(rows, |r| Ok((r.int(0)?, r.text(1)?, r.text(2)?)))
}

/// The projects of a bundle.
pub fn projects(c: &mut dyn Connection, bundle: i64) -> Result<Vec<i64>> {
    let rows = c.query(
        "select project_id from artifact_bundle_projects where bundle_id = $1 order by project_id",
        params![bundle],
    )?;
    all(rows, |r| r.int(0))
}

/// The versions that have bundles for a project: version, files, when the last was uploaded.
pub fn versions(
    c: &mut dyn Connection,
    org: i64,
    project: i64,
    part: &str,
) -> Result<Vec<(String, i64, i64)>> {
    let contains = c.dialect().contains_ci("r.version", "$3");
    let sql = format!(
        "select r.version, cast(sum(b.file_count) as bigint), max(b.date_modified) from artifact_bundle_releases r \
         join artifact_bundles b on b.id = r.bundle_id and b.org_id = $1 \
         join artifact_bundle_projects p on p.bundle_id = b.id and p.project_id = $2 \
         where $3 = '' or {contains} group by r.version order by max(b.date_modified) desc limit 1000"
    );
    let rows = c.query(&sql, params![org, project, part.to_lowercase()])?;
    all(rows, |r| Ok((r.text(0)?, r.int(1)?, r.int(2)?)))
}

/// A page of the files of a bundle: those with this in their address, path or debug id.
pub fn files(
    c: &mut dyn Connection,
    bundle: i64,
    part: &str,
    offset: usize,
    limit: usize,
) -> Result<Vec<BundleFile>> {
    let dialect = c.dialect();
    let (url, path) = (
        dialect.contains_ci("f.url", "$2"),
        dialect.contains_ci("f.path", "$2"),
    );
    let sql = format!(
        "select {FILE} from artifact_bundle_files f where f.bundle_id = $1 \
         and ($2 = '' or {url} or {path} or f.debug_id = $2) order by f.path, f.id limit $3 offset $4"
    );
    let values = params![bundle, part.to_lowercase(), limit, offset];
    all(c.query(&sql, values)?, |r| file_at(r, 0))
}

/// A file of a bundle by its number.
pub fn file(c: &mut dyn Connection, bundle: i64, id: i64) -> Result<Option<BundleFile>> {
    let sql = format!("select {FILE} from artifact_bundle_files f where f.bundle_id = $1 and f.id = $2");
    first(c.query(&sql, params![bundle, id])?, |r| file_at(r, 0))
}

/// Notes that a bundle served. Call it at most daily for each.
pub fn used(c: &mut dyn Connection, bundle: i64, now: i64) -> Result<()> {
    c.execute(
        "update artifact_bundles set date_used = $2 where id = $1",
        params![bundle, now],
    )?;
    Ok(())
}

/// Takes a bundle from a project; one that is left without projects goes.
pub fn unlink(c: &mut dyn Connection, bundle: i64, project: i64) -> Result<()> {
    c.execute(
        "delete from artifact_bundle_projects where bundle_id = $1 and project_id = $2",
        params![bundle, project],
    )?;
    if projects(c, bundle)?.is_empty() {
        remove(c, &[bundle])?;
    }
    Ok(())
}

/// Takes the bundles of a release from a project: those that are for other releases too only leave this one.
pub fn remove_release(c: &mut dyn Connection, org: i64, project: i64, version: &str) -> Result<u64> {
    let rows = c.query(
        "select distinct b.id from artifact_bundle_releases r join artifact_bundles b on b.id = r.bundle_id \
         join artifact_bundle_projects p on p.bundle_id = b.id \
         where r.version = $3 and b.org_id = $1 and p.project_id = $2",
        params![org, project, version],
    )?;
    let bundles = all(rows, |r| r.int(0))?;
    for bundle in &bundles {
        let others = c.query_opt(
            "select 1 from artifact_bundle_releases where bundle_id = $1 and version <> $2 limit 1",
            params![*bundle, version],
        )?;
        if others.is_some() && projects(c, *bundle)?.len() == 1 {
            c.execute(
                "delete from artifact_bundle_releases where bundle_id = $1 and version = $2",
                params![*bundle, version],
            )?;
        } else {
            unlink(c, *bundle, project)?;
        }
    }
    Ok(bundles.len() as u64)
}

/// Removes bundles.
pub fn remove(c: &mut dyn Connection, bundles: &[i64]) -> Result<()> {
    for sql in [
        "delete from artifact_bundle_files where bundle_id = $1",
        "delete from artifact_bundle_releases where bundle_id = $1",
        "delete from artifact_bundle_projects where bundle_id = $1",
        "delete from artifact_bundles where id = $1",
    ] {
        for bundle in bundles {
            c.execute(sql, params![*bundle])?;
        }
    }
    Ok(())
}

/// Removes those that did not serve since a time or that no project has any more, some at once; how many.
pub fn sweep(c: &mut dyn Connection, before: i64) -> Result<usize> {
    let rows = c.query(
        "select b.id from artifact_bundles b where b.date_used < $1 or not exists \
         (select 1 from artifact_bundle_projects p where p.bundle_id = b.id) order by b.id limit 100",
        params![before],
    )?;
    let due = all(rows, |r| r.int(0))?;
    remove(c, &due)?;
    Ok(due.len())
}

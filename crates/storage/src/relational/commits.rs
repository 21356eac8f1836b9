//! Commits, the files they changed, and which release has which; and deploys.

use std::collections::HashMap;

use serde_json::json;

use super::versions::{self, Wanted};
use super::{all, list, repositories};
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A commit as somebody names it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewCommit {
    /// Its hash.
    pub key: String,
    /// The name of its repository.
    pub repository: String,
    /// What it says of itself.
    pub message: Option<String>,
    /// Who wrote it.
    pub author_name: Option<String>,
    /// Their address.
    pub author_email: Option<String>,
    /// When, µs.
    pub date: Option<i64>,
    /// What it changed: path, and `A`, `M` or `D`.
    pub files: Vec<(String, String)>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Its number.
    pub id: i64,
    /// Its hash.
    pub key: String,
    /// Its repository.
    pub repository: i64,
    /// What it says of itself.
    pub message: Option<String>,
    /// Who wrote it.
    pub author_name: Option<String>,
    /// Their address.
    pub author_email: Option<String>,
    /// When, µs.
    pub date_added: i64,
}

const COMMIT: &str = "k.id, k.key, k.repository_id, k.message, k.author_name, k.author_email, k.date_added";

fn read(r: &Row) -> Result<Commit> {
    Ok(Commit {
        id: r.int(0)?,
        key: r.text(1)?,
        repository: r.int(2)?,
        message: r.opt_text(3)?,
        author_name: r.opt_text(4)?,
        author_email: r.opt_text(5)?,
        date_added: r.int(6)?,
    })
}

/// Says which commits a release has, the newest first, in place of those it had.
///
/// # Errors
/// As the database says; so for every function here.
pub fn set(c: &mut dyn Connection, org: i64, version: &str, commits: &[NewCommit], now: i64) -> Result<()> {
    let mut repositories: HashMap<&str, i64> = HashMap::new();
    let (mut rows, mut files, mut order) = (Vec::new(), Vec::new(), Vec::new());
    for commit in commits {
        let name = commit.repository.as_str();
        let repository = match repositories.get(name) {
            Some(id) => *id,
            None => repositories::named(c, org, name, now)?,
        };
        repositories.insert(name, repository);
        if order
            .iter()
            .any(|(r, k, _)| (*r, *k) == (repository, commit.key.as_str()))
        {
            continue;
        }
        rows.push(json!({
            "r": repository, "k": commit.key, "m": commit.message, "n": commit.author_name,
            "e": commit.author_email, "t": commit.date.unwrap_or(now),
        }));
        let paths = commit.files.iter();
        files.extend(paths.map(|(path, kind)| (repository, commit.key.as_str(), path, kind)));
        order.push((repository, commit.key.as_str(), order.len()));
    }
    c.execute(
        "insert into commits (repository_id, key, message, author_name, author_email, date_added) \
         select r, k, m, n, e, t from {rows $1 r int, k text, m text, n text, e text, t int} x where true \
         on conflict (repository_id, key) do update set \
         message = coalesce(excluded.message, commits.message), \
         author_name = coalesce(excluded.author_name, commits.author_name), \
         author_email = coalesce(excluded.author_email, commits.author_email), \
         date_added = case when excluded.message is null then commits.date_added else excluded.date_added end",
        params![list(rows)],
    )?;
    let files = files
        .iter()
        .map(|(r, k, p, t)| json!({"r": r, "k": k, "p": p, "t": t}));
    c.execute(
        "insert into commit_files (commit_id, path, kind) \
         select k.id, x.p, max(x.t) from {rows $1 r int, k text, p text, t text} x \
         join commits k on k.repository_id = x.r and k.key = x.k group by k.id, x.p \
         on conflict (commit_id, path) do update set kind = excluded.kind",
        params![list(files.collect())],
    )?;
    c.execute(
        "delete from release_commits where org_id = $1 and version = $2",
        params![org, version],
    )?;
    let order = order.iter().map(|(r, k, i)| json!({"r": r, "k": k, "i": i}));
    c.execute(
        "insert into release_commits (org_id, version, position, commit_id) \
         select $1, $2, x.i, k.id from {rows $3 r int, k text, i int} x \
         join commits k on k.repository_id = x.r and k.key = x.k",
        params![org, version, list(order.collect())],
    )?;
    Ok(())
}

/// The commits of a release, the newest first.
pub fn of_release(
    c: &mut dyn Connection,
    org: i64,
    version: &str,
    offset: usize,
    limit: usize,
) -> Result<Vec<Commit>> {
    let sql = format!(
        "select {COMMIT} from release_commits rc join commits k on k.id = rc.commit_id \
         where rc.org_id = $1 and rc.version = $2 order by rc.position limit $3 offset $4"
    );
    all(c.query(&sql, params![org, version, limit, offset])?, read)
}

/// The first commit of each of these releases.
pub fn heads(c: &mut dyn Connection, org: i64, versions: &[&str]) -> Result<HashMap<String, Commit>> {
    let rows = list(versions.iter().map(|v| json!({"v": v})).collect());
    let sql = format!(
        "select {COMMIT}, rc.version from {{rows $2 v text}} x join release_commits rc on rc.version = x.v \
         join commits k on k.id = rc.commit_id where rc.org_id = $1 and rc.position = 0"
    );
    c.query(&sql, params![org, rows])?
        .iter()
        .map(|r| Ok((r.text(7)?, read(r)?)))
        .collect()
}

/// Who wrote the commits of these releases: version, name, address.
pub fn authors(
    c: &mut dyn Connection,
    org: i64,
    versions: &[&str],
) -> Result<Vec<(String, Option<String>, String)>> {
    let rows = list(versions.iter().map(|v| json!({"v": v})).collect());
    let found = c.query(
        "select rc.version, min(k.author_name), k.author_email from {rows $2 v text} x \
         join release_commits rc on rc.version = x.v join commits k on k.id = rc.commit_id \
         where rc.org_id = $1 and k.author_email is not null \
         group by rc.version, k.author_email order by rc.version, k.author_email",
        params![org, rows],
    )?;
    all(found, |r| Ok((r.text(0)?, r.opt_text(1)?, r.text(2)?)))
}

/// The commits of a repository, the newest first.
pub fn of_repository(
    c: &mut dyn Connection,
    repository: i64,
    offset: usize,
    limit: usize,
) -> Result<Vec<Commit>> {
    let sql = format!(
        "select {COMMIT} from commits k where k.repository_id = $1 order by k.date_added desc, k.id desc \
         limit $2 offset $3"
    );
    all(c.query(&sql, params![repository, limit, offset])?, read)
}

/// What the commits of a release changed: the commit, path and kind.
pub fn files_of_release(
    c: &mut dyn Connection,
    org: i64,
    version: &str,
) -> Result<Vec<(Commit, String, String)>> {
    let sql = format!(
        "select {COMMIT}, f.path, f.kind from release_commits rc join commits k on k.id = rc.commit_id \
         join commit_files f on f.commit_id = k.id where rc.org_id = $1 and rc.version = $2 \
         order by rc.position, f.path"
    );
    all(c.query(&sql, params![org, version])?, |r| {
        Ok((read(r)?, r.text(7)?, r.text(8)?))
    })
}

/// Releases whose commits may have brought an error: the event's own and those before it.
const NEAR: usize = 5;

/// What the commits of a release and of those before it changed, as far as a project has them.
pub fn files_near(
    c: &mut dyn Connection,
    org: i64,
    project: i64,
    release: Option<&str>,
) -> Result<Vec<(Commit, String, String)>> {
    let Some(release) = release else {
        return Ok(vec![]);
    };
    let wanted = Wanted {
        projects: &[project],
        ..Wanted::default()
    };
    let all = versions::page(c, org, &wanted, 0, 1_000)?;
    let mut files = Vec::new();
    for version in all.iter().skip_while(|v| v.version != release).take(NEAR) {
        files.extend(files_of_release(c, org, &version.version)?);
    }
    Ok(files)
}

/// A release that was put somewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Deploy {
    /// Its number.
    pub id: i64,
    /// Which release.
    pub version: String,
    /// Where.
    pub environment: String,
    /// What people call it.
    pub name: Option<String>,
    /// A page about it.
    pub url: Option<String>,
    /// When it began, µs.
    pub date_started: Option<i64>,
    /// When it was done, µs.
    pub date_finished: i64,
}

const DEPLOY: &str = "e.id, e.version, e.environment, e.name, e.url, e.date_started, e.date_finished";

fn deploy(r: &Row) -> Result<Deploy> {
    Ok(Deploy {
        id: r.int(0)?,
        version: r.text(1)?,
        environment: r.text(2)?,
        name: r.opt_text(3)?,
        url: r.opt_text(4)?,
        date_started: r.opt_int(5)?,
        date_finished: r.int(6)?,
    })
}

/// Notes a deploy; answers its number.
pub fn add_deploy(c: &mut dyn Connection, org: i64, d: &Deploy) -> Result<i64> {
    let sql = "insert into deploys (org_id, version, environment, name, url, date_started, date_finished) \
               values ($1, $2, $3, $4, $5, $6, $7) returning id";
    let values = params![
        org,
        &d.version,
        &d.environment,
        d.name.as_deref(),
        d.url.as_deref(),
        d.date_started,
        d.date_finished
    ];
    c.query_one(sql, values)?.int(0)
}

/// The deploys of these releases, the last first.
pub fn deploys(c: &mut dyn Connection, org: i64, versions: &[&str]) -> Result<Vec<Deploy>> {
    let rows = list(versions.iter().map(|v| json!({"v": v})).collect());
    let sql = format!(
        "select {DEPLOY} from {{rows $2 v text}} x join deploys e on e.version = x.v where e.org_id = $1 \
         order by e.date_finished desc, e.id desc"
    );
    all(c.query(&sql, params![org, rows])?, deploy)
}

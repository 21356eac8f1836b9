//! Projects and their client keys.

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A project.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// Its number, as in the DSN.
    pub id: i64,
    /// Its organization.
    pub org_id: i64,
    /// Its name in URLs.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The platform chosen when it was made.
    pub platform: Option<String>,
    /// `active`, or `deleting` while a job removes what it holds.
    pub status: String,
    /// When it was made, µs.
    pub date_added: i64,
    /// When its first event came, µs.
    pub first_event: Option<i64>,
    /// Settings, JSON.
    pub settings: serde_json::Value,
}

/// A client key.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Its number.
    pub id: i64,
    /// Its project.
    pub project_id: i64,
    /// What people call it.
    pub label: String,
    /// The public part, 32 hex digits.
    pub public_key: String,
    /// The secret part that old SDKs want; it opens nothing.
    pub secret_key: String,
    /// Whether events are taken with it.
    pub is_active: bool,
    /// At most so many events in a window of so many seconds.
    pub rate_limit: Option<(i64, i64)>,
    /// When it was made, µs.
    pub date_added: i64,
}

const PROJECT: &str =
    "p.id, p.org_id, p.slug, p.name, p.platform, p.status, p.date_added, p.first_event, p.settings";
const KEY: &str = "k.id, k.project_id, k.label, k.public_key, k.secret_key, k.is_active, k.rate_limit_count, \
                   k.rate_limit_window, k.date_added";

fn project_at(r: &Row, i: usize) -> Result<Project> {
    Ok(Project {
        id: r.int(i)?,
        org_id: r.int(i + 1)?,
        slug: r.text(i + 2)?,
        name: r.text(i + 3)?,
        platform: r.opt_text(i + 4)?,
        status: r.text(i + 5)?,
        date_added: r.int(i + 6)?,
        first_event: r.opt_int(i + 7)?,
        settings: r.json(i + 8)?,
    })
}

fn key_at(r: &Row, i: usize) -> Result<Key> {
    Ok(Key {
        id: r.int(i)?,
        project_id: r.int(i + 1)?,
        label: r.text(i + 2)?,
        public_key: r.text(i + 3)?,
        secret_key: r.text(i + 4)?,
        is_active: r.bool(i + 5)?,
        rate_limit: r.opt_int(i + 6)?.zip(r.opt_int(i + 7)?),
        date_added: r.int(i + 8)?,
    })
}

/// The projects of an organization, by slug; those being deleted are left out.
///
/// # Errors
/// As the database says; so for every function here.
pub fn of_organization(c: &mut dyn Connection, org: i64) -> Result<Vec<Project>> {
    let sql = format!(
        "select {PROJECT} from projects p where p.org_id = $1 and p.status = 'active' order by p.slug"
    );
    all(c.query(&sql, params![org])?, |r| project_at(r, 0))
}

/// Every project, also those being deleted, by number.
pub fn all_projects(c: &mut dyn Connection) -> Result<Vec<Project>> {
    all(
        c.query(&format!("select {PROJECT} from projects p order by p.id"), &[])?,
        |r| project_at(r, 0),
    )
}

/// A project of an organization by slug, also one that it had before, or by number written as text.
pub fn find(c: &mut dyn Connection, org: i64, slug_or_id: &str) -> Result<Option<Project>> {
    let sql = format!(
        "select {PROJECT} from projects p where p.org_id = $1 and (p.slug = $2 or p.id = $3) and p.status = 'active' \
         order by p.id"
    );
    let id: i64 = slug_or_id.parse().unwrap_or(0);
    if let Some(row) = c.query_opt(&sql, params![org, slug_or_id, id])? {
        return project_at(&row, 0).map(Some);
    }
    let sql = format!(
        "select {PROJECT} from project_redirects r join projects p on p.id = r.project_id \
         where r.org_id = $1 and r.slug = $2 and p.org_id = $1 and p.status = 'active'"
    );
    let row = c.query_opt(&sql, params![org, slug_or_id])?;
    row.map(|r| project_at(&r, 0)).transpose()
}

/// A project by number.
pub fn by_id(c: &mut dyn Connection, id: i64) -> Result<Option<Project>> {
    let sql = format!("select {PROJECT} from projects p where p.id = $1");
    all(c.query(&sql, params![id])?, |r| project_at(r, 0)).map(|v| v.into_iter().next())
}

/// Makes a project.
pub fn add(
    c: &mut dyn Connection,
    org: i64,
    slug: &str,
    name: &str,
    platform: Option<&str>,
    now: i64,
) -> Result<i64> {
    let sql = "insert into projects (org_id, slug, name, platform, status, date_added, next_short_id, settings) \
               values ($1, $2, $3, $4, 'active', $5, 1, $6) returning id";
    c.query_one(sql, params![org, slug, name, platform, now, "{}"])?
        .int(0)
}

/// Why a project cannot have a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberTaken {
    /// A project has it: its slug.
    By(String),
    /// A project had it, and stored events may still carry it.
    ByRemoved,
}

/// Whether a number is free for a new project.
pub fn number_taken(c: &mut dyn Connection, id: i64) -> Result<Option<NumberTaken>> {
    if let Some(project) = by_id(c, id)? {
        return Ok(Some(NumberTaken::By(project.slug)));
    }
    let gone = c.query_opt("select 1 from removed_projects where id = $1", params![id])?;
    Ok(gone.map(|_| NumberTaken::ByRemoved))
}

/// Makes a project with a number, which must be free.
pub fn add_numbered(
    c: &mut dyn Connection,
    org: i64,
    id: i64,
    slug: &str,
    name: &str,
    now: i64,
) -> Result<()> {
    c.execute(
        "insert into projects (id, org_id, slug, name, status, date_added, next_short_id, settings) \
         values ($1, $2, $3, $4, 'active', $5, 1, $6)",
        params![id, org, slug, name, now, "{}"],
    )?;
    super::dump::after_numbered(c, "projects")
}

/// Gives a project to another organization: its teams, the slugs it had artifact bundles and assignments to people
/// who are not there stay behind.
pub fn transfer(c: &mut dyn Connection, project: i64, org: i64) -> Result<()> {
    for sql in [
        "delete from project_teams where project_id = $1",
        "delete from project_redirects where project_id = $1",
        // Bundles and files of releases are the organization's; debug files are the project's.
        "delete from artifact_bundle_projects where project_id = $1",
        "delete from release_files where project_id = $1",
        "update issues set assigned_team = null where project_id = $1",
    ] {
        c.execute(sql, params![project])?;
    }
    c.execute(
        "update issues set assigned_user = null where project_id = $1 and assigned_user not in \
         (select user_id from members where org_id = $2 and user_id is not null)",
        params![project, org],
    )?;
    c.execute(
        "update projects set org_id = $2 where id = $1",
        params![project, org],
    )?;
    Ok(())
}

/// The project of a public key.
pub fn of_key(c: &mut dyn Connection, public: &str) -> Result<Option<i64>> {
    let row = c.query_opt(
        "select project_id from project_keys where public_key = $1",
        params![public],
    )?;
    row.map(|r| r.int(0)).transpose()
}

/// Writes a project's names, platform, status and settings. The slug that an active project had leads to it from
/// now on.
pub fn update(c: &mut dyn Connection, p: &Project) -> Result<()> {
    if p.status == "active" {
        c.execute(
            "delete from project_redirects where org_id = $1 and slug = $2",
            params![p.org_id, &p.slug],
        )?;
        c.execute(
            "insert into project_redirects (org_id, slug, project_id) select org_id, slug, id from projects \
             where id = $1 and slug <> $2 \
             on conflict (org_id, slug) do update set project_id = excluded.project_id",
            params![p.id, &p.slug],
        )?;
    }
    c.execute(
        "update projects set slug = $2, name = $3, platform = $4, status = $5, settings = $6 where id = $1",
        params![
            p.id,
            &p.slug,
            &p.name,
            p.platform.as_deref(),
            &p.status,
            &p.settings
        ],
    )?;
    Ok(())
}

/// Removes a project and what the database holds of it.
pub fn remove(c: &mut dyn Connection, id: i64) -> Result<()> {
    for sql in [
        "delete from hash_hours where hash_id in (select id from issue_hashes where project_id = $1)",
        "delete from hash_users where hash_id in (select id from issue_hashes where project_id = $1)",
        "delete from hash_features where project_id = $1",
        "delete from issue_hashes where project_id = $1",
        "delete from tombstones where project_id = $1",
        "delete from replaced_events where project_id = $1",
        "delete from reprocessings where project_id = $1",
        "delete from issue_redirects where project_id = $1",
        "delete from discarded_hashes where project_id = $1",
        "delete from discarded_issues where project_id = $1",
        "delete from bookmarks where issue_id in (select id from issues where project_id = $1)",
        "delete from seen where issue_id in (select id from issues where project_id = $1)",
        "delete from subscriptions where issue_id in (select id from issues where project_id = $1)",
        "delete from shared_issues where issue_id in (select id from issues where project_id = $1)",
        "delete from activity where project_id = $1",
        "delete from documents where kind = 'external_issue' and org_id = (select org_id from projects where id = $1) \
         and label in (select cast(id as text) from issues where project_id = $1)",
        "delete from issues where project_id = $1",
        "delete from releases where project_id = $1",
        "delete from code_mappings where project_id = $1",
        "delete from project_repositories where project_id = $1",
        "delete from ownership where project_id = $1",
        "delete from documents where project_id = $1",
        "delete from environments where project_id = $1",
        "delete from outcomes where project_id = $1",
        "delete from discards where project_id = $1",
        "delete from attachments where project_id = $1",
        "delete from debug_files where project_id = $1",
        "delete from release_files where project_id = $1",
        "delete from artifact_bundle_projects where project_id = $1",
        "delete from poison where project_id = $1",
        "delete from project_teams where project_id = $1",
        "delete from project_redirects where project_id = $1",
        "delete from project_keys where project_id = $1",
        "delete from projects where id = $1",
        "insert into removed_projects (id) values ($1) on conflict do nothing",
    ] {
        c.execute(sql, params![id])?;
    }
    Ok(())
}

/// Notes the first event of a project, once.
pub fn first_event(c: &mut dyn Connection, id: i64, time: i64) -> Result<()> {
    c.execute(
        "update projects set first_event = $2 where id = $1 and first_event is null",
        params![id, time],
    )?;
    Ok(())
}

/// Takes `n` short numbers of a project; answers the first.
pub fn take_numbers(c: &mut dyn Connection, id: i64, n: i64) -> Result<i64> {
    let sql = "update projects set next_short_id = next_short_id + $2 where id = $1 returning next_short_id";
    Ok(c.query_one(sql, params![id, n])?.int(0)? - n)
}

/// The keys of a project, oldest first.
pub fn keys(c: &mut dyn Connection, project: i64) -> Result<Vec<Key>> {
    let sql = format!("select {KEY} from project_keys k where k.project_id = $1 order by k.id");
    all(c.query(&sql, params![project])?, |r| key_at(r, 0))
}

/// Every key with its project: what ingest keeps in memory.
pub fn every_key(c: &mut dyn Connection) -> Result<Vec<(Key, Project)>> {
    let sql = format!(
        "select {KEY}, {PROJECT} from project_keys k join projects p on p.id = k.project_id order by k.id"
    );
    all(c.query(&sql, &[])?, |r| Ok((key_at(r, 0)?, project_at(r, 9)?)))
}

/// Makes a key.
pub fn add_key(
    c: &mut dyn Connection,
    project: i64,
    label: &str,
    public: &str,
    secret: &str,
    now: i64,
) -> Result<i64> {
    let sql = "insert into project_keys (project_id, label, public_key, secret_key, is_active, date_added) \
               values ($1, $2, $3, $4, 1, $5) returning id";
    c.query_one(sql, params![project, label, public, secret, now])?
        .int(0)
}

/// Writes a key's label, state and limit.
pub fn update_key(c: &mut dyn Connection, k: &Key) -> Result<()> {
    c.execute(
        "update project_keys set label = $2, is_active = $3, rate_limit_count = $4, rate_limit_window = $5 where id = $1",
        params![k.id, &k.label, k.is_active, k.rate_limit.map(|l| l.0), k.rate_limit.map(|l| l.1)],
    )?;
    Ok(())
}

/// Withdraws a key.
pub fn remove_key(c: &mut dyn Connection, id: i64) -> Result<()> {
    c.execute("delete from project_keys where id = $1", params![id])?;
    Ok(())
}

//! Releases and environments as events name them.

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result};

/// A release of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Its number.
    pub id: i64,
    /// Its project.
    pub project: i64,
    /// `shop@1.2.0+3`.
    pub version: String,
    /// When it was first heard of, µs.
    pub date_added: i64,
    /// Its first event, µs.
    pub first_event: Option<i64>,
    /// Its last event, µs.
    pub last_event: Option<i64>,
    /// Issues that were first seen in it.
    pub new_issues: i64,
}

/// Events of a release in one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// The project.
    pub project: u64,
    /// The version.
    pub version: String,
    /// The first and last event, µs.
    pub span: (i64, i64),
    /// Issues that began with it.
    pub new_issues: i64,
}

fn read(r: &crate::sql::Row) -> Result<Release> {
    Ok(Release {
        id: r.int(0)?,
        project: r.int(1)?,
        version: r.text(2)?,
        date_added: r.int(3)?,
        first_event: r.opt_int(4)?,
        last_event: r.opt_int(5)?,
        new_issues: r.int(6)?,
    })
}

const RELEASE: &str = "id, project_id, version, date_added, first_event, last_event, new_issues";

/// Notes releases of a batch.
///
/// # Errors
/// As the database says; so for every function here.
pub fn saw(c: &mut dyn Connection, sightings: &[Sighting], now: i64) -> Result<()> {
    if sightings.is_empty() {
        return Ok(());
    }
    let rows = sightings
        .iter()
        .map(|s| {
            serde_json::json!({"p": s.project, "v": s.version, "a": s.span.0, "z": s.span.1, "n": s.new_issues})
        })
        .collect();
    c.execute(
        "insert into releases (project_id, version, date_added, first_event, last_event, new_issues) \
         select p, v, $2, a, z, n from {rows $1 p int, v text, a int, z int, n int} x where true \
         on conflict (project_id, version) do update set \
         first_event = case when releases.first_event < excluded.first_event then releases.first_event \
           else excluded.first_event end, \
         last_event = case when releases.last_event > excluded.last_event then releases.last_event \
           else excluded.last_event end, \
         new_issues = releases.new_issues + excluded.new_issues",
        params![list(rows), now],
    )?;
    Ok(())
}

/// Every release of a project, the newest first.
pub fn of_project(c: &mut dyn Connection, project: i64) -> Result<Vec<Release>> {
    let sql =
        format!("select {RELEASE} from releases where project_id = $1 order by date_added desc, id desc");
    all(c.query(&sql, params![project])?, read)
}

/// Whether a release came after another: by version where both have one, else by when they were first heard of.
pub fn came_later(known: &[Release], a: &str, b: &str) -> bool {
    if let Some(order) = crate::life::compare_releases(a, b) {
        return order == std::cmp::Ordering::Greater;
    }
    let place = |v: &str| {
        known
            .iter()
            .find(|r| r.version == v)
            .map(|r| (r.date_added, r.id))
    };
    match (place(a), place(b)) {
        (Some(a), Some(b)) => a > b,
        // A release that is not known yet is newer than all that are.
        (None, _) => a != b,
        (Some(_), None) => false,
    }
}

/// The `latest` of a project's releases, which are given newest first: the one that was heard of last, or, if its
/// version can be compared, the one with the highest version of the same package.
pub fn latest(known: &[Release]) -> Option<&Release> {
    let package = |r: &Release| r.version.rsplit_once('@').map(|(p, _)| p.to_owned());
    let last = known.first()?;
    known.iter().reduce(|best, r| {
        let higher = crate::life::compare_releases(&r.version, &best.version);
        let greater = higher == Some(std::cmp::Ordering::Greater);
        if greater && package(r) == package(last) {
            r
        } else {
            best
        }
    })
}

/// One release.
pub fn find(c: &mut dyn Connection, project: i64, version: &str) -> Result<Option<Release>> {
    let sql = format!("select {RELEASE} from releases where project_id = $1 and version = $2");
    all(c.query(&sql, params![project, version])?, read).map(|v| v.into_iter().next())
}

/// Notes environments.
pub fn saw_environments(c: &mut dyn Connection, names: &[(u64, String)], now: i64) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let rows = names
        .iter()
        .map(|(p, n)| serde_json::json!({"p": p, "n": n}))
        .collect();
    c.execute(
        "insert into environments (project_id, name, first_seen, is_hidden) select p, n, $2, 0 \
         from {rows $1 p int, n text} x where true on conflict (project_id, name) do nothing",
        params![list(rows), now],
    )?;
    Ok(())
}

/// Hides an environment of a project from lists, or shows it.
pub fn hide_environment(c: &mut dyn Connection, project: i64, name: &str, hidden: bool) -> Result<()> {
    c.execute(
        "update environments set is_hidden = $3 where project_id = $1 and name = $2",
        params![project, name, hidden],
    )?;
    Ok(())
}

/// The environments of projects, by name: project, name, hidden.
pub fn environments(c: &mut dyn Connection, projects: &[i64]) -> Result<Vec<(i64, String, bool)>> {
    let ids = list(projects.iter().map(|p| serde_json::json!({"p": p})).collect());
    let rows = c.query(
        "select e.project_id, e.name, e.is_hidden from environments e join {rows $1 p int} x on x.p = e.project_id \
         order by e.name, e.project_id",
        params![ids],
    )?;
    all(rows, |r| Ok((r.int(0)?, r.text(1)?, r.bool(2)?)))
}

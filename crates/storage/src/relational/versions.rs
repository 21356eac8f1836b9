//! Releases of an organization: a version over its projects. What each project's events tell of it is in
//! [`super::releases`], what people said of it is here.

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A release.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number: that of its oldest row among those of its projects.
    pub id: i64,
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
    /// What people said of it.
    pub details: Details,
    /// How many commits it has.
    pub commits: i64,
    /// How many deploys it has.
    pub deploys: i64,
}

/// What people say of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// `open` or `archived`.
    pub status: String,
    /// A name of the source it was made of.
    pub reference: Option<String>,
    /// A page about it.
    pub url: Option<String>,
    /// When its making began, µs.
    pub date_started: Option<i64>,
    /// When it was released, µs.
    pub date_released: Option<i64>,
    /// Who made it known.
    pub user: Option<i64>,
}

impl Default for Details {
    fn default() -> Details {
        Details {
            status: "open".into(),
            reference: None,
            url: None,
            date_started: None,
            date_released: None,
            user: None,
        }
    }
}

impl Version {
    /// When it came out: when it was released, or first heard of.
    pub fn date(&self) -> i64 {
        self.details.date_released.unwrap_or(self.date_added)
    }
}

/// Which releases are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// Of these projects.
    pub projects: &'a [i64],
    /// Of this version alone.
    pub version: Option<&'a str>,
    /// With this in their version.
    pub part: Option<&'a str>,
    /// With this status.
    pub status: Option<&'a str>,
}

fn read(r: &Row) -> Result<Version> {
    Ok(Version {
        version: r.text(0)?,
        id: r.int(1)?,
        date_added: r.int(2)?,
        first_event: r.opt_int(3)?,
        last_event: r.opt_int(4)?,
        new_issues: r.int(5)?,
        details: Details {
            status: r.opt_text(6)?.unwrap_or_else(|| "open".into()),
            reference: r.opt_text(7)?,
            url: r.opt_text(8)?,
            date_started: r.opt_int(9)?,
            date_released: r.opt_int(10)?,
            user: r.opt_int(11)?,
        },
        commits: r.int(12)?,
        deploys: r.int(13)?,
    })
}

/// Releases of an organization, those that came out last first.
///
/// # Errors
/// As the database says; so for every function here.
pub fn page(
    c: &mut dyn Connection,
    org: i64,
    wanted: &Wanted<'_>,
    offset: usize,
    limit: usize,
) -> Result<Vec<Version>> {
    let part = wanted.part.unwrap_or("").to_lowercase();
    let contains = c.dialect().contains_ci("r.version", "$4");
    // Commits and deploys are counted for the page alone.
    let sql = format!(
        "select v.*, (select count(*) from release_commits rc where rc.org_id = $1 and rc.version = v.version), \
         (select count(*) from deploys e where e.org_id = $1 and e.version = v.version) from (\
         select r.version, min(r.id) as id, min(r.date_added) as added, min(r.first_event) as first_event, \
         max(r.last_event) as last_event, cast(sum(r.new_issues) as bigint) as new_issues, min(d.status) as status, \
         min(d.ref) as ref, min(d.url) as url, min(d.date_started) as started, min(d.date_released) as released, \
         min(d.user_id) as user_id \
         from {{rows $2 p int}} x join releases r on r.project_id = x.p \
         left join release_details d on d.org_id = $1 and d.version = r.version \
         where ($3 = '' or r.version = $3) and ($4 = '' or {contains}) \
         and ($5 = '' or coalesce(d.status, 'open') = $5) \
         group by r.version order by coalesce(min(d.date_released), min(r.date_added)) desc, min(r.id) desc \
         limit $6 offset $7) v order by coalesce(v.released, v.added) desc, v.id desc"
    );
    let ids = list(
        wanted
            .projects
            .iter()
            .map(|p| serde_json::json!({"p": p}))
            .collect(),
    );
    let (version, status) = (wanted.version.unwrap_or(""), wanted.status.unwrap_or(""));
    all(
        c.query(&sql, params![org, ids, version, part, status, limit, offset])?,
        read,
    )
}

/// One release, as far as some projects have it.
pub fn find(c: &mut dyn Connection, org: i64, projects: &[i64], version: &str) -> Result<Option<Version>> {
    let wanted = Wanted {
        projects,
        version: Some(version),
        ..Wanted::default()
    };
    Ok(page(c, org, &wanted, 0, 1)?.pop())
}

/// The projects that have each of these releases: version, project, when it was first heard of there, new issues.
pub fn projects(c: &mut dyn Connection, org: i64, versions: &[&str]) -> Result<Vec<(String, i64, i64, i64)>> {
    let rows = list(versions.iter().map(|v| serde_json::json!({"v": v})).collect());
    let found = c.query(
        "select r.version, r.project_id, r.date_added, r.new_issues from {rows $2 v text} x \
         join releases r on r.version = x.v join projects p on p.id = r.project_id \
         where p.org_id = $1 and p.status = 'active' order by r.version, p.slug",
        params![org, rows],
    )?;
    all(found, |r| Ok((r.text(0)?, r.int(1)?, r.int(2)?, r.int(3)?)))
}

/// Says that projects have a release; those that have it already keep what is known.
pub fn give(c: &mut dyn Connection, projects: &[i64], version: &str, now: i64) -> Result<()> {
    let rows = list(projects.iter().map(|p| serde_json::json!({"p": p})).collect());
    c.execute(
        "insert into releases (project_id, version, date_added, new_issues) \
         select p, $2, $3, 0 from {rows $1 p int} x where true on conflict (project_id, version) do nothing",
        params![rows, version, now],
    )?;
    Ok(())
}

/// Writes what people say of a release.
pub fn set_details(c: &mut dyn Connection, org: i64, version: &str, d: &Details) -> Result<()> {
    c.execute(
        "insert into release_details (org_id, version, status, ref, url, date_started, date_released, user_id) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (org_id, version) do update set \
         status = excluded.status, ref = excluded.ref, url = excluded.url, date_started = excluded.date_started, \
         date_released = excluded.date_released, user_id = excluded.user_id",
        params![
            org,
            version,
            &d.status,
            d.reference.as_deref(),
            d.url.as_deref(),
            d.date_started,
            d.date_released,
            d.user
        ],
    )?;
    Ok(())
}

/// Whether issues were first seen in a release.
pub fn has_issues(c: &mut dyn Connection, projects: &[i64], version: &str) -> Result<bool> {
    let rows = list(projects.iter().map(|p| serde_json::json!({"p": p})).collect());
    let found = c.query(
        "select 1 from {rows $1 p int} x join issues i on i.project_id = x.p where i.first_release = $2 limit 1",
        params![rows, version],
    )?;
    Ok(!found.is_empty())
}

/// Forgets a release of an organization.
pub fn remove(c: &mut dyn Connection, org: i64, version: &str) -> Result<()> {
    for sql in [
        "delete from releases where version = $2 and project_id in (select id from projects where org_id = $1)",
        "delete from release_details where org_id = $1 and version = $2",
        "delete from release_commits where org_id = $1 and version = $2",
        "delete from deploys where org_id = $1 and version = $2",
        "delete from release_files where org_id = $1 and version = $2",
        "delete from artifact_bundle_releases where version = $2 \
         and bundle_id in (select id from artifact_bundles where org_id = $1)",
    ] {
        c.execute(sql, params![org, version])?;
    }
    Ok(())
}

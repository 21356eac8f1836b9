//! Repositories, and where the code of a project's frames lies in them.

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Repository {
    /// Its number.
    pub id: i64,
    /// `acme/shop`.
    pub name: String,
    /// `github`, `gitlab`, `gitea`, `bitbucket`, or `unknown` if a commit named it alone.
    pub provider: String,
    /// Where people see it.
    pub url: Option<String>,
    /// `active` or `hidden`.
    pub status: String,
    /// When it was first heard of, µs.
    pub date_added: i64,
}

const REPOSITORY: &str = "r.id, r.name, r.provider, r.url, r.status, r.date_added";

fn read_at(r: &Row, i: usize) -> Result<Repository> {
    Ok(Repository {
        id: r.int(i)?,
        name: r.text(i + 1)?,
        provider: r.text(i + 2)?,
        url: r.opt_text(i + 3)?,
        status: r.text(i + 4)?,
        date_added: r.int(i + 5)?,
    })
}

/// The repositories of an organization, by name.
///
/// # Errors
/// As the database says; so for every function here.
pub fn of_organization(c: &mut dyn Connection, org: i64) -> Result<Vec<Repository>> {
    let sql = format!("select {REPOSITORY} from repositories r where r.org_id = $1 order by r.name");
    all(c.query(&sql, params![org])?, |r| read_at(r, 0))
}

/// A repository by number.
pub fn find(c: &mut dyn Connection, org: i64, id: i64) -> Result<Option<Repository>> {
    let sql = format!("select {REPOSITORY} from repositories r where r.org_id = $1 and r.id = $2");
    all(c.query(&sql, params![org, id])?, |r| read_at(r, 0)).map(|v| v.into_iter().next())
}

/// The repository of a name, which is made if it is not there.
pub fn named(c: &mut dyn Connection, org: i64, name: &str, now: i64) -> Result<i64> {
    if let Some(row) = c.query_opt(
        "select id from repositories where org_id = $1 and name = $2",
        params![org, name],
    )? {
        return row.int(0);
    }
    let sql = "insert into repositories (org_id, name, provider, status, date_added) \
               values ($1, $2, 'unknown', 'active', $3) returning id";
    c.query_one(sql, params![org, name, now])?.int(0)
}

/// Writes a repository's name, provider, address and status.
pub fn update(c: &mut dyn Connection, r: &Repository) -> Result<()> {
    c.execute(
        "update repositories set name = $2, provider = $3, url = $4, status = $5 where id = $1",
        params![r.id, &r.name, &r.provider, r.url.as_deref(), &r.status],
    )?;
    Ok(())
}

/// Forgets a repository with its commits and mappings.
pub fn remove(c: &mut dyn Connection, id: i64) -> Result<()> {
    for sql in [
        "delete from release_commits where commit_id in (select id from commits where repository_id = $1)",
        "delete from commit_files where commit_id in (select id from commits where repository_id = $1)",
        "delete from commits where repository_id = $1",
        "delete from code_mappings where repository_id = $1",
        "delete from project_repositories where repository_id = $1",
        "delete from repositories where id = $1",
    ] {
        c.execute(sql, params![id])?;
    }
    Ok(())
}

/// Links a repository to a project; answers the link's number and whether it is new.
pub fn link(c: &mut dyn Connection, project: i64, repository: i64, now: i64) -> Result<(i64, bool)> {
    let known = c.query_opt(
        "select id from project_repositories where project_id = $1 and repository_id = $2",
        params![project, repository],
    )?;
    if let Some(row) = known {
        return Ok((row.int(0)?, false));
    }
    let sql = "insert into project_repositories (project_id, repository_id, date_added) values ($1, $2, $3) returning id";
    Ok((c.query_one(sql, params![project, repository, now])?.int(0)?, true))
}

/// How the paths of frames become paths of a repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Its number.
    pub id: i64,
    /// The project.
    pub project: i64,
    /// What paths of frames begin with.
    pub stack_root: String,
    /// What paths of the repository begin with in its place.
    pub source_root: String,
    /// The branch to show.
    pub branch: String,
    /// When it was made, µs.
    pub date_added: i64,
    /// The repository.
    pub repository: Repository,
}

impl Mapping {
    /// The path in the repository of a frame's path, if the mapping is about it.
    pub fn apply(&self, path: &str) -> Option<String> {
        let path = path.replace('\\', "/");
        let rest = path.strip_prefix(self.stack_root.as_str())?;
        Some(
            format!("{}{rest}", self.source_root)
                .trim_start_matches('/')
                .to_owned(),
        )
    }
}

const MAPPING: &str = "m.id, m.project_id, m.stack_root, m.source_root, m.branch, m.date_added";

fn mapping(r: &Row) -> Result<Mapping> {
    Ok(Mapping {
        id: r.int(0)?,
        project: r.int(1)?,
        stack_root: r.text(2)?,
        source_root: r.text(3)?,
        branch: r.text(4)?,
        date_added: r.int(5)?,
        repository: read_at(r, 6)?,
    })
}

/// The mappings of an organization, those with the longest root first.
pub fn mappings(c: &mut dyn Connection, org: i64, project: Option<i64>) -> Result<Vec<Mapping>> {
    let sql = format!(
        "select {MAPPING}, {REPOSITORY} from code_mappings m join repositories r on r.id = m.repository_id \
         where r.org_id = $1 and ($2 = 0 or m.project_id = $2) order by length(m.stack_root) desc, m.id"
    );
    all(c.query(&sql, params![org, project.unwrap_or(0)])?, mapping)
}

/// Makes a mapping, or writes anew where one with these roots leads; answers its number and whether it is new.
pub fn put_mapping(c: &mut dyn Connection, m: &Mapping, now: i64) -> Result<(i64, bool)> {
    let known = c.query_opt(
        "select id from code_mappings where project_id = $1 and stack_root = $2 and source_root = $3",
        params![m.project, &m.stack_root, &m.source_root],
    )?;
    if let Some(row) = known {
        let id = row.int(0)?;
        c.execute(
            "update code_mappings set repository_id = $2, branch = $3 where id = $1",
            params![id, m.repository.id, &m.branch],
        )?;
        return Ok((id, false));
    }
    let sql = "insert into code_mappings (project_id, repository_id, stack_root, source_root, branch, date_added) \
               values ($1, $2, $3, $4, $5, $6) returning id";
    let values = params![
        m.project,
        m.repository.id,
        &m.stack_root,
        &m.source_root,
        &m.branch,
        now
    ];
    Ok((c.query_one(sql, values)?.int(0)?, true))
}

/// Forgets a mapping.
pub fn remove_mapping(c: &mut dyn Connection, id: i64) -> Result<()> {
    c.execute("delete from code_mappings where id = $1", params![id])?;
    Ok(())
}

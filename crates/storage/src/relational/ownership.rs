//! Rules that say whose an issue is, as they are kept for each project; what they mean is in [`crate::ownership`].

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// The rules of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its project.
    pub project: i64,
    /// Rules of the project's own.
    pub raw: String,
    /// A CODEOWNERS file.
    pub codeowners: String,
    /// Everybody is told of what nobody owns.
    pub fallthrough: bool,
    /// `Auto Assign to Issue Owner`, `Auto Assign to Suspect Commits`, `Turn off Auto-Assignment`.
    pub auto_assignment: String,
    /// The CODEOWNERS file follows its repository.
    pub sync: bool,
    /// When they were first given, µs.
    pub date_added: i64,
    /// When they were last changed, µs.
    pub last_updated: i64,
}

const COLUMNS: &str =
    "project_id, raw, codeowners, fallthrough, auto_assignment, sync, date_added, last_updated";

fn read(r: &Row) -> Result<Kept> {
    Ok(Kept {
        project: r.int(0)?,
        raw: r.text(1)?,
        codeowners: r.text(2)?,
        fallthrough: r.bool(3)?,
        auto_assignment: r.text(4)?,
        sync: r.bool(5)?,
        date_added: r.int(6)?,
        last_updated: r.int(7)?,
    })
}

/// The rules of a project, if it has any.
///
/// # Errors
/// As the database says; so for every function here.
pub fn of_project(c: &mut dyn Connection, project: i64) -> Result<Option<Kept>> {
    let sql = format!("select {COLUMNS} from ownership where project_id = $1");
    all(c.query(&sql, params![project])?, read).map(|v| v.into_iter().next())
}

/// Every project's rules.
pub fn every(c: &mut dyn Connection) -> Result<Vec<Kept>> {
    all(c.query(&format!("select {COLUMNS} from ownership"), &[])?, read)
}

/// Writes the rules of a project. With the first rules of all begins the time from which issues are assigned: those
/// that are there stay as they are.
pub fn put(c: &mut dyn Connection, k: &Kept) -> Result<()> {
    if position(c)?.is_none() {
        let newest = newest_issue(c)?;
        advance(c, newest)?;
    }
    c.execute(
        "insert into ownership (project_id, raw, codeowners, fallthrough, auto_assignment, sync, date_added, last_updated) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (project_id) do update set raw = excluded.raw, \
         codeowners = excluded.codeowners, fallthrough = excluded.fallthrough, \
         auto_assignment = excluded.auto_assignment, sync = excluded.sync, last_updated = excluded.last_updated",
        params![
            k.project,
            &k.raw,
            &k.codeowners,
            k.fallthrough,
            &k.auto_assignment,
            k.sync,
            k.date_added,
            k.last_updated
        ],
    )?;
    Ok(())
}

/// Behind which issue those are that rules were not asked about; nothing before the first time.
pub fn position(c: &mut dyn Connection) -> Result<Option<i64>> {
    let row = c.query_opt("select issue_id from ownership_position where id = 1", &[])?;
    row.map(|r| r.int(0)).transpose()
}

/// Says up to which issue rules were asked.
pub fn advance(c: &mut dyn Connection, issue: i64) -> Result<()> {
    c.execute(
        "insert into ownership_position (id, issue_id) values (1, $1) \
         on conflict (id) do update set issue_id = excluded.issue_id",
        params![issue],
    )?;
    Ok(())
}

/// The newest issue's number; 0 if there is none.
pub fn newest_issue(c: &mut dyn Connection) -> Result<i64> {
    c.query_one("select coalesce(max(id), 0) from issues", &[])?
        .int(0)
}

/// The next issues behind a number: number, project, whether they are somebody's.
pub fn issues_behind(c: &mut dyn Connection, after: i64, limit: i64) -> Result<Vec<(i64, i64, bool)>> {
    let sql = "select id, project_id, case when assigned_user is null and assigned_team is null then 0 else 1 end \
               from issues where id > $1 order by id limit $2";
    all(c.query(sql, params![after, limit])?, |r| {
        Ok((r.int(0)?, r.int(1)?, r.bool(2)?))
    })
}

/// Assigns an issue that is nobody's to a user or to a team; answers false if it is somebody's.
pub fn assign(c: &mut dyn Connection, issue: i64, user: Option<i64>, team: Option<i64>) -> Result<bool> {
    let sql = "update issues set assigned_user = $2, assigned_team = $3 \
               where id = $1 and assigned_user is null and assigned_team is null";
    Ok(c.execute(sql, params![issue, user, team])? > 0)
}

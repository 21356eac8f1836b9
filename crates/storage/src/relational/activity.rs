//! What happened to an issue: changes of state and comments.

use super::all;
use crate::params;
use crate::sql::{Connection, Result};

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// The issue.
    pub issue: i64,
    /// Who; nobody if the server did it.
    pub user: Option<i64>,
    /// `set_resolved`, `set_regression`, `note`…
    pub kind: String,
    /// Details, JSON.
    pub data: serde_json::Value,
    /// When, µs.
    pub date_added: i64,
}

/// Adds an entry.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(
    c: &mut dyn Connection,
    issue: i64,
    project: i64,
    user: Option<i64>,
    kind: &str,
    data: &serde_json::Value,
    now: i64,
) -> Result<i64> {
    c.query_one(
        "insert into activity (issue_id, project_id, user_id, kind, data, date_added) values ($1, $2, $3, $4, $5, $6) \
         returning id",
        params![issue, project, user, kind, data, now],
    )?
    .int(0)
}

fn read(r: &crate::sql::Row) -> Result<Entry> {
    Ok(Entry {
        id: r.int(0)?,
        issue: r.int(1)?,
        user: r.opt_int(2)?,
        kind: r.text(3)?,
        data: r.json(4)?,
        date_added: r.int(5)?,
    })
}

/// The number of the newest entry; 0 without any.
pub fn last(c: &mut dyn Connection) -> Result<i64> {
    c.query_one("select coalesce(max(id), 0) from activity", &[])?
        .int(0)
}

/// Entries after one, in their order, as far as they were made until a time: number, issue, project, kind.
pub fn after(
    c: &mut dyn Connection,
    id: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<(i64, i64, i64, String)>> {
    let sql = "select id, issue_id, project_id, kind from activity where id > $1 and date_added <= $2 \
               order by id limit $3";
    all(c.query(sql, params![id, until, limit])?, |r| {
        Ok((r.int(0)?, r.int(1)?, r.int(2)?, r.text(3)?))
    })
}

const ENTRY: &str = "id, issue_id, user_id, kind, data, date_added";

/// The newest entries of an issue, newest first.
pub fn of_issue(c: &mut dyn Connection, issue: i64, limit: i64) -> Result<Vec<Entry>> {
    let sql = format!(
        "select {ENTRY} from activity where issue_id = $1 order by date_added desc, id desc limit $2"
    );
    all(c.query(&sql, params![issue, limit])?, read)
}

/// One comment of an issue.
pub fn note(c: &mut dyn Connection, issue: i64, id: i64) -> Result<Option<Entry>> {
    let sql = format!("select {ENTRY} from activity where issue_id = $1 and id = $2 and kind = 'note'");
    all(c.query(&sql, params![issue, id])?, read).map(|v| v.into_iter().next())
}

/// Changes a comment.
pub fn edit_note(c: &mut dyn Connection, id: i64, data: &serde_json::Value) -> Result<()> {
    c.execute("update activity set data = $2 where id = $1", params![id, data])?;
    Ok(())
}

/// Removes a comment.
pub fn remove(c: &mut dyn Connection, id: i64) -> Result<()> {
    c.execute("delete from activity where id = $1", params![id])?;
    Ok(())
}

/// Counts the comments of an issue anew.
pub fn recount_notes(c: &mut dyn Connection, issue: i64) -> Result<()> {
    c.execute(
        "update issues set num_comments = (select count(*) from activity where issue_id = $1 and kind = 'note') \
         where id = $1",
        params![issue],
    )?;
    Ok(())
}

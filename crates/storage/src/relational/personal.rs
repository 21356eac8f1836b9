//! What one user has with an issue: bookmark, last look, subscription.

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result};

/// Sets or clears a bookmark.
///
/// # Errors
/// As the database says; so for every function here.
pub fn bookmark(c: &mut dyn Connection, issue: i64, user: i64, on: bool, now: i64) -> Result<()> {
    if on {
        c.execute(
            "insert into bookmarks (issue_id, user_id, date_added) values ($1, $2, $3) \
             on conflict (issue_id, user_id) do nothing",
            params![issue, user, now],
        )?;
    } else {
        c.execute(
            "delete from bookmarks where issue_id = $1 and user_id = $2",
            params![issue, user],
        )?;
    }
    Ok(())
}

/// Notes that a user has looked at an issue, or has not.
pub fn see(c: &mut dyn Connection, issue: i64, user: i64, on: bool, now: i64) -> Result<()> {
    if on {
        c.execute(
            "insert into seen (issue_id, user_id, last_seen) values ($1, $2, $3) \
             on conflict (issue_id, user_id) do update set last_seen = excluded.last_seen",
            params![issue, user, now],
        )?;
    } else {
        c.execute(
            "delete from seen where issue_id = $1 and user_id = $2",
            params![issue, user],
        )?;
    }
    Ok(())
}

/// Subscribes a user, or not.
pub fn subscribe(c: &mut dyn Connection, issue: i64, user: i64, on: bool) -> Result<()> {
    c.execute(
        "insert into subscriptions (issue_id, user_id, is_active) values ($1, $2, $3) \
         on conflict (issue_id, user_id) do update set is_active = excluded.is_active",
        params![issue, user, on],
    )?;
    Ok(())
}

/// What a user has with some issues.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Personal {
    /// Bookmarked.
    pub bookmarked: Vec<i64>,
    /// Looked at since it last changed for the worse.
    pub seen: Vec<i64>,
    /// Subscribed.
    pub subscribed: Vec<i64>,
}

/// Reads what a user has with issues.
pub fn of(c: &mut dyn Connection, user: i64, issues: &[i64]) -> Result<Personal> {
    let ids = list(issues.iter().map(|i| serde_json::json!({"i": i})).collect());
    let mut read = |sql: &str| all(c.query(sql, params![user, ids.as_str()])?, |r| r.int(0));
    Ok(Personal {
        bookmarked: read(
            "select b.issue_id from bookmarks b join {rows $2 i int} x on x.i = b.issue_id where b.user_id = $1",
        )?,
        seen: read(
            "select b.issue_id from seen b join {rows $2 i int} x on x.i = b.issue_id where b.user_id = $1",
        )?,
        subscribed: read(
            "select b.issue_id from subscriptions b join {rows $2 i int} x on x.i = b.issue_id \
             where b.user_id = $1 and b.is_active = 1",
        )?,
    })
}

/// Who has looked at an issue, and when: (user, µs), the latest first.
pub fn seen_by(c: &mut dyn Connection, issue: i64) -> Result<Vec<(i64, i64)>> {
    let sql = "select user_id, last_seen from seen where issue_id = $1 order by last_seen desc";
    all(c.query(sql, params![issue])?, |r| Ok((r.int(0)?, r.int(1)?)))
}

/// Who takes part in an issue.
pub fn participants(c: &mut dyn Connection, issue: i64) -> Result<Vec<i64>> {
    let sql = "select user_id from subscriptions where issue_id = $1 and is_active = 1 order by user_id";
    all(c.query(sql, params![issue])?, |r| r.int(0))
}

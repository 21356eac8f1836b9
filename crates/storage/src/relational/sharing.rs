//! Issues that everybody sees who has their link.

use std::collections::HashMap;

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result};

/// Gives an issue a link; one that it had leads nowhere from then on.
///
/// # Errors
/// As the database says; so for every function here.
pub fn share(c: &mut dyn Connection, issue: i64, link: &str, user: Option<i64>, now: i64) -> Result<()> {
    c.execute(
        "insert into shared_issues (issue_id, share_id, user_id, date_added) values ($1, $2, $3, $4) \
         on conflict (issue_id) do update set share_id = excluded.share_id, user_id = excluded.user_id, \
         date_added = excluded.date_added",
        params![issue, link, user, now],
    )?;
    Ok(())
}

/// Takes the link of an issue back; whether it had one.
pub fn unshare(c: &mut dyn Connection, issue: i64) -> Result<bool> {
    let n = c.execute("delete from shared_issues where issue_id = $1", params![issue])?;
    Ok(n > 0)
}

/// The links of some issues.
pub fn of(c: &mut dyn Connection, issues: &[i64]) -> Result<HashMap<i64, String>> {
    let ids = list(issues.iter().map(|i| serde_json::json!({"i": i})).collect());
    let sql = "select s.issue_id, s.share_id from {rows $1 i int} x join shared_issues s on s.issue_id = x.i";
    let rows = all(c.query(sql, params![ids])?, |r| Ok((r.int(0)?, r.text(1)?)))?;
    Ok(rows.into_iter().collect())
}

/// The issue that a link leads to.
pub fn find(c: &mut dyn Connection, link: &str) -> Result<Option<i64>> {
    let sql = "select issue_id from shared_issues where share_id = $1";
    Ok(all(c.query(sql, params![link])?, |r| r.int(0))?.pop())
}

//! The audit log: who changed what in an organization.

use super::all;
use crate::params;
use crate::sql::{Connection, Result};

/// An entry to be written.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The organization.
    pub org: i64,
    /// The user who did it; nobody for a token of the organization.
    pub actor_id: Option<i64>,
    /// The actor's name, kept when the user goes.
    pub actor: &'a str,
    /// The address it came from.
    pub address: Option<&'a str>,
    /// What was done, in Sentry's words (`member.invite`).
    pub event: &'a str,
    /// The number of what it was done to.
    pub target: Option<i64>,
    /// Details, JSON.
    pub data: &'a serde_json::Value,
}

/// An entry that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its number.
    pub id: i64,
    /// The user who did it.
    pub actor_id: Option<i64>,
    /// The actor's name.
    pub actor: String,
    /// The address it came from.
    pub address: Option<String>,
    /// When, µs.
    pub date_added: i64,
    /// What was done.
    pub event: String,
    /// The number of what it was done to.
    pub target: Option<i64>,
    /// Details, JSON.
    pub data: serde_json::Value,
}

/// Writes an entry.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, e: &Entry<'_>, now: i64) -> Result<()> {
    c.execute(
        "insert into audit_log (org_id, actor_id, actor, address, date_added, event, target, data) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            e.org, e.actor_id, e.actor, e.address, now, e.event, e.target, e.data
        ],
    )?;
    Ok(())
}

/// Which entries are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Of this kind.
    pub event: Option<&'a str>,
    /// Of this user.
    pub actor: Option<i64>,
    /// Not before, µs.
    pub start: Option<i64>,
    /// Before, µs.
    pub end: Option<i64>,
}

/// The newest entries of an organization; index `audit_log_org`.
pub fn list(
    c: &mut dyn Connection,
    org: i64,
    wanted: &Wanted<'_>,
    limit: usize,
    offset: usize,
) -> Result<Vec<Row>> {
    let rows = c.query(
        "select id, actor_id, actor, address, date_added, event, target, data from audit_log \
         where org_id = $1 and (cast($2 as text) = '' or event = $2) and (cast($3 as bigint) = 0 or actor_id = $3) \
         and date_added >= $4 and date_added < $5 order by id desc limit $6 offset $7",
        params![
            org,
            wanted.event.unwrap_or(""),
            wanted.actor.unwrap_or(0),
            wanted.start.unwrap_or(0),
            wanted.end.unwrap_or(i64::MAX),
            limit,
            offset
        ],
    )?;
    all(rows, |r| {
        Ok(Row {
            id: r.int(0)?,
            actor_id: r.opt_int(1)?,
            actor: r.text(2)?,
            address: r.opt_text(3)?,
            date_added: r.int(4)?,
            event: r.text(5)?,
            target: r.opt_int(6)?,
            data: r.json(7)?,
        })
    })
}

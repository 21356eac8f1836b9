//! Tokens of organizations: no user stands behind them.

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub struct OrgToken {
    /// Its number.
    pub id: i64,
    /// The organization it acts for.
    pub org_id: i64,
    /// Its name for people.
    pub name: String,
    /// Its last characters, to tell it from others.
    pub last_characters: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Who made it.
    pub creator_id: Option<i64>,
    /// When it was made, µs.
    pub date_added: i64,
    /// When it was last used, µs.
    pub last_used: Option<i64>,
}

const TOKEN: &str =
    "t.id, t.org_id, t.name, t.last_characters, t.scopes, t.creator_id, t.date_added, t.last_used";

fn token(r: &Row) -> Result<OrgToken> {
    Ok(OrgToken {
        id: r.int(0)?,
        org_id: r.int(1)?,
        name: r.text(2)?,
        last_characters: r.text(3)?,
        scopes: r.text(4)?.split_whitespace().map(str::to_owned).collect(),
        creator_id: r.opt_int(5)?,
        date_added: r.int(6)?,
        last_used: r.opt_int(7)?,
    })
}

/// Keeps a token; answers its number.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, t: &OrgToken, hash: &str) -> Result<i64> {
    c.query_one(
        "insert into org_tokens (org_id, name, token_hash, last_characters, scopes, creator_id, date_added) \
         values ($1, $2, $3, $4, $5, $6, $7) returning id",
        params![
            t.org_id,
            &t.name,
            hash,
            &t.last_characters,
            t.scopes.join(" "),
            t.creator_id,
            t.date_added
        ],
    )?
    .int(0)
}

/// The token with this hash.
pub fn by_hash(c: &mut dyn Connection, hash: &str) -> Result<Option<OrgToken>> {
    let sql = format!("select {TOKEN} from org_tokens t where t.token_hash = $1");
    all(c.query(&sql, params![hash])?, token).map(|v| v.into_iter().next())
}

/// The tokens of an organization, newest first.
pub fn list(c: &mut dyn Connection, org: i64) -> Result<Vec<OrgToken>> {
    let sql = format!("select {TOKEN} from org_tokens t where t.org_id = $1 order by t.id desc");
    all(c.query(&sql, params![org])?, token)
}

/// A token of an organization by number.
pub fn find(c: &mut dyn Connection, org: i64, id: i64) -> Result<Option<OrgToken>> {
    let sql = format!("select {TOKEN} from org_tokens t where t.org_id = $1 and t.id = $2");
    all(c.query(&sql, params![org, id])?, token).map(|v| v.into_iter().next())
}

/// Changes a token's name.
pub fn rename(c: &mut dyn Connection, id: i64, name: &str) -> Result<()> {
    c.execute("update org_tokens set name = $2 where id = $1", params![id, name])?;
    Ok(())
}

/// Notes that a token is used.
pub fn touch(c: &mut dyn Connection, id: i64, now: i64) -> Result<()> {
    c.execute(
        "update org_tokens set last_used = $2 where id = $1",
        params![id, now],
    )?;
    Ok(())
}

/// Withdraws a token.
pub fn remove(c: &mut dyn Connection, id: i64) -> Result<()> {
    c.execute("delete from org_tokens where id = $1", params![id])?;
    Ok(())
}

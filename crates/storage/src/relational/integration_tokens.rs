//! Tokens of internal integrations, which are documents: they act for an organization, and no user stands behind them.

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegrationToken {
    /// Its number.
    pub id: i64,
    /// The document of its integration.
    pub document: i64,
    /// Its last characters, to tell it from others.
    pub last_characters: String,
    /// Who made it.
    pub creator_id: Option<i64>,
    /// When it was made, µs.
    pub date_added: i64,
    /// When it was last used, µs.
    pub last_used: Option<i64>,
}

const TOKEN: &str = "t.id, t.document_id, t.last_characters, t.creator_id, t.date_added, t.last_used";

fn token(r: &Row) -> Result<IntegrationToken> {
    Ok(IntegrationToken {
        id: r.int(0)?,
        document: r.int(1)?,
        last_characters: r.text(2)?,
        creator_id: r.opt_int(3)?,
        date_added: r.int(4)?,
        last_used: r.opt_int(5)?,
    })
}

/// Keeps a token; answers its number.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, t: &IntegrationToken, hash: &str) -> Result<i64> {
    c.query_one(
        "insert into integration_tokens (document_id, token_hash, last_characters, creator_id, date_added) \
         values ($1, $2, $3, $4, $5) returning id",
        params![t.document, hash, &t.last_characters, t.creator_id, t.date_added],
    )?
    .int(0)
}

/// The token with this hash.
pub fn by_hash(c: &mut dyn Connection, hash: &str) -> Result<Option<IntegrationToken>> {
    let sql = format!("select {TOKEN} from integration_tokens t where t.token_hash = $1");
    all(c.query(&sql, params![hash])?, token).map(|v| v.into_iter().next())
}

/// The tokens of an integration, newest first.
pub fn list(c: &mut dyn Connection, document: i64) -> Result<Vec<IntegrationToken>> {
    let sql = format!("select {TOKEN} from integration_tokens t where t.document_id = $1 order by t.id desc");
    all(c.query(&sql, params![document])?, token)
}

/// Notes that a token is used.
pub fn touch(c: &mut dyn Connection, id: i64, now: i64) -> Result<()> {
    c.execute(
        "update integration_tokens set last_used = $2 where id = $1",
        params![id, now],
    )?;
    Ok(())
}

/// Withdraws a token of an integration; whether there was one.
pub fn remove(c: &mut dyn Connection, document: i64, id: i64) -> Result<bool> {
    Ok(c.execute(
        "delete from integration_tokens where document_id = $1 and id = $2",
        params![document, id],
    )? > 0)
}

/// Withdraws every token of an integration.
pub fn remove_all(c: &mut dyn Connection, document: i64) -> Result<()> {
    c.execute(
        "delete from integration_tokens where document_id = $1",
        params![document],
    )?;
    Ok(())
}

//! Sessions of the browser and tokens of programs. Both are kept as the SHA-256 of what is handed out.

use super::all;
use crate::params;
use crate::sql::{Connection, Result};

/// A session that is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Whose.
    pub user_id: i64,
    /// Until when, µs.
    pub expires: i64,
    /// When it was last used, µs.
    pub last_used: i64,
    /// When who has it last showed who they are, µs.
    pub confirmed: i64,
    /// The organization whose provider vouches for it; it counts there alone.
    pub org_id: Option<i64>,
}

/// A token of the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub user_id: i64,
    /// What it is called.
    pub name: String,
    /// Its last characters, to tell it by.
    pub last_characters: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made, µs.
    pub date_added: i64,
    /// When it was last used, µs.
    pub last_used: Option<i64>,
    /// The organization in which it counts alone; none: in all of its user's.
    pub org_id: Option<i64>,
}

/// Opens a session.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(
    c: &mut dyn Connection,
    hash: &str,
    user: i64,
    now: i64,
    expires: i64,
    address: Option<&str>,
    user_agent: Option<&str>,
) -> Result<()> {
    c.execute(
        "insert into sessions (token_hash, user_id, epoch, created, expires, last_used, address, user_agent, confirmed) \
         select $1, u.id, u.session_epoch, $3, $4, $3, $5, $6, $3 from users u where u.id = $2",
        params![hash, user, now, expires, address, user_agent],
    )?;
    Ok(())
}

/// The session with this hash, if it is in force and its user may log in.
pub fn find(c: &mut dyn Connection, hash: &str, now: i64) -> Result<Option<Session>> {
    let row = c.query_opt(
        "select s.user_id, s.expires, s.last_used, s.confirmed, s.org_id from sessions s join users u on u.id = s.user_id \
         where s.token_hash = $1 and s.expires > $2 and s.epoch = u.session_epoch and u.is_active = 1",
        params![hash, now],
    )?;
    row.map(|r| {
        Ok(Session {
            user_id: r.int(0)?,
            expires: r.int(1)?,
            last_used: r.int(2)?,
            confirmed: r.int(3)?,
            org_id: r.opt_int(4)?,
        })
    })
    .transpose()
}

/// Notes that who has a session showed who they are.
pub fn confirm(c: &mut dyn Connection, hash: &str, now: i64) -> Result<()> {
    c.execute(
        "update sessions set confirmed = $2 where token_hash = $1",
        params![hash, now],
    )?;
    Ok(())
}

/// Ends every session of a user but one.
pub fn remove_others(c: &mut dyn Connection, user: i64, hash: &str) -> Result<()> {
    c.execute(
        "delete from sessions where user_id = $1 and token_hash <> $2",
        params![user, hash],
    )?;
    Ok(())
}

/// A session as its user looks at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// Its hash.
    pub hash: String,
    /// When it began, µs.
    pub created: i64,
    /// When it was last used, µs.
    pub last_used: i64,
    /// Until when, µs.
    pub expires: i64,
    /// From where it was opened.
    pub address: Option<String>,
    /// By which browser, as it said.
    pub user_agent: Option<String>,
    /// The organization whose provider vouches for it.
    pub org_id: Option<i64>,
}

/// The sessions of a user that are in force, the last used first.
pub fn of_user(c: &mut dyn Connection, user: i64, now: i64) -> Result<Vec<Open>> {
    let rows = c.query(
        "select s.token_hash, s.created, s.last_used, s.expires, s.address, s.user_agent, s.org_id \
         from sessions s \
         join users u on u.id = s.user_id where s.user_id = $1 and s.expires > $2 and s.epoch = u.session_epoch \
         order by s.last_used desc, s.token_hash",
        params![user, now],
    )?;
    all(rows, |r| {
        Ok(Open {
            hash: r.text(0)?,
            created: r.int(1)?,
            last_used: r.int(2)?,
            expires: r.int(3)?,
            address: r.opt_text(4)?,
            user_agent: r.opt_text(5)?,
            org_id: r.opt_int(6)?,
        })
    })
}

/// Notes that a session is used, and until when it now lasts.
pub fn touch(c: &mut dyn Connection, hash: &str, now: i64, expires: i64) -> Result<()> {
    c.execute(
        "update sessions set last_used = $2, expires = $3 where token_hash = $1",
        params![hash, now, expires],
    )?;
    Ok(())
}

/// Ends a session.
pub fn remove(c: &mut dyn Connection, hash: &str) -> Result<()> {
    c.execute("delete from sessions where token_hash = $1", params![hash])?;
    Ok(())
}

/// Forgets sessions that are over.
pub fn sweep(c: &mut dyn Connection, now: i64) -> Result<u64> {
    c.execute("delete from sessions where expires <= $1", params![now])
}

/// Keeps a token; the same hash again takes the new name and scopes.
pub fn add_token(
    c: &mut dyn Connection,
    user: i64,
    name: &str,
    hash: &str,
    last_characters: &str,
    scopes: &[String],
    now: i64,
) -> Result<i64> {
    c.query_one(
        "insert into api_tokens (user_id, name, token_hash, last_characters, scopes, date_added) \
         values ($1, $2, $3, $4, $5, $6) on conflict (token_hash) do update set name = excluded.name, \
         scopes = excluded.scopes, user_id = excluded.user_id returning id",
        params![user, name, hash, last_characters, scopes.join(" "), now],
    )?
    .int(0)
}

const TOKEN: &str =
    "t.id, t.user_id, t.name, t.last_characters, t.scopes, t.date_added, t.last_used, t.org_id";

fn token(r: &crate::sql::Row) -> Result<Token> {
    Ok(Token {
        id: r.int(0)?,
        user_id: r.int(1)?,
        name: r.text(2)?,
        last_characters: r.text(3)?,
        scopes: r.text(4)?.split_whitespace().map(str::to_owned).collect(),
        date_added: r.int(5)?,
        last_used: r.opt_int(6)?,
        org_id: r.opt_int(7)?,
    })
}

/// The token with this hash, if its user may log in.
pub fn find_token(c: &mut dyn Connection, hash: &str) -> Result<Option<Token>> {
    let sql = format!(
        "select {TOKEN} from api_tokens t join users u on u.id = t.user_id where t.token_hash = $1 and u.is_active = 1"
    );
    all(c.query(&sql, params![hash])?, token).map(|v| v.into_iter().next())
}

/// The tokens of a user, newest first.
pub fn tokens(c: &mut dyn Connection, user: i64) -> Result<Vec<Token>> {
    let sql = format!("select {TOKEN} from api_tokens t where t.user_id = $1 order by t.id desc");
    all(c.query(&sql, params![user])?, token)
}

/// Notes that a token is used.
pub fn touch_token(c: &mut dyn Connection, id: i64, now: i64) -> Result<()> {
    c.execute(
        "update api_tokens set last_used = $2 where id = $1",
        params![id, now],
    )?;
    Ok(())
}

/// Withdraws a token of a user; whether there was one.
pub fn remove_token(c: &mut dyn Connection, user: i64, id: i64) -> Result<bool> {
    Ok(c.execute(
        "delete from api_tokens where id = $1 and user_id = $2",
        params![id, user],
    )? > 0)
}

//! What accounts are guarded with besides passwords: apps that show codes, recovery codes, passkeys; and what is
//! begun with one request and ended with another.

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// Something begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Ceremony {
    /// Whose; nobody is known before a passkey is used.
    pub user: Option<i64>,
    /// What is needed to end it.
    pub state: String,
}

/// Keeps what somebody began under the hash of what they were handed out.
///
/// # Errors
/// As the database says; so for every function here.
pub fn begin(
    c: &mut dyn Connection,
    hash: &str,
    kind: &str,
    user: Option<i64>,
    state: &str,
    expires: i64,
) -> Result<()> {
    c.execute(
        "insert into ceremonies (token_hash, kind, user_id, state, expires) values ($1, $2, $3, $4, $5)",
        params![hash, kind, user, state, expires],
    )?;
    Ok(())
}

fn ceremony(r: &Row) -> Result<Ceremony> {
    Ok(Ceremony {
        user: r.opt_int(0)?,
        state: r.text(1)?,
    })
}

/// What was begun, if it is not over.
pub fn begun(c: &mut dyn Connection, hash: &str, kind: &str, now: i64) -> Result<Option<Ceremony>> {
    let row = c.query_opt(
        "select user_id, state from ceremonies where token_hash = $1 and kind = $2 and expires > $3",
        params![hash, kind, now],
    )?;
    row.map(|r| ceremony(&r)).transpose()
}

/// Takes what was begun: nobody gets it twice.
pub fn take(c: &mut dyn Connection, hash: &str, kind: &str, now: i64) -> Result<Option<Ceremony>> {
    let row = c.query_opt(
        "delete from ceremonies where token_hash = $1 and kind = $2 and expires > $3 returning user_id, state",
        params![hash, kind, now],
    )?;
    row.map(|r| ceremony(&r)).transpose()
}

/// Forgets what a user began of a kind.
pub fn forget(c: &mut dyn Connection, user: i64, kind: &str) -> Result<()> {
    c.execute(
        "delete from ceremonies where user_id = $1 and kind = $2",
        params![user, kind],
    )?;
    Ok(())
}

/// Forgets what was never ended.
pub fn sweep(c: &mut dyn Connection, now: i64) -> Result<u64> {
    c.execute("delete from ceremonies where expires <= $1", params![now])
}

/// An app that shows codes.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    /// The secret that it shares with the server, sealed.
    pub secret: String,
    /// Since when, µs.
    pub date_added: i64,
    /// When a code of it was last taken, µs.
    pub last_used: Option<i64>,
    /// The step of that code; only later ones are taken.
    pub last_step: i64,
}

/// The app of a user.
pub fn app(c: &mut dyn Connection, user: i64) -> Result<Option<App>> {
    let row = c.query_opt(
        "select secret, date_added, last_used, last_step from authenticators where user_id = $1",
        params![user],
    )?;
    row.map(|r| {
        Ok(App {
            secret: r.text(0)?,
            date_added: r.int(1)?,
            last_used: r.opt_int(2)?,
            last_step: r.int(3)?,
        })
    })
    .transpose()
}

/// Gives a user an app in place of the one they had. The code of this step made it, and is not taken again.
pub fn set_app(c: &mut dyn Connection, user: i64, secret: &str, step: i64, now: i64) -> Result<()> {
    c.execute(
        "insert into authenticators (user_id, secret, date_added, last_step) values ($1, $2, $3, $4) \
         on conflict (user_id) do update set secret = excluded.secret, date_added = excluded.date_added, \
         last_used = null, last_step = excluded.last_step",
        params![user, secret, now, step],
    )?;
    Ok(())
}

/// Notes that the code of a step was taken; false if it or a later one was before.
pub fn use_step(c: &mut dyn Connection, user: i64, step: i64, now: i64) -> Result<bool> {
    let changed = c.execute(
        "update authenticators set last_step = $2, last_used = $3 where user_id = $1 and last_step < $2",
        params![user, step, now],
    )?;
    Ok(changed > 0)
}

/// Takes a user's app away; whether there was one.
pub fn remove_app(c: &mut dyn Connection, user: i64) -> Result<bool> {
    Ok(c.execute("delete from authenticators where user_id = $1", params![user])? > 0)
}

/// Gives a user recovery codes in place of those they had.
pub fn set_codes(c: &mut dyn Connection, user: i64, hashes: &[String]) -> Result<()> {
    c.execute("delete from recovery_codes where user_id = $1", params![user])?;
    for hash in hashes {
        c.execute(
            "insert into recovery_codes (user_id, code_hash) values ($1, $2)",
            params![user, hash.as_str()],
        )?;
    }
    Ok(())
}

/// How many recovery codes a user has left.
pub fn count_codes(c: &mut dyn Connection, user: i64) -> Result<i64> {
    c.query_one(
        "select count(*) from recovery_codes where user_id = $1",
        params![user],
    )?
    .int(0)
}

/// Takes a recovery code; whether it was one.
pub fn use_code(c: &mut dyn Connection, user: i64, hash: &str) -> Result<bool> {
    let gone = c.execute(
        "delete from recovery_codes where user_id = $1 and code_hash = $2",
        params![user, hash],
    )?;
    Ok(gone > 0)
}

/// A passkey (WebAuthn). What is not a number or a name is base64 without padding.
#[derive(Debug, Clone, PartialEq)]
pub struct Passkey {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub user_id: i64,
    /// By what the authenticator knows the user.
    pub handle: String,
    /// By what the authenticator knows the key.
    pub credential: String,
    /// The public key and what else stays.
    pub static_state: String,
    /// The counter and what else changes.
    pub dynamic_state: String,
    /// What its user calls it.
    pub name: String,
    /// Since when, µs.
    pub date_added: i64,
    /// When it was last used, µs.
    pub last_used: Option<i64>,
}

const PASSKEY: &str =
    "id, user_id, handle, credential, static_state, dynamic_state, name, date_added, last_used";

fn passkey(r: &Row) -> Result<Passkey> {
    Ok(Passkey {
        id: r.int(0)?,
        user_id: r.int(1)?,
        handle: r.text(2)?,
        credential: r.text(3)?,
        static_state: r.text(4)?,
        dynamic_state: r.text(5)?,
        name: r.text(6)?,
        date_added: r.int(7)?,
        last_used: r.opt_int(8)?,
    })
}

/// The passkeys of a user, oldest first.
pub fn passkeys(c: &mut dyn Connection, user: i64) -> Result<Vec<Passkey>> {
    let sql = format!("select {PASSKEY} from passkeys where user_id = $1 order by id");
    all(c.query(&sql, params![user])?, passkey)
}

/// A passkey by what the authenticator calls it.
pub fn passkey_by(c: &mut dyn Connection, credential: &str) -> Result<Option<Passkey>> {
    let sql = format!("select {PASSKEY} from passkeys where credential = $1");
    let row = c.query_opt(&sql, params![credential])?;
    row.map(|r| passkey(&r)).transpose()
}

/// Gives a user a passkey, whatever its number says; answers its number.
pub fn add_passkey(c: &mut dyn Connection, p: &Passkey) -> Result<i64> {
    c.query_one(
        "insert into passkeys (user_id, handle, credential, static_state, dynamic_state, name, date_added) \
         values ($1, $2, $3, $4, $5, $6, $7) returning id",
        params![
            p.user_id,
            p.handle.as_str(),
            p.credential.as_str(),
            p.static_state.as_str(),
            p.dynamic_state.as_str(),
            p.name.as_str(),
            p.date_added
        ],
    )?
    .int(0)
}

/// Notes that a passkey was used, and what changed by it.
pub fn use_passkey(c: &mut dyn Connection, id: i64, dynamic_state: &str, now: i64) -> Result<()> {
    c.execute(
        "update passkeys set dynamic_state = $2, last_used = $3 where id = $1",
        params![id, dynamic_state, now],
    )?;
    Ok(())
}

/// Calls a passkey of a user by another name; whether there is one.
pub fn name_passkey(c: &mut dyn Connection, user: i64, id: i64, name: &str) -> Result<bool> {
    let changed = c.execute(
        "update passkeys set name = $3 where user_id = $1 and id = $2",
        params![user, id, name],
    )?;
    Ok(changed > 0)
}

/// Takes a passkey of a user away; whether there was one.
pub fn remove_passkey(c: &mut dyn Connection, user: i64, id: i64) -> Result<bool> {
    let gone = c.execute(
        "delete from passkeys where user_id = $1 and id = $2",
        params![user, id],
    )?;
    Ok(gone > 0)
}

/// Takes every second factor of a user away.
pub fn remove_factors(c: &mut dyn Connection, user: i64) -> Result<()> {
    for sql in [
        "delete from authenticators where user_id = $1",
        "delete from recovery_codes where user_id = $1",
        "delete from passkeys where user_id = $1",
    ] {
        c.execute(sql, params![user])?;
    }
    Ok(())
}

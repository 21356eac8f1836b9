//! Mails that wait to be sent, who wants which, and links to new passwords.

use super::all;
use crate::mail::Mail;
use crate::params;
use crate::sql::{Connection, Result};

/// A mail that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// Its number.
    pub id: i64,
    /// How often it was tried.
    pub tries: i64,
    /// What is sent.
    pub mail: Mail,
}

/// For whom and what a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct About {
    /// The user it goes to.
    pub user: Option<i64>,
    /// The project it is about.
    pub project: Option<i64>,
}

/// Puts a mail in line, unless one with the same reason was there before; whether it was put.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, reason: &str, about: About, mail: &Mail, now: i64) -> Result<bool> {
    let added = c.execute(
        "insert into mails (dedupe, user_id, project_id, recipient, subject, plain, html, unsubscribe, date_added, \
         next_try, tries) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 0) on conflict (dedupe) do nothing",
        params![
            reason,
            about.user,
            about.project,
            mail.to.as_str(),
            mail.subject.as_str(),
            mail.plain.as_str(),
            mail.html.as_str(),
            mail.unsubscribe.as_deref(),
            now
        ],
    )?;
    Ok(added > 0)
}

/// Mails whose time has come, those that wait longest first.
pub fn due(c: &mut dyn Connection, now: i64, limit: i64) -> Result<Vec<Waiting>> {
    let rows = c.query(
        "select id, tries, recipient, subject, plain, html, unsubscribe from mails where next_try <= $1 \
         order by next_try, id limit $2",
        params![now, limit],
    )?;
    all(rows, |r| {
        Ok(Waiting {
            id: r.int(0)?,
            tries: r.int(1)?,
            mail: Mail {
                to: r.text(2)?,
                subject: r.text(3)?,
                plain: r.text(4)?,
                html: r.text(5)?,
                unsubscribe: r.opt_text(6)?,
            },
        })
    })
}

/// A mail was handed over.
pub fn sent(c: &mut dyn Connection, id: i64, now: i64) -> Result<()> {
    c.execute(
        "update mails set next_try = null, date_sent = $2, tries = tries + 1, error = null where id = $1",
        params![id, now],
    )?;
    Ok(())
}

/// A mail was not taken; it is tried again then, or given up.
pub fn failed(c: &mut dyn Connection, id: i64, error: &str, next: Option<i64>) -> Result<()> {
    c.execute(
        "update mails set next_try = $3, tries = tries + 1, error = $2 where id = $1",
        params![id, error, next],
    )?;
    Ok(())
}

/// How many mails about a project a user was sent since.
pub fn count_since(c: &mut dyn Connection, user: i64, project: i64, since: i64) -> Result<i64> {
    c.query_one(
        "select count(*) from mails where user_id = $1 and project_id = $2 and date_added >= $3",
        params![user, project, since],
    )?
    .int(0)
}

/// How many wait, since when the first of them does, µs, and the words of the last that was refused.
pub fn state(c: &mut dyn Connection) -> Result<(i64, Option<i64>, Option<String>)> {
    let row = c.query_one(
        "select count(*), min(date_added) from mails where next_try is not null",
        &[],
    )?;
    let error = c.query_opt(
        "select error from mails where error is not null order by id desc limit 1",
        &[],
    )?;
    Ok((
        row.int(0)?,
        row.opt_int(1)?,
        error.map(|r| r.text(0)).transpose()?,
    ))
}

/// Forgets mails that were dealt with before.
pub fn forget(c: &mut dyn Connection, before: i64) -> Result<u64> {
    c.execute(
        "delete from mails where next_try is null and date_added < $1",
        params![before],
    )
}

/// What a user said of mails: project (0 for every one), kind, whether they are wanted.
pub fn settings(c: &mut dyn Connection, user: i64) -> Result<Vec<(i64, String, bool)>> {
    let rows = c.query(
        "select project_id, kind, wanted from notification_settings where user_id = $1 order by project_id, kind",
        params![user],
    )?;
    all(rows, |r| Ok((r.int(0)?, r.text(1)?, r.bool(2)?)))
}

/// Whether a user wants mails of a kind about a project: as they said of it, or else of every project; yes, if they
/// said nothing.
pub fn wants(c: &mut dyn Connection, user: i64, project: i64, kind: &str) -> Result<bool> {
    let row = c.query_opt(
        "select wanted from notification_settings where user_id = $1 and kind = $3 and project_id in (0, $2) \
         order by project_id desc limit 1",
        params![user, project, kind],
    )?;
    row.map_or(Ok(true), |r| r.bool(0))
}

/// Sets what a user wants; `None` forgets what they said.
pub fn set_wanted(
    c: &mut dyn Connection,
    user: i64,
    project: i64,
    kind: &str,
    wanted: Option<bool>,
) -> Result<()> {
    match wanted {
        None => c.execute(
            "delete from notification_settings where user_id = $1 and project_id = $2 and kind = $3",
            params![user, project, kind],
        )?,
        Some(wanted) => c.execute(
            "insert into notification_settings (user_id, project_id, kind, wanted) values ($1, $2, $3, $4) \
             on conflict (user_id, project_id, kind) do update set wanted = excluded.wanted",
            params![user, project, kind, wanted],
        )?,
    };
    Ok(())
}

/// Keeps a link to a new password; earlier ones of the user end.
pub fn add_reset(c: &mut dyn Connection, hash: &str, user: i64, expires: i64) -> Result<()> {
    c.execute("delete from password_resets where user_id = $1", params![user])?;
    c.execute(
        "insert into password_resets (token_hash, user_id, expires) values ($1, $2, $3)",
        params![hash, user, expires],
    )?;
    Ok(())
}

/// Whose link it is, as long as it works.
pub fn reset_of(c: &mut dyn Connection, hash: &str, now: i64) -> Result<Option<i64>> {
    let row = c.query_opt(
        "select user_id from password_resets where token_hash = $1 and expires > $2",
        params![hash, now],
    )?;
    row.map(|r| r.int(0)).transpose()
}

/// Ends the links of a user.
pub fn end_resets(c: &mut dyn Connection, user: i64) -> Result<()> {
    c.execute("delete from password_resets where user_id = $1", params![user])?;
    Ok(())
}

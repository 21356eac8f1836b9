//! Applications that act in the name of users (OAuth 2.0): what they are, what they were allowed, and their tokens.

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// An application.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// Its number.
    pub id: i64,
    /// Who registered it.
    pub owner_id: i64,
    /// What it calls itself towards this server.
    pub client_id: String,
    /// The hash of its secret; none: it cannot keep one.
    pub secret_hash: Option<String>,
    /// Its name for people.
    pub name: String,
    /// Where to read about it.
    pub homepage: Option<String>,
    /// Where it says what it does with data.
    pub privacy: Option<String>,
    /// Where its terms are.
    pub terms: Option<String>,
    /// Where answers may be sent.
    pub redirect_uris: Vec<String>,
    /// Where its pages are.
    pub allowed_origins: Vec<String>,
    /// When it was registered, µs.
    pub date_added: i64,
}

/// What a user allowed to an application.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// Its number.
    pub id: i64,
    /// The application.
    pub application_id: i64,
    /// The user.
    pub user_id: i64,
    /// The organization in which its tokens count; none: in all of the user's.
    pub org_id: Option<i64>,
    /// What was allowed.
    pub scopes: Vec<String>,
    /// When, µs.
    pub date_added: i64,
}

/// A code that stands for what was just allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Code {
    /// What was allowed.
    pub grant_id: i64,
    /// Where it was sent.
    pub redirect_uri: String,
    /// What the one who redeems it must know the source of.
    pub challenge: Option<String>,
    /// It was redeemed.
    pub used: bool,
    /// Until when, µs.
    pub expires: i64,
}

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// What it may do.
    pub grant: Grant,
    /// Until when, µs.
    pub expires: i64,
    /// Until when it can be replaced, µs.
    pub refresh_expires: i64,
    /// When it was last used, µs.
    pub last_used: Option<i64>,
}

const APPLICATION: &str = "a.id, a.owner_id, a.client_id, a.secret_hash, a.name, a.homepage_url, a.privacy_url, \
                           a.terms_url, a.redirect_uris, a.allowed_origins, a.date_added";

fn lines(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn application(r: &Row) -> Result<Application> {
    Ok(Application {
        id: r.int(0)?,
        owner_id: r.int(1)?,
        client_id: r.text(2)?,
        secret_hash: r.opt_text(3)?,
        name: r.text(4)?,
        homepage: r.opt_text(5)?,
        privacy: r.opt_text(6)?,
        terms: r.opt_text(7)?,
        redirect_uris: lines(&r.text(8)?),
        allowed_origins: lines(&r.text(9)?),
        date_added: r.int(10)?,
    })
}

/// The applications of a user, newest first.
///
/// # Errors
/// As the database says; so for every function here.
pub fn applications(c: &mut dyn Connection, owner: i64) -> Result<Vec<Application>> {
    let sql =
        format!("select {APPLICATION} from oauth_applications a where a.owner_id = $1 order by a.id desc");
    all(c.query(&sql, params![owner])?, application)
}

/// An application by what it calls itself.
pub fn application_by(c: &mut dyn Connection, client_id: &str) -> Result<Option<Application>> {
    let sql = format!("select {APPLICATION} from oauth_applications a where a.client_id = $1");
    all(c.query(&sql, params![client_id])?, application).map(|v| v.into_iter().next())
}

/// An application by number.
pub fn application_of(c: &mut dyn Connection, id: i64) -> Result<Option<Application>> {
    let sql = format!("select {APPLICATION} from oauth_applications a where a.id = $1");
    all(c.query(&sql, params![id])?, application).map(|v| v.into_iter().next())
}

/// Registers an application; answers its number.
pub fn add_application(c: &mut dyn Connection, a: &Application) -> Result<i64> {
    c.query_one(
        "insert into oauth_applications (owner_id, client_id, secret_hash, name, homepage_url, privacy_url, terms_url, \
         redirect_uris, allowed_origins, date_added) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id",
        params![
            a.owner_id,
            &a.client_id,
            a.secret_hash.as_deref(),
            &a.name,
            a.homepage.as_deref(),
            a.privacy.as_deref(),
            a.terms.as_deref(),
            a.redirect_uris.join("\n"),
            a.allowed_origins.join("\n"),
            a.date_added
        ],
    )?
    .int(0)
}

/// Changes an application, its secret too.
pub fn update_application(c: &mut dyn Connection, a: &Application) -> Result<()> {
    c.execute(
        "update oauth_applications set secret_hash = $2, name = $3, homepage_url = $4, privacy_url = $5, \
         terms_url = $6, redirect_uris = $7, allowed_origins = $8 where id = $1",
        params![
            a.id,
            a.secret_hash.as_deref(),
            &a.name,
            a.homepage.as_deref(),
            a.privacy.as_deref(),
            a.terms.as_deref(),
            a.redirect_uris.join("\n"),
            a.allowed_origins.join("\n")
        ],
    )?;
    Ok(())
}

/// Forgets an application with everything that it was allowed.
pub fn remove_application(c: &mut dyn Connection, id: i64) -> Result<()> {
    let rows = c.query(
        "select id from oauth_grants where application_id = $1",
        params![id],
    )?;
    for grant in all(rows, |r| r.int(0))? {
        remove_grant(c, grant)?;
    }
    c.execute("delete from oauth_applications where id = $1", params![id])?;
    Ok(())
}

const GRANT: &str = "g.id, g.application_id, g.user_id, g.org_id, g.scopes, g.date_added";

fn grant_at(r: &Row, i: usize) -> Result<Grant> {
    Ok(Grant {
        id: r.int(i)?,
        application_id: r.int(i + 1)?,
        user_id: r.int(i + 2)?,
        org_id: r.opt_int(i + 3)?,
        scopes: lines(&r.text(i + 4)?),
        date_added: r.int(i + 5)?,
    })
}

/// Grants that are kept of one application and user: a device each.
const GRANTS: i64 = 20;

/// Notes what a user allowed; answers its number. The oldest of many give way.
pub fn grant(c: &mut dyn Connection, g: &Grant) -> Result<i64> {
    let rows = c.query(
        "select id from oauth_grants where application_id = $1 and user_id = $2 order by id desc",
        params![g.application_id, g.user_id],
    )?;
    let known = all(rows, |r| r.int(0))?;
    for old in known.into_iter().skip(usize::try_from(GRANTS - 1).unwrap_or(0)) {
        remove_grant(c, old)?;
    }
    c.query_one(
        "insert into oauth_grants (application_id, user_id, org_id, scopes, date_added) \
         values ($1, $2, $3, $4, $5) returning id",
        params![
            g.application_id,
            g.user_id,
            g.org_id,
            g.scopes.join(" "),
            g.date_added
        ],
    )?
    .int(0)
}

/// What somebody allowed, by number.
pub fn grant_of(c: &mut dyn Connection, id: i64) -> Result<Option<Grant>> {
    let sql = format!("select {GRANT} from oauth_grants g where g.id = $1");
    all(c.query(&sql, params![id])?, |r| grant_at(r, 0)).map(|v| v.into_iter().next())
}

/// What a user allowed, newest first.
pub fn grants(c: &mut dyn Connection, user: i64) -> Result<Vec<Grant>> {
    let sql = format!("select {GRANT} from oauth_grants g where g.user_id = $1 order by g.id desc");
    all(c.query(&sql, params![user])?, |r| grant_at(r, 0))
}

/// The numbers of what was allowed in an organization alone, by somebody or by anybody.
pub fn grants_in(c: &mut dyn Connection, org: i64, user: Option<i64>) -> Result<Vec<i64>> {
    let rows = c.query(
        "select id from oauth_grants where org_id = $1 and ($2 = 0 or user_id = $2)",
        params![org, user.unwrap_or(0)],
    )?;
    all(rows, |r| r.int(0))
}

/// Takes back what was allowed, with its codes and tokens.
pub fn remove_grant(c: &mut dyn Connection, id: i64) -> Result<()> {
    for sql in [
        "delete from oauth_tokens where grant_id = $1",
        "delete from oauth_codes where grant_id = $1",
        "delete from oauth_grants where id = $1",
    ] {
        c.execute(sql, params![id])?;
    }
    Ok(())
}

/// Keeps a code. Those that were over a day before go; what was allowed and never fetched goes with them.
pub fn add_code(c: &mut dyn Connection, hash: &str, code: &Code, now: i64) -> Result<()> {
    let old = now - 86_400_000_000;
    let rows = c.query(
        "select grant_id from oauth_codes where expires < $1 and used = 0",
        params![old],
    )?;
    for grant in all(rows, |r| r.int(0))? {
        remove_grant(c, grant)?;
    }
    c.execute("delete from oauth_codes where expires < $1", params![old])?;
    c.execute(
        "insert into oauth_codes (code_hash, grant_id, redirect_uri, challenge, used, expires) \
         values ($1, $2, $3, $4, 0, $5)",
        params![
            hash,
            code.grant_id,
            &code.redirect_uri,
            code.challenge.as_deref(),
            code.expires
        ],
    )?;
    Ok(())
}

/// A code by its hash.
pub fn code(c: &mut dyn Connection, hash: &str) -> Result<Option<Code>> {
    let row = c.query_opt(
        "select grant_id, redirect_uri, challenge, used, expires from oauth_codes where code_hash = $1",
        params![hash],
    )?;
    row.map(|r| {
        Ok(Code {
            grant_id: r.int(0)?,
            redirect_uri: r.text(1)?,
            challenge: r.opt_text(2)?,
            used: r.bool(3)?,
            expires: r.int(4)?,
        })
    })
    .transpose()
}

/// Uses a code up; false if somebody else did meanwhile.
pub fn use_code(c: &mut dyn Connection, hash: &str) -> Result<bool> {
    Ok(c.execute(
        "update oauth_codes set used = 1 where code_hash = $1 and used = 0",
        params![hash],
    )? > 0)
}

/// Keeps a token.
pub fn add_token(
    c: &mut dyn Connection,
    grant: i64,
    (hash, refresh): (&str, &str),
    (expires, refresh_expires): (i64, i64),
    now: i64,
) -> Result<()> {
    c.execute(
        "insert into oauth_tokens (grant_id, token_hash, refresh_hash, expires, refresh_expires, date_added) \
         values ($1, $2, $3, $4, $5, $6)",
        params![grant, hash, refresh, expires, refresh_expires, now],
    )?;
    Ok(())
}

fn token(r: &Row) -> Result<Token> {
    Ok(Token {
        id: r.int(0)?,
        expires: r.int(1)?,
        refresh_expires: r.int(2)?,
        last_used: r.opt_int(3)?,
        grant: grant_at(r, 4)?,
    })
}

fn token_where(condition: &str) -> String {
    format!(
        "select t.id, t.expires, t.refresh_expires, t.last_used, {GRANT} from oauth_tokens t \
         join oauth_grants g on g.id = t.grant_id join users u on u.id = g.user_id \
         where {condition} and u.is_active = 1"
    )
}

/// The token with this hash, if its user may log in.
pub fn by_hash(c: &mut dyn Connection, hash: &str, now: i64) -> Result<Option<Token>> {
    let sql = token_where("t.token_hash = $1 and t.expires > $2");
    all(c.query(&sql, params![hash, now])?, token).map(|v| v.into_iter().next())
}

/// The token that this refreshes.
pub fn by_refresh(c: &mut dyn Connection, hash: &str, now: i64) -> Result<Option<Token>> {
    let sql = token_where("t.refresh_hash = $1 and t.refresh_expires > $2");
    all(c.query(&sql, params![hash, now])?, token).map(|v| v.into_iter().next())
}

/// The token that this refreshed once already.
pub fn by_spent(c: &mut dyn Connection, hash: &str) -> Result<Option<Token>> {
    let sql = token_where("t.spent_hash = $1");
    all(c.query(&sql, params![hash])?, token).map(|v| v.into_iter().next())
}

/// Puts a new token in the place of one; false if somebody else did meanwhile.
pub fn renew(
    c: &mut dyn Connection,
    id: i64,
    spent: &str,
    (hash, refresh): (&str, &str),
    (expires, refresh_expires): (i64, i64),
) -> Result<bool> {
    Ok(c.execute(
        "update oauth_tokens set token_hash = $3, refresh_hash = $4, spent_hash = $2, expires = $5, \
         refresh_expires = $6 where id = $1 and refresh_hash = $2",
        params![id, spent, hash, refresh, expires, refresh_expires],
    )? > 0)
}

/// Notes that a token is used.
pub fn touch(c: &mut dyn Connection, id: i64, now: i64) -> Result<()> {
    c.execute(
        "update oauth_tokens set last_used = $2 where id = $1",
        params![id, now],
    )?;
    Ok(())
}

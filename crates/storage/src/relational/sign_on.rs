//! Signing in through an organization's provider: its settings, who is who there, and sign-ins that were begun.

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// The provider of an organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// The organization.
    pub org_id: i64,
    /// Where it is: the address that its tokens name.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// By which this server shows who it is there; sealed where it is kept.
    pub client_secret: String,
    /// Addresses of these domains alone are let in; none: of all.
    pub domains: Vec<String>,
    /// Members must come through it.
    pub required: bool,
    /// Who comes through it without an invitation becomes a member.
    pub joins: bool,
    /// The role of those.
    pub default_role: String,
    /// When it was set, µs.
    pub date_added: i64,
    /// When it was changed, µs.
    pub last_updated: i64,
}

/// Who somebody is at a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// Its number.
    pub id: i64,
    /// Who.
    pub user_id: i64,
    /// The provider.
    pub issuer: String,
    /// What they are called there, for ever.
    pub subject: String,
    /// When they were last let in by it, µs.
    pub last_used: i64,
}

/// A sign-in that was begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    /// The organization.
    pub org_id: i64,
    /// The hash of what the browser was given.
    pub browser_hash: String,
    /// What the provider's token must carry.
    pub nonce: String,
    /// What shows that the one who redeems the code is the one who asked for it.
    pub verifier: String,
    /// Where to go afterwards.
    pub next: Option<String>,
    /// From where it was begun.
    pub address: String,
    /// When, µs.
    pub created: i64,
    /// Until when, µs.
    pub expires: i64,
}

const PROVIDER: &str = "p.org_id, p.issuer, p.client_id, p.client_secret, p.domains, p.required, p.joins, \
                        p.default_role, p.date_added, p.last_updated";

fn provider(r: &Row) -> Result<Provider> {
    Ok(Provider {
        org_id: r.int(0)?,
        issuer: r.text(1)?,
        client_id: r.text(2)?,
        client_secret: r.text(3)?,
        domains: r.text(4)?.split_whitespace().map(str::to_owned).collect(),
        required: r.bool(5)?,
        joins: r.bool(6)?,
        default_role: r.text(7)?,
        date_added: r.int(8)?,
        last_updated: r.int(9)?,
    })
}

/// The provider of an organization.
///
/// # Errors
/// As the database says; so for every function here.
pub fn of_organization(c: &mut dyn Connection, org: i64) -> Result<Option<Provider>> {
    let sql = format!("select {PROVIDER} from sso_providers p where p.org_id = $1");
    all(c.query(&sql, params![org])?, provider).map(|v| v.into_iter().next())
}

/// The organization that has a provider, if it is the only one.
pub fn only_one(c: &mut dyn Connection) -> Result<Option<i64>> {
    let rows = c.query(
        "select p.org_id from sso_providers p order by p.org_id limit 2",
        &[],
    )?;
    let mut all = all(rows, |r| r.int(0))?;
    Ok(if all.len() == 1 { all.pop() } else { None })
}

/// Sets the provider of an organization.
pub fn set(c: &mut dyn Connection, p: &Provider) -> Result<()> {
    c.execute(
        "insert into sso_providers (org_id, issuer, client_id, client_secret, domains, required, joins, default_role, \
         date_added, last_updated) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (org_id) do update \
         set issuer = excluded.issuer, client_id = excluded.client_id, client_secret = excluded.client_secret, \
         domains = excluded.domains, required = excluded.required, joins = excluded.joins, \
         default_role = excluded.default_role, last_updated = excluded.last_updated",
        params![
            p.org_id,
            &p.issuer,
            &p.client_id,
            &p.client_secret,
            p.domains.join(" "),
            p.required,
            p.joins,
            &p.default_role,
            p.date_added,
            p.last_updated
        ],
    )?;
    Ok(())
}

/// Forgets who is who at the provider of an organization, and ends what it vouched for: sessions and tokens.
pub fn forget_identities(c: &mut dyn Connection, org: i64) -> Result<()> {
    for sql in [
        "delete from sso_identities where org_id = $1",
        "delete from sso_logins where org_id = $1",
        "delete from sessions where org_id = $1",
        "delete from api_tokens where org_id = $1",
    ] {
        c.execute(sql, params![org])?;
    }
    for grant in super::oauth::grants_in(c, org, None)? {
        super::oauth::remove_grant(c, grant)?;
    }
    Ok(())
}

/// Takes the provider of an organization away, with all that it vouched for.
pub fn remove(c: &mut dyn Connection, org: i64) -> Result<()> {
    forget_identities(c, org)?;
    c.execute("delete from sso_providers where org_id = $1", params![org])?;
    Ok(())
}

const IDENTITY: &str = "i.id, i.user_id, i.issuer, i.subject, i.last_used";

fn identity(r: &Row) -> Result<Identity> {
    Ok(Identity {
        id: r.int(0)?,
        user_id: r.int(1)?,
        issuer: r.text(2)?,
        subject: r.text(3)?,
        last_used: r.int(4)?,
    })
}

/// Who is called this at a provider.
pub fn by_subject(c: &mut dyn Connection, org: i64, issuer: &str, subject: &str) -> Result<Option<Identity>> {
    let sql = format!(
        "select {IDENTITY} from sso_identities i where i.org_id = $1 and i.issuer = $2 and i.subject = $3"
    );
    all(c.query(&sql, params![org, issuer, subject])?, identity).map(|v| v.into_iter().next())
}

/// Who a user is at the provider of an organization.
pub fn of_user(c: &mut dyn Connection, org: i64, user: i64) -> Result<Option<Identity>> {
    let sql = format!("select {IDENTITY} from sso_identities i where i.org_id = $1 and i.user_id = $2");
    all(c.query(&sql, params![org, user])?, identity).map(|v| v.into_iter().next())
}

/// Everybody who is known at the provider of an organization.
pub fn identities(c: &mut dyn Connection, org: i64) -> Result<Vec<Identity>> {
    let sql = format!("select {IDENTITY} from sso_identities i where i.org_id = $1 order by i.id");
    all(c.query(&sql, params![org])?, identity)
}

/// Notes who a user is at a provider.
pub fn link(
    c: &mut dyn Connection,
    org: i64,
    user: i64,
    issuer: &str,
    subject: &str,
    now: i64,
) -> Result<()> {
    c.execute(
        "insert into sso_identities (org_id, user_id, issuer, subject, date_added, last_used) \
         values ($1, $2, $3, $4, $5, $5)",
        params![org, user, issuer, subject, now],
    )?;
    Ok(())
}

/// Notes that an identity was used.
pub fn touch(c: &mut dyn Connection, id: i64, now: i64) -> Result<()> {
    c.execute(
        "update sso_identities set last_used = $2 where id = $1",
        params![id, now],
    )?;
    Ok(())
}

/// Forgets who a user is at the provider of an organization, and ends what it vouched for.
pub fn unlink(c: &mut dyn Connection, org: i64, user: i64) -> Result<()> {
    for sql in [
        "delete from sso_identities where org_id = $1 and user_id = $2",
        "delete from sessions where org_id = $1 and user_id = $2",
        "delete from api_tokens where org_id = $1 and user_id = $2",
    ] {
        c.execute(sql, params![org, user])?;
    }
    for grant in super::oauth::grants_in(c, org, Some(user))? {
        super::oauth::remove_grant(c, grant)?;
    }
    Ok(())
}

/// Sign-ins that one address may have open.
const OF_ADDRESS: i64 = 20;
/// Sign-ins that may be open in all.
const OPEN: i64 = 20_000;

/// Begins a sign-in. The oldest give way where there are too many of an address or in all.
pub fn begin(c: &mut dyn Connection, state_hash: &str, l: &Login) -> Result<()> {
    c.execute("delete from sso_logins where expires <= $1", params![l.created])?;
    c.execute(
        "delete from sso_logins where address = $1 and state_hash not in (select state_hash from sso_logins \
         where address = $1 order by created desc, state_hash limit $2)",
        params![&l.address, OF_ADDRESS - 1],
    )?;
    let open = c.query_one("select count(*) from sso_logins", &[])?.int(0)?;
    if open >= OPEN {
        c.execute(
            "delete from sso_logins where state_hash in (select state_hash from sso_logins order by created limit $1)",
            params![open - OPEN + 1],
        )?;
    }
    c.execute(
        "insert into sso_logins (state_hash, org_id, browser_hash, nonce, verifier, next, address, created, expires) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            state_hash,
            l.org_id,
            &l.browser_hash,
            &l.nonce,
            &l.verifier,
            l.next.as_deref(),
            &l.address,
            l.created,
            l.expires
        ],
    )?;
    Ok(())
}

/// Takes a sign-in that was begun: it is found once.
pub fn take(c: &mut dyn Connection, state_hash: &str) -> Result<Option<Login>> {
    let row = c.query_opt(
        "delete from sso_logins where state_hash = $1 \
         returning org_id, browser_hash, nonce, verifier, next, address, created, expires",
        params![state_hash],
    )?;
    row.map(|r| {
        Ok(Login {
            org_id: r.int(0)?,
            browser_hash: r.text(1)?,
            nonce: r.text(2)?,
            verifier: r.text(3)?,
            next: r.opt_text(4)?,
            address: r.text(5)?,
            created: r.int(6)?,
            expires: r.int(7)?,
        })
    })
    .transpose()
}

/// Makes a session count in one organization alone, until then and no longer.
pub fn bind_session(c: &mut dyn Connection, hash: &str, org: i64, expires: i64) -> Result<()> {
    c.execute(
        "update sessions set org_id = $2, expires = $3 where token_hash = $1",
        params![hash, org, expires],
    )?;
    Ok(())
}

/// Makes a token count in one organization alone.
pub fn bind_token(c: &mut dyn Connection, id: i64, org: i64) -> Result<()> {
    c.execute(
        "update api_tokens set org_id = $2 where id = $1",
        params![id, org],
    )?;
    Ok(())
}

//! Who may do what: the only place where it is decided.
//!
//! A caller is known by the session cookie or by a bearer token. A route names the scope it needs; a session has
//! the scopes of its user's role in the organization, a token those it was given and the role has as well. A
//! request with the cookie that changes something must carry `X-Requested-With`, which no other site can send, and
//! must not come from a page of another site as far as the browser says it.

use std::collections::HashMap;

use http::HeaderMap;
use parking_lot::Mutex;
use serde_json::json;
use storage::relational::org_tokens::{self, OrgToken};
use storage::relational::people::{self, Organization, User};
use storage::relational::{documents, integration_tokens, oauth, sessions, sign_on};
use storage::sql::{Connection, Result as SqlResult};

use crate::answer::ApiError;
use crate::password::token_hash;

/// Every scope that a token can have, as Sentry names them.
pub const SCOPES: &[&str] = &[
    "org:read",
    "org:write",
    "org:admin",
    "org:integrations",
    "org:ci",
    "member:read",
    "member:write",
    "member:admin",
    "team:read",
    "team:write",
    "team:admin",
    "project:read",
    "project:write",
    "project:admin",
    "project:releases",
    "event:read",
    "event:write",
    "event:admin",
    "alerts:read",
    "alerts:write",
];

/// The roles in an organization, the lowest first. Nobody gives a role above their own.
pub const ROLES: &[&str] = &["member", "admin", "manager", "owner"];

/// How high a role stands.
pub fn rank(role: &str) -> usize {
    ROLES.iter().position(|r| *r == role).unwrap_or(0)
}

/// What the admin of a team may do with it and with its projects, whatever their role in the organization.
const TEAM_ADMIN: &[&str] = &[
    "team:read",
    "team:write",
    "team:admin",
    "project:read",
    "project:write",
    "project:admin",
    "project:releases",
    "event:read",
    "event:write",
    "event:admin",
    "alerts:read",
    "alerts:write",
];

/// The scopes of a role.
pub fn role_scopes(role: &str) -> &'static [&'static str] {
    const MEMBER: &[&str] = &[
        "org:read",
        "member:read",
        "team:read",
        "project:read",
        "project:releases",
        "event:read",
        "event:write",
        "event:admin",
        "alerts:read",
        "alerts:write",
        "org:ci",
    ];
    const MANAGER: &[&str] = &[
        "org:read",
        "org:write",
        "org:integrations",
        "org:ci",
        "member:read",
        "member:write",
        "member:admin",
        "team:read",
        "team:write",
        "team:admin",
        "project:read",
        "project:write",
        "project:admin",
        "project:releases",
        "event:read",
        "event:write",
        "event:admin",
        "alerts:read",
        "alerts:write",
    ];
    match role {
        "owner" => SCOPES,
        "manager" => MANAGER,
        "admin" => &[
            "org:read",
            "org:integrations",
            "org:ci",
            "member:read",
            "team:read",
            "team:write",
            "team:admin",
            "project:read",
            "project:write",
            "project:admin",
            "project:releases",
            "event:read",
            "event:write",
            "event:admin",
            "alerts:read",
            "alerts:write",
        ],
        _ => MEMBER,
    }
}

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// To be somebody.
    SignedIn,
    /// To be somebody with a session, not a token: for what concerns the login itself.
    Session,
    /// To administer the installation: a superuser's session, or their token with `org:admin`.
    Superuser,
    /// A scope in the organization of the path.
    Scope(&'static str),
    /// One of these scopes in the organization of the path.
    AnyOf(&'static [&'static str]),
}

/// How somebody showed who they are.
#[derive(Debug, Clone, PartialEq)]
pub enum Proof {
    /// The session with this hash.
    Session(String),
    /// A token with these scopes.
    Token(Vec<String>),
    /// A token of an organization: no user stands behind it.
    Organization(OrgToken),
}

/// Somebody.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The user; a token of an organization has none.
    pub user: Option<User>,
    /// How they showed it.
    pub proof: Proof,
    /// When they last showed it with a password, code or passkey, µs; 0 with a token.
    pub confirmed: i64,
    /// The organization that alone they may enter: its provider vouches for them, and nobody else does.
    pub only_in: Option<i64>,
}

impl Principal {
    /// The user's number.
    pub fn user_id(&self) -> Option<i64> {
        self.user.as_ref().map(|u| u.id)
    }

    /// Whether it is a user who may do everything.
    pub fn is_superuser(&self) -> bool {
        self.user.as_ref().is_some_and(|u| u.is_superuser)
    }

    /// The token, if an organization asks.
    pub fn org_token(&self) -> Option<&OrgToken> {
        match &self.proof {
            Proof::Organization(token) => Some(token),
            _ => None,
        }
    }
}

/// A session lasts so long after its last use, µs.
pub const SESSION: i64 = 30 * 86_400_000_000;
/// Its use is noted at most so often, µs.
const TOUCH: i64 = 3_600_000_000;

/// Dangerous acts ask again who somebody is if they showed it longer ago than this, µs.
pub const CONFIRMED: i64 = 3_600_000_000;

/// Asks who somebody is once more, unless they showed it lately or come with a token, which was made for the act.
///
/// # Errors
/// As Sentry says it: 401 with `sudo-required`.
pub fn confirmed(principal: &Principal, now: i64) -> Result<(), ApiError> {
    if !matches!(principal.proof, Proof::Session(_)) || now - principal.confirmed <= CONFIRMED {
        return Ok(());
    }
    let name = principal.user.as_ref().map(|u| u.email.as_str());
    Err(ApiError::First(
        "sudo-required",
        "Show once more that it is you: with your password, a code or a passkey.".into(),
        json!({ "username": name }),
    ))
}

/// Whether a session may change how its user signs in: one for which the provider of an organization vouches counts
/// there alone, and must not open other ways.
///
/// # Errors
/// 403.
pub fn owns_account(principal: &Principal) -> Result<(), ApiError> {
    if principal.only_in.is_none() {
        return Ok(());
    }
    Err(ApiError::Forbidden(
        "This session was opened by the single sign-on of an organization and counts there alone. Sign in with your \
         password or a passkey to change your account."
            .into(),
    ))
}

/// Whether an organization lets a user in who is a member of it.
///
/// # Errors
/// 401 with a code: what the user has to do first.
pub fn admitted(principal: &Principal, organization: &Organization) -> Result<(), ApiError> {
    let Some(user) = &principal.user else {
        return Ok(());
    };
    let asks = |name: &str| {
        organization
            .settings
            .get(name)
            .and_then(serde_json::Value::as_bool)
            == Some(true)
    };
    // Who comes through the organization's own provider showed there who they are.
    if principal.only_in == Some(organization.id) {
        return Ok(());
    }
    if asks("require2FA") && !user.has_factor {
        return Err(ApiError::First(
            "2fa-required",
            "This organization asks for a second factor: set one up in your account's security settings."
                .into(),
            json!({}),
        ));
    }
    if asks("requireEmailVerification") && !user.is_verified {
        return Err(ApiError::First(
            "email-verification-required",
            "This organization asks for a verified address: open the link that was mailed to you.".into(),
            json!({ "email": user.email }),
        ));
    }
    Ok(())
}

/// A use that should be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Used {
    /// Of the session with this hash, which lasts until then.
    Session(String, i64),
    /// Of a user's token.
    Token(i64),
    /// Of an organization's token.
    Organization(i64),
    /// Of an application's token.
    Application(i64),
    /// Of an integration's token.
    Integration(i64),
}

/// Notes a use.
///
/// # Errors
/// As the database says.
pub fn note(c: &mut dyn Connection, used: &Used, now: i64) -> SqlResult<()> {
    match used {
        Used::Session(hash, expires) => sessions::touch(c, hash, now, *expires),
        Used::Token(id) => sessions::touch_token(c, *id, now),
        Used::Organization(id) => org_tokens::touch(c, *id, now),
        Used::Application(id) => oauth::touch(c, *id, now),
        Used::Integration(id) => integration_tokens::touch(c, *id, now),
    }
}

/// Somebody, and whether their coming should be noted.
pub type Known = Option<(Principal, Option<Used>)>;

/// The user of a proof. Who is let in by the provider of one organization administers nothing beyond it.
fn user(c: &mut dyn Connection, id: i64, only_in: Option<i64>) -> SqlResult<Option<User>> {
    let found = people::user(c, id)?;
    Ok(found.map(|mut user| {
        user.is_superuser &= only_in.is_none();
        user
    }))
}

/// Who a session is; `None` if it is over.
pub fn by_session(c: &mut dyn Connection, token: &str, now: i64) -> Result<Known, ApiError> {
    let hash = token_hash(token);
    let Some(session) = sessions::find(c, &hash, now)? else {
        return Ok(None);
    };
    let only_in = session.org_id;
    let Some(user) = user(c, session.user_id, only_in)? else {
        return Ok(None);
    };
    // What a provider vouches for is asked again in time: its use makes it no longer.
    let until = only_in.map_or(now + SESSION, |_| session.expires);
    let used = (now - session.last_used > TOUCH).then(|| Used::Session(hash.clone(), until));
    let principal = Principal {
        user: Some(user),
        proof: Proof::Session(hash),
        only_in,
        confirmed: session.confirmed,
    };
    Ok(Some((principal, used)))
}

/// Tokens of organizations begin like this.
pub const ORG_TOKEN: &str = "sntrys_";
/// Tokens of applications.
pub const APPLICATION_TOKEN: &str = "sntrya_";
/// Tokens of integrations.
pub const INTEGRATION_TOKEN: &str = "sntryi_";

/// Who a token is.
pub fn by_token(c: &mut dyn Connection, token: &str, now: i64) -> Result<Known, ApiError> {
    let hash = token_hash(token);
    let stale = |last: Option<i64>| last.is_none_or(|t| now - t > TOUCH);
    let organization = |token: OrgToken, used| {
        let principal = Principal {
            user: None,
            proof: Proof::Organization(token),
            only_in: None,
            confirmed: 0,
        };
        (principal, used)
    };
    if token.starts_with(ORG_TOKEN) {
        let found = org_tokens::by_hash(c, &hash)?;
        return Ok(found.map(|t| {
            let used = stale(t.last_used).then_some(Used::Organization(t.id));
            organization(t, used)
        }));
    }
    if token.starts_with(INTEGRATION_TOKEN) {
        let Some(found) = integration_tokens::by_hash(c, &hash)? else {
            return Ok(None);
        };
        let document = documents::by_id(c, found.document)?;
        return Ok(document.map(|d| {
            let used = stale(found.last_used).then_some(Used::Integration(found.id));
            organization(crate::kept::integrations::acting_token(&d, &found), used)
        }));
    }
    let (id, scopes, only_in, used) = if token.starts_with(APPLICATION_TOKEN) {
        let Some(found) = oauth::by_hash(c, &hash, now)? else {
            return Ok(None);
        };
        let used = stale(found.last_used).then_some(Used::Application(found.id));
        (found.grant.user_id, found.grant.scopes, found.grant.org_id, used)
    } else {
        let Some(found) = sessions::find_token(c, &hash)? else {
            return Ok(None);
        };
        let used = stale(found.last_used).then_some(Used::Token(found.id));
        (found.user_id, found.scopes, found.org_id, used)
    };
    let Some(user) = user(c, id, only_in)? else {
        return Ok(None);
    };
    let principal = Principal {
        user: Some(user),
        proof: Proof::Token(scopes),
        only_in,
        confirmed: 0,
    };
    Ok(Some((principal, used)))
}

/// How somebody stands at the door of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// They may enter, as far as they belong there.
    Open,
    /// Another organization vouches for them: here they are nobody.
    Closed,
    /// They belong there and must come through its provider.
    Provider,
}

/// Whether somebody who has this role in an organization may enter it now. Where its provider is required, a session
/// must come from there, and a token's user must be known there. Owners and administrators of the installation always
/// may, as a way back in.
pub fn door(
    c: &mut dyn Connection,
    principal: &Principal,
    organization: &Organization,
    role: Option<&str>,
) -> SqlResult<Door> {
    match principal.only_in {
        Some(org) if org != organization.id => return Ok(Door::Closed),
        Some(_) => return Ok(Door::Open),
        None => {}
    }
    let exempt = role == Some("owner") || principal.is_superuser();
    let Some(user) = principal
        .user_id()
        .filter(|_| organization.sso == Some(true) && !exempt)
    else {
        return Ok(Door::Open);
    };
    let known = match &principal.proof {
        Proof::Token(_) => sign_on::of_user(c, organization.id, user)?.is_some(),
        _ => false,
    };
    Ok(if known || role.is_none() {
        Door::Open
    } else {
        Door::Provider
    })
}

/// What somebody is in the organization, team or project that they ask about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing<'a> {
    /// The role in the organization; `None`: not a member.
    pub role: Option<&'a str>,
    /// Admin of a team of the project of the path, or else of the team of the path.
    pub team_admin: bool,
    /// Membership is closed, the path has a team, and the caller is not in it: a role changes only its own teams.
    pub outside: bool,
}

impl Standing<'_> {
    /// Whether the role has a scope here.
    fn by_role(&self, scope: &str) -> bool {
        let held = self.role.is_some_and(|r| role_scopes(r).contains(&scope));
        let changes = scope.ends_with(":write") || scope.ends_with(":admin");
        held && !(self.outside && changes && TEAM_ADMIN.contains(&scope))
    }
}

/// Whether somebody has a scope where they stand.
pub fn allowed(principal: &Principal, standing: Standing<'_>, scope: &str) -> bool {
    let by_role = principal.is_superuser()
        || principal.org_token().is_some()
        || standing.by_role(scope)
        || (standing.team_admin && TEAM_ADMIN.contains(&scope));
    let by_proof = match &principal.proof {
        Proof::Session(_) => true,
        Proof::Token(scopes) => scopes.iter().any(|s| covers(s, scope)),
        Proof::Organization(token) => token.scopes.iter().any(|s| covers(s, scope)),
    };
    by_role && by_proof
}

/// Whether somebody administers the installation.
pub fn administers(principal: &Principal) -> bool {
    principal.is_superuser() && allowed(principal, Standing::default(), "org:admin")
}

/// `project:admin` includes `project:write`, which includes `project:read`.
fn covers(have: &str, want: &str) -> bool {
    if have == want {
        return true;
    }
    let rank = |s: &str| match s {
        "read" => Some(0),
        "write" => Some(1),
        "admin" => Some(2),
        _ => None,
    };
    match (have.split_once(':'), want.split_once(':')) {
        (Some((a, x)), Some((b, y))) => a == b && rank(x).zip(rank(y)).is_some_and(|(x, y)| x >= y),
        _ => false,
    }
}

/// Failed logins by address and by name: after five, each next one has to wait longer.
#[derive(Default)]
pub struct Attempts {
    failed: Mutex<HashMap<String, (u32, i64)>>,
    paced: Mutex<HashMap<String, (u32, i64)>>,
}

/// Failures that cost nothing.
const FREE: u32 = 5;
/// What is paced begins anew after this, µs.
const WINDOW: i64 = 600_000_000;
/// The longest wait, seconds.
const LONGEST: i64 = 900;

impl Attempts {
    /// Counts a try of a name and address as failed until [`Attempts::succeeded`] says otherwise, so that tries at
    /// the same time all count; or says how many seconds one of them has to wait.
    ///
    /// # Errors
    /// The seconds.
    pub fn begin(&self, keys: &[String], now: i64) -> Result<(), u64> {
        // Names are as long as somebody likes.
        let keys: Vec<String> = keys.iter().map(|k| token_hash(k)).collect();
        let mut all = self.failed.lock();
        let waits = keys
            .iter()
            .filter_map(|k| all.get(k))
            .map(|(_, until)| *until - now);
        if let Some(wait) = waits.max().filter(|wait| *wait > 0) {
            return Err(u64::try_from(wait.div_euclid(1_000_000) + 1).unwrap_or(1));
        }
        if all.len() > 10_000 {
            all.retain(|_, (_, until)| *until > now);
        }
        for key in keys {
            let entry = all.entry(key).or_insert((0, now));
            entry.0 = entry.0.saturating_add(1);
            let over = entry.0.saturating_sub(FREE);
            let seconds = if over == 0 {
                0
            } else {
                (1i64 << over.min(10)).min(LONGEST)
            };
            entry.1 = now + seconds * 1_000_000;
        }
        Ok(())
    }

    /// Counts what may be done so often in [`WINDOW`], whether it succeeds or not; or says how many seconds to wait.
    ///
    /// # Errors
    /// The seconds.
    pub fn pace(&self, key: &str, most: u32, now: i64) -> Result<(), u64> {
        let mut all = self.paced.lock();
        if all.len() > 10_000 {
            all.retain(|_, (_, until)| *until > now);
        }
        let entry = all.entry(token_hash(key)).or_insert((0, now + WINDOW));
        if entry.1 <= now {
            *entry = (0, now + WINDOW);
        }
        if entry.0 >= most {
            return Err(u64::try_from((entry.1 - now).div_euclid(1_000_000) + 1).unwrap_or(1));
        }
        entry.0 += 1;
        Ok(())
    }

    /// Forgets the failures of a name or address.
    pub fn succeeded(&self, keys: &[String]) {
        let mut all = self.failed.lock();
        keys.iter().for_each(|k| {
            all.remove(&token_hash(k));
        });
    }
}

/// Whether a browser says that a page of another site sends this. Clients that are no browsers say nothing.
pub fn foreign(headers: &HeaderMap, url: &str, trusted_peer: bool) -> bool {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    match text("sec-fetch-site") {
        // No page can set it: the browser compared the addresses as it knows them, before any proxy.
        Some("same-origin" | "none") => return false,
        Some(_) => return true,
        None => {}
    }
    let Some(origin) = text("origin") else {
        return false;
    };
    let authority = origin.split_once("://").map(|(_, rest)| rest);
    let own = |address: &str| authority.is_some_and(|a| a.eq_ignore_ascii_case(address));
    let configured = url.split_once("://").map_or("", |(_, rest)| rest);
    let configured = configured.split('/').next().unwrap_or("");
    let by_proxy = text("x-forwarded-host").filter(|_| trusted_peer);
    let asked = by_proxy.or_else(|| text("host")).unwrap_or("");
    !own(configured) && !own(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_include_lesser_ones() {
        assert!(covers("event:admin", "event:read"));
        assert!(!covers("event:read", "event:write"));
        assert!(!covers("project:admin", "event:read"));
        assert!(!covers("project:releases", "project:read"));
        assert!(role_scopes("member").contains(&"event:write"));
        assert!(!role_scopes("member").contains(&"project:write"));
    }

    #[test]
    fn failures_cost_time() {
        let attempts = Attempts::default();
        let keys = vec!["a".to_owned()];
        for _ in 0..=FREE {
            assert_eq!(attempts.begin(&keys, 0), Ok(()));
        }
        assert_eq!(attempts.begin(&keys, 1), Err(2));
        assert_eq!(attempts.begin(&keys, 2_000_000), Ok(()));
        assert_eq!(attempts.begin(&keys, 2_000_001), Err(4));
        attempts.succeeded(&keys);
        assert_eq!(attempts.begin(&keys, 2_000_001), Ok(()));
    }

    #[test]
    fn what_is_paced_goes_on_in_the_next_window() {
        let attempts = Attempts::default();
        for _ in 0..3 {
            assert_eq!(attempts.pace("a", 3, 0), Ok(()));
        }
        assert_eq!(attempts.pace("a", 3, 1_000_000), Err(600));
        assert_eq!(attempts.pace("b", 3, 1_000_000), Ok(()));
        assert_eq!(attempts.pace("a", 3, WINDOW), Ok(()));
    }

    #[test]
    fn pages_of_other_sites_are_told_apart() {
        let ask = |headers: &[(&'static str, &str)], trusted| {
            let headers = headers
                .iter()
                .map(|(n, v)| (http::HeaderName::from_static(n), v.parse().unwrap()))
                .collect();
            foreign(&headers, "https://errors.example/x", trusted)
        };
        let host = ("host", "10.0.0.7:9000");
        for (headers, trusted, want) in [
            (&[][..], false, false),
            (&[host], false, false),
            (&[host, ("origin", "https://errors.example")], false, false),
            (&[host, ("origin", "http://10.0.0.7:9000")], false, false),
            (&[host, ("origin", "https://evil.example")], false, true),
            (
                &[host, ("origin", "https://errors.example.evil.example")],
                false,
                true,
            ),
            (&[host, ("origin", "null")], false, true),
            (
                &[host, ("origin", "http://p"), ("x-forwarded-host", "p")],
                true,
                false,
            ),
            (
                &[host, ("origin", "http://p"), ("x-forwarded-host", "p")],
                false,
                true,
            ),
            (
                &[host, ("origin", "http://dev"), ("sec-fetch-site", "same-origin")],
                false,
                false,
            ),
            (&[host, ("sec-fetch-site", "cross-site")], false, true),
            (&[host, ("sec-fetch-site", "same-site")], false, true),
        ] {
            assert_eq!(ask(headers, trusted), want, "{headers:?}");
        }
    }
}

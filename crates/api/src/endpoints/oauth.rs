//! OAuth 2.0 (RFC 6749) with PKCE (RFC 7636): a user allows an application to act in their name, the application gets
//! a code at an address that it registered, and exchanges it for a token.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use storage::relational::oauth::{self, Application, Code, Grant};
use storage::relational::people;
use storage::sql::Connection;

use crate::access::{APPLICATION_TOKEN, SCOPES};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::password::{new_secret, token_hash};

/// How long a code can be exchanged, µs.
const CODE: i64 = 600_000_000;
/// How long a token counts, µs.
const TOKEN: i64 = 8 * 3_600_000_000;
/// How long it can be replaced by a new one, µs.
const REFRESH: i64 = 90 * 86_400_000_000;

/// What an application asks a user for.
struct Asked {
    application: Application,
    redirect: String,
    scopes: Vec<String>,
    challenge: Option<String>,
    state: Option<String>,
}

/// A request that is answered at the application's address, because the address is known to be its own.
enum Refused {
    /// Said to the user: who asks, or where the answer would go, is not known.
    Here(ApiError),
    /// Said to the application.
    There(String),
}

impl From<ApiError> for Refused {
    fn from(e: ApiError) -> Refused {
        Refused::Here(e)
    }
}

/// An address with parameters added.
fn with(address: &str, parameters: &[(&str, &str)]) -> String {
    let query = serde_urlencoded::to_string(parameters).unwrap_or_default();
    let join = if address.contains('?') { '&' } else { '?' };
    format!("{address}{join}{query}")
}

fn back(redirect: &str, state: Option<&str>, parameters: &[(&str, &str)]) -> String {
    let mut all = parameters.to_vec();
    if let Some(state) = state {
        all.push(("state", state));
    }
    with(redirect, &all)
}

/// Reads what an application asks for, from a function that finds a parameter by name.
fn asked<'a>(call: &Call, parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Asked, Refused> {
    let here = |what: &str| Refused::Here(ApiError::Bad(what.into()));
    let client_id = parameter("client_id").unwrap_or("");
    let found = call
        .api
        .stores
        .sql
        .reading(|c| oauth::application_by(c, client_id))
        .map_err(ApiError::from)?;
    let application = found.ok_or_else(|| {
        here("There is no application with this client_id. Whoever sent you here has to correct it.")
    })?;
    let redirect = match (parameter("redirect_uri"), &application.redirect_uris[..]) {
        (Some(uri), known) if known.iter().any(|k| k == uri) => uri.to_owned(),
        (None, [only]) => only.clone(),
        _ => {
            return Err(here(
                "The address that the answer would be sent to (redirect_uri) is not registered by this application. \
                 Whoever sent you here has to correct it.",
            ));
        }
    };
    let state = parameter("state").map(str::to_owned);
    let there = |error: &str, what: &str| {
        let all = [("error", error), ("error_description", what)];
        Refused::There(back(&redirect, state.as_deref(), &all))
    };
    if parameter("response_type") != Some("code") {
        return Err(there("unsupported_response_type", "response_type must be code"));
    }
    let challenge = parameter("code_challenge").map(str::to_owned);
    match &challenge {
        None if application.secret_hash.is_none() => {
            let what = "a public client must send code_challenge with code_challenge_method S256";
            return Err(there("invalid_request", what));
        }
        None => {}
        Some(challenge) => {
            let hash = URL_SAFE_NO_PAD.decode(challenge).is_ok_and(|b| b.len() == 32);
            if parameter("code_challenge_method") != Some("S256") || !hash {
                let what = "code_challenge must be a SHA-256, and code_challenge_method S256";
                return Err(there("invalid_request", what));
            }
        }
    }
    let mut scopes: Vec<String> = Vec::new();
    for scope in parameter("scope")
        .unwrap_or("")
        .split([' ', ',', '+'])
        .filter(|s| !s.is_empty())
    {
        if !SCOPES.contains(&scope) {
            return Err(there("invalid_scope", "a scope is not known here"));
        }
        if !scopes.iter().any(|s| s == scope) {
            scopes.push(scope.to_owned());
        }
    }
    if scopes.is_empty() {
        return Err(there("invalid_scope", "name at least one scope"));
    }
    Ok(Asked {
        application,
        redirect,
        scopes,
        challenge,
        state,
    })
}

fn unless_refused(result: Result<Asked, Refused>) -> Result<Result<Asked, Answer>, ApiError> {
    match result {
        Ok(asked) => Ok(Ok(asked)),
        Err(Refused::Here(e)) => Err(e),
        Err(Refused::There(to)) => Ok(Err(Answer::json(json!({ "redirect": to })))),
    }
}

/// What the page shows before a user decides: which application, what for. A request that is wrong is answered with
/// where to go.
pub fn ask(call: &Call) -> Result<Answer, ApiError> {
    let a = match unless_refused(asked(call, |name| call.value(name)))? {
        Ok(asked) => asked,
        Err(answer) => return Ok(answer),
    };
    let owner = call
        .api
        .stores
        .sql
        .reading(|c| people::user(c, a.application.owner_id))?;
    let host = a
        .redirect
        .split("://")
        .nth(1)
        .and_then(|r| r.split(['/', '?']).next());
    Ok(Answer::json(json!({
        "application": {
            "name": a.application.name, "homepageUrl": a.application.homepage, "privacyUrl": a.application.privacy,
            "termsUrl": a.application.terms, "owner": owner.map(|u| u.email),
        },
        "scopes": a.scopes, "redirectUri": a.redirect, "redirectHost": host.unwrap_or(&a.redirect),
        "user": call.user()?.email,
    })))
}

/// The user decides: what the page was asked, and `{"approve": true}`. The answer says where to go.
pub fn decide(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|v| !v.is_empty());
    let a = match unless_refused(asked(call, text))? {
        Ok(asked) => asked,
        Err(answer) => return Ok(answer),
    };
    let state = a.state.as_deref();
    if body.get("approve") != Some(&json!(true)) {
        let to = back(&a.redirect, state, &[("error", "access_denied")]);
        return Ok(Answer::json(json!({ "redirect": to })));
    }
    let (code, now) = (new_secret(), call.now());
    let grant = Grant {
        id: 0,
        application_id: a.application.id,
        user_id: call.user_id()?,
        // What a session may not enter, what it allows may not either.
        org_id: call.principal()?.only_in,
        scopes: a.scopes,
        date_added: now,
    };
    call.api.stores.sql.writing(|c| {
        let code_row = Code {
            grant_id: oauth::grant(c, &grant)?,
            redirect_uri: a.redirect.clone(),
            challenge: a.challenge.clone(),
            used: false,
            expires: now + CODE,
        };
        oauth::add_code(c, &token_hash(&code), &code_row, now)
    })?;
    let to = back(&a.redirect, state, &[("code", &code)]);
    Ok(Answer::json(json!({ "redirect": to })))
}

/// An error as RFC 6749 words it.
fn error(status: StatusCode, code: &str, what: &str) -> Answer {
    let answer = Answer {
        status,
        ..Answer::json(json!({ "error": code, "error_description": what }))
    };
    if status == StatusCode::UNAUTHORIZED {
        return answer.with(header::WWW_AUTHENTICATE, "Basic realm=\"oauth\"");
    }
    answer
}

fn bad(code: &str, what: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, code, what)
}

/// Name and secret by which a client shows who it is: HTTP basic, or in the form.
fn credentials(call: &Call, form: &[(String, String)]) -> (String, Option<String>) {
    let text = |name: &str| form.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
    let basic = call
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok());
    let basic = basic.and_then(|v| {
        let (scheme, rest) = v.split_once(' ')?;
        let bytes = scheme
            .eq_ignore_ascii_case("basic")
            .then(|| STANDARD.decode(rest.trim()).ok())??;
        let pair = String::from_utf8(bytes).ok()?;
        let (id, secret) = pair.split_once(':')?;
        let plain = |part: &str| {
            let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&format!("v={part}")).ok()?;
            Some(pairs.into_iter().next()?.1)
        };
        Some((plain(id)?, Some(plain(secret)?)))
    });
    basic.unwrap_or_else(|| (text("client_id").unwrap_or_default(), text("client_secret")))
}

/// The application that asks, if it is the one it says. What is compared are hashes.
fn client(call: &Call, c: &mut dyn Connection, form: &[(String, String)]) -> Result<Application, Answer> {
    let wrong = || {
        error(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "the client or its secret is not known",
        )
    };
    let (id, secret) = credentials(call, form);
    let Ok(Some(application)) = oauth::application_by(c, &id) else {
        return Err(wrong());
    };
    match (&application.secret_hash, secret) {
        (Some(hash), Some(secret)) if *hash == token_hash(&secret) => Ok(application),
        (None, _) => Ok(application),
        _ => Err(wrong()),
    }
}

/// A new pair of tokens: hashes, and the answer with the tokens.
struct Fresh {
    access: String,
    refresh: String,
}

impl Fresh {
    fn new() -> Fresh {
        Fresh {
            access: format!("{APPLICATION_TOKEN}{}", new_secret()),
            refresh: format!("sntryr_{}", new_secret()),
        }
    }

    fn hashes(&self) -> (String, String) {
        (token_hash(&self.access), token_hash(&self.refresh))
    }

    fn answer(&self, c: &mut dyn Connection, grant: &Grant, now: i64) -> Result<Answer, ApiError> {
        let user = people::user(c, grant.user_id)?;
        let user = user.map(|u| json!({ "id": u.id.to_string(), "name": u.name, "email": u.email }));
        let view = json!({
            "access_token": self.access, "refresh_token": self.refresh, "token_type": "Bearer",
            "expires_in": TOKEN / 1_000_000, "expires_at": crate::views::time(now + TOKEN),
            "scope": grant.scopes.join(" "), "user": user,
        });
        Ok(Answer::json(view))
    }
}

/// Exchanges a code or a refresh token for a token (`application/x-www-form-urlencoded`).
pub fn token(call: &Call) -> Result<Answer, ApiError> {
    let Ok(form) = call.form() else {
        return Ok(bad("invalid_request", "the body must be a form"));
    };
    let text = |name: &str| {
        form.iter()
            .find(|(k, _)| k == name)
            .map_or("", |(_, v)| v.as_str())
    };
    let mut keys = vec![];
    keys.extend(call.address.map(|a| format!("oauth client from {a}")));
    call.change(|c| {
        let application = match client(call, c, &form) {
            Ok(application) => application,
            Err(refused) => {
                // Whoever guesses has to wait longer each time.
                return match call.api.attempts.begin(&keys, call.now()) {
                    Ok(()) => Ok(refused),
                    Err(seconds) => Err(ApiError::TooMany("Too many failed tries.".into(), seconds)),
                };
            }
        };
        match text("grant_type") {
            "authorization_code" => by_code(
                call,
                c,
                &application,
                text("code"),
                text("redirect_uri"),
                text("code_verifier"),
            ),
            "refresh_token" => by_refresh(call, c, &application, text("refresh_token")),
            _ => Ok(bad(
                "unsupported_grant_type",
                "grant_type is authorization_code or refresh_token",
            )),
        }
    })
}

fn by_code(
    call: &Call,
    c: &mut dyn Connection,
    application: &Application,
    code: &str,
    redirect: &str,
    verifier: &str,
) -> Result<Answer, ApiError> {
    let invalid = || bad("invalid_grant", "the code is not valid, was used, or is over");
    let (hash, now) = (token_hash(code), call.now());
    let Some(found) = oauth::code(c, &hash)? else {
        return Ok(invalid());
    };
    let grant = oauth::grant_of(c, found.grant_id)?;
    let Some(grant) = grant.filter(|g| g.application_id == application.id) else {
        return Ok(invalid());
    };
    if found.used {
        // Two have this code: neither keeps what it brought.
        tracing::warn!(
            application = application.name,
            "a code of an application came twice: its tokens end"
        );
        oauth::remove_grant(c, grant.id)?;
        return Ok(invalid());
    }
    if found.expires <= now {
        return Ok(invalid());
    }
    // An address that was left out when there is only one need not be named here either.
    if found.redirect_uri != redirect && !(redirect.is_empty() && application.redirect_uris.len() == 1) {
        return Ok(bad(
            "invalid_grant",
            "redirect_uri is not the one that the code was sent to",
        ));
    }
    let fits = match &found.challenge {
        Some(challenge) => {
            (43..=128).contains(&verifier.len())
                && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == *challenge
        }
        None => verifier.is_empty(),
    };
    if !fits {
        return Ok(bad("invalid_grant", "code_verifier does not fit code_challenge"));
    }
    let active = people::user(c, grant.user_id)?.is_some_and(|u| u.is_active);
    if !active || !oauth::use_code(c, &hash)? {
        return Ok(invalid());
    }
    let fresh = Fresh::new();
    let (access, refresh) = fresh.hashes();
    oauth::add_token(
        c,
        grant.id,
        (&access, &refresh),
        (now + TOKEN, now + REFRESH),
        now,
    )?;
    fresh.answer(c, &grant, now)
}

fn by_refresh(
    call: &Call,
    c: &mut dyn Connection,
    application: &Application,
    refresh: &str,
) -> Result<Answer, ApiError> {
    let invalid = || {
        bad(
            "invalid_grant",
            "the refresh token is not valid, was used, or is over",
        )
    };
    let (hash, now) = (token_hash(refresh), call.now());
    let of_client = |g: &Grant| g.application_id == application.id;
    if let Some(spent) = oauth::by_spent(c, &hash)?.filter(|t| of_client(&t.grant)) {
        tracing::warn!(
            application = application.name,
            "a refresh token came twice: its tokens end"
        );
        oauth::remove_grant(c, spent.grant.id)?;
        return Ok(invalid());
    }
    let Some(token) = oauth::by_refresh(c, &hash, now)?.filter(|t| of_client(&t.grant)) else {
        return Ok(invalid());
    };
    let fresh = Fresh::new();
    let (access, next) = fresh.hashes();
    if !oauth::renew(c, token.id, &hash, (&access, &next), (now + TOKEN, now + REFRESH))? {
        return Ok(invalid());
    }
    fresh.answer(c, &token.grant, now)
}

//! Signing in through the provider of an organization: the browser is sent there with a state that only it can bring
//! back, and what it brings back opens a session in that organization.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use storage::relational::members::{self, Membership};
use storage::relational::people::{self, Organization, User};
use storage::relational::sign_on::{self, Login, Provider};
use storage::sql::Connection;

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::dispatch::cookie;
use crate::fields;
use crate::password::{new_secret, token_hash};
use crate::sso::token::{Claims, Wanted, Wrong, check};
use crate::sso::{redeem, userinfo};
use crate::{sign_in, views};

/// How long somebody may take at the provider, µs.
const LASTS: i64 = 600_000_000;
/// The cookie that binds a sign-in to its browser.
const BROWSER: &str = "vedette_sso";

/// The organization of the sign-in page, if there is just one with a provider.
pub fn only_one(call: &Call) -> Result<Answer, ApiError> {
    let organization = call.api.stores.sql.reading(|c| match sign_on::only_one(c)? {
        Some(org) => people::organization_by_id(c, org),
        None => Ok(None),
    })?;
    let view = organization.map(|o| json!({ "slug": o.slug, "name": o.name }));
    Ok(Answer::json(json!({ "organization": view })))
}

/// Where the provider sends browsers back to. It names the number, so that a new slug changes nothing there.
pub fn callback_url(call: &Call, org: i64) -> String {
    format!("{}/auth/sso/{org}/callback/", call.api.url)
}

fn of_path(call: &Call) -> Result<(Organization, Provider), ApiError> {
    let name = call.param("org");
    let found = call.api.stores.sql.reading(|c| {
        let Some(organization) = people::organization_by(c, name)? else {
            return Ok(None);
        };
        let provider = sign_on::of_organization(c, organization.id)?;
        Ok(provider.map(|p| (organization, p)))
    })?;
    found.ok_or_else(|| {
        let what = "There is no organization of this name with single sign-on: check how it is written in its addresses.";
        ApiError::Missing(what.into())
    })
}

fn only_our_pages(call: &Call) -> Result<(), ApiError> {
    if call.unforgeable {
        return Ok(());
    }
    let what =
        "CSRF: send the header X-Requested-With, or Content-Type: application/json, with this request.";
    Err(ApiError::Forbidden(what.into()))
}

fn browser_cookie(call: &Call, value: &str, seconds: i64) -> String {
    let secure = if call.secure { "; Secure" } else { "" };
    format!("{BROWSER}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// The provider is asked about itself; who signs in learns only that it failed, the log learns why.
fn told<T>(result: Result<T, String>, org: &Organization, what: &str) -> Result<T, ApiError> {
    result.map_err(|why| {
        tracing::warn!(organization = org.slug, error = why, "single sign-on: {what}");
        ApiError::Bad(format!(
            "{what} Try again; if it stays so, an owner of the organization should test its single sign-on in the \
             settings."
        ))
    })
}

/// Begins: `{"next"?}`. The answer says where the browser has to go.
pub fn begin(call: &Call) -> Result<Answer, ApiError> {
    only_our_pages(call)?;
    let (organization, provider) = of_path(call)?;
    let next = fields::text(&call.json()?, "next", 500)?.flatten();
    let next = next.filter(|n| n.starts_with('/') && !n.starts_with("//") && !n.contains('\\'));
    let now = call.now();
    let known = call
        .api
        .providers
        .of(&*call.api.hooks.outgoing, &provider, now, false);
    let (discovery, _) = told(known, &organization, "The provider cannot be reached.")?;
    let (state, nonce, verifier) = (new_secret(), new_secret(), new_secret());
    // Several tabs share what the browser is known by.
    let browser = cookie(&call.headers, BROWSER)
        .filter(|b| b.len() == 64 && b.bytes().all(|b| b.is_ascii_hexdigit()))
        .unwrap_or_else(new_secret);
    let login = Login {
        org_id: organization.id,
        browser_hash: token_hash(&browser),
        nonce: nonce.clone(),
        verifier: verifier.clone(),
        next,
        address: call.address.map(|a| a.to_string()).unwrap_or_default(),
        created: now,
        expires: now + LASTS,
    };
    call.api
        .stores
        .sql
        .writing(|c| sign_on::begin(c, &token_hash(&state), &login))?;
    let redirect = callback_url(call, organization.id);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let query = serde_urlencoded::to_string([
        ("response_type", "code"),
        ("client_id", &provider.client_id),
        ("redirect_uri", &redirect),
        ("scope", "openid email profile"),
        ("state", &state),
        ("nonce", &nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ])
    .map_err(|e| ApiError::Internal(e.to_string()))?;
    let to = &discovery.authorization_endpoint;
    let join = if to.contains('?') { '&' } else { '?' };
    let answer = Answer::json(json!({ "url": format!("{to}{join}{query}") }));
    Ok(answer.with(
        header::SET_COOKIE,
        browser_cookie(call, &browser, LASTS / 1_000_000),
    ))
}

/// The sign-in that a browser comes back from.
fn take(call: &Call, org: i64, state: &str) -> Result<Login, ApiError> {
    let found = call
        .api
        .stores
        .sql
        .writing(|c| sign_on::take(c, &token_hash(state)))?;
    let browser = cookie(&call.headers, BROWSER).map(|b| token_hash(&b));
    let fits = |l: &Login| {
        l.org_id == org && l.expires > call.now() && browser.as_deref() == Some(l.browser_hash.as_str())
    };
    found.filter(fits).ok_or_else(|| {
        ApiError::Bad(
            "This sign-in was not begun in this browser, was used already, or took longer than ten minutes. Begin it \
             again."
                .into(),
        )
    })
}

/// Ends: `{"code", "state"}`, or `{"error", "errorDescription"?, "state"}` as the provider says it.
pub fn callback(call: &Call) -> Result<Answer, ApiError> {
    only_our_pages(call)?;
    let (organization, provider) = of_path(call)?;
    let body = call.json()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("");
    let login = take(call, organization.id, text("state"))?;
    if !text("error").is_empty() {
        let why = [text("error"), text("errorDescription")].join(" ");
        let why: String = why.trim().chars().take(300).collect();
        return Err(ApiError::Bad(format!(
            "The provider did not sign you in; it says: {why}. Try again, or ask who runs it."
        )));
    }
    let claims = claims(call, &organization, &provider, &login, text("code"))?;
    let email = admit(&provider, &claims)?;
    let (cookie, user) = call.change(|c| {
        people::hold(c, organization.id)?;
        let user = recognise(call, c, &organization, &provider, &claims, &email)?;
        Ok((sign_in::open_in(call, c, user.id, organization.id)?, user))
    })?;
    let view = json!({ "orgSlug": organization.slug, "next": login.next, "user": views::people::me(&user) });
    Ok(Answer::json(view)
        .with(header::SET_COOKIE, cookie)
        .with(header::SET_COOKIE, browser_cookie(call, "", 0)))
}

/// What the provider says of who comes with a code.
fn claims(
    call: &Call,
    organization: &Organization,
    provider: &Provider,
    login: &Login,
    code: &str,
) -> Result<Claims, ApiError> {
    let (outgoing, now) = (&*call.api.hooks.outgoing, call.now());
    let ask = |again| {
        let known = call.api.providers.of(outgoing, provider, now, again);
        told(known, organization, "The provider cannot be reached.")
    };
    let (discovery, keys) = ask(false)?;
    let redirect = callback_url(call, organization.id);
    let secret = call.api.seal.open("sso", &provider.client_secret);
    let secret = secret.and_then(|s| String::from_utf8(s).ok()).ok_or_else(|| {
        ApiError::Bad(
            "The client secret cannot be opened: the secret key of this installation is another than before. An \
             owner of the organization has to enter the client secret again."
                .into(),
        )
    })?;
    let opened = Provider {
        client_secret: secret,
        ..provider.clone()
    };
    let redeemed = redeem(outgoing, &discovery, &opened, code, &login.verifier, &redirect);
    let redeemed = told(
        redeemed,
        organization,
        "The provider did not accept this sign-in.",
    )?;
    let wanted = Wanted {
        issuer: &provider.issuer,
        client_id: &provider.client_id,
        nonce: &login.nonce,
        now: now as f64 / 1e6,
    };
    let mut said = check(&redeemed.id_token, &keys, &wanted);
    if said == Err(Wrong::UnknownKey) {
        // Providers change their keys: they are fetched again once.
        let (_, keys) = ask(true)?;
        said = check(&redeemed.id_token, &keys, &wanted);
    }
    let mut claims = said.map_err(|wrong| {
        let what = match wrong {
            Wrong::UnknownKey => {
                "The provider's answer is signed by a key that the provider does not publish. An owner of the \
                 organization should test its single sign-on in the settings."
            }
            Wrong::Forged(_) | Wrong::Elsewhere(_) => {
                "The provider's answer is not one for this server. An owner of the organization should check issuer \
                 and client of its single sign-on."
            }
            Wrong::Time(_) => {
                "The provider's answer is over or not valid yet. Begin again; if it stays so, the clock of the provider \
                 or of this server is wrong."
            }
            Wrong::Nonce => "The provider's answer belongs to another sign-in. Begin again.",
        };
        tracing::warn!(organization = organization.slug, wrong = ?wrong, "single sign-on: a token is refused");
        ApiError::Bad(what.into())
    })?;
    if claims.email.is_none() {
        let more = userinfo(outgoing, &discovery, &redeemed.access_token, &mut claims);
        told(more, organization, "The provider does not say who you are.")?;
    }
    Ok(claims)
}

/// The address by which somebody comes, if the organization takes it.
fn admit(provider: &Provider, claims: &Claims) -> Result<String, ApiError> {
    let Some(email) = claims.email.clone().filter(|e| e.contains('@')) else {
        let what = "The provider does not say your e-mail address: the scope email must be allowed for this server there.";
        return Err(ApiError::Bad(what.into()));
    };
    if !claims.verified {
        return Err(ApiError::Bad(format!(
            "The provider does not say that {email} is verified (email_verified). Verify your address there, then try \
             again."
        )));
    }
    let domain = email.rsplit('@').next().unwrap_or("");
    if !provider.domains.is_empty() && !provider.domains.iter().any(|d| d == domain) {
        return Err(ApiError::Forbidden(format!(
            "This organization does not take addresses of {domain}. Sign in at the provider with another account."
        )));
    }
    Ok(email)
}

/// Finds who comes, or makes them: by what the provider always calls them, once by the address.
fn recognise(
    call: &Call,
    c: &mut dyn Connection,
    organization: &Organization,
    provider: &Provider,
    claims: &Claims,
    email: &str,
) -> Result<User, ApiError> {
    let (org, now) = (organization.id, call.now());
    let gone = || {
        ApiError::Forbidden("This account is not active any more. Ask who administers this server.".into())
    };
    if let Some(known) = sign_on::by_subject(c, org, &provider.issuer, &claims.subject)? {
        let user = people::user(c, known.user_id)?
            .filter(|u| u.is_active)
            .ok_or_else(gone)?;
        sign_on::touch(c, known.id, now)?;
        return Ok(user);
    }
    let role = if let Some(user) = people::user_by_email(c, email)? {
        if !user.is_active {
            return Err(gone());
        }
        let Some(role) = people::role(c, org, user.id)? else {
            // An organization chooses its provider, but not whose account it opens.
            return Err(ApiError::Forbidden(format!(
                "There is an account with {email} that is not in this organization. Ask for an invitation, and accept it \
                 signed in with the password of that account."
            )));
        };
        if sign_on::of_user(c, org, user.id)?.is_some() {
            return Err(ApiError::Forbidden(format!(
                "{email} belongs to a member who is known at the provider as somebody else. An owner of the \
                 organization can undo that link in the settings of its single sign-on."
            )));
        }
        return linked(call, c, org, provider, claims, user, &role);
    } else {
        let invited = members::list(c, org)?
            .into_iter()
            .find(|m: &Membership| m.user.is_none() && m.email() == email);
        if invited.is_none() && !provider.joins {
            return Err(ApiError::Forbidden(format!(
                "Nobody has invited {email} to this organization. Ask one of its managers for an invitation."
            )));
        }
        let id = people::add_user(c, email, &claims.name, "", false, now)?;
        match invited {
            Some(member) => {
                members::accept(c, member.id, id, now)?;
                member.role
            }
            None => {
                people::set_member(c, org, id, &provider.default_role, now)?;
                provider.default_role.clone()
            }
        }
    };
    let user = people::user_by_email(c, email)?.ok_or_else(gone)?;
    call.audit_as(
        c,
        org,
        Some(&user),
        "member.join-sso",
        None,
        &json!({ "email": email, "role": role }),
    )?;
    linked(call, c, org, provider, claims, user, &role)
}

fn linked(
    call: &Call,
    c: &mut dyn Connection,
    org: i64,
    provider: &Provider,
    claims: &Claims,
    user: User,
    role: &str,
) -> Result<User, ApiError> {
    sign_on::link(c, org, user.id, &provider.issuer, &claims.subject, call.now())?;
    let data = json!({ "email": user.email, "role": role, "subject": claims.subject });
    call.audit_as(c, org, Some(&user), "sso-identity.link", None, &data)?;
    Ok(user)
}

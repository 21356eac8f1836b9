//! Logging in and out, and one's own account.

use http::header;
use serde_json::json;
use storage::relational::{accounts, people, sessions};

use super::second_factor;
use crate::access::Proof;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::password::{hash_password, new_secret, verify_password, weak_password};
use crate::{sign_in, views};

/// Opens a session: `{"username", "password"}`; or answers `nextStep`, if the user has a second factor. Only a request that a page of this server can send is taken.
pub fn login(call: &Call) -> Result<Answer, ApiError> {
    call.own_page_only()?;
    let (name, password) = (call.text("username")?, call.text("password")?);
    let now = call.now();
    let mut keys = vec![format!("name {}", name.trim().to_lowercase())];
    keys.extend(call.address.map(|a| format!("address {a}")));
    call.api.attempts.begin(&keys, now).map_err(|seconds| {
        let text = format!("Too many failed logins; try again in {seconds} s.");
        ApiError::TooMany(text, seconds)
    })?;
    let sql = &call.api.stores.sql;
    let user = sql.reading(|c| people::user_by_email(c, &name))?;
    // A hash is compared for unknown names too, so that the time does not tell.
    let stored = user
        .as_ref()
        .map_or_else(|| decoy().to_owned(), |u| u.password.clone());
    let fits = verify_password(&password, &stored);
    let Some(user) = user.filter(|u| fits && u.is_active) else {
        return Err(ApiError::Unauthorized(
            "The e-mail address or the password is wrong.".into(),
        ));
    };
    call.api.attempts.succeeded(&keys);
    if user.has_factor {
        let (ticket, app, keys) = call.change(|c| {
            let app = accounts::app(c, user.id)?.is_some();
            let keys = !accounts::passkeys(c, user.id)?.is_empty();
            Ok((second_factor::begin(call, c, user.id)?, app, keys))
        })?;
        return Ok(Answer::json(json!({
            "nextStep": "second-factor", "ticket": ticket,
            "methods": { "totp": app, "passkey": keys, "recovery": true },
        })));
    }
    let cookie = sql.writing(|c| sign_in::open(call, c, user.id))?;
    Ok(Answer::json(views::people::me(&user)).with(header::SET_COOKIE, cookie))
}

fn decoy() -> &'static str {
    use std::sync::OnceLock;
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY.get_or_init(|| hash_password(&new_secret()).unwrap_or_default())
}

/// The caller.
pub fn me(call: &Call) -> Result<Answer, ApiError> {
    let principal = call.principal()?;
    let mut view = views::people::me(call.user()?);
    if let Proof::Token(scopes) = &principal.proof {
        view["scopes"] = json!(scopes);
    }
    Ok(Answer::json(view))
}

/// Ends the session.
pub fn logout(call: &Call) -> Result<Answer, ApiError> {
    if let Proof::Session(hash) = &call.principal()?.proof {
        call.api.stores.sql.writing(|c| sessions::remove(c, hash))?;
    }
    Ok(Answer::nothing().with(header::SET_COOKIE, sign_in::cookie(call, "", 0)))
}

/// Changes one's name.
pub fn update_me(call: &Call) -> Result<Answer, ApiError> {
    let name = call.text("name")?;
    if name.chars().count() > 200 {
        return Err(ApiError::field("name", "use at most 200 characters"));
    }
    let id = call.user_id()?;
    let user = call.api.stores.sql.writing(|c| {
        people::set_name(c, id, name.trim())?;
        people::user(c, id)
    })?;
    Ok(Answer::json(
        user.as_ref().map(views::people::me).unwrap_or_default(),
    ))
}

/// Changes one's password; every session ends, this one goes on under a new cookie.
pub fn change_password(call: &Call) -> Result<Answer, ApiError> {
    let (current, new) = (call.text("currentPassword")?, call.text("newPassword")?);
    let user = call.user()?;
    let now = call.now();
    if !user.has_password() {
        let what =
            "This account has no password: ask for one with \"Forgot the password?\" on the sign-in page.";
        return Err(ApiError::field("currentPassword", what));
    }
    let keys = vec![format!("password of {}", user.id)];
    call.api.attempts.begin(&keys, now).map_err(|seconds| {
        let text = format!("Too many failed tries; try again in {seconds} s.");
        ApiError::TooMany(text, seconds)
    })?;
    if !verify_password(&current, &user.password) {
        return Err(ApiError::field("currentPassword", "This is not your password."));
    }
    call.api.attempts.succeeded(&keys);
    if let Some(why) = weak_password(&new) {
        return Err(ApiError::field("newPassword", why));
    }
    let hash = hash_password(&new).map_err(ApiError::Internal)?;
    let cookie = call.change(|c| {
        people::set_password(c, user.id, &hash)?;
        sign_in::notice(call, c, user, "The password of your account was changed.")?;
        Ok(sign_in::open(call, c, user.id)?)
    })?;
    Ok(Answer::nothing().with(header::SET_COOKIE, cookie))
}

//! A new password for somebody who forgot theirs, by a link that came by mail.

use serde_json::json;
use storage::mail::compose;
use storage::relational::mails::{self, About};
use storage::relational::people;

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::password::{hash_password, new_secret, token_hash, weak_password};

/// How long a link works, µs.
const LASTS: i64 = 3_600_000_000;

/// Nobody asks more often than this; the answer says when again.
fn throttle(call: &Call, keys: &[String]) -> Result<(), ApiError> {
    call.api.attempts.begin(keys, call.now()).map_err(|seconds| {
        let text = format!("Too many tries; try again in {seconds} s.");
        ApiError::TooMany(text, seconds)
    })
}

/// Sends a link to `{"email"}`. The answer is the same for addresses that nobody has.
pub fn ask(call: &Call) -> Result<Answer, ApiError> {
    if !call.api.sends_mail {
        let what = "This server sends no mail. Its administrator can set a new password with `vedette createuser --force`.";
        return Err(ApiError::Bad(what.into()));
    }
    let email = call.text("email")?.trim().to_lowercase();
    let mut keys = vec![format!("recover {email}")];
    keys.extend(call.address.map(|a| format!("recover from {a}")));
    throttle(call, &keys)?;
    let now = call.now();
    call.api.stores.sql.writing(|c| {
        let Some(user) = people::user_by_email(c, &email)?.filter(|u| u.is_active) else {
            return Ok(());
        };
        let token = new_secret();
        mails::add_reset(c, &token_hash(&token), user.id, now + LASTS)?;
        let mail = compose::password_reset(&user.email, &call.api.links.reset(&token));
        let about = About {
            user: Some(user.id),
            project: None,
        };
        mails::add(c, &format!("reset {}", token_hash(&token)), about, &mail, now)?;
        Ok(())
    })?;
    Ok(Answer::json(json!({
        "detail": "If somebody has this address, a link is on its way to it."
    })))
}

/// Sets the password: `{"token", "password"}`. The link ends, and so does every session.
pub fn confirm(call: &Call) -> Result<Answer, ApiError> {
    let (token, password) = (call.text("token")?, call.text("password")?);
    let keys: Vec<String> = call
        .address
        .map(|a| format!("reset from {a}"))
        .into_iter()
        .collect();
    throttle(call, &keys)?;
    let hash = token_hash(&token);
    let now = call.now();
    let user = call.api.stores.sql.reading(|c| mails::reset_of(c, &hash, now))?;
    let Some(user) = user else {
        let what = "This link is over or was used. Ask for another.";
        return Err(ApiError::field("token", what));
    };
    if let Some(why) = weak_password(&password) {
        return Err(ApiError::field("password", why));
    }
    let new = hash_password(&password).map_err(ApiError::Internal)?;
    call.api.stores.sql.writing(|c| {
        mails::end_resets(c, user)?;
        people::set_password(c, user, &new)?;
        // Who has the link has the address.
        match people::user(c, user)? {
            Some(user) if !user.is_verified && call.api.sends_mail => {
                people::set_email(c, user.id, &user.email, true)
            }
            _ => Ok(()),
        }
    })?;
    call.api.attempts.succeeded(&keys);
    Ok(Answer::nothing())
}

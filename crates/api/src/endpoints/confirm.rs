//! Showing once more who one is, before a dangerous act.

use storage::relational::sessions;

use super::{passkeys, second_factor};
use crate::access::Proof;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::password::verify_password;
use crate::views;

/// Takes `{"password"}`, `{"code"}` of the app or for recovery, or `{"ticket", "credential"}` of a passkey.
pub fn confirm(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let (user, now) = (call.user()?, call.now());
    let Proof::Session(hash) = &call.principal()?.proof else {
        return Err(ApiError::Forbidden("This needs a login in the browser.".into()));
    };
    if body.contains_key("credential") {
        call.change(|c| {
            let shown = passkeys::shown(call, c)?;
            if shown.id != user.id {
                return Err(ApiError::field(
                    "credential",
                    "This is the passkey of another account.",
                ));
            }
            Ok(sessions::confirm(c, hash, now)?)
        })?;
        return Ok(Answer::json(views::people::me(user)));
    }
    if body.contains_key("code") {
        let code = call.text("code")?;
        let keys = second_factor::throttle(call, user.id)?;
        call.change(|c| {
            if !second_factor::take(call, c, user.id, &code)? {
                return Err(ApiError::field("code", "This code is wrong or was used already."));
            }
            Ok(sessions::confirm(c, hash, now)?)
        })?;
        call.api.attempts.succeeded(&keys);
        return Ok(Answer::json(views::people::me(user)));
    }
    let password = call.text("password")?;
    if !user.has_password() {
        let what = "This account has no password: sign in once more the way you did.";
        return Err(ApiError::field("password", what));
    }
    let keys = vec![format!("password of {}", user.id)];
    call.api.attempts.begin(&keys, now).map_err(|seconds| {
        let text = format!("Too many failed tries; try again in {seconds} s.");
        ApiError::TooMany(text, seconds)
    })?;
    if !verify_password(&password, &user.password) {
        return Err(ApiError::field("password", "This is not your password."));
    }
    call.api.attempts.succeeded(&keys);
    call.api.stores.sql.writing(|c| sessions::confirm(c, hash, now))?;
    Ok(Answer::json(views::people::me(user)))
}

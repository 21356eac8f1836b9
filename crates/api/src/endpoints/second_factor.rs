//! The second step of a sign-in: a code of the app, or a recovery code.

use http::header;
use storage::relational::{accounts, people};
use storage::sql::Connection;

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::factors::codes;
use crate::password::{new_secret, token_hash};
use crate::{sign_in, views};

/// What a sign-in that waits is called among ceremonies.
const KIND: &str = "second-factor";
/// How long it waits, µs.
const LASTS: i64 = 600_000_000;

/// Begins to wait; answers what the second step shows.
pub fn begin(call: &Call, c: &mut dyn Connection, user: i64) -> Result<String, ApiError> {
    let ticket = new_secret();
    let until = call.now() + LASTS;
    accounts::begin(c, &token_hash(&ticket), KIND, Some(user), "", until)?;
    Ok(ticket)
}

/// Makes wrong codes of a user cost time; answers what [`crate::access::Attempts::succeeded`] takes.
pub fn throttle(call: &Call, user: i64) -> Result<Vec<String>, ApiError> {
    let keys = vec![format!("code of {user}")];
    call.api.attempts.begin(&keys, call.now()).map_err(|seconds| {
        let text = format!("Too many wrong codes; try again in {seconds} s.");
        ApiError::TooMany(text, seconds)
    })?;
    Ok(keys)
}

/// Takes a code of a user's app or a recovery code, each of which is good once; whether it was one.
pub fn take(call: &Call, c: &mut dyn Connection, user: i64, code: &str) -> Result<bool, ApiError> {
    let code: String = code.split_whitespace().collect();
    let now = call.now();
    if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
        let Some(app) = accounts::app(c, user)? else {
            return Ok(false);
        };
        let secret = call.api.seal.open("totp", &app.secret);
        let secret = secret.ok_or_else(|| {
            let what = "The secret of the app cannot be opened: the secret key of this installation is another \
                        than before. Use a recovery code or a passkey.";
            ApiError::Bad(what.into())
        })?;
        let time = u64::try_from(now / 1_000_000).unwrap_or(0);
        return Ok(match codes::step(&secret, &code, time) {
            Some(step) => accounts::use_step(c, user, step, now)?,
            None => false,
        });
    }
    Ok(accounts::use_code(c, user, &codes::recovery_hash(user, &code))?)
}

/// Ends a sign-in: `{"ticket", "code"}`.
pub fn finish(call: &Call) -> Result<Answer, ApiError> {
    call.own_page_only()?;
    let (ticket, code) = (token_hash(&call.text("ticket")?), call.text("code")?);
    let now = call.now();
    let over = || ApiError::Unauthorized("This sign-in took too long: begin again.".into());
    let sql = &call.api.stores.sql;
    let begun = sql.reading(|c| accounts::begun(c, &ticket, KIND, now))?;
    let user = begun.and_then(|b| b.user).ok_or_else(over)?;
    let keys = throttle(call, user)?;
    let (user, cookie) = call.change(|c| {
        let user = people::user(c, user)?.filter(|u| u.is_active).ok_or_else(over)?;
        if !take(call, c, user.id, &code)? {
            return Err(ApiError::field("code", "This code is wrong or was used already."));
        }
        accounts::take(c, &ticket, KIND, now)?.ok_or_else(over)?;
        let cookie = sign_in::open(call, c, user.id)?;
        Ok((user, cookie))
    })?;
    call.api.attempts.succeeded(&keys);
    Ok(Answer::json(views::people::me(&user)).with(header::SET_COOKIE, cookie))
}

//! Signing in with a passkey: which one, and so who, is known when the browser answers.

use http::header;
use serde_json::{Value, json};
use storage::relational::accounts;
use storage::relational::people::{self, User};
use storage::sql::Connection;

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::factors::passkeys::{Party, Used};
use crate::password::{new_secret, token_hash};
use crate::{sign_in, views};

/// What a sign-in that waits for the browser is called among ceremonies.
const KIND: &str = "passkey-use";
/// How long it waits, µs.
const LASTS: i64 = 300_000_000;

/// The party of this installation.
pub fn party(call: &Call) -> Result<Party, ApiError> {
    Party::of(&call.api.url).map_err(|why| ApiError::Bad(format!("Passkeys do not work here: {why}.")))
}

/// What to ask the browser: `{"ticket", "publicKey"}`.
pub fn begin(call: &Call) -> Result<Answer, ApiError> {
    call.own_page_only()?;
    if let Some(address) = call.address {
        // Each waiting sign-in is a row: nobody makes many.
        let key = format!("passkey from {address}");
        call.api.attempts.pace(&key, 60, call.now()).map_err(|seconds| {
            let text = format!("Too many sign-ins are begun; try again in {seconds} s.");
            ApiError::TooMany(text, seconds)
        })?;
    }
    let begun = party(call)?.begin_using().map_err(ApiError::Internal)?;
    let ticket = new_secret();
    let until = call.now() + LASTS;
    call.api
        .stores
        .sql
        .writing(|c| accounts::begin(c, &token_hash(&ticket), KIND, None, &begun.state, until))?;
    Ok(Answer::json(
        json!({ "ticket": ticket, "publicKey": begun.options }),
    ))
}

fn wrong(why: &str) -> ApiError {
    tracing::info!(why, "a passkey was refused");
    ApiError::Unauthorized("This passkey is not known here, or its answer is wrong.".into())
}

/// Whose passkey the body's answer is: `{"ticket", "credential"}`. The ticket is good once.
pub fn shown(call: &Call, c: &mut dyn Connection) -> Result<User, ApiError> {
    let ticket = token_hash(&call.text("ticket")?);
    let body = call.json()?;
    let answer = body.get("credential").unwrap_or(&Value::Null);
    let now = call.now();
    let begun = accounts::take(c, &ticket, KIND, now)?
        .ok_or_else(|| ApiError::Unauthorized("This sign-in took too long: begin again.".into()))?;
    let used = Used::read(answer).map_err(|e| wrong(&e))?;
    let key = accounts::passkey_by(c, &used.credential())?.ok_or_else(|| wrong("no such key"))?;
    let changed = party(call)?
        .finish_using(&begun.state, &used, &key)
        .map_err(|e| wrong(&e))?;
    accounts::use_passkey(c, key.id, &changed, now)?;
    let user = people::user(c, key.user_id)?.filter(|u| u.is_active);
    user.ok_or_else(|| wrong("its user may not log in"))
}

/// Opens a session for who has the passkey.
pub fn finish(call: &Call) -> Result<Answer, ApiError> {
    call.own_page_only()?;
    let (user, cookie) = call.change(|c| {
        let user = shown(call, c)?;
        let cookie = sign_in::open(call, c, user.id)?;
        Ok((user, cookie))
    })?;
    Ok(Answer::json(views::people::me(&user)).with(header::SET_COOKIE, cookie))
}

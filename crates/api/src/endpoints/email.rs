//! Whether an address is its user's, and changing it.

use serde_json::json;
use storage::mail::compose;
use storage::relational::mails::{self, About};
use storage::relational::{accounts, people};
use storage::sql::Connection;

use super::members::check_email;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::password::{new_secret, token_hash};
use crate::sign_in::notice;
use crate::views;

/// What an address that waits to be confirmed is called among ceremonies.
const KIND: &str = "verify-email";
/// How long a link works, µs.
const LASTS: i64 = 3 * 86_400_000_000;

/// Mails a link to an address; who opens it has the address.
pub fn send(call: &Call, c: &mut dyn Connection, user: i64, email: &str) -> Result<(), ApiError> {
    let token = new_secret();
    let (hash, now) = (token_hash(&token), call.now());
    accounts::forget(c, user, KIND)?;
    accounts::begin(c, &hash, KIND, Some(user), email, now + LASTS)?;
    let mail = compose::verification(email, &call.api.links.verification(&token));
    let about = About {
        user: Some(user),
        project: None,
    };
    mails::add(c, &format!("verification {hash}"), about, &mail, now)?;
    Ok(())
}

fn pace(call: &Call, user: i64) -> Result<(), ApiError> {
    let key = format!("verification of {user}");
    call.api.attempts.pace(&key, 5, call.now()).map_err(|seconds| {
        let text = format!("A link was sent a moment ago; try again in {seconds} s.");
        ApiError::TooMany(text, seconds)
    })
}

/// Sends the link for one's own address once more.
pub fn ask(call: &Call) -> Result<Answer, ApiError> {
    let user = call.user()?;
    if user.is_verified {
        return Err(ApiError::Bad("Your address is verified already.".into()));
    }
    if !call.api.sends_mail {
        let what = "This server sends no mail: an administrator can mark your address as verified.";
        return Err(ApiError::Bad(what.into()));
    }
    pace(call, user.id)?;
    call.change(|c| send(call, c, user.id, &user.email))?;
    Ok(Answer::json(
        json!({ "detail": format!("A link is on its way to {}.", user.email) }),
    ))
}

const TAKEN: &str = "another account has this address";

/// Changes one's address: `{"email"}`. Where mail is sent, it changes when the link is opened that goes to the new
/// address; elsewhere at once.
pub fn change(call: &Call) -> Result<Answer, ApiError> {
    let user = call.user()?;
    let email = check_email("email", &call.text("email")?)?;
    if email == user.email {
        return Err(ApiError::field("email", "This is your address already."));
    }
    pace(call, user.id)?;
    let waits = call.api.sends_mail;
    call.change(|c| {
        if people::user_by_email(c, &email)?.is_some() {
            return Err(ApiError::field("email", TAKEN));
        }
        if waits {
            return send(call, c, user.id, &email);
        }
        Ok(people::set_email(c, user.id, &email, false)?)
    })?;
    Ok(Answer::json(json!({
        "waiting": waits,
        "detail": if waits {
            format!("Open the link that is on its way to {email}; until then everything stays as it is.")
        } else {
            format!("Your address is {email} now.")
        },
    })))
}

/// Takes the token of a link: `{"token"}`.
pub fn verify(call: &Call) -> Result<Answer, ApiError> {
    call.own_page_only()?;
    let hash = token_hash(&call.text("token")?);
    let now = call.now();
    let user = call.change(|c| {
        let over = || ApiError::field("token", "This link is over or was used. Ask for another.");
        let begun = accounts::take(c, &hash, KIND, now)?.ok_or_else(over)?;
        let user = begun.user.ok_or_else(over)?;
        let user = people::user(c, user)?.filter(|u| u.is_active).ok_or_else(over)?;
        if begun.state != user.email {
            if people::user_by_email(c, &begun.state)?.is_some() {
                return Err(ApiError::field("token", TAKEN));
            }
            let what = format!("The address of your account is {} now.", begun.state);
            notice(call, c, &user, &what)?;
        }
        people::set_email(c, user.id, &begun.state, true)?;
        people::user(c, user.id)?.ok_or_else(over)
    })?;
    Ok(Answer::json(
        json!({ "email": views::people::me(&user)["email"] }),
    ))
}

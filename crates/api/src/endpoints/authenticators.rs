//! One's own second factors: `totp` (an app that shows codes), `recovery` (codes for emergencies) and `u2f`
//! (passkeys), in Sentry's shapes.

use serde_json::{Map, Value, json};
use storage::relational::accounts::{self, App, Passkey};
use storage::relational::{people, sessions};
use storage::sql::Connection;

use super::passkeys::party;
use crate::access::Proof;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::factors::codes;
use crate::factors::passkeys::Party;
use crate::password::{new_secret, token_hash};
use crate::sign_in::notice;
use crate::views::{time, time_opt};

/// What the making of an app and of a passkey are called among ceremonies.
const APP: &str = "totp-enroll";
const PASSKEY: &str = "passkey-make";
/// How long they wait, µs.
const LASTS: i64 = 600_000_000;
/// Passkeys of a user.
const MOST: usize = 20;

/// The factors of a user as they are kept.
struct Own {
    app: Option<App>,
    codes: i64,
    passkeys: Vec<Passkey>,
}

fn own(c: &mut dyn Connection, user: i64) -> Result<Own, ApiError> {
    Ok(Own {
        app: accounts::app(c, user)?,
        codes: accounts::count_codes(c, user)?,
        passkeys: accounts::passkeys(c, user)?,
    })
}

const FACTORS: [&str; 3] = ["totp", "u2f", "recovery"];

fn view(call: &Call, factor: &str, own: &Own) -> Value {
    let (name, description) = match factor {
        "totp" => (
            "Authenticator App",
            "An app on your phone or computer shows a code that changes every 30 seconds.",
        ),
        "u2f" => (
            "Passkeys",
            "A key in your device or password manager, or a security key: signs you in without a password.",
        ),
        _ => (
            "Recovery Codes",
            "Codes to keep on paper: each lets you in once if the other factors are lost.",
        ),
    };
    let (enrolled, created, used) = match factor {
        "totp" => (
            own.app.is_some(),
            own.app.as_ref().map(|a| a.date_added),
            own.app.as_ref().and_then(|a| a.last_used),
        ),
        "u2f" => (
            !own.passkeys.is_empty(),
            own.passkeys.first().map(|p| p.date_added),
            own.passkeys.iter().filter_map(|p| p.last_used).max(),
        ),
        _ => (own.codes > 0, None, None),
    };
    let off = match factor {
        "u2f" => Party::of(&call.api.url).err(),
        _ => None,
    };
    let device = |p: &Passkey| {
        json!({
            "id": p.id.to_string(), "name": p.name, "timestamp": time(p.date_added),
            "dateCreated": time(p.date_added), "lastUsed": time_opt(p.last_used),
        })
    };
    json!({
        "id": factor, "authId": enrolled.then_some(factor), "name": name, "description": description,
        "isEnrolled": enrolled, "isBackup": factor == "recovery", "allowMultiEnrollment": factor == "u2f",
        "allowRotationInPlace": factor != "u2f", "disallowNewEnrollment": off.is_some(),
        "rotationWarning": null, "status": "", "configureButton": "Info", "enrollButton": "Add",
        "removeButton": (factor != "recovery").then_some("Remove"),
        "createdAt": time_opt(created), "lastUsedAt": time_opt(used), "unavailable": off,
        "codesLeft": (factor == "recovery").then_some(own.codes),
        "devices": own.passkeys.iter().filter(|_| factor == "u2f").map(device).collect::<Vec<_>>(),
    })
}

/// Every factor, whether it is set up or not.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let user = call.user_id()?;
    let own = call.api.stores.sql.reading(|c| Ok(own(c, user)))??;
    let views: Vec<Value> = FACTORS.iter().map(|f| view(call, f, &own)).collect();
    Ok(Answer::json(views))
}

fn factor(call: &Call) -> Result<&'static str, ApiError> {
    let found = FACTORS.iter().find(|f| **f == call.param("factor"));
    found.copied().ok_or_else(|| ApiError::missing("Authenticator"))
}

fn one(call: &Call, more: Map<String, Value>) -> Result<Value, ApiError> {
    let (factor, user) = (factor(call)?, call.user_id()?);
    let own = call.api.stores.sql.reading(|c| Ok(own(c, user)))??;
    let mut view = view(call, factor, &own);
    if let Some(view) = view.as_object_mut() {
        view.extend(more);
    }
    Ok(view)
}

/// One factor.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    one(call, Map::new()).map(Answer::json)
}

/// What is needed to set a factor up: secret and picture for an app, what to ask the browser for a passkey.
pub fn begin(call: &Call) -> Result<Answer, ApiError> {
    let user = call.user()?;
    let ticket = new_secret();
    let (kind, state, more) = match factor(call)? {
        "totp" => {
            let secret = codes::secret();
            let host = call.api.url.split_once("://").map_or("", |(_, rest)| rest);
            let uri = codes::uri(&secret, host, &user.email);
            let sealed = call.api.seal.close("totp", &secret).map_err(ApiError::Internal)?;
            let more = json!({
                "secret": codes::spelled(&secret), "uri": uri, "qrcode": codes::picture(&uri),
                "form": [{ "name": "otp", "type": "string", "label": "Code", "required": true }],
            });
            (APP, sealed, more)
        }
        "u2f" => {
            let keys = call.api.stores.sql.reading(|c| accounts::passkeys(c, user.id))?;
            if keys.len() >= MOST {
                let what = format!("An account has at most {MOST} passkeys: remove one first.");
                return Err(ApiError::Bad(what));
            }
            let name = if user.name.is_empty() {
                &user.email
            } else {
                &user.name
            };
            let begun = party(call)?
                .begin_making(&user.email, name, &keys)
                .map_err(ApiError::Internal)?;
            (PASSKEY, begun.state, json!({ "publicKey": begun.options }))
        }
        _ => return Err(ApiError::Bad("Recovery codes come with another factor.".into())),
    };
    let until = call.now() + LASTS;
    call.api.stores.sql.writing(|c| {
        accounts::forget(c, user.id, kind)?;
        accounts::begin(c, &token_hash(&ticket), kind, Some(user.id), &state, until)
    })?;
    let mut more = more.as_object().cloned().unwrap_or_default();
    more.insert("ticket".into(), json!(ticket));
    one(call, more).map(Answer::json)
}

/// Ends what [`begin`] began: `{"ticket", "otp"}` or `{"ticket", "credential", "name"?}`. The first factor brings
/// recovery codes, which are shown in the answer alone, and ends the user's other sessions.
pub fn enroll(call: &Call) -> Result<Answer, ApiError> {
    let factor = factor(call)?;
    let (user, now) = (call.user()?, call.now());
    let body = call.json()?;
    let ticket = token_hash(&call.text("ticket")?);
    let late = || ApiError::Bad("This took too long: begin again.".into());
    let fresh = codes::recovery();
    let given = call.change(|c| {
        let before = own(c, user.id)?;
        if factor == "totp" {
            let code: String = call.text("otp")?.split_whitespace().collect();
            // A code that is mistyped is typed again.
            let begun = accounts::begun(c, &ticket, APP, now)?.filter(|b| b.user == Some(user.id));
            let begun = begun.ok_or_else(late)?;
            let secret = call.api.seal.open("totp", &begun.state).ok_or_else(late)?;
            let step = codes::step(&secret, &code, u64::try_from(now / 1_000_000).unwrap_or(0));
            let step = step.ok_or_else(|| {
                ApiError::field(
                    "otp",
                    "This code is wrong. If it stays so, compare the clocks of phone and server.",
                )
            })?;
            accounts::take(c, &ticket, APP, now)?.ok_or_else(late)?;
            accounts::set_app(c, user.id, &begun.state, step, now)?;
            notice(call, c, user, "An authenticator app was set up for your account.")?;
        } else {
            let begun = accounts::take(c, &ticket, PASSKEY, now)?.filter(|b| b.user == Some(user.id));
            let begun = begun.ok_or_else(late)?;
            let answer = body.get("credential").unwrap_or(&Value::Null);
            let mut key = party(call)?.finish_making(&begun.state, answer).map_err(|why| {
                ApiError::field("credential", format!("The browser's answer is wrong: {why}"))
            })?;
            if accounts::passkey_by(c, &key.credential)?.is_some() {
                return Err(ApiError::field("credential", "This passkey is known already."));
            }
            key.user_id = user.id;
            key.date_added = now;
            key.name = label(&body)?.unwrap_or_else(|| format!("Passkey {}", before.passkeys.len() + 1));
            accounts::add_passkey(c, &key)?;
            notice(call, c, user, "A passkey was added to your account.")?;
        }
        if user.has_factor || before.codes > 0 {
            return Ok(false);
        }
        accounts::set_codes(c, user.id, &hashes(user.id, &fresh))?;
        if let Proof::Session(hash) = &call.principal()?.proof {
            sessions::remove_others(c, user.id, hash)?;
        }
        Ok(true)
    })?;
    let mut more = Map::new();
    if given {
        more.insert("codes".into(), json!(fresh));
    }
    one(call, more).map(Answer::json)
}

fn hashes(user: i64, codes: &[String]) -> Vec<String> {
    codes
        .iter()
        .map(|code| codes::recovery_hash(user, code))
        .collect()
}

/// New recovery codes in place of the old ones; they are shown in the answer alone.
pub fn renew(call: &Call) -> Result<Answer, ApiError> {
    let user = call.user()?;
    if factor(call)? != "recovery" {
        return Err(ApiError::Bad(
            "Only recovery codes are made anew like this.".into(),
        ));
    }
    if !user.has_factor {
        return Err(ApiError::Bad("Set up an app or a passkey first.".into()));
    }
    let fresh = codes::recovery();
    call.change(|c| {
        accounts::set_codes(c, user.id, &hashes(user.id, &fresh))?;
        notice(
            call,
            c,
            user,
            "New recovery codes were made for your account; the old ones no longer work.",
        )
    })?;
    one(call, Map::from_iter([("codes".into(), json!(fresh))])).map(Answer::json)
}

/// Without a factor nothing is left to recover, and organizations that ask for one are closed to their last owner.
fn after_removal(call: &Call, c: &mut dyn Connection) -> Result<(), ApiError> {
    let user = call.user_id()?;
    let left = people::user(c, user)?.is_some_and(|u| u.has_factor);
    if left {
        return Ok(());
    }
    for organization in people::organizations_of(c, user)? {
        if organization.settings.get("require2FA") == Some(&Value::Bool(true)) {
            let what = format!(
                "{} asks for a second factor: set up another before you remove the last one.",
                organization.name
            );
            return Err(ApiError::Forbidden(what));
        }
    }
    accounts::remove_factors(c, user)?;
    Ok(())
}

/// Takes a factor away.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let user = call.user()?;
    let factor = factor(call)?;
    call.change(|c| {
        match factor {
            "totp" => {
                if !accounts::remove_app(c, user.id)? {
                    return Err(ApiError::missing("Authenticator"));
                }
                notice(
                    call,
                    c,
                    user,
                    "The authenticator app was removed from your account.",
                )?;
            }
            "u2f" => {
                for key in accounts::passkeys(c, user.id)? {
                    accounts::remove_passkey(c, user.id, key.id)?;
                }
                notice(call, c, user, "All passkeys were removed from your account.")?;
            }
            _ => return Err(ApiError::Bad("Recovery codes go with the last factor.".into())),
        }
        after_removal(call, c)
    })?;
    Ok(Answer::nothing())
}

fn label(body: &Map<String, Value>) -> Result<Option<String>, ApiError> {
    let name = body.get("name").and_then(Value::as_str).unwrap_or("").trim();
    if name.chars().count() > 64 {
        return Err(ApiError::field("name", "a name has at most 64 characters"));
    }
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

fn device(call: &Call) -> Result<i64, ApiError> {
    if factor(call)? != "u2f" {
        return Err(ApiError::missing("Device"));
    }
    call.number("device", "Device")
}

/// Calls a passkey by another name: `{"name"}`.
pub fn name(call: &Call) -> Result<Answer, ApiError> {
    let (user, id) = (call.user_id()?, device(call)?);
    let name = label(&call.json()?)?.ok_or_else(|| ApiError::field("name", "This field is required."))?;
    let found = call
        .api
        .stores
        .sql
        .writing(|c| accounts::name_passkey(c, user, id, &name))?;
    if !found {
        return Err(ApiError::missing("Device"));
    }
    Ok(Answer::nothing())
}

/// Takes one passkey away.
pub fn remove_device(call: &Call) -> Result<Answer, ApiError> {
    let (user, id) = (call.user()?, device(call)?);
    call.change(|c| {
        if !accounts::remove_passkey(c, user.id, id)? {
            return Err(ApiError::missing("Device"));
        }
        notice(call, c, user, "A passkey was removed from your account.")?;
        after_removal(call, c)
    })?;
    Ok(Answer::nothing())
}

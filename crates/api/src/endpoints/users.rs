//! The accounts of the installation, for its administrators.

use serde_json::{Map, Value, json};
use storage::mail::compose;
use storage::relational::mails::{self, About};
use storage::relational::people::{self, User};
use storage::relational::{accounts, members};
use storage::sql::Connection;

use super::members::check_email;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::{offset, paged};
use crate::password::{new_secret, token_hash};
use crate::sign_in::notice;
use crate::views;

/// How long a link to a first or new password works that an administrator hands out, µs.
const LASTS: i64 = 3 * 86_400_000_000;

fn view(c: &mut dyn Connection, user: &User) -> Result<Value, ApiError> {
    let mut view = views::people::member(user);
    let mut all = Vec::new();
    for organization in people::organizations_of(c, user.id)? {
        let role = people::role(c, organization.id, user.id)?;
        all.push(json!({ "slug": organization.slug, "name": organization.name, "role": role }));
    }
    view["organizations"] = Value::Array(all);
    Ok(view)
}

/// The accounts, the newest first; `query` is a part of name or address.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let (limit, from) = (call.limit(50)?, offset(call)?);
    let part = call.value("query").unwrap_or("").trim();
    let views = call.api.stores.sql.reading(|c| {
        let users = people::users(c, part, from, limit + 1)?;
        Ok(users
            .iter()
            .map(|u| view(c, u))
            .collect::<Result<Vec<_>, ApiError>>())
    })??;
    let more = views.len() > limit;
    let shown: Vec<Value> = views.into_iter().take(limit).collect();
    Ok(paged(Answer::json(shown), call, from, limit, more))
}

fn find(call: &Call, c: &mut dyn Connection) -> Result<User, ApiError> {
    let id = call.number("user", "User")?;
    people::user(c, id)?.ok_or_else(|| ApiError::missing("User"))
}

/// One account.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let view = call
        .api
        .stores
        .sql
        .reading(|c| Ok(find(call, c).and_then(|u| view(c, &u))))??;
    Ok(Answer::json(view))
}

fn name(body: &Map<String, Value>) -> Result<Option<String>, ApiError> {
    let Some(name) = body.get("name") else {
        return Ok(None);
    };
    let name = name.as_str().unwrap_or("").trim();
    if name.chars().count() > 200 {
        return Err(ApiError::field("name", "use at most 200 characters"));
    }
    Ok(Some(name.to_owned()))
}

fn flag(body: &Map<String, Value>, name: &str) -> Result<Option<bool>, ApiError> {
    match body.get(name) {
        None => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(*on)),
        Some(_) => Err(ApiError::field(name, "expected true or false")),
    }
}

/// Says in the audit log of each organization of a user what was done with the account.
fn audit(call: &Call, c: &mut dyn Connection, event: &str, user: &User) -> Result<(), ApiError> {
    for organization in people::organizations_of(c, user.id)? {
        let data = json!({ "email": user.email });
        call.audit_in(c, organization.id, event, Some(user.id), &data)?;
    }
    let by = call.user()?.email.clone();
    tracing::info!(by, event, user = user.id, "an account was changed");
    Ok(())
}

/// A link by which a user chooses a password; mailed as well where mail is sent.
fn link(call: &Call, c: &mut dyn Connection, user: &User) -> Result<String, ApiError> {
    let (token, now) = (new_secret(), call.now());
    let hash = token_hash(&token);
    mails::add_reset(c, &hash, user.id, now + LASTS)?;
    let url = call.api.links.reset(&token);
    if call.api.sends_mail {
        let about = About {
            user: Some(user.id),
            project: None,
        };
        let mail = compose::first_password(&user.email, &url);
        mails::add(c, &format!("reset {hash}"), about, &mail, now)?;
    }
    Ok(url)
}

/// Makes an account: `{"email", "name"?, "isSuperuser"?}`. The answer has a link to choose the password by.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let email = check_email("email", &call.text("email")?)?;
    let (name, superuser) = (name(&body)?.unwrap_or_default(), flag(&body, "isSuperuser")?);
    let now = call.now();
    let view = call.change(|c| {
        if people::user_by_email(c, &email)?.is_some() {
            return Err(ApiError::field("email", "another account has this address"));
        }
        let id = people::add_user(c, &email, &name, "", superuser.unwrap_or(false), now)?;
        let user = people::user(c, id)?.ok_or_else(|| ApiError::missing("User"))?;
        let link = link(call, c, &user)?;
        let mut view = view(c, &user)?;
        view["passwordLink"] = json!(link);
        Ok(view)
    })?;
    Ok(Answer::created(view))
}

/// Somebody who administers the installation and may log in is left.
fn administered(c: &mut dyn Connection) -> Result<(), ApiError> {
    if people::count_superusers(c)? == 0 {
        let what = "This is the last administrator of the installation: make somebody else one first.";
        return Err(ApiError::Forbidden(what.into()));
    }
    Ok(())
}

/// Changes an account: `{"name"?, "email"?, "isActive"?, "isSuperuser"?, "isVerified"?}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let name = name(&body)?;
    let email = match body.get("email").and_then(Value::as_str) {
        Some(email) => Some(check_email("email", email)?),
        None => None,
    };
    let (active, superuser) = (flag(&body, "isActive")?, flag(&body, "isSuperuser")?);
    let verified = flag(&body, "isVerified")?;
    let view = call.change(|c| {
        let user = find(call, c)?;
        if let Some(name) = &name {
            people::set_name(c, user.id, name)?;
        }
        if email.is_some() || verified.is_some() {
            let email = email.as_ref().unwrap_or(&user.email);
            let other = people::user_by_email(c, email)?;
            if other.is_some_and(|o| o.id != user.id) {
                return Err(ApiError::field("email", "another account has this address"));
            }
            people::set_email(c, user.id, email, verified.unwrap_or(user.is_verified))?;
        }
        if active.is_some() || superuser.is_some() {
            let (active, superuser) = (
                active.unwrap_or(user.is_active),
                superuser.unwrap_or(user.is_superuser),
            );
            people::set_standing(c, user.id, active, superuser)?;
            administered(c)?;
            if active != user.is_active {
                let event = if active { "user.enable" } else { "user.disable" };
                audit(call, c, event, &user)?;
            }
        }
        let user = find(call, c)?;
        view(c, &user)
    })?;
    Ok(Answer::json(view))
}

/// Removes an account: who it was is forgotten, what they wrote stays without a name.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    call.change(|c| {
        let user = find(call, c)?;
        if user.id == call.user_id()? {
            return Err(ApiError::Forbidden(
                "This is your own account: another administrator has to remove it.".into(),
            ));
        }
        for organization in people::organizations_of(c, user.id)? {
            people::hold(c, organization.id)?;
            let owner = people::role(c, organization.id, user.id)?.as_deref() == Some("owner");
            if owner && members::count_owners(c, organization.id)? == 1 {
                let what = format!(
                    "This is the only owner of {}: make somebody else one first.",
                    organization.slug
                );
                return Err(ApiError::Forbidden(what));
            }
        }
        audit(call, c, "user.remove", &user)?;
        people::erase(c, user.id)?;
        administered(c)
    })?;
    Ok(Answer::nothing())
}

/// A link to a new password, for somebody who cannot ask for it by mail.
pub fn reset_password(call: &Call) -> Result<Answer, ApiError> {
    let link = call.change(|c| {
        let user = find(call, c)?;
        if !user.is_active {
            return Err(ApiError::Bad("This account is disabled: enable it first.".into()));
        }
        audit(call, c, "user.reset-password", &user)?;
        link(call, c, &user)
    })?;
    Ok(Answer::json(json!({ "passwordLink": link })))
}

/// Takes every second factor away, for somebody who lost them.
pub fn remove_factors(call: &Call) -> Result<Answer, ApiError> {
    call.change(|c| {
        let user = find(call, c)?;
        accounts::remove_factors(c, user.id)?;
        audit(call, c, "user.remove-2fa", &user)?;
        notice(
            call,
            c,
            &user,
            "An administrator removed the second factors of your account.",
        )
    })?;
    Ok(Answer::nothing())
}

/// Signs somebody out everywhere.
pub fn end_sessions(call: &Call) -> Result<Answer, ApiError> {
    call.change(|c| {
        let user = find(call, c)?;
        Ok(storage::relational::sessions::remove_others(c, user.id, "")?)
    })?;
    Ok(Answer::nothing())
}

//! Accepting an invitation by its link, with or without an account.

use http::header;
use serde_json::{Value, json};
use storage::relational::members::{self, Invitation, Membership};
use storage::relational::people::{self, Organization, User};
use storage::sql::Connection;

use crate::access::{Principal, Proof};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::password::{hash_password, token_hash, weak_password};
use crate::sign_in;

/// An invitation whose link is right, with the user of its address.
struct Open {
    organization: Organization,
    member: Membership,
    invitation: Invitation,
    known: Option<User>,
}

/// Finds the invitation of the path. Whoever does not have the whole link learns nothing.
fn find(call: &Call, c: &mut dyn Connection) -> Result<Open, ApiError> {
    let missing = || ApiError::missing("Invitation");
    let organization = people::organization_by(c, call.param("org"))?.ok_or_else(missing)?;
    let id = call.param("member").parse().unwrap_or(0);
    let member = members::find(c, organization.id, id)?.ok_or_else(missing)?;
    let invitation = member.invitation.clone().ok_or_else(missing)?;
    if invitation.token_hash.is_empty() || invitation.token_hash != token_hash(call.param("token")) {
        return Err(missing());
    }
    if invitation.expires <= call.now() {
        return Err(ApiError::Bad(
            "This invitation is over: ask for a new one.".into(),
        ));
    }
    let known = people::user_by_email(c, &invitation.email)?;
    Ok(Open {
        organization,
        member,
        invitation,
        known,
    })
}

/// The user of the browser; a token accepts nothing, nor does who another organization vouches for.
fn visitor(call: &Call) -> Option<&User> {
    match &call.principal {
        Some(Principal {
            user: Some(user),
            proof: Proof::Session(_),
            only_in: None,
            ..
        }) => Some(user),
        _ => None,
    }
}

/// Whether who accepts has to set up a second factor before the organization lets them in.
fn needs_factor(call: &Call, organization: &Organization) -> bool {
    let asks = organization.settings.get("require2FA") == Some(&Value::Bool(true));
    asks && !visitor(call).is_some_and(|u| u.has_factor)
}

/// What an invitation is for, and what accepting it takes.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let (open, inside) = call.api.stores.sql.reading(|c| {
        Ok(find(call, c).and_then(|open| {
            let inside = match visitor(call) {
                Some(user) => people::role(c, open.organization.id, user.id)?.is_some(),
                None => false,
            };
            Ok((open, inside))
        }))
    })??;
    Ok(Answer::json(json!({
        "orgSlug": open.organization.slug, "organization": {
            "slug": open.organization.slug, "name": open.organization.name,
        },
        "email": open.invitation.email, "orgRole": open.member.role, "inviterName": open.invitation.inviter,
        "needsAuthentication": visitor(call).is_none(), "hasAccount": open.known.is_some(),
        "existingMember": inside, "needs2fa": needs_factor(call, &open.organization), "hasAuthProvider": open.organization.sso.is_some(),
        "requireSso": open.organization.sso == Some(true),
        "ssoProvider": open.organization.sso.map(|_| crate::sso::NAME),
    })))
}

/// Accepts: as who is logged in, or with a new account: `{"name"?, "password"}`.
pub fn accept(call: &Call) -> Result<Answer, ApiError> {
    // The link is the secret, but a page of another site must not make the browser's user use it.
    call.own_page_only()?;
    let fresh = match visitor(call) {
        Some(_) => None,
        None => Some(account(call)?),
    };
    let now = call.now();
    let (slug, cookie) = call.change(|c| {
        let open = find(call, c)?;
        people::hold(c, open.organization.id)?;
        let user = match (visitor(call), &fresh) {
            (Some(user), _) => user.id,
            (None, Some(_)) if open.known.is_some() => return Err(log_in_first()),
            (None, Some((name, hash))) => {
                people::add_user(c, &open.invitation.email, name, hash, false, now)?
            }
            (None, None) => return Err(log_in_first()),
        };
        if people::role(c, open.organization.id, user)?.is_some() {
            return Err(ApiError::Bad(
                "You are a member of this organization already.".into(),
            ));
        }
        members::accept(c, open.member.id, user, now)?;
        let cookie = match &fresh {
            Some(_) => Some(sign_in::open(call, c, user)?),
            None => None,
        };
        let data = json!({ "email": open.invitation.email, "role": open.member.role });
        let user = people::user(c, user)?;
        call.audit_as(
            c,
            open.organization.id,
            user.as_ref(),
            "member.accept-invite",
            Some(open.member.id),
            &data,
        )?;
        Ok((open.organization.slug, cookie))
    })?;
    let answer = Answer::json(json!({ "orgSlug": slug }));
    Ok(match cookie {
        Some(cookie) => answer.with(header::SET_COOKIE, cookie),
        None => answer,
    })
}

fn log_in_first() -> ApiError {
    ApiError::Bad("There is an account with this address: log in first, then open the link again.".into())
}

/// Name and password hash of a new account.
fn account(call: &Call) -> Result<(String, String), ApiError> {
    let body = call.json()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or("");
    let (name, password) = (text("name").trim(), text("password"));
    // The link is looked at before a password is hashed, which is work.
    let open = call.api.stores.sql.reading(|c| Ok(find(call, c)))??;
    if open.known.is_some() {
        return Err(log_in_first());
    }
    if name.chars().count() > 200 {
        return Err(ApiError::field("name", "use at most 200 characters"));
    }
    if password.is_empty() {
        return Err(ApiError::field("password", "This field is required."));
    }
    if let Some(why) = weak_password(password) {
        return Err(ApiError::field("password", why));
    }
    let hash = hash_password(password).map_err(ApiError::Internal)?;
    Ok((name.to_owned(), hash))
}

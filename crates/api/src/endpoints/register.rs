//! What a sign-in page offers, and making an account without an invitation, where the installation allows it.

use http::header;
use serde_json::json;
use storage::relational::{members, people, teams};

use super::members::check_email;
use super::{email, options};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::factors::passkeys::Party;
use crate::password::{hash_password, weak_password};
use crate::{sign_in, views};

/// What the sign-in page offers.
pub fn config(call: &Call) -> Result<Answer, ApiError> {
    let options = call.api.stores.sql.reading(|c| options::read(c))?;
    Ok(Answer::json(json!({
        "canRegister": options.registration, "passkeys": Party::of(&call.api.url).is_ok(),
        "sendsMail": call.api.sends_mail, "singleOrganization": options.one, "hasNewsletter": false,
        "serverHostname": call.api.url.split_once("://").map_or("", |(_, rest)| rest),
    })))
}

/// Makes an account and opens a session: `{"email", "password", "name"?}`. Where there is one organization, the
/// account joins it as a member.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    call.own_page_only()?;
    let sql = &call.api.stores.sql;
    if !sql.reading(|c| options::read(c))?.registration {
        let what = "This server makes no accounts by itself: ask for an invitation.";
        return Err(ApiError::Forbidden(what.into()));
    }
    if let Some(address) = call.address {
        let key = format!("register from {address}");
        call.api.attempts.pace(&key, 10, call.now()).map_err(|seconds| {
            let text = format!("Too many accounts are made; try again in {seconds} s.");
            ApiError::TooMany(text, seconds)
        })?;
    }
    let (address, password) = (
        check_email("email", &call.text("email")?)?,
        call.text("password")?,
    );
    let body = call.json()?;
    let name = body.get("name").and_then(|v| v.as_str()).unwrap_or("").trim();
    if name.chars().count() > 200 {
        return Err(ApiError::field("name", "use at most 200 characters"));
    }
    if let Some(why) = weak_password(&password) {
        return Err(ApiError::field("password", why));
    }
    let hash = hash_password(&password).map_err(ApiError::Internal)?;
    let now = call.now();
    let (user, cookie) = call.change(|c| {
        if people::user_by_email(c, &address)?.is_some() {
            return Err(ApiError::field(
                "email",
                "There is an account with this address: sign in.",
            ));
        }
        let id = people::add_user(c, &address, name, &hash, false, now)?;
        people::set_email(c, id, &address, false)?;
        if call.api.sends_mail {
            email::send(call, c, id, &address)?;
        }
        let one = options::read(c)?.one;
        if let Some(organization) = people::organizations(c)?.into_iter().next().filter(|_| one) {
            people::set_member(c, organization.id, id, "member", now)?;
            let team = teams::roster(c, organization.id)?.teams.into_iter().next();
            let member = members::of_user(c, organization.id, id)?;
            if let (Some(team), Some(member)) = (team, &member) {
                teams::join(c, team.id, member.id, teams::CONTRIBUTOR)?;
            }
            let user = people::user(c, id)?;
            call.audit_as(
                c,
                organization.id,
                user.as_ref(),
                "member.add",
                member.map(|m| m.id),
                &json!({ "email": address, "role": "member" }),
            )?;
        }
        let user = people::user(c, id)?.ok_or_else(|| ApiError::missing("User"))?;
        let cookie = sign_in::open(call, c, id)?;
        Ok((user, cookie))
    })?;
    Ok(Answer::created(views::people::me(&user)).with(header::SET_COOKIE, cookie))
}

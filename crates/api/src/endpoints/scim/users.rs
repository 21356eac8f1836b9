//! Members, as SCIM names them.

use serde_json::{Value, json};
use storage::relational::members::{self, Membership};
use storage::relational::people;
use storage::sql::Connection;

use super::{filter, operations, page};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::endpoints::members::{check_email, find, guard, may_give, renew};

fn view(m: &Membership) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": m.id.to_string(),
        "userName": m.email(), "emails": [{ "primary": true, "value": m.email(), "type": "work" }],
        "name": { "familyName": "N/A", "givenName": "N/A" }, "active": true,
        "meta": { "resourceType": "User" }, "sentryOrgRole": m.role,
    })
}

/// The members and who is invited.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let wanted = filter(call, "userName")?;
    let mut all = call.api.stores.sql.reading(|c| members::list(c, org))?;
    if let Some(name) = wanted {
        all.retain(|m| m.email() == name);
    }
    page(call, all.iter().map(view).collect())
}

/// One member.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let found = call.api.stores.sql.reading(|c| Ok(find(call, c)))??;
    Ok(Answer::json(view(&found)))
}

/// Invites somebody: `{"userName", "sentryOrgRole"?}`.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let email = check_email("userName", text("userName").unwrap_or(""))?;
    let role = text("sentryOrgRole").unwrap_or("member");
    may_give(call, "sentryOrgRole", role)?;
    let (org, now) = (call.organization()?.id, call.now());
    let made = call.change(|c| {
        people::hold(c, org)?;
        if members::list(c, org)?.iter().any(|m| m.email() == email) {
            return Err(ApiError::Conflict("User already exists in the database.".into()));
        }
        let id = members::invite(c, org, &email, role, now)?;
        // Nobody sees this link; inviting again makes one that somebody does.
        renew(call, c, id)?;
        call.audit(
            c,
            "member.invite",
            Some(id),
            &json!({ "email": email, "role": role }),
        )?;
        members::find(c, org, id)?.ok_or_else(|| ApiError::missing("Member"))
    })?;
    Ok(Answer::created(view(&made)))
}

fn dismiss(call: &Call, c: &mut dyn Connection) -> Result<(), ApiError> {
    people::hold(c, call.organization()?.id)?;
    let member = find(call, c)?;
    guard(call, c, &member, false)?;
    members::remove(c, &member)?;
    let data = json!({ "email": member.email(), "role": member.role });
    call.audit(c, "member.remove", Some(member.id), &data)
}

/// Removes a member whom the directory says to be no longer active; nothing else is changed.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let says = |o: &super::Operation| {
        let active = match o.path.as_str() {
            "active" => Some(&o.value),
            _ => o.value.get("active"),
        };
        active.map(|v| match v {
            Value::Bool(on) => *on,
            other => !other.as_str().is_some_and(|s| s.eq_ignore_ascii_case("false")),
        })
    };
    let active: Vec<bool> = operations(call)?.iter().filter_map(says).collect();
    if active.is_empty() {
        return Err(ApiError::Bad(
            "Invalid Patch Operation: only active is replaced.".into(),
        ));
    }
    call.change(|c| match active.contains(&false) {
        true => dismiss(call, c),
        false => find(call, c).map(|_| ()),
    })?;
    Ok(Answer::nothing())
}

/// Removes a member.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    call.change(|c| dismiss(call, c))?;
    Ok(Answer::nothing())
}

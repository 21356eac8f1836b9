//! The teams of a member.

use serde_json::{Value, json};
use storage::relational::members::Membership;
use storage::relational::teams;

use super::members::{find, is_me};
use super::teams::answer;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::sight;

/// Everybody moves themselves where membership is open; others are moved by who may change teams.
fn guard(call: &Call, member: &Membership, leaves: bool) -> Result<(), ApiError> {
    if is_me(call, member) && (leaves || sight::is_open(call.organization()?)) {
        return Ok(());
    }
    call.demand("team:write")
}

/// Puts a member into a team.
pub fn join(call: &Call) -> Result<Answer, ApiError> {
    let team = call.team()?;
    let fresh = call.change(|c| {
        let member = find(call, c)?;
        guard(call, &member, false)?;
        let roster = teams::roster(c, team.org_id)?;
        if roster.role(team.id, member.id).is_some() {
            return Ok(false);
        }
        teams::join(c, team.id, member.id, teams::CONTRIBUTOR)?;
        let data = json!({ "email": member.email(), "team_slug": team.slug });
        call.audit(c, "member.join-team", Some(member.id), &data)?;
        Ok(true)
    })?;
    if fresh {
        Ok(Answer {
            status: http::StatusCode::CREATED,
            ..answer(call, team)?
        })
    } else {
        Ok(Answer::nothing())
    }
}

/// Changes the role of a member in a team: `{"teamRole": "contributor" | "admin"}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let team = call.team()?;
    let body = call.json()?;
    let role = match body.get("teamRole").and_then(Value::as_str) {
        Some(role @ (teams::CONTRIBUTOR | teams::ADMIN)) => role,
        _ => return Err(ApiError::field("teamRole", "a team role is contributor or admin")),
    };
    call.change(|c| {
        let member = find(call, c)?;
        if teams::roster(c, team.org_id)?.role(team.id, member.id).is_none() {
            return Err(ApiError::missing("Membership"));
        }
        teams::join(c, team.id, member.id, role)?;
        let data = json!({ "email": member.email(), "team_slug": team.slug, "team_role": role });
        call.audit(c, "member.edit", Some(member.id), &data)
    })?;
    Ok(Answer::json(json!({ "isActive": true, "teamRole": role })))
}

/// Takes a member out of a team.
pub fn leave(call: &Call) -> Result<Answer, ApiError> {
    let team = call.team()?;
    call.change(|c| {
        let member = find(call, c)?;
        guard(call, &member, true)?;
        if teams::leave(c, team.id, member.id)? {
            let data = json!({ "email": member.email(), "team_slug": team.slug });
            call.audit(c, "member.leave-team", Some(member.id), &data)?;
        }
        Ok(())
    })?;
    answer(call, team)
}

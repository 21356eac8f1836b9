//! Teams, as SCIM names them.

use serde_json::{Value, json};
use storage::relational::members::{self, Membership};
use storage::relational::teams::{self, Roster, Team};
use storage::sql::Connection;

use super::{Operation, filter, id_of, operations, page, without_members};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::endpoints::projects::{slug_of, taken};
use crate::endpoints::teams::check_name;

const TAKEN: &str = "A team with this slug already exists.";

fn view(call: &Call, t: &Team, people: &[Membership], roster: &Roster) -> Value {
    let mut view = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": t.id.to_string(),
        "displayName": t.name, "meta": { "resourceType": "Group" },
    });
    if !without_members(call) {
        let inside = people.iter().filter(|m| roster.role(t.id, m.id).is_some());
        view["members"] = inside
            .map(|m| json!({ "value": m.id.to_string(), "display": m.email() }))
            .collect();
    }
    view
}

fn load(call: &Call) -> Result<(Vec<Membership>, Roster), ApiError> {
    let org = call.organization()?.id;
    let sql = &call.api.stores.sql;
    Ok(sql.reading(|c| Ok((members::list(c, org)?, teams::roster(c, org)?)))?)
}

/// The teams.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let wanted = filter(call, "displayName")?;
    let (people, roster) = load(call)?;
    let fits = |t: &&Team| {
        wanted
            .as_ref()
            .is_none_or(|w| t.name.to_lowercase() == *w || t.slug == slug_of(w))
    };
    let found = roster.teams.iter().filter(fits);
    page(call, found.map(|t| view(call, t, &people, &roster)).collect())
}

fn answer(call: &Call, id: i64) -> Result<Value, ApiError> {
    let (people, roster) = load(call)?;
    let team = roster.team(id).ok_or_else(|| ApiError::missing("Team"))?;
    Ok(view(call, team, &people, &roster))
}

/// One team.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(answer(call, call.team()?.id)?))
}

/// Makes an empty team: `{"displayName"}`.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let name = body
        .get("displayName")
        .and_then(Value::as_str)
        .unwrap_or("")
        .trim();
    if name.is_empty() {
        return Err(ApiError::field("displayName", "This field is required."));
    }
    check_name(name)?;
    let (slug, org, now) = (slug_of(name), call.organization()?.id, call.now());
    let id = call.change(|c| {
        let known = teams::of_organization(c, org)?;
        if known.iter().any(|t| t.slug == slug) {
            return Err(ApiError::Conflict(TAKEN.into()));
        }
        let id = teams::add(c, org, &slug, name, now)?;
        call.audit(c, "team.create", Some(id), &json!({ "slug": slug, "name": name }))?;
        Ok(id)
    })?;
    Ok(Answer::created(answer(call, id)?))
}

/// Renames a team; its slug follows.
fn rename(call: &Call, c: &mut dyn Connection, name: &str) -> Result<(), ApiError> {
    check_name(name)?;
    let mut team = call.team()?.clone();
    team.name = name.to_owned();
    team.slug = slug_of(name);
    teams::update(c, &team).map_err(|e| taken(e, "displayName", TAKEN))?;
    let data = json!({ "slug": team.slug, "name": team.name });
    call.audit(c, "team.edit", Some(team.id), &data)
}

/// The member of an operation, who must be one of the organization.
fn member(call: &Call, c: &mut dyn Connection, value: &Value) -> Result<Membership, ApiError> {
    let id = id_of(value).unwrap_or(0);
    let found = members::find(c, call.organization()?.id, id)?;
    found.ok_or_else(|| ApiError::Bad(format!("there is no member {value}")))
}

fn join(call: &Call, c: &mut dyn Connection, roster: &Roster, value: &Value) -> Result<i64, ApiError> {
    let team = call.team()?;
    let member = member(call, c, value.get("value").unwrap_or(value))?;
    if roster.role(team.id, member.id).is_none() {
        teams::join(c, team.id, member.id, teams::CONTRIBUTOR)?;
        let data = json!({ "email": member.email(), "team_slug": team.slug });
        call.audit(c, "member.join-team", Some(member.id), &data)?;
    }
    Ok(member.id)
}

fn leave(call: &Call, c: &mut dyn Connection, id: i64) -> Result<(), ApiError> {
    let team = call.team()?;
    let member = member(call, c, &json!(id))?;
    if teams::leave(c, team.id, member.id)? {
        let data = json!({ "email": member.email(), "team_slug": team.slug });
        call.audit(c, "member.leave-team", Some(member.id), &data)?;
    }
    Ok(())
}

/// The member in `members[value eq "23"]`.
fn in_path(path: &str) -> Option<i64> {
    let inside = path.strip_prefix("members[")?.strip_suffix(']')?;
    let value = inside.strip_prefix("value eq ")?.trim();
    value.trim_matches('"').parse().ok()
}

fn apply(call: &Call, c: &mut dyn Connection, o: &Operation) -> Result<(), ApiError> {
    let team = call.team()?;
    let roster = teams::roster(c, team.org_id)?;
    let all = o.value.as_array().map_or(&[][..], Vec::as_slice);
    match (o.op.as_str(), o.path.as_str()) {
        ("add", "members") => {
            for value in all {
                join(call, c, &roster, value)?;
            }
            Ok(())
        }
        ("replace", "members") => {
            let mut stay = Vec::new();
            for value in all {
                stay.push(join(call, c, &roster, value)?);
            }
            let inside = roster.members.iter().filter(|(t, _, _)| *t == team.id);
            for (_, id, _) in inside.filter(|(_, id, _)| !stay.contains(id)) {
                leave(call, c, *id)?;
            }
            Ok(())
        }
        ("remove", path) => match in_path(path) {
            Some(id) => leave(call, c, id),
            None => Err(ApiError::Bad("path is like members[value eq \"23\"]".into())),
        },
        ("replace", "displayName") => rename(call, c, o.value.as_str().unwrap_or("")),
        ("replace", "") => match o.value.get("displayName").and_then(Value::as_str) {
            Some(name) => rename(call, c, name),
            None => Err(ApiError::Bad(
                "Invalid Patch Operation: displayName is replaced.".into(),
            )),
        },
        _ => Err(ApiError::Bad("Invalid Patch Operation.".into())),
    }
}

/// Renames a team, and changes who is in it.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let operations = operations(call)?;
    call.change(|c| {
        for operation in &operations {
            apply(call, c, operation)?;
        }
        Ok(())
    })?;
    Ok(Answer::nothing())
}

//! Teams.

use serde_json::{Value, json};
use storage::relational::people::Organization;
use storage::relational::projects::Project;
use storage::relational::teams::{Roster, Team};

use super::time;
use crate::access::role_scopes;
use crate::call::Call;

/// The parts of a team that stand beside a project.
pub fn reference(t: &Team) -> Value {
    json!({ "id": t.id.to_string(), "slug": t.slug, "name": t.name })
}

/// What a team shows: who looks, their membership, and all teams of the organization.
pub struct Seen<'a> {
    pub call: &'a Call,
    /// The membership of who looks, if they are a member.
    pub me: Option<i64>,
    pub roster: &'a Roster,
    /// The projects that who looks sees.
    pub projects: &'a [Project],
}

/// A team in a list.
pub fn team(t: &Team, seen: &Seen<'_>) -> Value {
    let own = seen.me.and_then(|me| seen.roster.role(t.id, me));
    let role = seen.call.role.as_deref();
    let count = seen
        .roster
        .members
        .iter()
        .filter(|(id, _, _)| *id == t.id)
        .count();
    let mut scopes: Vec<&str> = role.map_or(&[][..], role_scopes).to_vec();
    if own == Some("admin") {
        scopes.extend(["team:write", "team:admin", "project:write", "project:admin"]);
        scopes.sort_unstable();
        scopes.dedup();
    }
    let open = seen.call.organization.as_ref().is_some_and(crate::sight::is_open);
    json!({
        "id": t.id.to_string(), "slug": t.slug, "name": t.name, "dateCreated": time(t.date_added),
        "isMember": own.is_some(), "teamRole": own, "isPending": false, "memberCount": count,
        "hasAccess": own.is_some() || open || seen.call.may("org:write"),
        "flags": { "idp:provisioned": false }, "access": scopes,
        "avatar": { "avatarType": "letter_avatar", "avatarUuid": null },
    })
}

/// A team in a list, with its projects.
pub fn with_projects(t: &Team, seen: &Seen<'_>) -> Value {
    let mut view = team(t, seen);
    let own = seen.roster.projects.iter().filter(|(_, team)| *team == t.id);
    let own = own.filter_map(|(id, _)| seen.projects.iter().find(|p| p.id == *id));
    view["projects"] = own.map(super::project::project).collect();
    view["externalTeams"] = json!([]);
    view
}

/// A team in full.
pub fn details(t: &Team, o: &Organization, seen: &Seen<'_>) -> Value {
    let mut view = with_projects(t, seen);
    view["organization"] = super::people::organization(o, &seen.call.api.url);
    view
}

/// Puts the teams of a project into its view.
pub fn of_project(view: &mut Value, project: i64, roster: &Roster) {
    let own = roster.of_project(project);
    view["team"] = own.first().map_or(Value::Null, |t| reference(t));
    view["teams"] = own.iter().map(|t| reference(t)).collect();
}

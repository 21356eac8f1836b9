//! Members, and what roles they can have.

use serde_json::{Value, json};
use storage::relational::members::Membership;
use storage::relational::teams::{self, Roster};

use super::{people, time};
use crate::access::{ROLES, rank, role_scopes};
use crate::call::Call;

/// A role's name for people.
pub fn role_name(role: &str) -> &'static str {
    match role {
        "owner" => "Owner",
        "manager" => "Manager",
        "admin" => "Admin",
        _ => "Member",
    }
}

/// Somebody in an organization, or invited to it.
pub fn member(m: &Membership, now: i64) -> Value {
    let invitation = m.invitation.as_ref();
    json!({
        "id": m.id.to_string(), "email": m.email(), "name": m.name(), "user": m.user.as_ref().map(people::member),
        "role": m.role, "orgRole": m.role, "roleName": role_name(&m.role), "pending": m.user.is_none(),
        "expired": invitation.is_some_and(|i| i.expires <= now), "dateCreated": time(m.date_added),
        "inviteStatus": "approved", "inviterName": invitation.and_then(|i| i.inviter.as_deref()),
        "externalUsers": [],
        "flags": {
            "idp:provisioned": false, "idp:role-restricted": false, "sso:linked": m.linked, "sso:invalid": false,
            "member-limit:restricted": false, "partnership:restricted": false,
        },
    })
}

/// The teams of a member.
fn add_teams(view: &mut Value, m: &Membership, roster: &Roster) {
    let own = roster.of_member(m.id);
    view["teams"] = own.iter().map(|(t, _)| json!(t.slug)).collect();
    view["teamRoles"] = own
        .iter()
        .map(|(t, role)| {
            let role = (*role == teams::ADMIN).then_some(role);
            json!({ "teamSlug": t.slug, "role": role })
        })
        .collect();
}

/// Somebody in a list with teams.
pub fn with_teams(m: &Membership, roster: &Roster, now: i64) -> Value {
    let mut view = member(m, now);
    add_teams(&mut view, m, roster);
    view
}

/// Somebody in full. `link` is the invitation's, while it is known: only its hash is kept.
pub fn details(call: &Call, m: &Membership, roster: &Roster, owners: i64, link: Option<&str>) -> Value {
    let mut view = with_teams(m, roster, call.now());
    view["isOnlyOwner"] = (m.role == "owner" && m.user.is_some() && owners == 1).into();
    view["invite_link"] = json!(link);
    view["inviteLink"] = json!(link);
    (view["orgRoleList"], view["teamRoleList"]) = roles(highest(call));
    view
}

/// The roles that there are: in the organization, and in a team. `own` is how high the caller's stands.
pub fn roles(own: Option<usize>) -> (Value, Value) {
    let organization = ROLES
        .iter()
        .map(|role| {
            let allowed = own.is_some_and(|own| rank(role) <= own);
            json!({
                "id": role, "name": role_name(role), "desc": describe(role), "scopes": role_scopes(role),
                "allowed": allowed, "isAllowed": allowed, "isRetired": false, "isTeamRolesAllowed": true,
                "is_global": rank(role) >= rank("manager"), "isGlobal": rank(role) >= rank("manager"),
                "minimumTeamRole": if *role == "member" { teams::CONTRIBUTOR } else { teams::ADMIN },
            })
        })
        .collect();
    let team = [
        (
            teams::CONTRIBUTOR,
            "Contributor",
            "Works on the issues of the team's projects.",
        ),
        (
            teams::ADMIN,
            "Team Admin",
            "Changes the team, its members and its projects.",
        ),
    ]
    .iter()
    .map(|(id, name, text)| {
        json!({
            "id": id, "name": name, "desc": text, "scopes": [], "allowed": true, "isAllowed": true,
            "isRetired": false, "isTeamRolesAllowed": true,
            "isMinimumRoleFor": (*id == teams::ADMIN).then_some("admin"),
        })
    })
    .collect();
    (organization, team)
}

fn describe(role: &str) -> &'static str {
    match role {
        "owner" => "Does everything, also gives the organization away.",
        "manager" => "Manages members, teams and all projects.",
        "admin" => "Makes and changes teams and projects that they see.",
        _ => "Sees projects and works on their issues.",
    }
}

/// How high the role of the caller stands; `None` if they cannot give any.
pub fn highest(call: &Call) -> Option<usize> {
    if !call.may("member:write") {
        return None;
    }
    if call.principal.as_ref().is_some_and(|p| p.is_superuser()) {
        return Some(rank("owner"));
    }
    call.role.as_deref().map(rank)
}

//! Users, members and organizations.

use serde_json::{Value, json};
use storage::relational::people::{Organization, User};

use crate::access::rank;
use crate::kept::searches;

use super::{constant, members, time, time_opt};

/// A user as others see them.
pub fn user(u: &User) -> Value {
    let name = if u.name.is_empty() { &u.email } else { &u.name };
    json!({
        "id": u.id.to_string(), "name": name, "username": u.email, "email": u.email,
        "avatarUrl": null, "avatar": { "avatarType": "letter_avatar", "avatarUuid": null },
        "isActive": u.is_active, "isManaged": false, "hasPasswordAuth": u.has_password(), "has2fa": u.has_factor,
        "dateJoined": time(u.date_joined), "lastLogin": time_opt(u.last_login),
    })
}

/// A user as a member of an organization.
pub fn member(u: &User) -> Value {
    let mut view = user(u);
    view["avatarUrl"] = json!("");
    constant::complete(
        &mut view,
        json!({
            "emails": [{ "id": u.id.to_string(), "email": u.email, "is_verified": u.is_verified }],
            "isSuperuser": u.is_superuser, "isStaff": u.is_superuser, "isSuspended": false, "experiments": {},
            "lastActive": time_opt(u.last_login),
        }),
    );
    view
}

/// A user as they see themselves.
pub fn me(u: &User) -> Value {
    let mut view = user(u);
    view["isSuperuser"] = u.is_superuser.into();
    view["isStaff"] = u.is_superuser.into();
    view["emails"] = json!([{ "id": u.id.to_string(), "email": u.email, "is_verified": u.is_verified }]);
    view["options"] = json!({});
    view["flags"] = json!({ "newsletter_consent_prompt": false });
    view
}

/// Whether a setting is on that is off by itself.
pub fn is_on(o: &Organization, name: &str) -> bool {
    o.settings.get(name) == Some(&Value::Bool(true))
}

/// An organization in a list.
pub fn organization(o: &Organization, url: &str) -> Value {
    json!({
        "id": o.id.to_string(), "slug": o.slug, "name": o.name, "dateCreated": time(o.date_added),
        "status": { "id": "active", "name": "active" }, "isEarlyAdopter": false,
        "require2FA": is_on(o, "require2FA"), "requireEmailVerification": is_on(o, "requireEmailVerification"),
        "allowMemberInvite": is_on(o, "allowMemberInvite"), "allowMemberProjectCreation": false,
        "allowSuperuserAccess": false,
        "avatar": { "avatarType": "letter_avatar", "avatarUuid": null },
        "hasAuthProvider": o.sso.is_some(), "requiresSso": o.sso == Some(true), "features": [],
        "defaultIssueView": searches::default_view(o),
        "links": {
            "organizationUrl": format!("{url}/organizations/{}/", o.slug),
            "regionUrl": if url.starts_with("https:") { url } else { "" },
        },
    })
}

/// An organization in full.
pub fn organization_details(o: &Organization, url: &str, role: Option<&str>, scopes: &[&str]) -> Value {
    let mut view = organization(o, url);
    let settings = |key: &str, default: Value| o.settings.get(key).cloned().unwrap_or(default);
    view["role"] = json!(role);
    view["orgRole"] = json!(role);
    view["access"] = json!(scopes);
    view["onboardingTasks"] = json!([]);
    view["quota"] = json!({ "maxRate": null, "maxRateInterval": 60, "accountLimit": 0, "projectLimit": 100 });
    view["isDefault"] = json!(false);
    view["defaultRole"] = json!("member");
    view["openMembership"] = json!(crate::sight::is_open(o));
    view["allowSharedIssues"] = json!(crate::sight::shares(o));
    view["dataScrubber"] = settings("dataScrubber", json!(false));
    view["dataScrubberDefaults"] = settings("dataScrubberDefaults", json!(false));
    view["scrubIPAddresses"] = settings("scrubIPAddresses", json!(false));
    view["sensitiveFields"] = settings("sensitiveFields", json!([]));
    view["safeFields"] = settings("safeFields", json!([]));
    view["teams"] = json!([]);
    let own = role.map(rank);
    (view["orgRoleList"], view["teamRoleList"]) = members::roles(own);
    constant::complete(&mut view, constant::organization());
    view
}

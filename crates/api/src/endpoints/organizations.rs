//! Organizations: what they are, who is in them, their environments and releases.

use serde_json::{Map, Value, json};
use storage::relational::people::{self, Organization};
use storage::relational::projects;
use storage::sql::{Connection, Result as SqlResult};

use super::projects::{check_slug, scrub_settings, slug_of, taken};
use crate::access::{self, Door, Principal, Proof, door, role_scopes};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::kept::searches;
use crate::links::paged;
use crate::views;

/// The organizations that somebody is in; a superuser is in all, a token of an organization in its own.
pub fn of_caller(c: &mut dyn Connection, principal: &Principal) -> SqlResult<Vec<Organization>> {
    let mut all = belonging(c, principal)?;
    all.retain(|o| principal.only_in.is_none_or(|org| org == o.id));
    Ok(all)
}

/// Those of them that the caller may enter now, with the role there.
pub fn entered(
    c: &mut dyn Connection,
    principal: &Principal,
) -> SqlResult<Vec<(Organization, Option<String>)>> {
    let mut out = Vec::new();
    for organization in of_caller(c, principal)? {
        let role = match principal.user_id() {
            Some(user) => people::role(c, organization.id, user)?,
            None => None,
        };
        if door(c, principal, &organization, role.as_deref())? == Door::Open {
            out.push((organization, role));
        }
    }
    Ok(out)
}

fn belonging(c: &mut dyn Connection, principal: &Principal) -> SqlResult<Vec<Organization>> {
    match (&principal.user, principal.org_token()) {
        (Some(user), _) if user.is_superuser => people::organizations(c),
        (Some(user), _) => people::organizations_of(c, user.id),
        (None, Some(token)) => Ok(people::organization_by(c, &token.org_id.to_string())?
            .into_iter()
            .collect()),
        (None, None) => Ok(vec![]),
    }
}

/// The organizations of the caller.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let principal = call.principal()?;
    let all = call.api.stores.sql.reading(|c| of_caller(c, principal))?;
    let views: Vec<_> = all
        .iter()
        .map(|o| views::people::organization(o, &call.api.url))
        .collect();
    Ok(paged(Answer::json(views), call, 0, 100, false))
}

fn details(call: &Call) -> Result<Value, ApiError> {
    let superuser = call.principal()?.is_superuser();
    let role = call.role.as_deref().or(superuser.then_some("owner"));
    let scopes = role.map_or(&[][..], role_scopes);
    Ok(views::people::organization_details(
        call.organization()?,
        &call.api.url,
        role,
        scopes,
    ))
}

/// One organization.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let mut view = details(call)?;
    let projects = call.projects()?;
    view["projects"] = projects.iter().map(views::project::project).collect();
    let (me, roster, _) = super::teams::load(call)?;
    let seen = views::teams::Seen {
        call,
        me,
        roster: &roster,
        projects: &projects,
    };
    view["teams"] = roster
        .teams
        .iter()
        .map(|t| views::teams::team(t, &seen))
        .collect();
    Ok(Answer::json(view))
}

/// A name from a body.
fn name(body: &Map<String, Value>) -> Result<Option<String>, ApiError> {
    let Some(name) = body.get("name") else {
        return Ok(None);
    };
    let name = name.as_str().unwrap_or("").trim();
    if name.is_empty() || name.chars().count() > 64 {
        return Err(ApiError::field("name", "a name has 1 to 64 characters"));
    }
    Ok(Some(name.to_owned()))
}

/// Settings that are on or off.
const SWITCHES: &[&str] = &[
    "openMembership",
    "allowSharedIssues",
    "require2FA",
    "requireEmailVerification",
    "allowMemberInvite",
];

const TAKEN: &str = "another organization has this slug";

/// Makes an organization that its maker owns: `{"name", "slug"?}`. Its first team is named after it.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let name = name(&body)?.ok_or_else(|| ApiError::field("name", "This field is required."))?;
    let slug = match body.get("slug").and_then(Value::as_str).filter(|s| !s.is_empty()) {
        Some(slug) => check_slug(slug)?,
        None => slug_of(&name),
    };
    let user = call.user_id()?;
    if call.principal()?.only_in.is_some() {
        return Err(ApiError::Forbidden(
            "You are signed in through an organization: to make another, sign in with your password.".into(),
        ));
    }
    // Who may do nothing with a token makes nothing with it either.
    if let Proof::Token(scopes) = &call.principal()?.proof
        && !scopes.iter().any(|s| s == "org:write" || s == "org:admin")
    {
        return Err(ApiError::Forbidden("This needs the scope org:write.".into()));
    }
    let now = call.now();
    let administrator = access::administers(call.principal()?);
    let organization = call.change(|c| {
        if super::options::read(c)?.one && !administrator {
            let what = "There is one organization on this server; only its administrators make another.";
            return Err(ApiError::Forbidden(what.into()));
        }
        if people::slug_taken(c, &slug)? {
            return Err(ApiError::field("slug", TAKEN));
        }
        let id = people::found(c, &slug, &name, user, now).map_err(|e| taken(e, "slug", TAKEN))?;
        call.audit_in(
            c,
            id,
            "org.create",
            Some(id),
            &json!({ "slug": slug, "name": name }),
        )?;
        people::organization_by(c, &id.to_string())?.ok_or_else(|| ApiError::missing("Organization"))
    })?;
    let view = views::people::organization_details(
        &organization,
        &call.api.url,
        Some("owner"),
        role_scopes("owner"),
    );
    Ok(Answer::created(view))
}

/// Changes names, the scrubbing that its projects start from, who sees what, and what it asks of its members.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let mut organization = call.organization()?.clone();
    if let Some(name) = name(&body)? {
        organization.name = name;
    }
    if let Some(slug) = body.get("slug") {
        organization.slug = check_slug(slug.as_str().unwrap_or(""))?;
    }
    let mut settings = organization.settings.as_object().cloned().unwrap_or_default();
    scrub_settings(&body, &mut settings)?;
    for name in SWITCHES {
        match body.get(*name) {
            None => {}
            Some(Value::Bool(on)) => {
                settings.insert((*name).into(), json!(on));
            }
            Some(_) => return Err(ApiError::field(name, "expected true or false")),
        }
    }
    // Nobody closes the door behind themselves.
    if body.get("require2FA") == Some(&Value::Bool(true))
        && let Some(user) = &call.principal()?.user
        && !user.has_factor
    {
        let what = "Set up a second factor for your own account first.";
        return Err(ApiError::field("require2FA", what));
    }
    if body.get("requireEmailVerification") == Some(&Value::Bool(true))
        && let Some(user) = &call.principal()?.user
        && !user.is_verified
    {
        let what = "Confirm the address of your own account first.";
        return Err(ApiError::field("requireEmailVerification", what));
    }
    if let Some(view) = body.get(searches::DEFAULT) {
        settings.insert(searches::DEFAULT.into(), searches::default_of(call, view)?);
    }
    organization.settings = Value::Object(settings);
    call.change(|c| {
        // A slug that leads to another organization is taken as well.
        let other = people::organization_by(c, &organization.slug)?;
        if other.is_some_and(|o| o.id != organization.id) {
            return Err(ApiError::field("slug", TAKEN));
        }
        people::update_organization(c, &organization).map_err(|e| taken(e, "slug", TAKEN))?;
        call.audit(c, "org.edit", Some(organization.id), &views::audit::kept(&body))
    })?;
    (call.api.hooks.changed)();
    let scopes = call.role.as_deref().map_or(&[][..], role_scopes);
    let view =
        views::people::organization_details(&organization, &call.api.url, call.role.as_deref(), scopes);
    Ok(Answer::json(view))
}

/// Removes an organization with its projects and everything they hold. Their events go in the background.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let organization = call.organization()?;
    let by = call.principal()?.user.as_ref().map(|u| u.email.clone());
    call.change(|c| {
        for mut project in projects::of_organization(c, organization.id)? {
            "deleting".clone_into(&mut project.status);
            projects::update(c, &project)?;
        }
        people::retire_organization(c, organization.id)?;
        Ok(())
    })?;
    tracing::info!(by, slug = organization.slug, "an organization was removed");
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

//! Organizations: what they are, who is in them, their environments and releases.

use serde_json::Value;
use storage::relational::people;

use crate::access::role_scopes;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::paged;
use crate::views;

/// The organizations of the caller.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let user = &call.principal()?.user;
    let all = call.api.stores.sql.reading(|c| {
        if user.is_superuser {
            people::organizations(c)
        } else {
            people::organizations_of(c, user.id)
        }
    })?;
    let views: Vec<_> = all
        .iter()
        .map(|o| views::people::organization(o, &call.api.url))
        .collect();
    Ok(paged(Answer::json(views), call, 0, 100, false))
}

fn details(call: &Call) -> Result<Value, ApiError> {
    let superuser = call.principal()?.user.is_superuser;
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
    Ok(Answer::json(view))
}

/// Changes names and the scrubbing that its projects start from.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let mut organization = call.organization()?.clone();
    if let Some(name) = body.get("name") {
        let name = name.as_str().unwrap_or("").trim();
        if name.is_empty() || name.chars().count() > 64 {
            return Err(ApiError::field("name", "a name has 1 to 64 characters"));
        }
        organization.name = name.to_owned();
    }
    if let Some(slug) = body.get("slug") {
        organization.slug = super::projects::check_slug(slug.as_str().unwrap_or(""))?;
    }
    let written = call
        .api
        .stores
        .sql
        .writing(|c| people::update_organization(c, &organization));
    written.map_err(|e| super::projects::taken(e, "slug", "another organization has this slug"))?;
    (call.api.hooks.changed)();
    let view = views::people::organization_details(&organization, &call.api.url, call.role.as_deref(), &[]);
    Ok(Answer::json(view))
}

/// Who is in the organization.
pub fn members(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let all = call.api.stores.sql.reading(|c| people::members(c, org))?;
    Ok(paged(
        Answer::json(all.iter().map(views::people::member).collect::<Vec<_>>()),
        call,
        0,
        100,
        false,
    ))
}

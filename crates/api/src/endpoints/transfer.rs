//! Giving a project to another organization.

use serde_json::{Value, json};
use storage::relational::{people, projects, teams};

use super::projects::taken;
use crate::access::{Door, Standing, allowed, door};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Gives the project to another organization that the caller owns as well: `{"organization"}`.
pub fn transfer(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let wanted = body.get("organization").and_then(Value::as_str).unwrap_or("");
    let (project, from) = (call.project()?, call.organization()?);
    let unknown = || ApiError::field("organization", "you own no organization with this slug");
    let user = call.user_id()?;
    call.change(|c| {
        let to = people::organization_by(c, wanted)?.ok_or_else(unknown)?;
        let role = people::role(c, to.id, user)?;
        let standing = Standing {
            role: role.as_deref(),
            ..Standing::default()
        };
        let principal = call.principal()?;
        let open = door(c, principal, &to, role.as_deref())? == Door::Open;
        if !open || !allowed(principal, standing, "org:admin") {
            return Err(unknown());
        }
        if to.id == from.id {
            return Err(ApiError::field("organization", "the project is there already"));
        }
        projects::transfer(c, project.id, to.id).map_err(|e| {
            taken(
                e,
                "organization",
                "a project there has the same slug: rename one of them",
            )
        })?;
        let first = teams::of_organization(c, to.id)?.iter().map(|t| t.id).min();
        if let Some(team) = first {
            teams::give(c, project.id, team)?;
        }
        let data = json!({ "slug": project.slug, "from": from.slug, "to": to.slug });
        call.audit(c, "project.request-transfer", Some(project.id), &data)?;
        call.audit_in(c, to.id, "project.accept-transfer", Some(project.id), &data)
    })?;
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

//! One team: its names, members and projects.

use serde_json::{Value, json};
use storage::relational::members;
use storage::relational::teams;

use super::projects::{check_slug, create, taken};
use super::teams::{check_name, full};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links;
use crate::views;

/// The team of the path.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(full(call, call.team()?.id)?))
}

/// Changes names: `{"slug"?, "name"?}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let mut team = call.team()?.clone();
    if let Some(slug) = body.get("slug") {
        team.slug = check_slug(slug.as_str().unwrap_or(""))?;
    }
    if let Some(name) = body.get("name").and_then(Value::as_str) {
        check_name(name.trim())?;
        team.name = name.trim().to_owned();
    }
    call.change(|c| {
        teams::update(c, &team).map_err(|e| taken(e, "slug", "A team with this slug already exists."))?;
        let data = json!({ "slug": team.slug, "name": team.name });
        call.audit(c, "team.edit", Some(team.id), &data)
    })?;
    Ok(Answer::json(full(call, team.id)?))
}

/// Removes the team; its projects stay.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let team = call.team()?;
    call.change(|c| {
        teams::remove(c, team.id)?;
        call.audit(c, "team.remove", Some(team.id), &json!({ "slug": team.slug }))
    })?;
    Ok(Answer::nothing())
}

/// Who is in the team.
pub fn members(call: &Call) -> Result<Answer, ApiError> {
    let (team, now) = (call.team()?, call.now());
    let (all, roster) = call
        .api
        .stores
        .sql
        .reading(|c| Ok((members::list(c, team.org_id)?, teams::roster(c, team.org_id)?)))?;
    let mut out = Vec::new();
    for m in all.iter().filter(|m| m.user.is_some()) {
        if let Some(role) = roster.role(team.id, m.id) {
            let mut view = views::members::member(m, now);
            view["teamRole"] = (role == teams::ADMIN).then_some(role).into();
            view["teamSlug"] = json!(team.slug);
            out.push(view);
        }
    }
    links::slice(call, out, 100)
}

/// The projects of the team.
pub fn projects(call: &Call) -> Result<Answer, ApiError> {
    let team = call.team()?;
    let seen = call.projects()?;
    let roster = call.api.stores.sql.reading(|c| teams::roster(c, team.org_id))?;
    let own = seen.iter().filter(|p| roster.projects.contains(&(p.id, team.id)));
    let views = own.map(|p| {
        let mut view = views::project::project(p);
        views::teams::of_project(&mut view, p.id, &roster);
        view
    });
    links::slice(call, views.collect(), 100)
}

/// Makes a project of the team: `{"name", "slug"?, "platform"?}`.
pub fn add_project(call: &Call) -> Result<Answer, ApiError> {
    create(call, Some(call.team()?))
}

//! The teams of a project, and who is in them.

use serde_json::json;
use storage::relational::{members, teams};

use super::teams::load;
use crate::access::{Standing, allowed};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links;
use crate::views;
use crate::views::teams::{Seen, team};

/// The teams.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let project = call.project()?.id;
    let (me, roster, projects) = load(call)?;
    let seen = Seen {
        call,
        me,
        roster: &roster,
        projects: &projects,
    };
    let views = roster.of_project(project).into_iter().map(|t| team(t, &seen));
    links::slice(call, views.collect(), 100)
}

/// Who is in a team of the project.
pub fn members(call: &Call) -> Result<Answer, ApiError> {
    let (project, now) = (call.project()?, call.now());
    let (all, roster) = call.api.stores.sql.reading(|c| {
        Ok((
            members::list(c, project.org_id)?,
            teams::roster(c, project.org_id)?,
        ))
    })?;
    let own = roster.of_project(project.id);
    let inside = all
        .iter()
        .filter(|m| m.user.is_some() && own.iter().any(|t| roster.role(t.id, m.id).is_some()));
    links::slice(
        call,
        inside.map(|m| views::members::member(m, now)).collect(),
        100,
    )
}

fn answer(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(super::projects::full(call, call.project()?)?))
}

/// Who changes the project only as an admin of one of its teams gives it to teams that they are an admin of.
fn guard(call: &Call) -> Result<(), ApiError> {
    let standing = Standing {
        team_admin: false,
        ..call.standing()
    };
    if allowed(call.principal()?, standing, "project:write") {
        return Ok(());
    }
    let (user, team) = (call.user_id()?, call.team()?);
    let own = call
        .api
        .stores
        .sql
        .reading(|c| teams::of_user(c, team.org_id, user))?;
    if own.iter().any(|(t, role)| *t == team.id && role == teams::ADMIN) {
        return Ok(());
    }
    Err(ApiError::Forbidden("You are not an admin of that team.".into()))
}

/// Makes the project one of a team.
pub fn give(call: &Call) -> Result<Answer, ApiError> {
    guard(call)?;
    let (project, team) = (call.project()?, call.team()?);
    call.change(|c| {
        teams::give(c, project.id, team.id)?;
        let data = json!({ "slug": project.slug, "team_slug": team.slug });
        call.audit(c, "project.edit", Some(project.id), &data)
    })?;
    Ok(Answer {
        status: http::StatusCode::CREATED,
        ..answer(call)?
    })
}

/// Takes the project from a team.
pub fn take(call: &Call) -> Result<Answer, ApiError> {
    let (project, team) = (call.project()?, call.team()?);
    call.change(|c| {
        if teams::take(c, project.id, team.id)? {
            let data = json!({ "slug": project.slug, "team_slug": team.slug });
            call.audit(c, "project.edit", Some(project.id), &data)?;
        }
        Ok(())
    })?;
    answer(call)
}

//! The teams of an organization.

use serde_json::{Value, json};
use storage::relational::members;
use storage::relational::projects::Project;
use storage::relational::teams::{self, Roster, Team};

use super::projects::{check_slug, slug_of, taken};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links;
use crate::views::teams::{Seen, details, team, with_projects};

/// What views of teams need: the caller's membership, all teams, and the projects that the caller sees.
pub fn load(call: &Call) -> Result<(Option<i64>, Roster, Vec<Project>), ApiError> {
    let org = call.organization()?.id;
    let user = call.user_id().ok();
    let found = call.api.stores.sql.reading(|c| {
        let me = match user {
            Some(user) => members::of_user(c, org, user)?.map(|m| m.id),
            None => None,
        };
        Ok((me, teams::roster(c, org)?, call.sight.projects(c, org)?))
    })?;
    Ok(found)
}

/// A team as it is now.
pub fn answer(call: &Call, t: &Team) -> Result<Answer, ApiError> {
    let (me, roster, projects) = load(call)?;
    let seen = Seen {
        call,
        me,
        roster: &roster,
        projects: &projects,
    };
    Ok(Answer::json(team(roster.team(t.id).unwrap_or(t), &seen)))
}

/// A team in full as it is now.
pub fn full(call: &Call, id: i64) -> Result<Value, ApiError> {
    let (me, roster, projects) = load(call)?;
    let seen = Seen {
        call,
        me,
        roster: &roster,
        projects: &projects,
    };
    let found = roster.team(id).ok_or_else(|| ApiError::missing("Team"))?;
    Ok(details(found, call.organization()?, &seen))
}

/// The teams; `query` looks for a part of their names, `detailed=0` leaves their projects out.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let (me, roster, projects) = load(call)?;
    let seen = Seen {
        call,
        me,
        roster: &roster,
        projects: &projects,
    };
    let words = call.value("query").unwrap_or("").to_lowercase();
    let plain = call.value("detailed") == Some("0");
    let found = roster
        .teams
        .iter()
        .filter(|t| t.slug.contains(&words) || t.name.to_lowercase().contains(&words));
    let views = found.map(|t| {
        if plain {
            team(t, &seen)
        } else {
            with_projects(t, &seen)
        }
    });
    links::slice(call, views.collect(), 100)
}

/// The teams that the caller is in; who sees every project has all.
pub fn own(call: &Call) -> Result<Answer, ApiError> {
    let (me, roster, projects) = load(call)?;
    let seen = Seen {
        call,
        me,
        roster: &roster,
        projects: &projects,
    };
    let all = call.principal()?.is_superuser();
    let mine = roster
        .teams
        .iter()
        .filter(|t| all || me.is_some_and(|me| roster.role(t.id, me).is_some()));
    let views: Vec<Value> = mine.map(|t| with_projects(t, &seen)).collect();
    Ok(Answer::json(views))
}

/// Makes a team, which its maker is in: `{"slug"?, "name"?}`.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let text = |key: &str| {
        body.get(key)
            .and_then(Value::as_str)
            .unwrap_or("")
            .trim()
            .to_owned()
    };
    let (name, slug) = (text("name"), text("slug"));
    if name.is_empty() && slug.is_empty() {
        return Err(ApiError::Fields(vec![(
            "slug".into(),
            "Name or slug is required".into(),
        )]));
    }
    let name = if name.is_empty() { slug.clone() } else { name };
    check_name(&name)?;
    let slug = if slug.is_empty() {
        slug_of(&name)
    } else {
        check_slug(&slug)?
    };
    let (org, now, user) = (call.organization()?.id, call.now(), call.user_id().ok());
    let id = call.change(|c| {
        let id = teams::add(c, org, &slug, &name, now)
            .map_err(|e| taken(e, "slug", "A team with this slug already exists."))?;
        if let Some(user) = user
            && let Some(me) = members::of_user(c, org, user)?
        {
            teams::join(c, id, me.id, teams::ADMIN)?;
        }
        call.audit(c, "team.create", Some(id), &json!({ "slug": slug, "name": name }))?;
        Ok(id)
    })?;
    Ok(Answer::created(full(call, id)?))
}

/// Checks the name of a team.
pub fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() || name.chars().count() > 64 {
        return Err(ApiError::field("name", "a name has 1 to 64 characters"));
    }
    Ok(())
}

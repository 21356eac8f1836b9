//! Which mails somebody gets.

use serde_json::{Map, Value, json};
use storage::mail::compose::Cause;
use storage::relational::{mails, projects};

use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// What can be wished of a kind of mail.
const KINDS: [(&str, Cause); 2] = [("newIssues", Cause::New), ("regressions", Cause::Regression)];

/// What the caller wants: `{"newIssues": true, "regressions": true, "projects": {"7": {"newIssues": false}},
/// "sendsMail": true}`. A project that is not named is as the rest.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let user = call.user_id()?;
    let all = call.api.stores.sql.reading(|c| mails::settings(c, user))?;
    let mut view = json!({ "projects": {}, "sendsMail": call.api.sends_mail });
    for (name, _) in KINDS {
        view[name] = json!(true);
    }
    for (project, kind, wanted) in all {
        let Some((name, _)) = KINDS.iter().find(|(_, cause)| cause.name() == kind) else {
            continue;
        };
        if project == 0 {
            view[*name] = json!(wanted);
        } else {
            view["projects"][project.to_string()][*name] = json!(wanted);
        }
    }
    Ok(Answer::json(view))
}

/// The wishes of an object: `null` takes one back.
fn wishes(map: &Map<String, Value>) -> Result<Vec<(Cause, Option<bool>)>, ApiError> {
    let mut out = Vec::new();
    for (name, cause) in KINDS {
        match map.get(name) {
            None => {}
            Some(Value::Null) => out.push((cause, None)),
            Some(Value::Bool(wanted)) => out.push((cause, Some(*wanted))),
            Some(_) => return Err(ApiError::field(name, "expected true, false or null")),
        }
    }
    Ok(out)
}

/// Changes what the caller wants; what is not named stays.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let user = call.user_id()?;
    let mut all: Vec<(i64, Cause, Option<bool>)> =
        wishes(&body)?.into_iter().map(|(c, w)| (0, c, w)).collect();
    if let Some(of) = body.get("projects") {
        let Some(of) = of.as_object() else {
            return Err(ApiError::field("projects", "expected an object by project id"));
        };
        for (id, map) in of {
            let known = match id.parse::<i64>() {
                Ok(id) => call.api.stores.sql.reading(|c| projects::by_id(c, id))?,
                Err(_) => None,
            };
            let (Some(project), Some(map)) = (known, map.as_object()) else {
                return Err(ApiError::field("projects", format!("there is no project '{id}'")));
            };
            all.extend(wishes(map)?.into_iter().map(|(c, w)| (project.id, c, w)));
        }
    }
    call.api.stores.sql.writing(|c| {
        for (project, cause, wanted) in &all {
            mails::set_wanted(c, user, *project, cause.name(), *wanted)?;
        }
        Ok(())
    })?;
    get(call)
}

/// Stops mails of a kind about a project, for whoever has the address from such a mail (RFC 8058).
pub fn stop(call: &Call) -> Result<Answer, ApiError> {
    let missing = || ApiError::missing("Address");
    let user = call.number("user", "Address")?;
    let project = call.number("project_id", "Address")?;
    let cause = Cause::parse(call.param("kind")).ok_or_else(missing)?;
    if !call
        .api
        .links
        .may_stop(user, project, cause, call.param("signature"))
    {
        return Err(missing());
    }
    call.api
        .stores
        .sql
        .writing(|c| mails::set_wanted(c, user, project, cause.name(), Some(false)))?;
    Ok(Answer::json(json!({
        "detail": "You get no more of these mails about this project. Your account's settings turn them on again."
    })))
}

/// What a person sees who opens the address: nothing is changed before they say so, as mail programs look at links.
pub fn ask(_: &Call) -> Result<Answer, ApiError> {
    let page = "<!doctype html><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
        <title>Vedette</title><body style=\"font:16px sans-serif;max-width:30em;margin:4em auto;padding:0 1em\">\
        <h1 style=\"font-size:20px\">No more of these mails?</h1><form method=post><button>Stop them</button></form>";
    Ok(Answer::html(page))
}

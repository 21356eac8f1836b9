//! Environments that events have named, and whether lists show them.

use serde_json::{Value, json};
use storage::relational::releases;

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields;

/// Name and whether it is hidden, by name.
type Environment = (String, bool);

fn all(call: &Call) -> Result<Vec<Environment>, ApiError> {
    let projects: Vec<i64> = call.projects()?.iter().map(|p| p.id).collect();
    let all = call
        .api
        .stores
        .sql
        .reading(|c| releases::environments(c, &projects))?;
    let mut names: Vec<Environment> = Vec::new();
    for (_, name, hidden) in all {
        match names.iter_mut().find(|(known, _)| *known == name) {
            // Over several projects it is hidden only where all hide it.
            Some((_, known)) => *known &= hidden,
            None => names.push((name, hidden)),
        }
    }
    Ok(names)
}

fn view((name, hidden): &Environment) -> Value {
    json!({ "id": name, "name": name, "isHidden": hidden })
}

fn visible(call: &Call, hidden: bool) -> Result<bool, ApiError> {
    match call.value("visibility").unwrap_or("visible") {
        "visible" => Ok(!hidden),
        "hidden" => Ok(hidden),
        "all" => Ok(true),
        _ => Err(ApiError::Bad(
            "Invalid value for 'visibility', valid values are: visible, hidden, all".into(),
        )),
    }
}

/// The environments; `visibility` is `visible`, `hidden` or `all`.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let mut out = Vec::new();
    for environment in all(call)? {
        if visible(call, environment.1)? {
            out.push(view(&environment));
        }
    }
    Ok(Answer::json(out))
}

fn find(call: &Call) -> Result<Environment, ApiError> {
    // A name that is empty cannot stand in a path.
    let name = call.param("environment");
    let name = if name == "_empty_" { "" } else { name };
    let found = all(call)?.into_iter().find(|(known, _)| known == name);
    found.ok_or_else(|| ApiError::missing("Environment"))
}

/// One environment.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(view(&find(call)?)))
}

fn hidden(call: &Call) -> Result<bool, ApiError> {
    let on = fields::flag(&call.json()?, "isHidden")?;
    on.ok_or_else(|| ApiError::field("isHidden", "This field is required."))
}

/// Hides or shows one: `{"isHidden"}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let (name, hide) = (find(call)?.0, hidden(call)?);
    let project = call.project()?.id;
    call.api
        .stores
        .sql
        .writing(|c| releases::hide_environment(c, project, &name, hide))?;
    Ok(Answer::json(view(&(name, hide))))
}

/// Hides or shows several: `{"environmentNames", "isHidden"}`.
pub fn update_many(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let names = fields::names(&body, "environmentNames")?;
    let names = names.ok_or_else(|| ApiError::field("environmentNames", "This field is required."))?;
    let hide = hidden(call)?;
    let known = all(call)?;
    if let Some(unknown) = names.iter().find(|n| !known.iter().any(|(k, _)| k == *n)) {
        return Err(ApiError::field(
            "environmentNames",
            format!("There is no environment '{unknown}'."),
        ));
    }
    let project = call.project()?.id;
    call.api.stores.sql.writing(|c| {
        names
            .iter()
            .try_for_each(|name| releases::hide_environment(c, project, name, hide))
    })?;
    let views: Vec<Value> = names.iter().map(|n| view(&(n.clone(), hide))).collect();
    Ok(Answer::json(views))
}

//! Client keys of a project. A key is named by its public part.

use serde_json::{Value, json};
use storage::relational::projects::{self, Key};
use storage::sql::Connection;

use super::projects::taken;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::{offset, paged};
use crate::password::new_key;
use crate::views::project::key as view;

fn find(call: &Call) -> Result<Key, ApiError> {
    let project = call.project()?.id;
    let name = call.param("key");
    let keys = call.api.stores.sql.reading(|c| projects::keys(c, project))?;
    keys.into_iter()
        .find(|k| k.public_key == name || k.id.to_string() == name)
        .ok_or_else(|| ApiError::missing("Key"))
}

/// The keys of a project.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let project = call.project()?.id;
    let keys = call.api.stores.sql.reading(|c| projects::keys(c, project))?;
    Ok(Answer::json(
        keys.iter().map(|k| view(k, &call.api.url)).collect::<Vec<_>>(),
    ))
}

/// One key.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(view(&find(call)?, &call.api.url)))
}

fn label(body: &serde_json::Map<String, Value>) -> Result<Option<String>, ApiError> {
    match body.get("name").or_else(|| body.get("label")) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) if s.chars().count() <= 64 => {
            Ok(Some(s.trim().to_owned()).filter(|s| !s.is_empty()))
        }
        Some(_) => Err(ApiError::field("name", "a name has at most 64 characters")),
    }
}

fn limit(body: &serde_json::Map<String, Value>) -> Result<Option<Option<(i64, i64)>>, ApiError> {
    match body.get("rateLimit") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::Object(map)) => {
            let number = |k: &str| map.get(k).and_then(Value::as_i64);
            match (number("count"), number("window")) {
                (Some(count), Some(window)) if count > 0 && (1..=86_400).contains(&window) => {
                    Ok(Some(Some((count, window))))
                }
                (None | Some(0), _) | (_, None | Some(0)) => Ok(Some(None)),
                _ => Err(ApiError::field(
                    "rateLimit",
                    "expected {count: 1 or more, window: 1 to 86400 seconds}",
                )),
            }
        }
        Some(_) => Err(ApiError::field("rateLimit", "expected {count, window} or null")),
    }
}

/// The public part that a body asks for: the DSN of another server goes on working with it.
fn public(body: &serde_json::Map<String, Value>) -> Result<Option<String>, ApiError> {
    match body.get("public") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if crate::password::is_key(text) => Ok(Some(text.clone())),
        Some(_) => Err(ApiError::field("public", "a key has 32 digits of 0-9 and a-f")),
    }
}

/// Makes a key: `{"name"?, "public"?, "rateLimit"?}`.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let (label, limit) = (
        label(&body)?.unwrap_or_else(|| "Default".into()),
        limit(&body)?.flatten(),
    );
    let public = public(&body)?.unwrap_or_else(new_key);
    let (project, now) = (call.project()?.id, call.now());
    let key = call.change(|c| {
        projects::add_key(c, project, &label, &public, &new_key(), now)
            .map_err(|e| taken(e, "public", "a project has this key already"))?;
        let found = projects::keys(c, project)?
            .into_iter()
            .find(|k| k.public_key == public);
        let mut key = found.ok_or_else(|| ApiError::missing("Key"))?;
        key.rate_limit = limit;
        projects::update_key(c, &key)?;
        audit(call, c, "projectkey.create", &key)?;
        Ok(key)
    })?;
    (call.api.hooks.changed)();
    Ok(Answer::created(view(&key, &call.api.url)))
}

/// Makes a key like another, with its name and limits: `{"disableOld"?}`. The other one goes on until it is switched
/// off, so that every client can be given the new one first.
pub fn rotate(call: &Call) -> Result<Answer, ApiError> {
    let old = find(call)?;
    let off = match call.json()?.get("disableOld") {
        None => false,
        Some(Value::Bool(on)) => *on,
        Some(_) => return Err(ApiError::field("disableOld", "expected true or false")),
    };
    let (project, now, public) = (call.project()?.id, call.now(), new_key());
    let key = call.change(|c| {
        projects::add_key(c, project, &old.label, &public, &new_key(), now)?;
        let found = projects::keys(c, project)?
            .into_iter()
            .find(|k| k.public_key == public);
        let mut key = found.ok_or_else(|| ApiError::missing("Key"))?;
        key.rate_limit = old.rate_limit;
        projects::update_key(c, &key)?;
        audit(call, c, "projectkey.create", &key)?;
        if off {
            let old = Key {
                is_active: false,
                ..old.clone()
            };
            projects::update_key(c, &old)?;
            audit(call, c, "projectkey.edit", &old)?;
        }
        Ok(key)
    })?;
    (call.api.hooks.changed)();
    Ok(Answer::created(view(&key, &call.api.url)))
}

fn audit(call: &Call, c: &mut dyn Connection, event: &str, key: &Key) -> Result<(), ApiError> {
    let data = json!({ "label": key.label, "public_key": key.public_key });
    call.audit(c, event, Some(key.id), &data)
}

/// Changes a key: `{"name"?, "isActive"?, "rateLimit"?}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let mut key = find(call)?;
    if let Some(label) = label(&body)? {
        key.label = label;
    }
    if let Some(on) = body.get("isActive") {
        key.is_active = on
            .as_bool()
            .ok_or_else(|| ApiError::field("isActive", "expected true or false"))?;
    }
    if let Some(limit) = limit(&body)? {
        key.rate_limit = limit;
    }
    call.change(|c| {
        projects::update_key(c, &key)?;
        audit(call, c, "projectkey.edit", &key)
    })?;
    (call.api.hooks.changed)();
    Ok(Answer::json(view(&key, &call.api.url)))
}

/// Withdraws a key.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let key = find(call)?;
    call.change(|c| {
        projects::remove_key(c, key.id)?;
        audit(call, c, "projectkey.remove", &key)
    })?;
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

/// The keys of every project of the organization; `status` is `active` or `inactive`.
pub fn of_organization(call: &Call) -> Result<Answer, ApiError> {
    let projects = call.projects()?;
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let mut all: Vec<Key> = call.api.stores.sql.reading(|c| {
        let mut all = Vec::new();
        for p in &projects {
            all.extend(projects::keys(c, p.id)?);
        }
        Ok(all)
    })?;
    match call.value("status") {
        None => {}
        Some(status @ ("active" | "inactive")) => all.retain(|k| k.is_active == (status == "active")),
        Some(_) => return Err(ApiError::Bad("status is active or inactive".into())),
    }
    let more = all.len() > start.saturating_add(limit);
    let page: Vec<Value> = all
        .iter()
        .skip(start)
        .take(limit)
        .map(|k| view(k, &call.api.url))
        .collect();
    Ok(paged(Answer::json(page), call, start, limit, more))
}

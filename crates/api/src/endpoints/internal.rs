//! The server itself: health for everybody, status and what is kept aside for administrators of the installation.

use protocol::time::format_rfc3339;
use serde_json::{Value, json};
use storage::relational::aside::{self, Aside};
use storage::relational::projects;

use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Items of a page.
const PAGE: usize = 100;
/// Bytes of an item's payload that are shown; all of it is downloaded.
const SHOWN: usize = 65_536;

/// Version, and how far the workers are.
pub fn health(call: &Call) -> Result<Answer, ApiError> {
    let mut body = json!({ "version": call.api.version, "status": "ok" });
    if let (Some(_), Some(map)) = (&call.principal, body.as_object_mut()) {
        map.insert("server".into(), (call.api.hooks.status)());
    }
    Ok(Answer::json(body))
}

/// Queue, disk, stores, outcomes of the last day, and problems with advice.
pub fn status(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(
        (call.api.hooks.overview)().map_err(ApiError::Internal)?,
    ))
}

fn view(item: &Aside, slugs: &[(i64, String)]) -> Value {
    let slug = slugs.iter().find(|(id, _)| *id == item.project).map(|(_, s)| s);
    json!({
        "id": item.id.to_string(), "projectId": item.project.to_string(), "projectSlug": slug,
        "eventId": item.event_id, "error": item.error, "size": item.size, "retrying": item.retrying,
        "dateCreated": format_rfc3339(item.date_added),
    })
}

fn slugs(call: &Call) -> Result<Vec<(i64, String)>, ApiError> {
    let all = call.api.stores.sql.reading(projects::all_projects)?;
    Ok(all.into_iter().map(|p| (p.id, p.slug)).collect())
}

/// What is kept aside, the newest first; `before` (a number) goes on from there.
pub fn list_set_aside(call: &Call) -> Result<Answer, ApiError> {
    let before = match call.value("before") {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| ApiError::Bad("before is the id of an item.".into()))?,
        ),
    };
    let limit = call.limit(PAGE)?;
    let items = call.api.stores.sql.reading(|c| aside::newest(c, before, limit))?;
    let slugs = slugs(call)?;
    Ok(Answer::json(Value::from(
        items.iter().map(|i| view(i, &slugs)).collect::<Vec<_>>(),
    )))
}

/// One item with its bytes, as text as far as they are.
pub fn get_set_aside(call: &Call) -> Result<Answer, ApiError> {
    let id = call.number("item", "Item")?;
    let Some((item, payload)) = call.api.stores.sql.reading(|c| aside::find(c, id))? else {
        return Err(ApiError::missing("Item"));
    };
    let mut body = view(&item, &slugs(call)?);
    if let Some(map) = body.as_object_mut() {
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(SHOWN)]).into_owned();
        map.insert("payload".into(), Value::String(shown));
        map.insert("payloadTruncated".into(), Value::Bool(payload.len() > SHOWN));
    }
    Ok(Answer::json(body))
}

/// Tries an item again: it goes through the queue as if it had just come.
pub fn retry_set_aside(call: &Call) -> Result<Answer, ApiError> {
    let id = call.number("item", "Item")?;
    match (call.api.hooks.retry)(id) {
        Ok(true) => Ok(Answer::nothing()),
        Ok(false) => Err(ApiError::missing("Item")),
        Err(e) => Err(ApiError::Internal(e)),
    }
}

/// Drops an item for good.
pub fn remove_set_aside(call: &Call) -> Result<Answer, ApiError> {
    let id = call.number("item", "Item")?;
    let removed = call.api.stores.sql.writing(|c| aside::remove(c, &[id]))?;
    if removed == 0 {
        return Err(ApiError::missing("Item"));
    }
    Ok(Answer::nothing())
}

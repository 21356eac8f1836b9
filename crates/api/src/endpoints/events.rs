//! Events by id, the events of a project, and their attachments.

use http::header;
use protocol::ids::EventId;
use serde_json::{Value, json};
use storage::columns::{Answer as Found, Found as Row, Order, Question};
use storage::payloads::{Locator, PayloadError};
use storage::relational::attachments::{self as files, Attachment};
use storage::relational::projects::Project;
use storage::relational::{hashes, issues};

use crate::answer::{Answer, ApiError, Content};
use crate::call::Call;
use crate::scope::Scope;
use crate::views;
use crate::views::event::Loaded;

/// The stored event at a place; `None` if it is there no more.
pub fn load(call: &Call, locator: Locator) -> Result<Option<Loaded>, ApiError> {
    match call.api.stores.payloads.get(&[locator]).pop() {
        Some(Ok(bytes)) => Loaded::read(&bytes).map(Some).map_err(ApiError::Internal),
        Some(Err(PayloadError::Missing(_))) | None => Ok(None),
        Some(Err(e)) => Err(e.into()),
    }
}

/// The stored events of rows; those that are there no more are left out.
pub fn load_all(call: &Call, rows: &[Row]) -> Result<Vec<Loaded>, ApiError> {
    let locators: Vec<_> = rows.iter().map(|r| r.locator).collect();
    let mut out = Vec::with_capacity(rows.len());
    for bytes in call.api.stores.payloads.get(&locators) {
        match bytes {
            Ok(bytes) => out.push(Loaded::read(&bytes).map_err(ApiError::Internal)?),
            Err(PayloadError::Missing(_)) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(out)
}

/// The issue of a stored event.
pub fn issue_of(call: &Call, loaded: &Loaded) -> Result<Option<i64>, ApiError> {
    let project = loaded.record.row.project;
    let all: Vec<_> = loaded.record.hashes.iter().map(|h| (project, *h)).collect();
    let rows = call.api.stores.sql.reading(|c| hashes::find(c, &all))?;
    let primary = loaded.record.row.hash;
    let issue = |r: &&hashes::HashRow| r.issue.is_some();
    let by_primary = rows.iter().filter(issue).find(|r| r.hash.0 == primary);
    Ok(by_primary
        .or_else(|| rows.iter().find(issue))
        .and_then(|r| r.issue))
}

/// Whether somebody deleted the event with its issue.
fn is_deleted(call: &Call, loaded: &Loaded) -> Result<bool, ApiError> {
    let row = &loaded.record.row;
    let hidden = call
        .api
        .stores
        .sql
        .reading(|c| hashes::hidden(c, &[row.project]))?;
    Ok(hidden.hides(row.project, row.hash, loaded.record.seq))
}

/// An event of a project by id.
pub fn by_id(call: &Call, project: &Project, id: EventId) -> Result<Option<Loaded>, ApiError> {
    for (owner, locator) in call.api.stores.ids.find(id.0)? {
        if i64::try_from(owner).ok() == Some(project.id)
            && let Some(loaded) = load(call, locator)?
            && !is_deleted(call, &loaded)?
        {
            return Ok(Some(loaded));
        }
    }
    Ok(None)
}

fn of_path(call: &Call) -> Result<Loaded, ApiError> {
    by_id(call, call.project()?, call.event_id("event")?)?.ok_or_else(|| ApiError::missing("Event"))
}

/// Where a page of events goes on: `<µs>:<place>:0`.
pub fn cursor(call: &Call) -> Result<Option<(i64, u64)>, ApiError> {
    let Some(text) = call.value("cursor") else {
        return Ok(None);
    };
    let mut parts = text.split(':');
    let time = parts.next().and_then(|p| p.parse().ok());
    let seq = parts.next().and_then(|p| p.parse().ok());
    match (time, seq) {
        (Some(0), Some(0)) => Ok(None),
        (Some(time), Some(seq)) => Ok(Some((time, seq))),
        _ => Err(ApiError::Bad(
            "cursor is not one that this server gave: take it from the Link header".into(),
        )),
    }
}

/// Adds the `Link` header of a page of events.
pub fn page_cursor(answer: Answer, call: &Call, rows: &[Row], more: bool) -> Answer {
    let query: String = call
        .query
        .iter()
        .filter(|(k, _)| k != "cursor")
        .map(|(k, v)| format!("{}&", serde_urlencoded::to_string([(k, v)]).unwrap_or_default()))
        .collect();
    let base = format!("{}{}?{query}", call.api.url, call.path);
    let last = rows
        .last()
        .map_or_else(|| "0:0:0".to_owned(), |r| format!("{}:{}:0", r.time, r.seq));
    let first = call.value("cursor").is_none();
    answer.with(
        header::LINK,
        format!(
            "<{base}cursor=0:0:1>; rel=\"previous\"; results=\"{}\"; cursor=\"0:0:1\", \
             <{base}cursor={last}>; rel=\"next\"; results=\"{more}\"; cursor=\"{last}\"",
            !first
        ),
    )
}

/// The events of a project, newest first.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let scope = Scope::of(call)?;
    let project = call.project()?.clone();
    let filter = scope.lower_events(call, call.value("query").unwrap_or(""))?;
    let filter = scope.with_environments(call, filter);
    let question = Question::Rows {
        order: Order::Newest,
        after: cursor(call)?,
        limit: call.limit(100)?,
    };
    let Found::Rows { rows, more } = scope.select(call, filter, None, question)? else {
        return Ok(Answer::json(Vec::<Value>::new()));
    };
    let full = call.value("full").is_some_and(|f| f != "false" && f != "0");
    let mut views = Vec::with_capacity(rows.len());
    for loaded in load_all(call, &rows)? {
        let issue = issue_of(call, &loaded)?;
        views.push(if full {
            views::event::details(&loaded, &project, issue, None, None)
        } else {
            views::event::summary(&loaded, &project, issue)
        });
    }
    Ok(page_cursor(Answer::json(views), call, &rows, more))
}

fn full(call: &Call, project: &Project, loaded: &Loaded) -> Result<Value, ApiError> {
    let issue = match issue_of(call, loaded)? {
        Some(id) => call.api.stores.sql.reading(|c| issues::by_ids(c, &[id]))?.pop(),
        None => None,
    };
    match issue {
        Some(issue) => super::issue_events::full(call, &issue, project, loaded),
        None => Ok(views::event::details(loaded, project, None, None, None)),
    }
}

/// One event in full.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(full(call, call.project()?, &of_path(call)?)?))
}

/// One event in full, by `project:id`.
pub fn get_by_pair(call: &Call) -> Result<Answer, ApiError> {
    let missing = || ApiError::missing("Event");
    let (slug, id) = call.param("event").split_once(':').ok_or_else(missing)?;
    let id: EventId = id.parse().map_err(|_| missing())?;
    let org = call.organization()?.id;
    let project = call
        .api
        .stores
        .sql
        .reading(|c| call.sight.project(c, org, slug))?
        .ok_or_else(missing)?;
    let loaded = by_id(call, &project, id)?.ok_or_else(missing)?;
    let mut view = full(call, &project, &loaded)?;
    view["projectSlug"] = json!(project.slug);
    Ok(Answer::json(view))
}

/// The event's JSON as it is stored.
pub fn raw(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(views::event::raw(&of_path(call)?)))
}

/// Which project and issue an event id belongs to.
pub fn resolve(call: &Call) -> Result<Answer, ApiError> {
    let id = call.event_id("event")?;
    for project in call.projects()? {
        if let Some(loaded) = by_id(call, &project, id)? {
            let issue = issue_of(call, &loaded)?;
            return Ok(Answer::json(json!({
                "organizationSlug": call.organization()?.slug, "projectSlug": project.slug,
                "groupId": issue.map(|i| i.to_string()), "eventId": id.to_string(),
                "event": full(call, &project, &loaded)?,
            })));
        }
    }
    Err(ApiError::missing("Event"))
}

/// Where an event id is: queued, stored, deleted, or discarded and why.
pub fn whereabouts(call: &Call) -> Result<Answer, ApiError> {
    let id = call.event_id("event")?;
    let own: Vec<String> = call.projects()?.iter().map(|p| p.id.to_string()).collect();
    let mut places = (call.api.hooks.whereabouts)(id).map_err(ApiError::Internal)?;
    places.retain(|p| {
        p.get("project")
            .and_then(Value::as_str)
            .is_some_and(|p| own.iter().any(|o| o == p))
    });
    Ok(Answer::json(
        json!({ "eventId": id.to_string(), "places": places }),
    ))
}

// ---- attachments

fn attachment_view(a: &Attachment) -> Value {
    json!({
        "id": a.id.to_string(), "event_id": a.event_id, "type": a.kind, "name": a.name, "mimetype": a.content_type,
        "size": a.size, "sha1": a.sha1, "dateCreated": views::time(a.date_added),
        "headers": { "Content-Type": a.content_type },
    })
}

/// The attachments of an event.
pub fn attachments(call: &Call) -> Result<Answer, ApiError> {
    of_path(call)?;
    let project = call.project()?.id;
    let id = call.event_id("event")?.to_string();
    let all = call
        .api
        .stores
        .sql
        .reading(|c| files::of_event(c, project, &id))?;
    Ok(Answer::json(all.iter().map(attachment_view).collect::<Vec<_>>()))
}

fn attachment_of_path(call: &Call) -> Result<Attachment, ApiError> {
    of_path(call)?;
    let project = call.project()?.id;
    let event = call.event_id("event")?.to_string();
    let id = call.number("attachment", "Attachment")?;
    let all = call
        .api
        .stores
        .sql
        .reading(|c| files::of_event(c, project, &event))?;
    all.into_iter()
        .find(|a| a.id == id)
        .ok_or_else(|| ApiError::missing("Attachment"))
}

/// One attachment; `download` answers its bytes, never shown by a browser as a page.
pub fn attachment(call: &Call) -> Result<Answer, ApiError> {
    let found = attachment_of_path(call)?;
    if !call.query.iter().any(|(k, _)| k == "download") {
        return Ok(Answer::json(attachment_view(&found)));
    }
    let bytes = call.api.stores.blobs.get(&found.blob)?;
    let name: String = found
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._- ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let image = matches!(
        found.content_type.as_str(),
        "image/png" | "image/jpeg" | "image/gif" | "image/webp"
    );
    let mime = if image
        || found.content_type.starts_with("text/plain")
        || found.content_type == "application/json"
    {
        found.content_type
    } else {
        "application/octet-stream".to_owned()
    };
    Ok(Answer {
        status: http::StatusCode::OK,
        body: Content::Bytes(bytes, mime),
        headers: vec![],
    }
    .with(
        header::CONTENT_DISPOSITION,
        format!("attachment; filename=\"{name}\""),
    )
    .with(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
}

/// Deletes an attachment.
pub fn remove_attachment(call: &Call) -> Result<Answer, ApiError> {
    let found = attachment_of_path(call)?;
    if let Some(blob) = call.api.stores.sql.writing(|c| files::remove(c, found.id))? {
        call.api.stores.blobs.delete(&blob)?;
    }
    Ok(Answer::nothing())
}

//! Where an event id is: waiting in the queue, stored as an issue's event, or discarded and why.

use protocol::category::Discard;
use protocol::envelope::Envelope;
use protocol::ids::EventId;
use protocol::time::format_rfc3339;
use serde_json::{Value, json};
use storage::record::StoredEvent;
use storage::relational::{hashes, issues, projects, whereabouts};
use storage::stores::Stores;

use crate::ingest::record::{Form, Meta};

/// Why it could not be said.
#[derive(Debug, thiserror::Error)]
pub enum WhereError {
    /// The database refused.
    #[error("the database: {0}")]
    Sql(#[from] storage::sql::SqlError),
    /// The packs or ids refused.
    #[error(transparent)]
    Payload(#[from] storage::payloads::PayloadError),
    /// The queue refused.
    #[error(transparent)]
    Queue(#[from] storage::queue::QueueError),
}

/// One place: `state` is `queued`, `stored`, `deleted` or `discarded`; then project, issue or reason, times. An
/// empty list means that the server knows nothing of the id, or no longer.
///
/// # Errors
/// As the stores say.
pub fn find(stores: &Stores, id: EventId) -> Result<Vec<Value>, WhereError> {
    let mut places = Vec::new();
    for (project, locator) in stores.ids.find(id.0)? {
        let bytes = stores.payloads.get(&[locator]).pop().transpose()?;
        let record = bytes.and_then(|b| StoredEvent::decode(&b).ok());
        places.push(stored(stores, project, record.as_ref())?);
    }
    for (project, reason, when) in stores
        .sql
        .reading(|c| whereabouts::discarded(c, &id.to_string()))?
    {
        let why = Discard::ALL
            .iter()
            .find(|d| d.name() == reason)
            .map_or("", |d| d.explain());
        places.push(json!({
            "state": "discarded", "project": project.to_string(), "reason": reason, "detail": why,
            "dateDiscarded": format_rfc3339(when),
        }));
    }
    if places.is_empty() {
        let text = id.to_string();
        let mut found = None;
        stores.queue.scan(&mut |claimed| {
            if let Some((meta, body)) = Meta::read(&claimed.bytes) {
                let inside = meta.form == Form::Envelope
                    && Envelope::parse(body).is_ok_and(|e| e.header.event_id == Some(id));
                if inside || meta.event_id.as_deref() == Some(&text) {
                    found = Some(meta);
                }
            }
            found.is_none()
        })?;
        if let Some(meta) = found {
            places.push(json!({
                "state": "queued", "project": meta.project.to_string(),
                "dateReceived": format_rfc3339(meta.received),
            }));
        }
    }
    Ok(places)
}

fn stored(stores: &Stores, project: u64, record: Option<&StoredEvent>) -> Result<Value, WhereError> {
    let Some(record) = record else {
        return Ok(
            json!({ "state": "stored", "project": project.to_string(), "detail": "its record cannot be read" }),
        );
    };
    let id = i64::try_from(project).unwrap_or(0);
    Ok(stores.sql.reading(|c| {
        let all: Vec<_> = record.hashes.iter().map(|h| (project, *h)).collect();
        let issue = hashes::find(c, &all)?.into_iter().find_map(|h| h.issue);
        let hidden = hashes::hidden(c, &[project])?;
        let slug = projects::by_id(c, id)?.map(|p| p.slug);
        let deleted = slug.is_none() || hidden.hides(project, record.row.hash, record.seq);
        let issue = match issue {
            Some(issue) if !deleted => issues::by_ids(c, &[issue])?.pop(),
            _ => None,
        };
        Ok(json!({
            "state": if deleted { "deleted" } else { "stored" },
            "project": project.to_string(),
            "projectSlug": slug,
            "issue": issue.as_ref().map(|i| i.id.to_string()),
            "shortId": issue.as_ref().zip(slug.as_ref()).map(|(i, s)| issues::short_id(s, i.short_number)),
            "dateReceived": format_rfc3339(record.row.received),
            "dateCreated": format_rfc3339(record.row.time),
        }))
    })?)
}

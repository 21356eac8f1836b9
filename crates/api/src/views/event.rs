//! A stored event as clients and pages read it.

use protocol::ids::EventId;
use serde_json::{Map, Value, json};
use storage::record::StoredEvent;
use storage::relational::projects::Project;

use super::entries::{self, object};
use super::{project as project_view, time};

/// A stored event with its JSON read.
pub struct Loaded {
    pub record: StoredEvent,
    pub json: Value,
}

impl Loaded {
    pub fn read(bytes: &[u8]) -> Result<Loaded, String> {
        let record = StoredEvent::decode(bytes).map_err(|e| e.to_string())?;
        let json = serde_json::from_slice(&record.json).map_err(|e| e.to_string())?;
        Ok(Loaded { record, json })
    }

    pub fn id(&self) -> String {
        EventId(self.record.row.id).to_string()
    }

    fn text(&self, key: &str) -> Value {
        match self.json.get(key) {
            Some(Value::String(s)) if !s.is_empty() => json!(s),
            _ => Value::Null,
        }
    }
}

/// Tags as pairs, however they are written.
pub fn tags(event: &Value) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().map(str::to_owned);
    match event.get("tags") {
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|p| Some((text(p.get(0)?)?, text(p.get(1)?)?)))
            .collect(),
        Some(Value::Object(map)) => map
            .iter()
            .filter_map(|(k, v)| Some((k.clone(), text(v)?)))
            .collect(),
        _ => vec![],
    }
}

fn tag_views(event: &Value) -> Vec<Value> {
    tags(event)
        .into_iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect()
}

/// The message of an event, empty if there is none.
pub fn message(event: &Value) -> Value {
    let formatted = |v: &Value| {
        v.get("formatted")
            .or(v.get("message"))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let found = event
        .get("logentry")
        .and_then(formatted)
        .or_else(|| match event.get("message") {
            Some(Value::String(s)) => Some(s.clone()),
            Some(other) => formatted(other),
            None => None,
        });
    json!(found.unwrap_or_default())
}

fn user(event: &Value) -> Value {
    match event.get("user") {
        Some(Value::Object(user)) if !user.is_empty() => {
            let get = |k: &str| user.get(k).cloned().unwrap_or(Value::Null);
            let data: Map<String, Value> = user
                .iter()
                .filter(|(k, _)| {
                    !matches!(
                        k.as_str(),
                        "id" | "email" | "username" | "ip_address" | "name" | "geo"
                    )
                })
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            json!({
                "id": get("id"), "email": get("email"), "username": get("username"),
                "ip_address": get("ip_address"), "name": get("name"), "geo": get("geo"),
                "data": if data.is_empty() { Value::Null } else { Value::Object(data) },
            })
        }
        _ => Value::Null,
    }
}

/// `error`, `default`, `csp`.
fn kind(event: &Value) -> &str {
    event.get("type").and_then(Value::as_str).unwrap_or("default")
}

/// An event in a list.
pub fn summary(e: &Loaded, project: &Project, group: Option<i64>) -> Value {
    let id = e.id();
    json!({
        "id": id, "eventID": id, "event.type": kind(&e.json), "projectID": project.id.to_string(),
        "groupID": group.map(|g| g.to_string()), "title": e.text("title"), "message": message(&e.json),
        "location": e.text("location"), "culprit": e.text("culprit"), "user": user(&e.json),
        "tags": tag_views(&e.json), "platform": e.text("platform"), "dateCreated": time(e.record.row.time),
        "crashFile": null, "metadata": object(e.json.get("metadata")), "type": kind(&e.json),
    })
}

/// An event in full.
pub fn details(
    e: &Loaded,
    project: &Project,
    group: Option<i64>,
    previous: Option<String>,
    next: Option<String>,
) -> Value {
    let event = &e.json;
    let mut view = summary(e, project, group);
    let sdk = event.get("sdk").filter(|s| s.is_object()).map(|s| {
        json!({ "name": s.get("name").cloned().unwrap_or(Value::Null), "version": s.get("version").cloned().unwrap_or(Value::Null) })
    });
    let release = event
        .get("release")
        .and_then(Value::as_str)
        .map(project_view::release_reference);
    let meta = event.get("_meta");
    view["entries"] = json!(entries::entries(event));
    view["contexts"] = Value::Object(entries::contexts(event));
    view["context"] = object(event.get("extra"));
    view["packages"] = object(event.get("modules"));
    view["sdk"] = json!(sdk);
    view["release"] = json!(release);
    view["dist"] = e.text("dist");
    view["environment"] = e.text("environment");
    view["size"] = json!(e.record.json.len());
    view["dateReceived"] = time(e.record.row.received);
    view["errors"] = json!(entries::errors(event));
    view["fingerprints"] = json!(
        e.record
            .hashes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    );
    view["groupingConfig"] = json!({ "id": "newstyle:2026-01-20", "enhancements": "" });
    view["_meta"] = object(meta.map(entries::meta_by_entry).as_ref());
    view["userReport"] = Value::Null;
    view["occurrence"] = Value::Null;
    view["nextEventID"] = json!(next);
    view["previousEventID"] = json!(previous);
    view["sdkUpdates"] = json!([]);
    view["resolvedWith"] = json!([]);
    view["measurements"] = Value::Null;
    view
}

/// The event as it was sent, normalized: without what the server keeps for itself.
pub fn raw(e: &Loaded) -> Value {
    let mut event = e.json.clone();
    if let Value::Object(map) = &mut event {
        map.remove("_grouping");
        map.entry("event_id").or_insert_with(|| json!(e.id()));
    }
    event
}

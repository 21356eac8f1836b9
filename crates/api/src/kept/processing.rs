//! What is to be done with events beside keeping them: service hooks, forwarding, sources of symbols, filters.

use serde_json::{Value, json};
use storage::relational::documents::Document;

use super::shape::{Field, Shape, may, must, or};
use super::shown::put;
use super::{Kept, Kind, Naming, Shown, keep};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::Body;

/// Addresses that are told of events of a project.
pub struct Hooks;

impl Kept for Hooks {
    const KIND: &'static Kind = &Kind {
        name: "service_hook",
        noun: "Service hook",
        fields: &[
            must("url", Shape::Address),
            must(
                "events",
                Shape::List(&Shape::OneOf(&["event.alert", "event.created"]), 10),
            ),
            or("isActive", Shape::Flag, "true"),
            may("secret", Shape::Text(128)),
        ],
        of_project: true,
        own: &["secret"],
        view: hook,
        ..Kind::PLAIN
    };
}

fn hook(shown: &Shown<'_>, out: &mut Body) {
    let active = out.remove("isActive") != Some(json!(false));
    put(
        out,
        json!({ "id": shown.document.slug, "status": if active { "active" } else { "disabled" } }),
    );
}

/// Keeps a service hook, with a secret of its own.
pub fn add_hook(call: &Call) -> Result<Answer, ApiError> {
    let mut body = super::sent(call, Hooks::KIND)?;
    body.insert("secret".into(), json!(crate::password::new_secret()));
    let document = keep(call, Hooks::KIND, &body)?;
    Ok(Answer::created(super::view(call, Hooks::KIND, &document)?))
}

/// Where else events go.
pub struct Forwarding;

impl Kept for Forwarding {
    const KIND: &'static Kind = &Kind {
        name: "forwarding",
        noun: "Data forwarder",
        fields: &[
            must("provider", Shape::OneOf(&["segment", "sqs", "splunk"])),
            or("isEnabled", Shape::Flag, "true"),
            or("enrollNewProjects", Shape::Flag, "false"),
            or("config", Shape::Free, "{}"),
            or("projectIds", Shape::List(&Shape::Whole(1, i64::MAX), 1000), "[]"),
        ],
        view: forwarder,
        ..Kind::PLAIN
    };
}

fn forwarder(shown: &Shown<'_>, out: &mut Body) {
    let ids = out.remove("projectIds").unwrap_or_default();
    let enrolled = ids.as_array().into_iter().flatten().filter_map(Value::as_i64);
    let enrolled: Vec<Value> = enrolled
        .filter_map(|id| shown.projects.iter().find(|p| p.id == id))
        .map(|p| json!({ "id": p.id.to_string(), "slug": p.slug, "platform": p.platform }))
        .collect();
    let one = |project: &Value| {
        json!({
            "id": format!("{}:{}", shown.id(), project["id"].as_str().unwrap_or("")), "isEnabled": out["isEnabled"],
            "dataForwarderId": shown.id(), "project": project, "overrides": {}, "effectiveConfig": out["config"],
            "dateAdded": shown.made(), "dateUpdated": shown.changed(),
        })
    };
    let configs: Vec<Value> = enrolled.iter().map(one).collect();
    let rest = json!({
        "organizationId": shown.org(), "enrolledProjects": enrolled, "projectConfigs": configs,
        "dateAdded": shown.made(),
    });
    put(out, rest);
}

const LAYOUT: &[Field] = &[
    or(
        "type",
        Shape::OneOf(&[
            "native",
            "symstore",
            "symstore_index2",
            "ssqp",
            "unified",
            "debuginfod",
            "slashsymbols",
        ]),
        "\"native\"",
    ),
    or(
        "casing",
        Shape::OneOf(&["lowercase", "uppercase", "default"]),
        "\"default\"",
    ),
];

/// The parts of a source that are not shown again.
const SECRETS: &[&str] = &["password", "secret_key", "private_key"];

/// Servers that have symbols. Those of type `http` are asked, the others are only kept and say so.
pub struct Sources;

impl Kept for Sources {
    const KIND: &'static Kind = &Kind {
        name: "symbol_source",
        noun: "Symbol source",
        fields: &[
            must("type", Shape::OneOf(&["http", "gcs", "s3"])),
            must("name", Shape::Text(255)),
            may("id", Shape::Text(64)),
            or(
                "layout",
                Shape::Object(LAYOUT),
                "{\"type\": \"native\", \"casing\": \"default\"}",
            ),
            may("filters", Shape::Free),
            may("url", Shape::Address),
            may("username", Shape::Text(255)),
            may("password", Shape::Text(1024)),
            may("bucket", Shape::Text(255)),
            may("region", Shape::Text(64)),
            may("access_key", Shape::Text(255)),
            may("secret_key", Shape::Text(1024)),
            may("prefix", Shape::Text(1024)),
            may("client_email", Shape::Text(255)),
            may("private_key", Shape::Text(10_000)),
        ],
        naming: Naming::Made(|_, body| match body.get("id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => uuid::Uuid::new_v4().simple().to_string(),
        }),
        of_project: true,
        check: |_, body| complete_source(body),
        view: source,
        ..Kind::PLAIN
    };
}

/// Each type has fields that it cannot do without.
fn complete_source(body: &Body) -> Result<(), ApiError> {
    let needed: &[&str] = match body["type"].as_str() {
        Some("http") => &["url"],
        Some("s3") => &["bucket", "region", "access_key", "secret_key"],
        _ => &["bucket", "client_email", "private_key"],
    };
    let missing = needed.iter().filter(|n| !body.contains_key(**n));
    let missing: Vec<(String, String)> = missing
        .map(|n| ((*n).to_owned(), "This field is required.".into()))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(ApiError::Fields(missing))
    }
}

fn source(shown: &Shown<'_>, out: &mut Body) {
    for name in SECRETS {
        if out.contains_key(*name) {
            out.insert((*name).into(), json!({ "hidden-secret": true }));
        }
    }
    if out.get("type") == Some(&json!("http")) {
        out.remove("acting");
    }
    put(out, json!({ "id": shown.document.slug }));
}

/// The public servers that `builtinSymbolSources` of a project can name.
pub fn public_sources(call: &Call) -> Result<Answer, ApiError> {
    let servers = (call.api.hooks.symbol_servers)();
    let one = |(id, name): (&str, &str)| json!({ "sentry_key": id, "id": id, "name": name, "hidden": false });
    Ok(Answer::json(servers.into_iter().map(one).collect::<Vec<_>>()))
}

/// Adds a source.
pub fn add_source(call: &Call) -> Result<Answer, ApiError> {
    let answer = super::add::<Sources>(call)?;
    (call.api.hooks.changed)();
    Ok(answer)
}

fn source_of(call: &Call) -> Result<Document, ApiError> {
    let id = call
        .value("id")
        .ok_or_else(|| ApiError::Bad("Missing source id".into()))?;
    super::named(call, Sources::KIND, id)
}

/// The sources of a project, or the one that `id` names.
pub fn list_sources(call: &Call) -> Result<Answer, ApiError> {
    if call.value("id").is_some() {
        return Ok(Answer::json(super::view(call, Sources::KIND, &source_of(call)?)?));
    }
    super::list::<Sources>(call)
}

/// Changes the source that `id` names. A secret that is sent back as it is shown stays.
pub fn update_source(call: &Call) -> Result<Answer, ApiError> {
    let mut document = source_of(call)?;
    let mut body = call.json()?;
    body.retain(|name, value| !(SECRETS.contains(&name.as_str()) && value.is_object()));
    super::change(call, Sources::KIND, &mut document, &body)?;
    (call.api.hooks.changed)();
    Ok(Answer::json(super::view(call, Sources::KIND, &document)?))
}

/// Forgets the source that `id` names.
pub fn remove_source(call: &Call) -> Result<Answer, ApiError> {
    super::forget(call, Sources::KIND, &[source_of(call)?])?;
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

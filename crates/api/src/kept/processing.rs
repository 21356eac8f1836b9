//! What is to be done with events beside keeping them: service hooks, forwarding.

use serde_json::{Value, json};

use super::shape::{Shape, may, must, or};
use super::shown::put;
use super::{Kept, Kind, Shown, keep};
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

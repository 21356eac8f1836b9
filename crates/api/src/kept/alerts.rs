//! What is to be told of, to whom: detectors and workflows, and the older rules of projects and organizations.

use serde_json::{Value, json};
use storage::relational::documents::Document;

use super::shape::{Field, Shape, must, or};
use super::shown::{actor, put};
use super::{Kept, Kind, Shown, of_call};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::Body;
use crate::links::{offset, paged};

const NUMBERS: Shape = Shape::List(&Shape::Whole(1, i64::MAX), 1000);
const FREE: Shape = Shape::List(&Shape::Free, 100);

const GROUP: &[Field] = &[
    or(
        "logicType",
        Shape::OneOf(&["any", "any-short", "all", "none"]),
        "\"any\"",
    ),
    or("conditions", FREE, "[]"),
    or("actions", FREE, "[]"),
];

/// Numbers as texts.
fn texts(value: Option<&Value>) -> Value {
    let list = value.and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().map(|n| json!(n.to_string())).collect()
}

fn group(shown: &Shown<'_>, group: &Value, n: i64) -> Value {
    if group.is_null() {
        return Value::Null;
    }
    let mut group = group.clone();
    group["id"] = json!((shown.document.id * 100 + n).to_string());
    group["organizationId"] = json!(shown.org());
    group
}

/// Detectors.
pub struct Detectors;

impl Kept for Detectors {
    const KIND: &'static Kind = &Kind {
        name: "detector",
        noun: "Detector",
        fields: &[
            must("name", Shape::Text(200)),
            must("type", Shape::Text(64)),
            or("workflowIds", NUMBERS, "[]"),
            or("dataSources", FREE, "[]"),
            or("config", Shape::Free, "{}"),
            or("conditionGroup", Shape::Object(GROUP), "null"),
            or("owner", Shape::Text(64), "null"),
            or("description", Shape::Text(4096), "null"),
            or("enabled", Shape::Flag, "true"),
        ],
        of_project: true,
        view: detector,
        ..Kind::PLAIN
    };
}

fn detector(shown: &Shown<'_>, out: &mut Body) {
    let rest = json!({
        "owner": actor(out, "owner"), "workflowIds": texts(out.get("workflowIds")),
        "conditionGroup": group(shown, &out["conditionGroup"], 0), "latestGroup": null,
        "projectId": shown.document.project.map(|p| p.to_string()),
        "createdBy": shown.document.user.map(|u| u.to_string()),
    });
    put(out, rest);
}

/// Workflows: what follows when a detector sees something.
pub struct Workflows;

impl Kept for Workflows {
    const KIND: &'static Kind = &Kind {
        name: "workflow",
        noun: "Workflow",
        fields: &[
            must("name", Shape::Text(256)),
            or("enabled", Shape::Flag, "true"),
            or("detectorIds", NUMBERS, "[]"),
            or("config", Shape::Free, "{}"),
            or("environment", Shape::Text(64), "null"),
            or("triggers", Shape::Object(GROUP), "null"),
            or("actionFilters", Shape::List(&Shape::Object(GROUP), 50), "[]"),
            or("owner", Shape::Text(64), "null"),
        ],
        view: workflow,
        ..Kind::PLAIN
    };
}

fn workflow(shown: &Shown<'_>, out: &mut Body) {
    let filters = out["actionFilters"].as_array().cloned().unwrap_or_default();
    let filters: Vec<Value> = filters.iter().zip(1..).map(|(g, n)| group(shown, g, n)).collect();
    let rest = json!({
        "organizationId": shown.org(), "createdBy": shown.document.user.map(|u| u.to_string()),
        "triggers": group(shown, &out["triggers"], 0), "actionFilters": filters, "lastTriggered": null,
        "detectorIds": texts(out.get("detectorIds")),
    });
    put(out, rest);
}

/// Rules about numbers of events, of an organization.
pub struct AlertRules;

impl Kept for AlertRules {
    const KIND: &'static Kind = &Kind {
        name: "alert_rule",
        noun: "Alert rule",
        fields: &[
            must("name", Shape::Text(256)),
            must("aggregate", Shape::Text(256)),
            or("query", Shape::Text(4096), "\"\""),
            must("timeWindow", Shape::Whole(1, 1440)),
            or("projects", Shape::List(&Shape::Text(100), 1000), "[]"),
            or("dataset", Shape::Text(64), "\"events\""),
            or("eventTypes", Shape::List(&Shape::Text(32), 10), "[\"error\"]"),
            or("environment", Shape::Text(64), "null"),
            or("owner", Shape::Text(64), "null"),
            or("thresholdType", Shape::Whole(0, 2), "0"),
            or("resolveThreshold", Shape::Number, "null"),
            or("comparisonDelta", Shape::Whole(1, 100_000), "null"),
            must("triggers", Shape::List(&Shape::Free, 10)),
        ],
        of_project: true,
        view: alert_rule,
        ..Kind::PLAIN
    };
}

fn alert_rule(shown: &Shown<'_>, out: &mut Body) {
    let project = shown.project().map(|p| p.slug.clone());
    let rest = json!({
        "organizationId": shown.org(), "projects": project.into_iter().collect::<Vec<_>>(), "status": 0,
        "createdBy": shown.user.map(|u| json!({ "id": u.id, "name": u.name, "email": u.email })),
        "dateModified": shown.changed(), "snooze": false,
    });
    put(out, rest);
}

/// Rules about issues, of a project.
pub struct Rules;

impl Kept for Rules {
    const KIND: &'static Kind = &Kind {
        name: "rule",
        noun: "Rule",
        fields: &[
            must("name", Shape::Text(256)),
            or("actionMatch", Shape::OneOf(&["all", "any", "none"]), "\"any\""),
            or("filterMatch", Shape::OneOf(&["all", "any", "none"]), "\"all\""),
            or("conditions", FREE, "[]"),
            or("filters", FREE, "[]"),
            must("actions", FREE),
            or("frequency", Shape::Whole(5, 43_200), "1440"),
            or("environment", Shape::Text(64), "null"),
            or("owner", Shape::Text(64), "null"),
        ],
        of_project: true,
        view: rule,
        statuses: (200, 200, 202),
        ..Kind::PLAIN
    };
}

fn rule(shown: &Shown<'_>, out: &mut Body) {
    let project = shown.project().map(|p| p.slug.clone());
    let rest = json!({
        "projects": project.into_iter().collect::<Vec<_>>(), "status": "active", "snooze": false,
        "lastTriggered": null,
        "createdBy": shown.user.map(|u| json!({ "id": u.id, "name": u.name, "email": u.email })),
    });
    put(out, rest);
}

/// Rules of both kinds, the newest first, each with its `type`.
pub fn combined(call: &Call) -> Result<Answer, ApiError> {
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let mut all: Vec<(i64, Value)> = Vec::new();
    for (kind, name) in [(AlertRules::KIND, "alert_rule"), (Rules::KIND, "rule")] {
        let found: Vec<Document> = of_call(call, kind)?;
        for document in &found {
            let mut view = super::view(call, kind, document)?;
            view["type"] = json!(name);
            all.push((document.date_added, view));
        }
    }
    all.sort_by_key(|(date, _)| std::cmp::Reverse(*date));
    let more = all.len() > start.saturating_add(limit);
    let page: Vec<Value> = all.into_iter().skip(start).take(limit).map(|(_, v)| v).collect();
    Ok(paged(Answer::json(page), call, start, limit, more))
}

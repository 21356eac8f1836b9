//! Dashboards and saved questions to the event store.

use serde_json::{Value, json};

use super::shape::{Field, Shape, may, must, or};
use super::shown::{put, without_null};
use super::{Kept, Kind, Shown, own};
use crate::fields::Body;

use crate::views::constant::complete;

const TEXTS: Shape = Shape::List(&Shape::Text(1024), 100);
const NUMBERS: Shape = Shape::List(&Shape::Whole(-1, i64::MAX), 1000);

const QUERY: &[Field] = &[
    or("name", Shape::Text(255), "\"\""),
    or("fields", TEXTS, "[]"),
    or("aggregates", TEXTS, "[]"),
    or("columns", TEXTS, "[]"),
    or("fieldAliases", TEXTS, "[]"),
    or("conditions", Shape::Text(4096), "\"\""),
    or("orderby", Shape::Text(255), "\"\""),
    or("isHidden", Shape::Flag, "false"),
    or("selectedAggregate", Shape::Whole(0, 100), "null"),
];

const WIDGET: &[Field] = &[
    or("title", Shape::Text(255), "\"\""),
    or("description", Shape::Text(350), "null"),
    or(
        "displayType",
        Shape::OneOf(&[
            "line",
            "area",
            "stacked_area",
            "bar",
            "table",
            "big_number",
            "top_n",
            "details",
            "categorical_bar",
            "wheel",
            "rage_and_dead_clicks",
            "server_tree",
            "text",
            "agents_traces_table",
        ]),
        "\"line\"",
    ),
    or("thresholds", Shape::Free, "null"),
    or("interval", Shape::Text(10), "\"5m\""),
    or("queries", Shape::List(&Shape::Object(QUERY), 20), "[]"),
    or("widgetType", Shape::Text(40), "null"),
    or("limit", Shape::Whole(1, 100), "null"),
    or("layout", Shape::Free, "null"),
    or("axisRange", Shape::OneOf(&["auto", "dataMin"]), "null"),
    or("legendType", Shape::OneOf(&["default", "breakdown"]), "null"),
];

const PERMISSIONS: &[Field] = &[
    or("isEditableByEveryone", Shape::Flag, "true"),
    or("teamsWithEditAccess", NUMBERS, "[]"),
];

/// Dashboards.
pub struct Dashboards;

impl Kept for Dashboards {
    const KIND: &'static Kind = &Kind {
        name: "dashboard",
        noun: "Dashboard",
        fields: &[
            must("title", Shape::Text(255)),
            or("widgets", Shape::List(&Shape::Object(WIDGET), 30), "[]"),
            or("projects", NUMBERS, "[]"),
            or("environment", TEXTS, "[]"),
            or("filters", Shape::Free, "{}"),
            may("period", Shape::Text(10)),
            may("start", Shape::Time),
            may("end", Shape::Time),
            may("utc", Shape::Either(&[Shape::Flag, Shape::Text(5)])),
            or("permissions", Shape::Object(PERMISSIONS), "null"),
            or("isFavorited", Shape::Flag, "false"),
        ],
        guard: |call, d| {
            let closed = d.body["permissions"]["isEditableByEveryone"] == false;
            if closed && !own(call, d) {
                call.demand("org:write")
            } else {
                Ok(())
            }
        },
        label: "title",
        view: dashboard,
        ..Kind::PLAIN
    };
}

fn dashboard(shown: &Shown<'_>, out: &mut Body) {
    let widgets = out.remove("widgets").unwrap_or_default();
    let widgets = widgets.as_array().cloned().unwrap_or_default();
    put(out, json!({ "createdBy": shown.creator(), "prebuiltId": null }));
    // Sentry writes it as a text.
    if let Some(Value::Bool(utc)) = out.get("utc").cloned() {
        out.insert("utc".into(), json!(utc.to_string()));
    }
    if shown.full {
        let all: Vec<Value> = widgets
            .into_iter()
            .zip(1..)
            .map(|(w, n)| widget(shown, w, n))
            .collect();
        out.insert("widgets".into(), json!(all));
        return;
    }
    let kinds: Vec<&Value> = widgets.iter().map(|w| &w["displayType"]).collect();
    let previews: Vec<Value> = kinds.iter().map(|k| json!({ "displayType": k })).collect();
    put(
        out,
        json!({ "widgetDisplay": kinds, "widgetPreview": previews, "lastVisited": null }),
    );
}

fn widget(shown: &Shown<'_>, mut widget: Value, n: i64) -> Value {
    let id = (shown.document.id * 1000 + n).to_string();
    for (query, m) in widget["queries"].as_array_mut().into_iter().flatten().zip(1..) {
        let own = (shown.document.id * 100_000 + n * 100 + m).to_string();
        complete(
            query,
            json!({ "id": own, "widgetId": id, "onDemand": [], "linkedDashboards": [] }),
        );
    }
    let rest = json!({
        "id": id, "dateCreated": shown.made(), "dashboardId": shown.id(), "datasetSource": null, "exploreUrls": null,
        "changedReason": null,
    });
    complete(&mut widget, rest);
    widget
}

/// Saved questions to the event store.
pub struct Queries;

impl Kept for Queries {
    const KIND: &'static Kind = &Kind {
        name: "saved_query",
        noun: "Saved query",
        fields: &[
            must("name", Shape::Text(255)),
            or("projects", NUMBERS, "[]"),
            or(
                "queryDataset",
                Shape::OneOf(&["discover", "error-events", "transaction-like"]),
                "\"error-events\"",
            ),
            may("start", Shape::Time),
            may("end", Shape::Time),
            may("range", Shape::Text(10)),
            may("fields", TEXTS),
            may("widths", TEXTS),
            may("orderby", Shape::Text(255)),
            may("environment", TEXTS),
            may("query", Shape::Text(4096)),
            may("yAxis", Shape::Either(&[TEXTS, Shape::Text(255)])),
            may("display", Shape::Text(40)),
            may("topEvents", Shape::Whole(1, 10)),
            may("interval", Shape::Text(10)),
        ],
        view: query,
        ..Kind::PLAIN
    };
}

fn query(shown: &Shown<'_>, out: &mut Body) {
    let rest =
        json!({ "version": 2, "datasetSource": "user", "expired": false, "createdBy": shown.creator() });
    put(out, rest);
    without_null(out, &["start", "end", "range"]);
    if let Some(Value::String(axis)) = out.get("yAxis").cloned() {
        out.insert("yAxis".into(), json!([axis]));
    }
}

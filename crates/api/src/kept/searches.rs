//! Searches that people saved, and views of issues that they come back to.

use serde_json::{Value, json};
use storage::relational::documents::{self, Document};

use super::shape::{Shape, may, must, or};
use super::shown::put;
use super::{Kept, Kind, Shown, of_call, own};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::{self, Body};

/// Saved searches.
pub struct Searches;

impl Kept for Searches {
    const KIND: &'static Kind = &Kind {
        name: "search",
        noun: "Search",
        fields: &[
            must("name", Shape::Text(128)),
            must("query", Shape::Text(4096)),
            or("type", Shape::Whole(0, 0), "0"),
            or(
                "sort",
                Shape::OneOf(&["date", "new", "freq", "user", "trends", "inbox"]),
                "\"date\"",
            ),
            or(
                "visibility",
                Shape::OneOf(&["organization", "owner", "owner_pinned"]),
                "\"owner\"",
            ),
        ],
        acting: true,
        // Who may change settings of the organization may give everybody a search.
        check: |call, body| match body["visibility"].as_str() {
            Some("organization") => call.demand("org:write"),
            _ => Ok(()),
        },
        most: 10_000,
        visible: Some(|call, d| d.body["visibility"] == "organization" || own(call, d)),
        guard: |call, d| match d.body["visibility"].as_str() {
            Some("organization") => call.demand("org:write"),
            _ => Ok(()),
        },
        view: |shown, out| {
            let pinned = out["visibility"] == "owner_pinned";
            put(
                out,
                json!({ "isGlobal": false, "isPinned": pinned, "ownerId": shown.document.user.map(|u| u.to_string()) }),
            );
        },
        statuses: (200, 200, 204),
        ..Kind::PLAIN
    };
}

/// Views of issues.
pub struct Views;

impl Kept for Views {
    const KIND: &'static Kind = &Kind {
        name: "issue_view",
        noun: "View",
        fields: &[
            must("name", Shape::Text(128)),
            or("query", Shape::Text(4096), "\"is:unresolved\""),
            or(
                "querySort",
                Shape::OneOf(&["date", "new", "freq", "user", "trends", "inbox"]),
                "\"date\"",
            ),
            or("projects", Shape::List(&Shape::Whole(-1, i64::MAX), 1000), "[]"),
            or("environments", Shape::List(&Shape::Text(64), 100), "[]"),
            or("timeFilters", Shape::Free, "{\"period\": \"14d\"}"),
            or("isAllProjects", Shape::Flag, "false"),
            or(
                "visibility",
                Shape::OneOf(&["organization", "owner"]),
                "\"organization\"",
            ),
            // Who starred it, each with the place in their own order.
            may("stars", Shape::Free),
        ],
        own: &["stars"],
        acting: true,
        most: 10_000,
        visible: Some(|call, d| d.body["visibility"] != "owner" || own(call, d)),
        guard: |call, d| {
            if own(call, d) {
                Ok(())
            } else {
                call.demand("org:write")
            }
        },
        view,
        ..Kind::PLAIN
    };
}

fn me(call: &Call) -> String {
    call.user_id().unwrap_or(0).to_string()
}

fn star(call: &Call, d: &Document) -> Option<i64> {
    d.body["stars"][me(call)].as_i64()
}

fn view(shown: &Shown<'_>, out: &mut Body) {
    let stars = out.remove("stars").unwrap_or_default();
    let rest = json!({
        "starred": stars.get(me(shown.call)).is_some(), "stars": stars.as_object().map_or(0, serde_json::Map::len),
        "lastVisited": null, "createdBy": shown.creator(),
    });
    put(out, rest);
}

/// The views that the caller starred, in their order.
pub fn starred(call: &Call) -> Result<Answer, ApiError> {
    let mut all = of_call(call, Views::KIND)?;
    all.retain(|d| star(call, d).is_some());
    all.sort_by_key(|d| (star(call, d), d.id));
    let views: Vec<Value> = all
        .iter()
        .map(|d| super::view(call, Views::KIND, d))
        .collect::<Result<_, _>>()?;
    Ok(Answer::json(views))
}

fn set_star(call: &Call, d: &mut Document, place: Option<i64>) {
    let mut stars = d.body["stars"].as_object().cloned().unwrap_or_default();
    match place {
        Some(place) => {
            stars.insert(me(call), json!(place));
        }
        None => {
            stars.remove(&me(call));
        }
    }
    d.body["stars"] = Value::Object(stars);
}

/// Stars a view, or takes the star away: `{"starred"}`.
pub fn set_starred(call: &Call) -> Result<Answer, ApiError> {
    let on = fields::flag(&call.json()?, "starred")?;
    let on = on.ok_or_else(|| ApiError::field("starred", "This field is required."))?;
    let mut document = super::find(call, Views::KIND)?;
    let all = of_call(call, Views::KIND)?;
    let last = all.iter().filter_map(|d| star(call, d)).max().unwrap_or(0);
    set_star(call, &mut document, on.then_some(last + 1));
    call.api.stores.sql.writing(|c| documents::update(c, &document))?;
    Ok(Answer::nothing())
}

/// Puts the starred views in an order: `{"view_ids"}`.
pub fn set_order(call: &Call) -> Result<Answer, ApiError> {
    let ids = fields::names(&call.json()?, "view_ids")?;
    let ids = ids.ok_or_else(|| ApiError::field("view_ids", "This field is required."))?;
    let mut all = of_call(call, Views::KIND)?;
    all.retain(|d| star(call, d).is_some());
    for document in &mut all {
        let place = ids.iter().position(|id| *id == document.id.to_string());
        let place = place.ok_or_else(|| ApiError::field("view_ids", "Every starred view must be named."))?;
        set_star(call, document, i64::try_from(place).ok());
    }
    call.api
        .stores
        .sql
        .writing(|c| all.iter().try_for_each(|d| documents::update(c, d)))?;
    Ok(Answer::nothing())
}

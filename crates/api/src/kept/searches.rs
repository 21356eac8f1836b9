//! Searches that people saved, and views of issues that they come back to.

use serde_json::{Value, json};
use storage::relational::documents::{self, Document};
use storage::relational::people::{self, Organization};

use super::shape::{Shape, may, must, or};
use super::shown::put;
use super::{Kept, Kind, Shown, of_call, own};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::{self, Body};
use crate::links::{offset, paged};

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
        quiet: true,
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
        quiet: true,
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

/// Gives views their places in the caller's order; those without a place lose their star. Each is read anew, so that
/// what others do at the same time stays.
fn write_stars(call: &Call, places: &[(i64, Option<i64>)]) -> Result<(), ApiError> {
    let (me, org) = (call.user_id()?.to_string(), call.organization()?.id);
    Ok(call.api.stores.sql.writing(|c| {
        for (id, place) in places {
            let Some(mut d) = documents::find(c, Views::KIND.name, org, &id.to_string())? else {
                continue;
            };
            let mut stars = d.body["stars"].as_object().cloned().unwrap_or_default();
            match place {
                Some(place) => stars.insert(me.clone(), json!(place)),
                None => stars.remove(&me),
            };
            d.body["stars"] = Value::Object(stars);
            documents::update(c, &d)?;
        }
        Ok(())
    })?)
}

/// Stars a view behind the others, or takes the star away.
fn set_one(call: &Call, view: i64, on: bool) -> Result<(), ApiError> {
    let all = of_call(call, Views::KIND)?;
    let others = all.iter().filter(|d| d.id != view);
    let last = others.filter_map(|d| star(call, d)).max().unwrap_or(0);
    write_stars(call, &[(view, on.then_some(last + 1))])
}

/// Stars a view, or takes the star away: `{"starred"}`.
pub fn set_starred(call: &Call) -> Result<Answer, ApiError> {
    let on = fields::flag(&call.json()?, "starred")?;
    let on = on.ok_or_else(|| ApiError::field("starred", "This field is required."))?;
    set_one(call, super::find(call, Views::KIND)?.id, on)?;
    Ok(Answer::nothing())
}

/// Puts the starred views in an order: `{"view_ids"}`.
pub fn set_order(call: &Call) -> Result<Answer, ApiError> {
    let ids = fields::names(&call.json()?, "view_ids")?;
    let ids = ids.ok_or_else(|| ApiError::field("view_ids", "This field is required."))?;
    let mut places = Vec::new();
    for document in of_call(call, Views::KIND)? {
        if star(call, &document).is_none() {
            continue;
        }
        let place = ids.iter().position(|id| *id == document.id.to_string());
        let place = place.ok_or_else(|| ApiError::field("view_ids", "Every starred view must be named."))?;
        places.push((document.id, i64::try_from(place).ok()));
    }
    write_stars(call, &places)?;
    Ok(Answer::nothing())
}

/// The views: all that the caller may see, or with `createdBy` their own (`me`) or those of others (`others`).
pub fn list_views(call: &Call) -> Result<Answer, ApiError> {
    let wanted = match call.value("createdBy") {
        None => None,
        Some("me") => Some(true),
        Some("others") => Some(false),
        Some(_) => return Err(ApiError::field("createdBy", "createdBy is me or others")),
    };
    let Some(mine) = wanted else {
        return super::list::<Views>(call);
    };
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let part = call.value("query").unwrap_or("").to_lowercase();
    let mut all = of_call(call, Views::KIND)?;
    all.retain(|d| own(call, d) == mine && d.label.to_lowercase().contains(&part));
    let more = all.len() > start.saturating_add(limit);
    let page: Vec<Document> = all.into_iter().skip(start).take(limit).collect();
    let views = super::views(call, Views::KIND, &page, false)?;
    Ok(paged(Answer::json(views), call, start, limit, more))
}

/// Keeps a view; with `{"starred": true}` the caller's star is on it at once.
pub fn add_view(call: &Call) -> Result<Answer, ApiError> {
    let starred = fields::flag(&call.json()?, "starred")? == Some(true);
    let document = super::keep(call, Views::KIND, &super::sent(call, Views::KIND)?)?;
    if starred {
        set_one(call, document.id, true)?;
    }
    let document = super::named(call, Views::KIND, &document.id.to_string())?;
    Ok(Answer::created(super::view(call, Views::KIND, &document)?))
}

/// Changes a view. That which the organization opens first stays one that all see.
pub fn update_view(call: &Call) -> Result<Answer, ApiError> {
    let given = super::sent(call, Views::KIND)?;
    let mut document = super::find(call, Views::KIND)?;
    if given.get("visibility").is_some_and(|v| v == "owner") && is_default(call, &document)? {
        return Err(ApiError::field(
            "visibility",
            "The organization opens this view first: choose another one for that before.",
        ));
    }
    super::change(call, Views::KIND, &mut document, &given)?;
    Ok(Answer::json(super::view(call, Views::KIND, &document)?))
}

fn is_default(call: &Call, d: &Document) -> Result<bool, ApiError> {
    let setting = default_view(call.organization()?);
    Ok(setting.is_some_and(|id| id == d.id.to_string()))
}

/// Forgets a view; if it was the one that the organization opens first, there is none from then on.
pub fn remove_view(call: &Call) -> Result<Answer, ApiError> {
    let document = super::find(call, Views::KIND)?;
    (Views::KIND.guard)(call, &document)?;
    let was_default = is_default(call, &document)?;
    let mut organization = call.organization()?.clone();
    call.api.stores.sql.writing(|c| {
        documents::remove(c, document.id)?;
        if was_default {
            organization.settings[DEFAULT] = Value::Null;
            people::update_organization(c, &organization)?;
        }
        Ok(())
    })?;
    Ok(Answer::nothing())
}

/// The setting of an organization that says which view is opened first.
pub const DEFAULT: &str = "defaultIssueView";

/// The view that an organization opens first.
pub fn default_view(organization: &Organization) -> Option<&str> {
    organization.settings.get(DEFAULT)?.as_str()
}

/// Reads that setting from a body: the number of a view that all members see, or null.
pub fn default_of(call: &Call, value: &Value) -> Result<Value, ApiError> {
    let name = match value {
        Value::Null => return Ok(Value::Null),
        Value::String(name) => name.clone(),
        other => other.to_string(),
    };
    let org = call.organization()?.id;
    let sql = &call.api.stores.sql;
    let found = sql.reading(|c| documents::find(c, Views::KIND.name, org, &name))?;
    match found.filter(|d| d.body["visibility"] != "owner") {
        Some(document) => Ok(json!(document.id.to_string())),
        None => Err(ApiError::field(
            DEFAULT,
            "There is no view with this number that all members see.",
        )),
    }
}

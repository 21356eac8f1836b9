//! SCIM 2.0 (RFC 7643, 7644) as far as Sentry speaks it: directories put people into the organization and into teams.

pub mod groups;
pub mod users;

use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Resources of a page, and at most.
const PAGE: usize = 100;
const MOST: usize = 10_000;
/// Operations of one request.
const OPERATIONS: usize = 100;

/// The value of `filter`, which compares one attribute: `userName eq "ann@example.com"`.
fn filter(call: &Call, attribute: &str) -> Result<Option<String>, ApiError> {
    let Some(text) = call.value("filter") else {
        return Ok(None);
    };
    let mut parts = text.trim().splitn(3, char::is_whitespace);
    let (name, op, value) = (parts.next(), parts.next(), parts.next());
    let quoted = value.and_then(|v| v.trim().strip_prefix('"')?.strip_suffix('"'));
    match (name, op, quoted) {
        (Some(name), Some(op), Some(value))
            if name.eq_ignore_ascii_case(attribute) && op.eq_ignore_ascii_case("eq") =>
        {
            Ok(Some(value.to_lowercase()))
        }
        _ => Err(ApiError::Bad(format!("filter is like {attribute} eq \"value\""))),
    }
}

/// Whether `members` is left out of groups.
fn without_members(call: &Call) -> bool {
    call.values("excludedAttributes")
        .iter()
        .any(|v| v.split(',').any(|v| v == "members"))
}

/// A page of resources: `startIndex` counts from 1.
fn page(call: &Call, all: Vec<Value>) -> Result<Answer, ApiError> {
    let number = |name: &str, default: usize| match call.value(name) {
        None => Ok(default),
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| ApiError::field(name, "expected a number")),
    };
    let start = number("startIndex", 1)?.max(1);
    let count = number("count", PAGE)?.min(MOST);
    let total = all.len();
    let page: Vec<Value> = all.into_iter().skip(start - 1).take(count).collect();
    Ok(Answer::json(json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": total,
        "startIndex": start, "itemsPerPage": page.len(), "Resources": page,
    })))
}

/// An operation of a PATCH.
struct Operation {
    /// `add`, `remove` or `replace`.
    op: String,
    path: String,
    value: Value,
}

/// The operations of a body.
fn operations(call: &Call) -> Result<Vec<Operation>, ApiError> {
    let body = call.json()?;
    let Some(Value::Array(list)) = body.get("Operations") else {
        return Err(ApiError::field("Operations", "This field is required."));
    };
    if list.len() > OPERATIONS {
        return Err(ApiError::field(
            "Operations",
            format!("at most {OPERATIONS} operations"),
        ));
    }
    let text = |o: &Value, key: &str| o.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    Ok(list
        .iter()
        .map(|o| Operation {
            op: text(o, "op").to_lowercase(),
            path: text(o, "path"),
            value: o.get("value").cloned().unwrap_or(Value::Null),
        })
        .collect())
}

/// A number that may be written as text.
fn id_of(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

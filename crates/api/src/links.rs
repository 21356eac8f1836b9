//! Paging: cursors in the `Link` header, as Sentry's clients read them (`offset` form `0:<offset>:0`).

use http::HeaderName;
use serde_json::Value;

use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// No list is so long; what is added to it stays a number for every database.
const LAST: usize = 1 << 30;

/// The offset of the `cursor` parameter.
pub fn offset(call: &Call) -> Result<usize, ApiError> {
    let Some(text) = call.value("cursor") else {
        return Ok(0);
    };
    let bad =
        || ApiError::Bad("cursor is not one that this server gave: take it from the Link header".into());
    let mut parts = text.split(':');
    let (_, offset, _) = (
        parts.next(),
        parts.next().ok_or_else(bad)?,
        parts.next().ok_or_else(bad)?,
    );
    offset.parse().ok().filter(|n| *n <= LAST).ok_or_else(bad)
}

/// Adds the `Link` header of a page: cursor of the one before and of the one behind, and whether there are any.
pub fn both(answer: Answer, call: &Call, previous: (&str, bool), next: (&str, bool)) -> Answer {
    let query: String = call
        .query
        .iter()
        .filter(|(k, _)| k != "cursor")
        .map(|(k, v)| format!("{}&", serde_urlencoded::to_string([(k, v)]).unwrap_or_default()))
        .collect();
    let link = |rel: &str, (cursor, results): (&str, bool)| {
        format!(
            "<{}{}?{query}cursor={cursor}>; rel=\"{rel}\"; results=\"{results}\"; cursor=\"{cursor}\"",
            call.api.url, call.path
        )
    };
    let value = format!("{}, {}", link("previous", previous), link("next", next));
    answer.with(http::header::LINK, value)
}

/// Adds the `Link` header of a page by offset.
pub fn paged(answer: Answer, call: &Call, offset: usize, limit: usize, more: bool) -> Answer {
    let previous = format!("0:{}:1", offset.saturating_sub(limit));
    let next = format!("0:{}:0", offset.saturating_add(limit));
    both(answer, call, (&previous, offset > 0), (&next, more))
}

/// A page of a list that is at hand as a whole.
pub fn slice(call: &Call, all: Vec<Value>, default: usize) -> Result<Answer, ApiError> {
    let (start, limit) = (offset(call)?, call.limit(default)?);
    let total = all.len();
    let page: Vec<Value> = all.into_iter().skip(start).take(limit).collect();
    let more = total > start.saturating_add(limit);
    Ok(hits(paged(Answer::json(page), call, start, limit, more), total))
}

/// Adds how many there are in all.
pub fn hits(answer: Answer, total: usize) -> Answer {
    answer.with(HeaderName::from_static("x-hits"), total.to_string())
}

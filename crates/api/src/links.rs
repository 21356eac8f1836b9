//! Paging: cursors in the `Link` header, as Sentry's clients read them (`offset` form `0:<offset>:0`).

use http::HeaderName;

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

/// Adds the `Link` header of a page.
pub fn paged(answer: Answer, call: &Call, offset: usize, limit: usize, more: bool) -> Answer {
    let query: String = call
        .query
        .iter()
        .filter(|(k, _)| k != "cursor")
        .map(|(k, v)| format!("{}&", serde_urlencoded::to_string([(k, v)]).unwrap_or_default()))
        .collect();
    let link = |rel: &str, offset: usize, results: bool, back: u8| {
        format!(
            "<{}{}?{query}cursor=0:{offset}:{back}>; rel=\"{rel}\"; results=\"{results}\"; cursor=\"0:{offset}:{back}\"",
            call.api.url, call.path
        )
    };
    let previous = link("previous", offset.saturating_sub(limit), offset > 0, 1);
    let next = link("next", offset.saturating_add(limit), more, 0);
    answer.with(http::header::LINK, format!("{previous}, {next}"))
}

/// Adds how many there are in all.
pub fn hits(answer: Answer, total: usize) -> Answer {
    answer.with(HeaderName::from_static("x-hits"), total.to_string())
}

//! The audit log of an organization.

use storage::relational::audit::{self, Wanted};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::{offset, paged};
use crate::scope::window;
use crate::views::audit::{EVENTS, row};

/// The newest entries; `event`, `user` and a period choose among them.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let (start, limit) = (offset(call)?, call.limit(50)?);
    let event = call.value("event");
    if let Some(event) = event
        && !EVENTS.contains(&event)
    {
        return Err(ApiError::field("event", format!("there is no event '{event}'")));
    }
    let actor = match call.value("user").or_else(|| call.value("actor")) {
        None => None,
        Some("me") => Some(call.user_id()?),
        Some(id) => Some(
            id.parse()
                .map_err(|_| ApiError::field("user", "expected a number"))?,
        ),
    };
    let period = call.value("start").or_else(|| call.value("statsPeriod"));
    let (from, to) = match period {
        None => (None, None),
        Some(_) => {
            let (from, to, _, _) = window(call, 0)?;
            (Some(from), Some(to))
        }
    };
    let wanted = Wanted {
        event,
        actor,
        start: from,
        end: to,
    };
    let (mut rows, people) = call.api.stores.sql.reading(|c| {
        let rows = audit::list(c, org, &wanted, limit + 1, start)?;
        let people = super::issue::users(c, rows.iter().filter_map(|r| r.actor_id))?;
        Ok((rows, people))
    })?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let views: Vec<_> = rows.iter().map(|r| row(r, &people)).collect();
    let body = serde_json::json!({ "rows": views, "options": EVENTS });
    Ok(paged(Answer::json(body), call, start, limit, more))
}

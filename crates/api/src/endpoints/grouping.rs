//! Why an event stands in its issue.

use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// The variants of an event's grouping, by key: hash, whether it contributes, and the tree of components.
pub fn info(call: &Call) -> Result<Answer, ApiError> {
    let project = call.project()?;
    let loaded = super::events::by_id(call, project, call.event_id("event")?)?;
    let loaded = loaded.ok_or_else(|| ApiError::missing("Event"))?;
    Ok(Answer::json((call.api.hooks.grouping)(&loaded.json)))
}

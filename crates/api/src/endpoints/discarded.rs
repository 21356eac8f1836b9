//! Issues that were deleted with all their future events.

use serde_json::{Value, json};
use storage::relational::discarded::{self, Discarded};
use storage::relational::issues::{self, Issue};
use storage::relational::people::User;
use storage::relational::{hashes, positions};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::{offset, paged};
use crate::views;

/// Deletes issues, and from now on leaves out events that would be theirs: `{"discard": true}` on a list.
pub fn discard(call: &Call, found: &[Issue]) -> Result<(), ApiError> {
    let (me, now) = (call.user_id()?, call.now());
    let ids: Vec<i64> = found.iter().map(|i| i.id).collect();
    Ok(call.api.stores.sql.writing(|c| {
        positions::hold(c)?;
        let upto = positions::next_place(c)?.saturating_sub(1);
        for issue in issues::by_ids(c, &ids)? {
            discarded::add(c, &issue, Some(me), now)?;
            hashes::bury(c, issue.id, upto)?;
            issues::remove(c, issue.id)?;
        }
        Ok(())
    })?)
}

fn view(d: &Discarded, who: Option<&User>) -> Value {
    json!({
        "id": d.id.to_string(), "level": d.level, "type": d.kind, "title": d.title, "message": d.title,
        "culprit": d.culprit, "metadata": serde_json::from_str::<Value>(&d.metadata).unwrap_or(Value::Null),
        "actor": who.map(views::people::user), "dateAdded": views::time(d.date_added),
        "eventsDiscarded": d.times_discarded, "lastDiscarded": d.last_discarded.map(views::time),
    })
}

/// The discarded issues of a project, newest first.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let project = call.project()?.id;
    let (start, limit) = (offset(call)?, call.limit(50)?);
    let (mut all, people) = call.api.stores.sql.reading(|c| {
        let (from, most) = (
            i64::try_from(start).unwrap_or(0),
            i64::try_from(limit).unwrap_or(50) + 1,
        );
        let all = discarded::of_project(c, project, from, most)?;
        let people = super::issue::users(c, all.iter().filter_map(|d| d.user).collect::<Vec<_>>())?;
        Ok((all, people))
    })?;
    let more = all.len() > limit;
    all.truncate(limit);
    let views: Vec<Value> = all
        .iter()
        .map(|d| view(d, d.user.and_then(|u| people.get(&u))))
        .collect();
    Ok(paged(Answer::json(views), call, start, limit, more))
}

/// Takes one back: its events are stored again, as a new issue.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let project = call.project()?.id;
    let id = call.number("tombstone", "Tombstone")?;
    if call
        .api
        .stores
        .sql
        .writing(|c| discarded::remove(c, project, id))?
    {
        Ok(Answer::nothing())
    } else {
        Err(ApiError::missing("Tombstone"))
    }
}

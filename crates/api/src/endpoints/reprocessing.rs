//! Processing the events of an issue again, when symbols came later.

use serde_json::{Value, json};
use storage::relational::reprocessings::{self, MOST, Reprocessing};

use super::issue::find;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use protocol::time::format_rfc3339;

fn view(wish: Option<&Reprocessing>, issue: i64, possible: bool) -> Value {
    let Some(wish) = wish else {
        return json!({
            "issueId": issue.to_string(), "status": "none", "totalEvents": 0, "pendingEvents": 0, "syncCount": 0,
            "changedEvents": 0, "possible": possible,
        });
    };
    json!({
        "id": wish.id.to_string(), "issueId": wish.issue.to_string(), "status": wish.status,
        "totalEvents": wish.total, "pendingEvents": (wish.total - wish.done).max(0), "syncCount": wish.done,
        "changedEvents": wish.changed, "dateCreated": format_rfc3339(wish.date_added),
        "dateFinished": wish.date_done.map(format_rfc3339), "possible": possible,
    })
}

/// Where processing the events of an issue again is; `{"status": "none"}` if nobody asked for it. `possible` says
/// whether the project has anything to read frames by.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let wish = call
        .api
        .stores
        .sql
        .reading(|c| reprocessings::of_issue(c, issue.id))?;
    let possible = (call.api.hooks.reads_frames)(project.id);
    Ok(Answer::json(view(wish.as_ref(), issue.id, possible)))
}

/// Processes the events of an issue again, from the newest on: `{"maxEvents"?}`. They keep their ids; where grouping
/// comes out otherwise, counts and issues follow.
pub fn begin(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let body = if call.body.is_empty() {
        serde_json::Map::new()
    } else {
        call.json()?
    };
    let most = match body.get("maxEvents") {
        None | Some(Value::Null) => MOST,
        Some(n) => n
            .as_i64()
            .filter(|n| (1..=MOST).contains(n))
            .ok_or_else(|| ApiError::field("maxEvents", format!("expected a number from 1 to {MOST}")))?,
    };
    let (user, now) = (call.user_id().ok(), call.now());
    let wish = call.change(|c| {
        let wish = reprocessings::begin(c, project.org_id, &issue, user, most, now)?;
        call.audit(
            c,
            "issue.reprocess",
            Some(project.id),
            &json!({ "issue": issue.id, "title": issue.title }),
        )?;
        Ok(wish)
    })?;
    let possible = (call.api.hooks.reads_frames)(project.id);
    Ok(Answer::json(view(Some(&wish), issue.id, possible)))
}

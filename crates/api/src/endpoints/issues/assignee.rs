//! To whom issues are assigned: `user:1`, `team:1`, `#team`, a number, an e-mail address, `me` or nobody.

use serde_json::{Map, Value, json};
use storage::relational::issues::Issue;
use storage::relational::{people, teams};

use crate::answer::ApiError;
use crate::call::Call;

/// Who takes care of issues from now on.
pub enum Assignee {
    /// Nobody.
    Nobody,
    /// The user with this number.
    User(i64),
    /// The team with this number.
    Team(i64),
}

impl Assignee {
    /// Reads `assignedTo` of a body.
    pub fn of(call: &Call, body: &Map<String, Value>) -> Result<Option<Assignee>, ApiError> {
        let text = match body.get("assignedTo") {
            None => return Ok(None),
            Some(Value::Null) => return Ok(Some(Assignee::Nobody)),
            Some(Value::String(s)) if s.is_empty() => return Ok(Some(Assignee::Nobody)),
            Some(Value::String(s)) => s.clone(),
            Some(other) => other.to_string(),
        };
        let org = call.organization()?.id;
        if text.starts_with('#') || text.starts_with("team:") {
            let all = call.api.stores.sql.reading(|c| teams::of_organization(c, org))?;
            let found = all.iter().find(|t| {
                text.strip_prefix('#') == Some(&t.slug)
                    || text.strip_prefix("team:") == Some(&t.id.to_string())
            });
            let found = found.map(|t| Some(Assignee::Team(t.id)));
            return found.ok_or_else(|| {
                let what = format!("this organization has no team '{text}'");
                ApiError::field("assignedTo", what)
            });
        }
        let name = text.strip_prefix("user:").unwrap_or(&text).to_lowercase();
        let me = call.user_id().ok();
        let all = call.api.stores.sql.reading(|c| people::members(c, org))?;
        let found = all.iter().find(|m| {
            m.user.id.to_string() == name || m.user.email == name || (name == "me" && Some(m.user.id) == me)
        });
        let found = found.map(|m| Some(Assignee::User(m.user.id)));
        found.ok_or_else(|| {
            let what = format!("nobody in this organization is '{text}'");
            ApiError::field("assignedTo", what)
        })
    }

    /// Assigns an issue; whether that changes it.
    pub fn give(&self, issue: &mut Issue) -> bool {
        let to = match self {
            Assignee::Nobody => (None, None),
            Assignee::User(id) => (Some(*id), None),
            Assignee::Team(id) => (None, Some(*id)),
        };
        let changes = (issue.assigned_user, issue.assigned_team) != to;
        (issue.assigned_user, issue.assigned_team) = to;
        changes
    }

    /// The kind of the entry in the issue's activity.
    pub fn kind(&self) -> &'static str {
        match self {
            Assignee::Nobody => "unassigned",
            Assignee::User(_) | Assignee::Team(_) => "assigned",
        }
    }

    /// The data of that entry.
    pub fn data(&self) -> Value {
        match self {
            Assignee::Nobody => json!({ "assignee": null, "assigneeType": "user" }),
            Assignee::User(id) => json!({ "assignee": id.to_string(), "assigneeType": "user" }),
            Assignee::Team(id) => json!({ "assignee": id.to_string(), "assigneeType": "team" }),
        }
    }
}

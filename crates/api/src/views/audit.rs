//! Entries of the audit log, and what they are called.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use storage::relational::audit::Row;
use storage::relational::people::User;

use super::{people, time};

/// Every event that is written, as Sentry names them.
pub const EVENTS: &[&str] = &[
    "artifact-bundle.remove",
    "debug-file.remove",
    "issue.delete",
    "issue.reprocess",
    "issue.share",
    "issue.unshare",
    "member.accept-invite",
    "member.add",
    "member.edit",
    "member.invite",
    "member.join-team",
    "member.leave-team",
    "member.reinvite",
    "member.remove",
    "org-auth-token.create",
    "org-auth-token.edit",
    "org-auth-token.remove",
    "org.create",
    "org.edit",
    "ownership.edit",
    "project.accept-transfer",
    "project.create",
    "project.edit",
    "project.remove",
    "project.request-transfer",
    "projectkey.create",
    "projectkey.edit",
    "projectkey.remove",
    "release.remove",
    "setting.create",
    "setting.edit",
    "setting.remove",
    "team.create",
    "team.edit",
    "team.remove",
    "user.disable",
    "user.enable",
    "user.remove",
    "user.remove-2fa",
    "user.reset-password",
];

/// Characters of a value that are kept.
const LONGEST: usize = 200;
/// Values of an entry.
const MOST: usize = 50;

/// What the log keeps of a body: which settings it has, and their values as far as they are short.
pub fn kept(body: &Map<String, Value>) -> Value {
    let short = |value: &Value| match value {
        Value::String(s) if s.chars().count() > LONGEST => json!("…"),
        Value::Array(_) | Value::Object(_) if value.to_string().len() > LONGEST => json!("…"),
        other => other.clone(),
    };
    let pairs = body.iter().filter(|(k, _)| k.len() <= LONGEST).take(MOST);
    Value::Object(pairs.map(|(k, v)| (k.clone(), short(v))).collect())
}

/// The sentence of an entry, without who did it.
fn note(r: &Row) -> String {
    let name = ["email", "slug", "label", "title", "name"]
        .iter()
        .find_map(|k| r.data.get(*k)?.as_str())
        .unwrap_or("");
    let team = r.data.get("team_slug").and_then(Value::as_str).unwrap_or("");
    let kind = r
        .data
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or("")
        .replace('_', " ");
    let verb = match r.event.as_str() {
        "artifact-bundle.remove" => "deleted the artifact bundle",
        "debug-file.remove" => "deleted the debug file",
        "issue.reprocess" => "let the events be processed again of the issue",
        "issue.delete" => "deleted the issue",
        "issue.share" => "made a public link to the issue",
        "issue.unshare" => "withdrew the public link to the issue",
        "member.accept-invite" => "accepted the invitation of",
        "member.edit" => "changed the member",
        "member.invite" => "invited",
        "member.join-team" => return format!("added {name} to the team {team}"),
        "member.leave-team" => return format!("took {name} out of the team {team}"),
        "member.reinvite" => "invited again",
        "member.remove" => "removed the member",
        "org-auth-token.create" => "made the organization token",
        "org-auth-token.edit" => "changed the organization token",
        "org-auth-token.remove" => "withdrew the organization token",
        "org.create" => "made the organization",
        "org.edit" => return "changed the organization's settings".into(),
        "project.accept-transfer" => "took over the project",
        "project.create" => "made the project",
        "project.edit" => "changed the project",
        "project.remove" => "deleted the project",
        "project.request-transfer" => "gave away the project",
        "projectkey.create" => "made the client key",
        "projectkey.edit" => "changed the client key",
        "projectkey.remove" => "withdrew the client key",
        "ownership.edit" => "changed who owns issues of the project",
        "release.remove" => "deleted the release",
        "setting.create" => return format!("made the {kind} {name}").trim_end().to_owned(),
        "setting.edit" => return format!("changed the {kind} {name}").trim_end().to_owned(),
        "setting.remove" => return format!("removed the {kind} {name}").trim_end().to_owned(),
        "team.create" => "made the team",
        "team.edit" => "changed the team",
        "team.remove" => "removed the team",
        "member.add" => "made an account and joined:",
        "user.disable" => "disabled the account",
        "user.enable" => "enabled the account",
        "user.remove" => "removed the account",
        "user.remove-2fa" => "removed the second factors of",
        "user.reset-password" => "made a link to a new password for",
        other => other,
    };
    format!("{verb} {name}").trim_end().to_owned()
}

/// An entry.
pub fn row(r: &Row, users: &HashMap<i64, User>) -> Value {
    let actor = match r.actor_id.and_then(|id| users.get(&id)) {
        Some(user) => people::user(user),
        None => json!({ "id": r.actor_id.map(|id| id.to_string()), "name": r.actor, "email": null }),
    };
    json!({
        "id": r.id.to_string(), "actor": actor, "event": r.event, "ipAddress": r.address, "note": note(r),
        "targetObject": r.target, "targetUser": null, "data": r.data, "dateCreated": time(r.date_added),
    })
}

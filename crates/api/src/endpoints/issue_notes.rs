//! Comments on an issue, and what happened to it.

use serde_json::{Value, json};
use storage::relational::{activity, personal};

use super::issue::{find, users};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::paged;
use crate::views;

fn text(call: &Call) -> Result<String, ApiError> {
    let body = call.json()?;
    let text = body
        .get("text")
        .and_then(Value::as_str)
        .unwrap_or("")
        .trim()
        .to_owned();
    if text.is_empty() {
        return Err(ApiError::field("text", "This field may not be blank."));
    }
    if text.len() > 64 * 1024 {
        return Err(ApiError::field("text", "a comment has at most 64 KiB"));
    }
    Ok(text)
}

/// Everything that happened, newest first.
pub fn activities(call: &Call) -> Result<Answer, ApiError> {
    let (issue, _) = find(call)?;
    let (entries, people) = call.api.stores.sql.reading(|c| {
        let entries = activity::of_issue(c, issue.id, 100)?;
        let people = users(c, entries.iter().filter_map(|e| e.user).collect::<Vec<_>>())?;
        Ok((entries, people))
    })?;
    let mut list: Vec<Value> = entries
        .iter()
        .map(|e| views::issue::activity(e, &people))
        .collect();
    list.push(views::issue::first_seen_activity(&issue));
    Ok(Answer::json(json!({ "activity": list })))
}

/// The comments, newest first.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let (issue, _) = find(call)?;
    let (entries, people) = call.api.stores.sql.reading(|c| {
        let mut entries = activity::of_issue(c, issue.id, 1000)?;
        entries.retain(|e| e.kind == "note");
        let people = users(c, entries.iter().filter_map(|e| e.user).collect::<Vec<_>>())?;
        Ok((entries, people))
    })?;
    let views: Vec<Value> = entries.iter().map(|e| views::issue::note(e, &people)).collect();
    Ok(paged(Answer::json(views), call, 0, 100, false))
}

fn view(call: &Call, issue: i64, id: i64) -> Result<Value, ApiError> {
    let found = call.api.stores.sql.reading(|c| {
        let Some(note) = activity::note(c, issue, id)? else {
            return Ok(None);
        };
        let people = users(c, note.user)?;
        Ok(Some(views::issue::note(&note, &people)))
    })?;
    found.ok_or_else(|| ApiError::missing("Comment"))
}

/// Adds a comment: `{"text"}`.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let (issue, _) = find(call)?;
    let (text, me, now) = (text(call)?, call.user_id()?, call.now());
    let id = call.api.stores.sql.writing(|c| {
        let id = activity::add(
            c,
            issue.id,
            issue.project,
            Some(me),
            "note",
            &json!({ "text": text }),
            now,
        )?;
        activity::recount_notes(c, issue.id)?;
        personal::subscribe(c, issue.id, me, true)?;
        Ok(id)
    })?;
    Ok(Answer::created(view(call, issue.id, id)?))
}

/// The comment of the path, if it is the caller's own.
fn own(call: &Call, issue: i64) -> Result<i64, ApiError> {
    let id = call.number("note", "Comment")?;
    let me = call.user_id()?;
    let note = call.api.stores.sql.reading(|c| activity::note(c, issue, id))?;
    let note = note.ok_or_else(|| ApiError::missing("Comment"))?;
    if note.user != Some(me) && !call.principal()?.is_superuser() {
        return Err(ApiError::Forbidden("This comment is somebody else's.".into()));
    }
    Ok(id)
}

/// Changes one's own comment.
pub fn edit(call: &Call) -> Result<Answer, ApiError> {
    let (issue, _) = find(call)?;
    let (id, text) = (own(call, issue.id)?, text(call)?);
    call.api
        .stores
        .sql
        .writing(|c| activity::edit_note(c, id, &json!({ "text": text })))?;
    Ok(Answer::json(view(call, issue.id, id)?))
}

/// Removes one's own comment.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let (issue, _) = find(call)?;
    let id = own(call, issue.id)?;
    call.api.stores.sql.writing(|c| {
        activity::remove(c, id)?;
        activity::recount_notes(c, issue.id)
    })?;
    Ok(Answer::nothing())
}

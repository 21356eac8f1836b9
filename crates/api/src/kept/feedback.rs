//! What users said of an error that they saw, and wishes to delete replays.

use protocol::ids::EventId;
use serde_json::{Value, json};

use super::shape::{Shape, may, must, or};
use super::shown::put;
use super::{Kept, Kind, keep};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::endpoints::{events, issue};
use crate::fields::Body;

/// What users said.
pub struct Feedback;

impl Kept for Feedback {
    const KIND: &'static Kind = &Kind {
        name: "feedback",
        noun: "User feedback",
        fields: &[
            must("event_id", Shape::Text(36)),
            must("name", Shape::Text(128)),
            must("email", Shape::Text(75)),
            must("comments", Shape::Text(10_000)),
            may("issue_id", Shape::Whole(1, i64::MAX)),
        ],
        of_project: true,
        own: &["issue_id"],
        label: "issue_id",
        most: 1_000_000,
        acting: true,
        quiet: true,
        check: |_, body| {
            let id = body["event_id"].as_str().unwrap_or("");
            match id.parse::<EventId>() {
                Ok(_) => Ok(()),
                Err(_) => Err(ApiError::field("event_id", "An event id has 32 hex digits.")),
            }
        },
        view: |shown, out| {
            let id = out.remove("event_id").unwrap_or_default();
            let issue = out.remove("issue_id").map(|i| json!({ "id": i.to_string() }));
            let rest = json!({
                "eventID": id, "event": { "id": null, "eventID": id }, "issue": issue, "user": null,
                "projectId": shown.document.project.map(|p| p.to_string()),
            });
            put(out, rest);
        },
        statuses: (200, 200, 204),
        ..Kind::PLAIN
    };
}

/// Keeps what a user said of an event.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let mut body = call.json()?;
    body.remove("issue_id");
    if let Some(Ok(id)) = body
        .get("event_id")
        .and_then(Value::as_str)
        .map(str::parse::<EventId>)
        && let Some(loaded) = events::by_id(call, call.project()?, id)?
        && let Some(issue) = events::issue_of(call, &loaded)?
    {
        body.insert("issue_id".into(), json!(issue));
    }
    let document = keep(call, Feedback::KIND, &body)?;
    Ok(Answer::json(super::view(call, Feedback::KIND, &document)?))
}

/// What users said of the events of an issue.
pub fn of_issue(call: &Call) -> Result<Answer, ApiError> {
    super::of_issue(call, Feedback::KIND, issue::find(call)?.0.id)
}

/// Wishes to delete replays of a time.
pub struct ReplayJobs;

impl Kept for ReplayJobs {
    const KIND: &'static Kind = &Kind {
        name: "replay_job",
        noun: "Replay deletion job",
        fields: &[
            must("rangeStart", Shape::Time),
            must("rangeEnd", Shape::Time),
            or("environments", Shape::List(&Shape::Text(64), 100), "[]"),
            or("query", Shape::Text(4096), "\"\""),
        ],
        of_project: true,
        view: |shown, out| {
            // No replay is kept: there is nothing to wait for.
            put(
                out,
                json!({ "id": shown.document.id, "status": "completed", "countDeleted": 0 }),
            );
        },
        ..Kind::PLAIN
    };
}

fn wrapped(answer: Answer) -> Answer {
    match answer.body {
        crate::answer::Content::Json(view) => Answer {
            body: crate::answer::Content::Json(json!({ "data": view })),
            ..answer
        },
        _ => answer,
    }
}

/// The wishes of a project.
pub fn list_jobs(call: &Call) -> Result<Answer, ApiError> {
    super::list::<ReplayJobs>(call).map(wrapped)
}

/// One of them.
pub fn get_job(call: &Call) -> Result<Answer, ApiError> {
    super::get::<ReplayJobs>(call).map(wrapped)
}

/// Keeps one: `{"data": {"rangeStart", "rangeEnd", "environments", "query"}}`.
pub fn add_job(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let inner: Body = body
        .get("data")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or(body);
    let document = keep(call, ReplayJobs::KIND, &inner)?;
    Ok(wrapped(Answer::created(super::view(
        call,
        ReplayJobs::KIND,
        &document,
    )?)))
}

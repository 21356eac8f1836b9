//! The events of an issue.

use serde_json::Value;
use storage::columns::{Answer as Found, Filter, Found as Row, Order, Question};
use storage::relational::issues::Issue;
use storage::relational::projects::Project;

use super::events::{self, cursor, load_all, page_cursor};
use super::issue::find;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::scope::{Scope, extent};
use crate::views;

/// The list, newest first; `full` adds everything to each event.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let scope = Scope::of_issue(call, project.clone())?;
    let filter = scope.lower_events(call, call.value("query").unwrap_or(""))?;
    let filter = scope.with_environments(call, filter);
    let limit = call.limit(100)?;
    let question = Question::Rows {
        order: Order::Newest,
        after: cursor(call)?,
        limit,
    };
    let Found::Rows { rows, more } = scope.select(call, filter, Some(extent(call, issue.id)?), question)?
    else {
        return Ok(Answer::json(Vec::<Value>::new()));
    };
    let full = call.value("full").is_some_and(|f| f != "false" && f != "0");
    let view = |l: &views::event::Loaded| {
        if full {
            views::event::details(l, &project, Some(issue.id), None, None)
        } else {
            views::event::summary(l, &project, Some(issue.id))
        }
    };
    let views: Vec<Value> = load_all(call, &rows)?.iter().map(view).collect();
    Ok(page_cursor(Answer::json(views), call, &rows, more))
}

/// One event: `latest`, `oldest`, `recommended` or an id.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    let scope = Scope::of_issue(call, project.clone())?;
    let hashes = extent(call, issue.id)?;
    let pick = |order| -> Result<Option<Row>, ApiError> {
        let filter = scope.lower_events(call, call.value("query").unwrap_or(""))?;
        let filter = scope.with_environments(call, filter);
        let question = Question::Rows {
            order,
            after: None,
            limit: 1,
        };
        match scope.select(call, filter, Some(hashes.clone()), question)? {
            Found::Rows { rows, .. } => Ok(rows.into_iter().next()),
            _ => Ok(None),
        }
    };
    let missing = || ApiError::missing("Event");
    let loaded = match call.param("event") {
        "latest" | "recommended" => events::load(call, pick(Order::Newest)?.ok_or_else(missing)?.locator)?,
        "oldest" => events::load(call, pick(Order::Oldest)?.ok_or_else(missing)?.locator)?,
        _ => {
            let found = events::by_id(call, &project, call.event_id("event")?)?;
            match &found {
                Some(l) if events::issue_of(call, l)? == Some(issue.id) => found,
                _ => None,
            }
        }
    };
    let loaded = loaded.ok_or_else(missing)?;
    Ok(Answer::json(full(call, &issue, &project, &loaded)?))
}

/// An event in full, with its neighbours in the issue.
pub fn full(
    call: &Call,
    issue: &Issue,
    project: &Project,
    loaded: &views::event::Loaded,
) -> Result<Value, ApiError> {
    let mut scope = Scope::of_issue(call, project.clone())?;
    (scope.start, scope.end) = (i64::MIN / 2, i64::MAX / 2);
    let hashes = extent(call, issue.id)?;
    let at = (loaded.record.row.time, loaded.record.seq);
    let neighbour = |order| -> Result<Option<String>, ApiError> {
        let question = Question::Rows {
            order,
            after: Some(at),
            limit: 1,
        };
        match scope.select(call, Filter::All, Some(hashes.clone()), question)? {
            Found::Rows { rows, .. } => match rows.first() {
                Some(row) => Ok(events::load(call, row.locator)?.map(|l| l.id())),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    };
    let (previous, next) = (neighbour(Order::Newest)?, neighbour(Order::Oldest)?);
    Ok(views::event::details(
        loaded,
        project,
        Some(issue.id),
        previous,
        next,
    ))
}

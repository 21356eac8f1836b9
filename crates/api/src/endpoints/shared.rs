//! Public links to issues: made and taken back by members, read by everybody who has one.

use http::HeaderName;
use serde_json::json;
use storage::columns::{Answer as Found, Filter, Order, Question};
use storage::relational::issues::Issue;
use storage::relational::projects::Project;
use storage::relational::{activity, people, sharing};
use storage::sql::Connection;

use super::events;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::scope::{Scope, extent};
use crate::sight;
use crate::views;
use crate::views::event::Loaded;

/// Asks whether links may be made in the organization of the call.
pub fn demand(call: &Call) -> Result<(), ApiError> {
    if sight::shares(call.organization()?) {
        return Ok(());
    }
    Err(ApiError::Forbidden(
        "Public links to issues are switched off in the settings of this organization.".into(),
    ))
}

/// Gives an issue a link, a new one if it has one, or takes it back; answers the link.
pub fn set(call: &Call, c: &mut dyn Connection, issue: &Issue, on: bool) -> Result<Option<String>, ApiError> {
    let (me, now) = (call.user_id()?, call.now());
    let link = on.then(|| uuid::Uuid::new_v4().simple().to_string());
    let (kind, event) = match &link {
        Some(link) => {
            sharing::share(c, issue.id, link, Some(me), now)?;
            ("set_public", "issue.share")
        }
        None if sharing::unshare(c, issue.id)? => ("set_private", "issue.unshare"),
        None => return Ok(None),
    };
    activity::add(c, issue.id, issue.project, Some(me), kind, &json!({}), now)?;
    let data = json!({ "issue_id": issue.id, "title": issue.title, "project_id": issue.project });
    call.audit(c, event, Some(issue.id), &data)?;
    Ok(link)
}

/// The newest event of an issue, whatever the reader's parameters say.
fn newest(call: &Call, issue: &Issue, project: &Project) -> Result<Option<Loaded>, ApiError> {
    let question = Question::Rows {
        order: Order::Newest,
        after: None,
        limit: 1,
    };
    let hashes = extent(call, issue.id)?;
    match Scope::bare(project.clone()).select(call, Filter::All, Some(hashes), question)? {
        Found::Rows { rows, .. } => match rows.first() {
            Some(row) => events::load(call, row.locator),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// What a link shows.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let missing = || ApiError::missing("Issue");
    let (link, org) = (call.param("share"), call.param("org"));
    let found = call.api.stores.sql.reading(|c| {
        let Some(found) = sight::shared(c, link)? else {
            return Ok(None);
        };
        let named = match org {
            "" => Some(found.0.id),
            slug => people::organization_by(c, slug)?.map(|o| o.id),
        };
        Ok((named == Some(found.0.id)).then_some(found))
    })?;
    let (organization, project, issue) = found.ok_or_else(missing)?;
    let event = newest(call, &issue, &project)?;
    let mut view = views::shared::issue(&issue, &project, &organization, event.as_ref());
    view["shareId"] = json!(link);
    view["permalink"] = json!(format!("{}/share/issue/{link}/", call.api.url));
    let robots = HeaderName::from_static("x-robots-tag");
    Ok(Answer::json(view).with(robots, "noindex, nofollow"))
}

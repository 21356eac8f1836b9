//! Where and when a release was deployed.

use serde_json::Value;
use storage::relational::commits::{self, Deploy};
use storage::relational::versions;

use super::releases::find;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields;
use crate::links::{offset, paged};
use crate::views::release::deploy as view;

/// The deploys of a release, the last first.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call)?;
    let org = call.organization()?.id;
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let all = call
        .api
        .stores
        .sql
        .reading(|c| commits::deploys(c, org, &[found.version.as_str()]))?;
    let more = all.len() > start.saturating_add(limit);
    let page: Vec<Value> = all.iter().skip(start).take(limit).map(view).collect();
    Ok(paged(Answer::json(page), call, start, limit, more))
}

/// Notes a deploy: `{"environment", "name"?, "url"?, "dateStarted"?, "dateFinished"?}`. A release that was not
/// released yet is released by it.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call)?;
    let org = call.organization()?.id;
    let body = call.json()?;
    let environment = fields::needed(&body, "environment", 64)?;
    if environment.contains(['/', '\n']) {
        return Err(ApiError::field(
            "environment",
            "The name of an environment has no slash and no line break.",
        ));
    }
    let mut deploy = Deploy {
        id: 0,
        version: found.version.clone(),
        environment,
        name: fields::text(&body, "name", 64)?.flatten(),
        url: fields::text(&body, "url", 2048)?.flatten(),
        date_started: fields::time(&body, "dateStarted")?.flatten(),
        date_finished: fields::time(&body, "dateFinished")?
            .flatten()
            .unwrap_or(call.now()),
    };
    if deploy.url.as_deref().is_some_and(|u| !u.contains("://")) {
        return Err(ApiError::field("url", "Enter a valid URL."));
    }
    deploy.id = call.api.stores.sql.writing(|c| {
        if found.details.date_released.is_none() {
            let mut details = found.details.clone();
            details.date_released = Some(deploy.date_finished);
            versions::set_details(c, org, &found.version, &details)?;
        }
        commits::add_deploy(c, org, &deploy)
    })?;
    Ok(Answer::created(view(&deploy)))
}

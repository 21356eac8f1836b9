//! The commits of a release, what they changed, and the release before it that has any.

use serde_json::{Value, json};
use storage::relational::versions::{self, Wanted};
use storage::relational::{commits, people, repositories};

use super::releases::find;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::{offset, paged};
use crate::views;
use crate::views::release::{Around, People};

/// Releases that are looked through for the one before.
const BEFORE: usize = 1_000;

/// The commits of a release, the newest first.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call)?;
    let org = call.organization()?.id;
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let (mut all, repositories, members) = call.api.stores.sql.reading(|c| {
        let all = commits::of_release(c, org, &found.version, start, limit + 1)?;
        Ok((
            all,
            repositories::of_organization(c, org)?,
            people::members(c, org)?,
        ))
    })?;
    let more = all.len() > limit;
    all.truncate(limit);
    let people = People(&members);
    let page: Vec<Value> = all
        .iter()
        .map(|k| views::release::commit(k, &repositories, &people))
        .collect();
    Ok(paged(Answer::json(page), call, start, limit, more))
}

/// The files that the commits of a release changed.
pub fn files(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call)?;
    let org = call.organization()?.id;
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let (all, repositories, members) = call.api.stores.sql.reading(|c| {
        let all = commits::files_of_release(c, org, &found.version)?;
        Ok((
            all,
            repositories::of_organization(c, org)?,
            people::members(c, org)?,
        ))
    })?;
    let people = People(&members);
    let more = all.len() > start.saturating_add(limit);
    let page: Vec<Value> = all
        .iter()
        .skip(start)
        .take(limit)
        .map(|(commit, path, kind)| {
            let repository = repositories.iter().find(|r| r.id == commit.repository);
            json!({
                "id": format!("{}:{path}", commit.key), "orgId": org, "filename": path, "type": kind,
                "repoName": repository.map(|r| &r.name), "commitMessage": commit.message,
                "author": people.author(commit.author_name.as_deref(), commit.author_email.as_deref()),
                "dateCreated": views::time(commit.date_added),
            })
        })
        .collect();
    Ok(paged(Answer::json(page), call, start, limit, more))
}

/// The last release before this one that has commits; `{}` if there is none.
pub fn previous(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call)?;
    let org = call.organization()?.id;
    let view = call.api.stores.sql.reading(|c| {
        let having = versions::projects(c, org, &[found.version.as_str()])?;
        let projects: Vec<i64> = having.iter().map(|h| h.1).collect();
        let wanted = Wanted {
            projects: &projects,
            ..Wanted::default()
        };
        let all = versions::page(c, org, &wanted, 0, BEFORE)?;
        let own = (found.date(), found.id);
        let before = all
            .into_iter()
            .find(|v| (v.date(), v.id) < own && v.commits > 0 && v.version != found.version);
        let Some(before) = before else {
            return Ok(json!({}));
        };
        let page = [before];
        let around = Around::load(call, c, &page, false)?;
        Ok(views::release::release(&page[0], &around))
    })?;
    Ok(Answer::json(view))
}

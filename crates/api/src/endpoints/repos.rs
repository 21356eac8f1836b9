//! Repositories of an organization.

use serde_json::{Value, json};
use storage::relational::repositories::{self, Repository};
use storage::relational::{commits, people};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::{self, Body};
use crate::links::{offset, paged};
use crate::views::release::{self as views, People};

/// Those whose pages are known to show lines of code.
pub const PROVIDERS: &[&str] = &["github", "gitlab", "gitea", "bitbucket"];

fn find(call: &Call) -> Result<Repository, ApiError> {
    let (org, id) = (call.organization()?.id, call.number("repo", "Repository")?);
    let found = call.api.stores.sql.reading(|c| repositories::find(c, org, id))?;
    found.ok_or_else(|| ApiError::missing("Repository"))
}

/// The repositories, by name; `query` is a part of it.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let mut all = call
        .api
        .stores
        .sql
        .reading(|c| repositories::of_organization(c, org))?;
    let part = call.value("query").unwrap_or("").to_lowercase();
    let status = call.value("status").unwrap_or("active");
    all.retain(|r| r.status == status && r.name.to_lowercase().contains(&part));
    let more = all.len() > start.saturating_add(limit);
    let page: Vec<Value> = all
        .iter()
        .skip(start)
        .take(limit)
        .map(views::repository)
        .collect();
    Ok(paged(Answer::json(page), call, start, limit, more))
}

/// `github`, `integrations:github`, or by where the address leads.
pub fn provider(text: Option<&str>, url: Option<&str>) -> Result<String, ApiError> {
    let name = text.map(|t| t.strip_prefix("integrations:").unwrap_or(t).to_lowercase());
    let known = |name: &str| {
        PROVIDERS
            .iter()
            .find(|p| name.starts_with(**p))
            .map(|p| (*p).to_owned())
    };
    match name {
        Some(name) if name == "unknown" => Ok(name),
        Some(name) => known(&name).ok_or_else(|| {
            ApiError::field("provider", format!("provider is one of {}", PROVIDERS.join(", ")))
        }),
        None => {
            let host = url.and_then(|u| u.split("://").nth(1)).unwrap_or("");
            let host = host.split('/').next().unwrap_or("");
            Ok(PROVIDERS
                .iter()
                .find(|p| host.contains(**p))
                .map_or("unknown", |p| p)
                .to_owned())
        }
    }
}

fn address(body: &Body) -> Result<Option<Option<String>>, ApiError> {
    let url = fields::text(body, "url", 2048)?;
    match url.as_ref().and_then(Option::as_deref) {
        Some(u) if !u.starts_with("https://") && !u.starts_with("http://") => {
            Err(ApiError::field("url", "Enter a valid URL."))
        }
        _ => Ok(url.map(|u| u.map(|u| u.trim_end_matches('/').trim_end_matches(".git").to_owned()))),
    }
}

/// Makes a repository known: `{"name", "provider"?, "url"?}`.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let body = call.json()?;
    let name = match fields::text(&body, "identifier", 255)?.flatten() {
        Some(name) => name,
        None => fields::needed(&body, "name", 255)?,
    };
    let url = address(&body)?.flatten();
    let provider = provider(
        fields::text(&body, "provider", 64)?.flatten().as_deref(),
        url.as_deref(),
    )?;
    let made = call.api.stores.sql.writing(|c| {
        let id = repositories::named(c, org, &name, call.now())?;
        let Some(mut found) = repositories::find(c, org, id)? else {
            return Ok(None);
        };
        found.provider.clone_from(&provider);
        found.url = url.clone().or(found.url);
        "active".clone_into(&mut found.status);
        repositories::update(c, &found)?;
        Ok(Some(found))
    })?;
    Ok(Answer::created(views::repository(
        &made.ok_or_else(|| ApiError::missing("Repository"))?,
    )))
}

/// Changes a repository: `{"name"?, "provider"?, "url"?, "status"?}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let mut found = find(call)?;
    if let Some(name) = fields::text(&body, "name", 255)?.flatten() {
        found.name = name;
    }
    if let Some(url) = address(&body)? {
        found.url = url;
    }
    if let Some(text) = fields::text(&body, "provider", 64)?.flatten() {
        found.provider = provider(Some(&text), None)?;
    }
    match fields::text(&body, "status", 32)?.flatten().as_deref() {
        None => {}
        Some(status @ ("active" | "hidden")) => status.clone_into(&mut found.status),
        Some(_) => return Err(ApiError::field("status", "status is active or hidden")),
    }
    call.api.stores.sql.writing(|c| repositories::update(c, &found))?;
    Ok(Answer::json(views::repository(&found)))
}

/// Forgets a repository with its commits.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call)?;
    call.api
        .stores
        .sql
        .writing(|c| repositories::remove(c, found.id))?;
    Ok(Answer::nothing())
}

/// The commits of a repository, the newest first.
pub fn commits(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call)?;
    let org = call.organization()?.id;
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let (mut all, members) = call.api.stores.sql.reading(|c| {
        let all = commits::of_repository(c, found.id, start, limit + 1)?;
        Ok((all, people::members(c, org)?))
    })?;
    let more = all.len() > limit;
    all.truncate(limit);
    let (people, repositories) = (People(&members), [found]);
    let page: Vec<Value> = all
        .iter()
        .map(|k| views::commit(k, &repositories, &people))
        .collect();
    Ok(paged(Answer::json(page), call, start, limit, more))
}

/// Links a repository to a project: `{"repositoryId"}`.
pub fn link(call: &Call) -> Result<Answer, ApiError> {
    let (org, project) = (call.organization()?.id, call.project()?.id);
    let body = call.json()?;
    let id = body.get("repositoryId").and_then(Value::as_i64);
    let id = id.ok_or_else(|| ApiError::field("repositoryId", "A valid integer is required."))?;
    let found = call.api.stores.sql.reading(|c| repositories::find(c, org, id))?;
    let found = found.ok_or_else(|| ApiError::missing("Repository"))?;
    let (link, fresh) = call
        .api
        .stores
        .sql
        .writing(|c| repositories::link(c, project, found.id, call.now()))?;
    let view = json!({
        "id": link.to_string(), "projectId": project.to_string(), "repositoryId": found.id.to_string(),
        "source": "manual", "created": fresh,
    });
    Ok(if fresh {
        Answer::created(view)
    } else {
        Answer::json(view)
    })
}

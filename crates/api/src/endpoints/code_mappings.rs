//! Where the code of a project's frames lies in repositories.

use serde_json::{Value, json};
use storage::relational::projects::Project;
use storage::relational::repositories::{self, Mapping, Repository};

use super::repos::provider;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::{self, Body};
use crate::links::{offset, paged};
use crate::views::release::mapping as view;

/// Mappings of one request.
const BULK: usize = 300;

fn all(call: &Call) -> Result<(Vec<Mapping>, Vec<Project>), ApiError> {
    let org = call.organization()?.id;
    Ok(call
        .api
        .stores
        .sql
        .reading(|c| Ok((repositories::mappings(c, org, None)?, call.seen(c)?)))?)
}

/// The mappings of an organization, or of `project`.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let wanted: Vec<i64> = call.projects()?.iter().map(|p| p.id).collect();
    let (mut mappings, projects) = all(call)?;
    mappings.retain(|m| wanted.contains(&m.project));
    let more = mappings.len() > start.saturating_add(limit);
    let project = |m: &Mapping| projects.iter().find(|p| p.id == m.project);
    let page: Vec<Value> = mappings
        .iter()
        .skip(start)
        .take(limit)
        .map(|m| view(m, project(m)))
        .collect();
    Ok(paged(Answer::json(page), call, start, limit, more))
}

fn repository(call: &Call, body: &Body) -> Result<Repository, ApiError> {
    let org = call.organization()?.id;
    let id = match body.get("repositoryId") {
        Some(Value::String(s)) => s.parse().unwrap_or(0),
        Some(other) => other.as_i64().unwrap_or(0),
        None => return Err(ApiError::field("repositoryId", "This field is required.")),
    };
    let found = call.api.stores.sql.reading(|c| repositories::find(c, org, id))?;
    found.ok_or_else(|| ApiError::field("repositoryId", "Repository does not exist."))
}

/// A text that may be empty but has to be there.
fn root(body: &Body, name: &str) -> Result<String, ApiError> {
    match body.get(name) {
        Some(Value::String(s)) if s.len() <= 1024 && !s.contains(char::is_whitespace) => Ok(s.clone()),
        Some(_) => Err(ApiError::field(
            name,
            "A path has at most 1024 bytes and no blanks.",
        )),
        None => Err(ApiError::field(name, "This field is required.")),
    }
}

fn branch(body: &Body) -> Result<String, ApiError> {
    let branch = fields::text(body, "defaultBranch", 255)?
        .flatten()
        .unwrap_or_else(|| "main".into());
    if branch.contains(char::is_whitespace) {
        return Err(ApiError::field(
            "defaultBranch",
            "The name of a branch has no blanks.",
        ));
    }
    Ok(branch)
}

/// Makes a mapping: `{"projectId", "repositoryId", "stackRoot", "sourceRoot", "defaultBranch"}`.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let name = fields::needed(&body, "projectId", 64)?;
    let project = call.api.stores.sql.reading(|c| call.seen_project(c, &name))?;
    let project = project.ok_or_else(|| ApiError::field("projectId", "Project does not exist."))?;
    let mut mapping = Mapping {
        id: 0,
        project: project.id,
        stack_root: root(&body, "stackRoot")?,
        source_root: root(&body, "sourceRoot")?,
        branch: branch(&body)?,
        date_added: call.now(),
        repository: repository(call, &body)?,
    };
    let (id, fresh) = call
        .api
        .stores
        .sql
        .writing(|c| repositories::put_mapping(c, &mapping, call.now()))?;
    if !fresh {
        return Err(ApiError::field(
            "stackRoot",
            "Code path config already exists with this project, stack trace root, and source root",
        ));
    }
    mapping.id = id;
    Ok(Answer::created(view(&mapping, Some(&project))))
}

fn find(call: &Call) -> Result<(Mapping, Vec<Project>), ApiError> {
    let id = call.number("mapping", "Code mapping")?;
    let (mappings, projects) = all(call)?;
    let found = mappings.into_iter().find(|m| m.id == id);
    Ok((found.ok_or_else(|| ApiError::missing("Code mapping"))?, projects))
}

/// Changes a mapping: by the same fields.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let (before, projects) = find(call)?;
    let body = call.json()?;
    let mut mapping = before.clone();
    if body.contains_key("stackRoot") {
        mapping.stack_root = root(&body, "stackRoot")?;
    }
    if body.contains_key("sourceRoot") {
        mapping.source_root = root(&body, "sourceRoot")?;
    }
    if body.contains_key("defaultBranch") {
        mapping.branch = branch(&body)?;
    }
    if body.contains_key("repositoryId") {
        mapping.repository = repository(call, &body)?;
    }
    mapping.id = call.api.stores.sql.writing(|c| {
        repositories::remove_mapping(c, before.id)?;
        repositories::put_mapping(c, &mapping, mapping.date_added).map(|(id, _)| id)
    })?;
    Ok(Answer::json(view(
        &mapping,
        projects.iter().find(|p| p.id == mapping.project),
    )))
}

/// Forgets a mapping.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let (mapping, _) = find(call)?;
    call.api
        .stores
        .sql
        .writing(|c| repositories::remove_mapping(c, mapping.id))?;
    Ok(Answer::nothing())
}

/// Makes many mappings of a project, or writes them anew, as `sentry-cli code-mappings upload` does: `{"project",
/// "repository", "provider"?, "defaultBranch"?, "mappings": [{"stackRoot", "sourceRoot"}]}`.
pub fn bulk(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let org = call.organization()?.id;
    let name = fields::needed(&body, "project", 100)?;
    let project = call.api.stores.sql.reading(|c| call.seen_project(c, &name))?;
    let project = project.ok_or_else(|| ApiError::missing("Project"))?;
    let repository = fields::needed(&body, "repository", 255)?;
    let provider = provider(fields::text(&body, "provider", 64)?.flatten().as_deref(), None)?;
    let branch = branch(&body)?;
    let list = fields::objects(&body, "mappings", BULK)?.filter(|l| !l.is_empty());
    let list = list.ok_or_else(|| ApiError::field("mappings", "This list may not be empty."))?;
    let roots: Vec<(String, String)> = list
        .into_iter()
        .map(|m| Ok((root(m, "stackRoot")?, root(m, "sourceRoot")?)))
        .collect::<Result<_, ApiError>>()?;
    let done = call.api.stores.sql.writing(|c| {
        let id = repositories::named(c, org, &repository, call.now())?;
        let mut found = repositories::find(c, org, id)?
            .ok_or_else(|| storage::sql::SqlError::Row("the repository is gone".into()))?;
        if found.provider == "unknown" && provider != "unknown" {
            found.provider.clone_from(&provider);
        }
        if found.url.is_none() {
            found.url = public_address(&found.provider, &found.name);
        }
        repositories::update(c, &found)?;
        let mut done = Vec::new();
        for (stack_root, source_root) in &roots {
            let mapping = Mapping {
                id: 0,
                project: project.id,
                stack_root: stack_root.clone(),
                source_root: source_root.clone(),
                branch: branch.clone(),
                date_added: call.now(),
                repository: found.clone(),
            };
            let (_, fresh) = repositories::put_mapping(c, &mapping, call.now())?;
            done.push((stack_root.clone(), source_root.clone(), fresh));
        }
        Ok(done)
    })?;
    let created = done.iter().filter(|d| d.2).count();
    let views: Vec<Value> = done
        .iter()
        .map(|(stack, source, fresh)| {
            json!({ "stackRoot": stack, "sourceRoot": source, "status": if *fresh { "created" } else { "updated" } })
        })
        .collect();
    Ok(Answer::json(json!({
        "created": created, "updated": done.len() - created, "errors": 0, "mappings": views,
    })))
}

/// Where the public services show a repository of this name.
fn public_address(provider: &str, name: &str) -> Option<String> {
    let host = match provider {
        "github" => "github.com",
        "gitlab" => "gitlab.com",
        "bitbucket" => "bitbucket.org",
        _ => return None,
    };
    Some(format!("https://{host}/{name}"))
}

//! Files that were uploaded one by one to a release, of an organization or of one project.

use serde_json::{Map, Value};
use storage::relational::release_files::{self, ReleaseFile};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields;
use crate::links::{offset, paged};
use crate::views::files as view;

/// The longest name of a file.
const NAME: usize = 1024;
/// The most headers of a file.
const HEADERS: usize = 50;

/// The files of a release, by name; `query` looks for a part of it.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let found = super::releases::find(call)?;
    let org = call.organization()?.id;
    let project = call.project.as_ref().map(|p| p.id);
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let part = call.value("query").unwrap_or("");
    let (mut all, seen) = call.api.stores.sql.reading(|c| {
        let page = release_files::page(c, org, project, &found.version, part, start, limit + 1)?;
        Ok((page, call.seen(c)?))
    })?;
    let more = all.len() > limit;
    all.truncate(limit);
    all.retain(|f| f.project.is_none_or(|id| seen.iter().any(|p| p.id == id)));
    let all: Vec<Value> = all.iter().map(view::release_file).collect();
    Ok(paged(Answer::json(all), call, start, limit, more))
}

/// Adds a file: a form with `file`, and `name`, `dist` and `header` if needed.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let found = super::releases::find(call)?;
    let (mut form, parts) = call.parts()?;
    let (mut name, mut dist, mut headers) = (None, String::new(), Map::new());
    for part in &parts {
        match part.name.as_str() {
            "name" => name = Some(part.text(&mut form, NAME as u64)?),
            "dist" => dist = part.text(&mut form, 64)?.trim().to_owned(),
            "header" => {
                let line = part.text(&mut form, 8192)?;
                let (name, value) = line.split_once(':').ok_or_else(|| {
                    ApiError::Bad("Invalid value for header: write it as name:value.".into())
                })?;
                if line.contains(['\r', '\n', '\0']) || headers.len() == HEADERS {
                    return Err(ApiError::Bad(
                        "A header is one line, and there are at most 50.".into(),
                    ));
                }
                headers.insert(name.trim().to_lowercase(), value.trim().into());
            }
            _ => {}
        }
    }
    let file = parts.iter().find(|p| p.name == "file");
    let file = file.ok_or_else(|| ApiError::Bad("Missing uploaded file".into()))?;
    let name = name.or(file.file_name.clone()).unwrap_or_default();
    let name = checked(&name)?;
    if let Some(mime) = &file.content_type {
        headers
            .entry("content-type")
            .or_insert_with(|| mime.as_str().into());
    }
    let new = ReleaseFile {
        id: 0,
        org: call.organization()?.id,
        version: found.version,
        project: call.project.as_ref().map(|p| p.id),
        dist,
        name,
        headers: Value::Object(headers),
        sha1: String::new(),
        size: 0,
        blob: String::new(),
        date_added: 0,
        date_used: 0,
    };
    let kept = call
        .api
        .hooks
        .uploads
        .release_file(new, &mut file.reader(&mut form)?)?;
    let kept = kept.ok_or_else(|| {
        ApiError::Conflict("A file matching this one already exists for the given release".into())
    })?;
    Ok(Answer::created(view::release_file(&kept)))
}

fn checked(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    let bad = name.is_empty() || name.len() > NAME || name.chars().any(char::is_control);
    if bad {
        return Err(ApiError::Bad(
            "File name must be one line of 1 to 1024 bytes.".into(),
        ));
    }
    Ok(name.to_owned())
}

fn file(call: &Call) -> Result<ReleaseFile, ApiError> {
    let found = super::releases::find(call)?;
    let (org, id) = (call.organization()?.id, call.number("file", "File")?);
    let (file, seen) = call
        .api
        .stores
        .sql
        .reading(|c| Ok((release_files::by_id(c, org, &found.version, id)?, call.seen(c)?)))?;
    let project = call.project.as_ref().map(|p| p.id);
    let visible = |f: &ReleaseFile| match f.project {
        None => true,
        Some(id) if project.is_some() => project == Some(id),
        Some(id) => seen.iter().any(|p| p.id == id),
    };
    file.filter(visible).ok_or_else(|| ApiError::missing("File"))
}

/// A file; `download` answers its bytes.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let file = file(call)?;
    if call.query.iter().any(|(k, _)| k == "download") {
        let path = call.api.stores.blobs.file(&file.blob)?;
        return Answer::file(&path, &file.name);
    }
    Ok(Answer::json(view::release_file(&file)))
}

/// Gives a file another name: `{"name", "dist"?}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let mut file = file(call)?;
    let body = call.json()?;
    file.name = checked(&fields::needed(&body, "name", NAME)?)?;
    if let Some(dist) = fields::text(&body, "dist", 64)? {
        file.dist = dist.unwrap_or_default();
    }
    call.api
        .stores
        .sql
        .writing(|c| release_files::rename(c, file.id, &file.name, &file.dist))?;
    (call.api.hooks.changed)();
    Ok(Answer::json(view::release_file(&file)))
}

/// Deletes a file.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let file = file(call)?;
    call.api
        .stores
        .sql
        .writing(|c| release_files::remove(c, file.id))?;
    call.api.hooks.uploads.tidy(file.org)?;
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

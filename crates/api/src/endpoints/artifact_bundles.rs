//! Artifact bundles of a project, and the releases that have files.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use storage::relational::artifacts::{self, Bundle};
use storage::relational::release_files;

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::{offset, paged, slice};
use crate::views::files as view;
use crate::views::time;

/// Bundles, newest first; `query` looks in their id, releases and dists, and for the debug id of a file.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let (org, project) = (call.organization()?.id, call.project()?.id);
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let part = call.value("query").unwrap_or("").trim();
    let (all, releases, more) = call.api.stores.sql.reading(|c| {
        let mut all = artifacts::page(c, org, project, part, start, limit + 1)?;
        let more = all.len() > limit;
        all.truncate(limit);
        let ids: Vec<i64> = all.iter().map(|b| b.id).collect();
        let releases = artifacts::releases(c, &ids)?;
        Ok((all, releases, more))
    })?;
    let all: Vec<Value> = all.iter().map(|b| view::bundle(b, &releases)).collect();
    Ok(paged(Answer::json(all), call, start, limit, more))
}

fn find(call: &Call, bundle_id: &str) -> Result<Bundle, ApiError> {
    let (org, project) = (call.organization()?.id, call.project()?.id);
    let id = bundle_id.to_lowercase();
    let found = call
        .api
        .stores
        .sql
        .reading(|c| artifacts::of_project(c, org, project, &id))?;
    found.ok_or_else(|| ApiError::missing("Artifact bundle"))
}

/// Deletes the bundle that `bundleId` names from the project.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let id = call.value("bundleId");
    let id = id.ok_or_else(|| ApiError::field("bundleId", "This parameter is required."))?;
    let (found, project) = (find(call, id)?, call.project()?.id);
    call.change(|c| {
        artifacts::unlink(c, found.id, project)?;
        call.audit(
            c,
            "artifact-bundle.remove",
            Some(project),
            &json!({ "name": found.bundle_id }),
        )
    })?;
    call.api.hooks.uploads.tidy(call.organization()?.id)?;
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

/// A bundle with a page of its files; `query` looks in their addresses and for their debug id.
pub fn files(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call, call.param("bundle"))?;
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let part = call.value("query").unwrap_or("").trim();
    let (mut files, releases) = call.api.stores.sql.reading(|c| {
        let files = artifacts::files(c, found.id, part, start, limit + 1)?;
        Ok((files, artifacts::releases(c, &[found.id])?))
    })?;
    let more = files.len() > limit;
    files.truncate(limit);
    let mut body = view::bundle(&found, &releases);
    body["files"] = files.iter().map(view::bundle_file).collect();
    Ok(paged(Answer::json(body), call, start, limit, more))
}

/// The bytes of a file of a bundle.
pub fn file(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call, call.param("bundle"))?;
    let id = call.number("file", "File")?;
    let file = call
        .api
        .stores
        .sql
        .reading(|c| artifacts::file(c, found.id, id))?;
    let file = file.ok_or_else(|| ApiError::missing("File"))?;
    let bytes = call.api.hooks.uploads.bundled(&found.blob, &file.path)?;
    Ok(Answer::download(bytes, &file.path))
}

/// The releases that have files, those uploaded to last first; `query` looks in their versions.
pub fn releases(call: &Call) -> Result<Answer, ApiError> {
    let (org, project) = (call.organization()?.id, call.project()?.id);
    let part = call.value("query").unwrap_or("").trim();
    let found = call.api.stores.sql.reading(|c| {
        let mut all = artifacts::versions(c, org, project, part)?;
        all.extend(release_files::releases(c, org, project, part)?);
        Ok(all)
    })?;
    let mut all: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (version, files, date) in found {
        let entry = all.entry(version).or_default();
        *entry = (entry.0 + files, entry.1.max(date));
    }
    let mut all: Vec<(String, (i64, i64))> = all.into_iter().collect();
    all.sort_by_key(|entry| std::cmp::Reverse(entry.1.1));
    let one = |(version, (files, date)): &(String, (i64, i64))| json!({ "type": "release", "id": version, "name": version, "date": time(*date), "fileCount": files });
    slice(call, all.iter().map(one).collect(), 100)
}

/// Deletes the files of the release that `name` names, as far as they are the project's.
pub fn remove_release(call: &Call) -> Result<Answer, ApiError> {
    let (org, project) = (call.organization()?.id, call.project()?.id);
    let name = call.value("name");
    let name = name.ok_or_else(|| ApiError::field("name", "This parameter is required."))?;
    let removed = call.api.stores.sql.writing(|c| {
        Ok(artifacts::remove_release(c, org, project, name)?
            + release_files::remove_release(c, org, project, name)?)
    })?;
    if removed == 0 {
        return Err(ApiError::Missing("The release has no files.".into()));
    }
    call.api.hooks.uploads.tidy(org)?;
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

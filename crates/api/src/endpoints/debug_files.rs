//! Debug files of a project.

use serde_json::{Value, json};
use storage::relational::debug_files::{self, DebugFile, Wanted};
use storage::relational::documents::{self, Document};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields;
use crate::links::{offset, paged};
use crate::views::files as view;

/// Checksums that one request may ask for.
const CHECKSUMS: usize = 1_000;
/// The kind of document that says which release a ProGuard mapping is of.
const PROGUARD_RELEASE: &str = "proguard_release";

/// A debug id as it is kept: a UUID with dashes, and behind it a number that is not zero; in lower case.
fn canonical(text: &str) -> String {
    let plain: String = text.trim().to_lowercase();
    let letters: String = plain.chars().filter(|c| *c != '-').collect();
    let (uuid, age) = match (letters.get(..32), letters.get(32..)) {
        (Some(uuid), Some(age)) if letters.bytes().all(|b| b.is_ascii_hexdigit()) => (uuid, age),
        _ => return plain,
    };
    let part = |from, to| uuid.get(from..to).unwrap_or_default();
    let uuid = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
    match age.trim_start_matches('0') {
        "" => uuid,
        age => format!("{uuid}-{age}"),
    }
}

fn one(call: &Call, name: &str) -> Result<DebugFile, ApiError> {
    let project = call.project()?.id;
    let id: i64 = call.value(name).and_then(|v| v.parse().ok()).unwrap_or(0);
    let found = call
        .api
        .stores
        .sql
        .reading(|c| debug_files::by_id(c, project, id))?;
    found.ok_or_else(|| ApiError::missing("Debug file"))
}

/// Debug files, newest first: by a part of their name (`query`), `debug_id`, `code_id` or `file_formats`. With `id`
/// the bytes of one.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    for name in ["id", "download_id"] {
        if call.value(name).is_some() {
            let file = one(call, name)?;
            let path = call.api.stores.blobs.file(&file.blob)?;
            return Answer::file(&path, &file.object_name);
        }
    }
    let project = call.project()?.id;
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let kinds: Vec<String> = call
        .values("file_formats")
        .iter()
        .map(|k| k.to_lowercase())
        .collect();
    let debug_id = call.value("debug_id").map(canonical).unwrap_or_default();
    let code_id = call.value("code_id").map(str::to_lowercase).unwrap_or_default();
    let query = call.value("query").unwrap_or("").trim();
    // Ids may be written without dashes.
    let id = canonical(query);
    let wanted = Wanted {
        part: if id.len() >= 36 { &id } else { query },
        debug_id: &debug_id,
        code_id: &code_id,
        kinds: &kinds,
    };
    let mut all = call
        .api
        .stores
        .sql
        .reading(|c| debug_files::page(c, project, &wanted, start, limit + 1))?;
    let more = all.len() > limit;
    all.truncate(limit);
    let all: Vec<Value> = all.iter().map(view::debug_file).collect();
    Ok(paged(Answer::json(all), call, start, limit, more))
}

/// Adds a debug file, or those in a zip archive: a form with `file`.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let at = (call.organization()?.id, call.project()?.id);
    let (mut form, parts) = call.parts()?;
    let file = parts.iter().find(|p| p.name == "file");
    let file = file.ok_or_else(|| ApiError::field("file", "This field is required."))?;
    let name = file.file_name.clone().unwrap_or_default();
    let kept = call
        .api
        .hooks
        .uploads
        .debug_files(at, &name, &mut file.reader(&mut form)?)?;
    let kept: Vec<Value> = kept.iter().map(view::debug_file).collect();
    Ok(Answer::created(kept))
}

/// Deletes the debug file that `id` names.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    if call.value("id").is_none() {
        return Err(ApiError::field("id", "This parameter is required."));
    }
    let file = one(call, "id")?;
    let (org, project) = (call.organization()?.id, call.project()?.id);
    call.change(|c| {
        debug_files::remove(c, project, file.id)?;
        let said = json!({ "name": file.object_name, "debugId": file.debug_id });
        call.audit(c, "debug-file.remove", Some(project), &said)
    })?;
    call.api.hooks.uploads.tidy(org)?;
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

/// Which of the SHA-1 that `checksums` names are not there.
pub fn unknown(call: &Call) -> Result<Answer, ApiError> {
    let asked: Vec<String> = call
        .values("checksums")
        .iter()
        .flat_map(|v| v.split(','))
        .map(|v| v.trim().to_lowercase())
        .filter(|v| !v.is_empty())
        .collect();
    if asked.len() > CHECKSUMS {
        return Err(ApiError::field(
            "checksums",
            format!("At most {CHECKSUMS} checksums."),
        ));
    }
    let project = call.project()?.id;
    let known = call
        .api
        .stores
        .sql
        .reading(|c| debug_files::known(c, project, &asked))?;
    let missing: Vec<String> = asked.into_iter().filter(|s| !known.contains(s)).collect();
    Ok(Answer::json(json!({ "missing": missing })))
}

/// Once tied debug files to a build of an application. They are found by their ids, so there is nothing to tie; old
/// tools of uploading end well only with an answer.
pub fn associate(call: &Call) -> Result<Answer, ApiError> {
    call.project()?;
    Ok(Answer::json(json!({ "associatedDsymFiles": [] })))
}

/// Says which release a ProGuard mapping is of: `{"release_name", "proguard_uuid"}`.
pub fn link_proguard(call: &Call) -> Result<Answer, ApiError> {
    let (org, project) = (call.organization()?.id, call.project()?.id);
    let body = call.json()?;
    let release = fields::needed(&body, "release_name", 250)?;
    let uuid = canonical(&fields::needed(&body, "proguard_uuid", 64)?);
    let document = Document {
        id: 0,
        kind: PROGUARD_RELEASE.into(),
        org,
        project: Some(project),
        slug: format!("{project}/{uuid}/{release}"),
        label: uuid.clone(),
        body: json!({ "release": release }),
        user: call.user_id().ok(),
        date_added: call.now(),
        last_updated: call.now(),
    };
    call.change(|c| {
        let kept = debug_files::by_debug_id(c, project, &uuid)?;
        if !kept.iter().any(|f| f.kind == "proguard") {
            return Err(ApiError::missing("The ProGuard mapping"));
        }
        if documents::find(c, PROGUARD_RELEASE, org, &document.slug)?.is_some() {
            return Err(ApiError::Conflict(
                "The mapping is linked to this release already.".into(),
            ));
        }
        Ok(documents::add(c, &document)?)
    })?;
    Ok(Answer::created(json!({})))
}

/// The releases that a ProGuard mapping (`proguard_uuid`) is of.
pub fn proguard_releases(call: &Call) -> Result<Answer, ApiError> {
    let (org, project) = (call.organization()?.id, call.project()?.id);
    let uuid = call.value("proguard_uuid").map(canonical);
    let uuid = uuid.ok_or_else(|| ApiError::field("proguard_uuid", "This parameter is required."))?;
    let wanted = documents::Wanted {
        projects: Some(&[project]),
        label: &uuid,
        ..documents::Wanted::default()
    };
    let all = call
        .api
        .stores
        .sql
        .reading(|c| documents::page(c, PROGUARD_RELEASE, org, &wanted, 0, 1000))?;
    let all: Vec<&Value> = all.iter().map(|d| &d.body["release"]).collect();
    Ok(Answer::json(json!({ "releases": all })))
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn debug_ids_are_found_in_every_form() {
        let id = "dfb8e43a-f242-3d73-a453-aeb6a777ef75";
        for (text, wanted) in [
            (id, id),
            ("DFB8E43AF2423D73A453AEB6A777EF75", id),
            ("dfb8e43af2423d73a453aeb6a777ef750", id),
            (
                "DFB8E43AF2423D73A453AEB6A777EF75a",
                "dfb8e43a-f242-3d73-a453-aeb6a777ef75-a",
            ),
            (
                "dfb8e43a-f242-3d73-a453-aeb6a777ef75-A",
                "dfb8e43a-f242-3d73-a453-aeb6a777ef75-a",
            ),
            ("libShop.so", "libshop.so"),
            ("äöü", "äöü"),
        ] {
            assert_eq!(canonical(text), wanted, "{text}");
        }
    }
}

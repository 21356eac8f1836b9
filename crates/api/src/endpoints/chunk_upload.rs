//! Uploading in chunks, and saying what the whole is to become.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use storage::relational::{stored_files, versions};
use storage::uploads::{
    Assembly, CHUNK, CHUNKS, CHUNKS_PER_REQUEST, CONCURRENCY, FILE, Purpose, REQUEST, State, is_sha1,
};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::{self, Body};
use crate::multipart;
use crate::views::files as view;

/// Files that one request may ask to put together.
const FILES: usize = 10_000;
/// A request waits so long for what it asks for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What can be uploaded, as clients name it.
const ACCEPT: &[&str] = &[
    "debug_files",
    "release_files",
    "pdbs",
    "portablepdbs",
    "sources",
    "bcsymbolmaps",
    "il2cpp",
    "dartsymbolmap",
    "proguard",
    "artifact_bundles",
    "artifact_bundles_v2",
];

/// Where and how to upload, and what the organization keeps already.
pub fn options(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?;
    let (files, bytes) = call.api.stores.sql.reading(|c| stored_files::total(c, org.id))?;
    Ok(Answer::json(json!({
        "url": format!("{}/api/0/organizations/{}/chunk-upload/", call.api.url, org.slug),
        "chunkSize": CHUNK, "chunksPerRequest": CHUNKS_PER_REQUEST, "maxFileSize": FILE, "maxRequestSize": REQUEST,
        "concurrency": CONCURRENCY, "hashAlgorithm": "sha1", "compression": ["gzip"], "accept": ACCEPT,
        "kept": { "files": files, "bytes": bytes, "limit": call.api.hooks.uploads.limit() },
    })))
}

/// Takes chunks: a form of files, each named by its SHA-1.
pub fn upload(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let (mut file, parts) = call.parts()?;
    let chunks: Vec<_> = parts
        .iter()
        .filter(|p| matches!(p.name.as_str(), "file" | "file_gzip"))
        .collect();
    if chunks.len() > CHUNKS_PER_REQUEST {
        return Err(ApiError::Bad(format!(
            "A request holds at most {CHUNKS_PER_REQUEST} chunks."
        )));
    }
    for chunk in chunks {
        let sha1 = chunk.file_name.as_deref().unwrap_or("");
        let mut body = chunk.reader(&mut file)?;
        call.api
            .hooks
            .uploads
            .chunk(org, sha1, chunk.name == "file_gzip", &mut body)?;
    }
    Ok(Answer::json(json!({})))
}

/// A SHA-1 in a body.
fn sha1(text: &str, name: &str) -> Result<String, ApiError> {
    let text = text.to_lowercase();
    if is_sha1(&text) {
        return Ok(text);
    }
    Err(ApiError::field(name, format!("{text:.60?} is no SHA-1.")))
}

fn chunks(body: &Body) -> Result<Vec<String>, ApiError> {
    let names = fields::names(body, "chunks")?;
    let names = names.ok_or_else(|| ApiError::field("chunks", "This field is required."))?;
    if names.len() > CHUNKS {
        return Err(ApiError::field("chunks", format!("At most {CHUNKS} chunks.")));
    }
    names.iter().map(|n| sha1(n, "chunks")).collect()
}

/// Puts debug files together: an object of `{"name", "debug_id"?, "chunks"}` by the SHA-1 of each file.
pub fn debug_files(call: &Call) -> Result<Answer, ApiError> {
    let (org, project) = (call.organization()?.id, call.project()?.id);
    let body = call.json()?;
    if body.len() > FILES {
        return Err(ApiError::Bad(format!("At most {FILES} files in one request.")));
    }
    let mut wanted = Vec::new();
    for (checksum, file) in &body {
        let file = file
            .as_object()
            .ok_or_else(|| ApiError::field(checksum, "Expected an object."))?;
        let assembly = Assembly {
            org,
            sha1: sha1(checksum, checksum)?,
            chunks: chunks(file)?,
            purpose: Purpose::DebugFile {
                project,
                name: fields::needed(file, "name", 1024)?,
                debug_id: fields::text(file, "debug_id", 64)?.flatten(),
            },
        };
        wanted.push((checksum, assembly));
    }
    // All are begun before any is waited for.
    let uploads = &call.api.hooks.uploads;
    let mut states = Vec::new();
    for (checksum, assembly) in &wanted {
        states.push((checksum, assembly, uploads.assemble(assembly, Duration::ZERO)?));
    }
    let until = Instant::now() + PATIENCE;
    let mut answer = Map::new();
    for (checksum, assembly, mut state) in states {
        let left = until.saturating_duration_since(Instant::now());
        if state == State::Assembling && !left.is_zero() {
            state = uploads.assemble(assembly, left)?;
        }
        answer.insert((**checksum).clone(), view::state(&state));
    }
    Ok(Answer::json(Value::Object(answer)))
}

fn bundle(
    call: &Call,
    body: &Body,
    projects: Vec<i64>,
    release: Option<(String, String)>,
) -> Result<Answer, ApiError> {
    let assembly = Assembly {
        org: call.organization()?.id,
        sha1: sha1(&fields::needed(body, "checksum", 64)?, "checksum")?,
        chunks: chunks(body)?,
        purpose: Purpose::Bundle { projects, release },
    };
    let state = call.api.hooks.uploads.assemble(&assembly, PATIENCE)?;
    Ok(Answer::json(view::state(&state)))
}

/// Puts an artifact bundle together: `{"checksum", "chunks", "projects", "version"?, "dist"?}`.
pub fn artifact_bundle(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let version = fields::text(&body, "version", 250)?.flatten();
    let dist = fields::text(&body, "dist", 64)?.flatten();
    let release = match (version, dist) {
        (Some(version), dist) => Some((version, dist.unwrap_or_default())),
        (None, None) => None,
        (None, Some(_)) => {
            let what = "You need to specify a release together with a dist.";
            return Err(ApiError::Bad(what.into()));
        }
    };
    let all = call.api.stores.sql.reading(|c| call.seen(c))?;
    let named = fields::names(&body, "projects")?.unwrap_or_default();
    if named.is_empty() {
        return Err(ApiError::Bad("You need to specify at least one project.".into()));
    }
    let mut projects = Vec::new();
    for name in named {
        let found = all.iter().find(|p| p.slug == name || p.id.to_string() == name);
        let found = found.ok_or_else(|| {
            ApiError::Bad(format!("There is no project '{name:.100}' in this organization."))
        })?;
        if !projects.contains(&found.id) {
            projects.push(found.id);
        }
    }
    projects.sort_unstable();
    bundle(call, &body, projects, release)
}

/// Puts an artifact bundle together, as older clients do for a release that is known: `{"checksum", "chunks"}`.
pub fn release_bundle(call: &Call) -> Result<Answer, ApiError> {
    let found = super::releases::find(call)?;
    let org = call.organization()?.id;
    let seen: Vec<i64> = call.projects()?.iter().map(|p| p.id).collect();
    let of = call
        .api
        .stores
        .sql
        .reading(|c| versions::projects(c, org, &[&found.version]))?;
    let mut projects: Vec<i64> = of.into_iter().map(|p| p.1).filter(|p| seen.contains(p)).collect();
    projects.sort_unstable();
    bundle(
        call,
        &call.json()?,
        projects,
        Some((found.version, String::new())),
    )
}

impl Call {
    /// The parts of a form that was uploaded, and the file that holds them.
    pub(crate) fn parts(&self) -> Result<(std::fs::File, Vec<multipart::Part>), ApiError> {
        let spool = self.upload.as_ref();
        let spool = spool.ok_or_else(|| ApiError::Internal("the route takes no uploads".into()))?;
        let kind = self.headers.get(http::header::CONTENT_TYPE);
        let boundary = multipart::boundary(kind.and_then(|v| v.to_str().ok()).unwrap_or(""))?;
        let mut file = spool.open()?;
        let parts = multipart::parts(&mut file, &boundary)?;
        Ok((file, parts))
    }
}

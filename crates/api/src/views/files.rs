//! Uploaded files: chunks, bundles, files of releases and debug files.

use serde_json::{Value, json};
use storage::relational::artifacts::{Bundle, BundleFile};
use storage::relational::debug_files::DebugFile;
use storage::relational::release_files::ReleaseFile;
use storage::uploads::State;

use super::time;

/// A debug file.
pub fn debug_file(d: &DebugFile) -> Value {
    let id = d.debug_id.as_deref().unwrap_or("");
    let mime = match d.kind.as_str() {
        "proguard" => "text/x-proguard+plain",
        "breakpad" => "text/x-breakpad",
        "elf" => "application/x-elf-binary",
        "macho" => "application/x-mach-binary",
        "pe" => "application/x-pe-binary",
        "pdb" => "application/x-ms-pdb",
        "portablepdb" => "application/x-portable-pdb",
        "wasm" => "application/wasm",
        "sourcebundle" => "application/x-sentry-bundle+zip",
        "bcsymbolmap" => "text/x-bcsymbolmap",
        "uuidmap" => "application/x-debugid-map",
        "il2cpp" => "application/x-il2cpp-json",
        "dartsymbolmap" => "application/x-dartsymbolmap+json",
        _ => "application/octet-stream",
    };
    let mut data = json!({ "features": d.features });
    if d.class != "none" {
        data["type"] = json!(d.class);
    }
    json!({
        "id": d.id.to_string(), "uuid": id.get(..36).unwrap_or(id), "debugId": id, "codeId": d.code_id,
        "cpuName": d.cpu, "objectName": d.object_name, "symbolType": d.kind, "headers": { "Content-Type": mime },
        "size": d.size, "sha1": d.sha1, "dateCreated": time(d.date_added), "dateAccessed": time(d.date_used),
        "data": data,
    })
}

/// A file of a release.
pub fn release_file(f: &ReleaseFile) -> Value {
    json!({
        "id": f.id.to_string(), "name": f.name, "dist": Some(&f.dist).filter(|d| !d.is_empty()),
        "headers": f.headers, "size": f.size, "sha1": f.sha1, "dateCreated": time(f.date_added),
    })
}

/// A bundle, of these releases and dists.
pub fn bundle(b: &Bundle, releases: &[(i64, String, String)]) -> Value {
    let own = releases.iter().filter(|(id, _, _)| *id == b.id);
    let own: Vec<Value> = own
        .map(|(_, version, dist)| json!({ "release": version, "dist": Some(dist).filter(|d| !d.is_empty()) }))
        .collect();
    json!({
        "bundleId": b.bundle_id, "associations": own, "date": time(b.date_uploaded),
        "dateModified": time(b.date_modified), "dateAccessed": time(b.date_used), "fileCount": b.file_count,
        "size": b.size, "sha1": b.sha1,
    })
}

/// A file of a bundle.
pub fn bundle_file(f: &BundleFile) -> Value {
    let kind = match f.kind.as_str() {
        "source" => 1,
        "minified_source" => 2,
        "source_map" => 3,
        "indexed_ram_bundle" => 4,
        _ => 0,
    };
    json!({
        "id": f.id.to_string(), "filePath": f.url.as_ref().unwrap_or(&f.path), "fileSize": f.size, "fileType": kind,
        "debugId": f.debug_id, "sourcemap": f.source_map,
    })
}

/// How far a file is.
pub fn state(state: &State) -> Value {
    match state {
        State::Missing(chunks) => json!({ "state": "not_found", "missingChunks": chunks }),
        State::Assembling => json!({ "state": "assembling", "missingChunks": [] }),
        State::Kept(files) => {
            let mut body = json!({ "state": "ok", "missingChunks": [] });
            if let Some(first) = files.first() {
                body["dif"] = debug_file(first);
            }
            body
        }
        State::Failed(why) => json!({ "state": "error", "missingChunks": [], "detail": why }),
    }
}

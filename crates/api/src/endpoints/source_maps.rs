//! Why an event's frames were not mapped to sources: source maps are not kept yet, so none was found.

use serde_json::{Value, json};
use storage::ownership::frames;

use super::events::by_id;
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// What is known of the files behind each frame of an event.
pub fn debug(call: &Call) -> Result<Answer, ApiError> {
    let loaded =
        by_id(call, call.project()?, call.event_id("event")?)?.ok_or_else(|| ApiError::missing("Event"))?;
    let event = &loaded.json;
    let images = event["debug_meta"]["images"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let id_of = |path: &Value| {
        images
            .iter()
            .find(|i| i["code_file"] == *path)
            .map(|i| i["debug_id"].clone())
    };
    let one = |frame: &Value| {
        let path = &frame["abs_path"];
        let release = event["release"].as_str().map(|_| {
            json!({
                "abs_path": path.as_str().unwrap_or(""), "matching_source_file_names": [],
                "matching_source_map_name": null, "source_map_reference": null,
                "source_file_lookup_result": "unsuccessful", "source_map_lookup_result": "unsuccessful",
            })
        });
        json!({
            "debug_id_process": {
                "debug_id": id_of(path), "uploaded_source_file_with_correct_debug_id": false,
                "uploaded_source_map_with_correct_debug_id": false,
            },
            "release_process": release, "scraping_process": { "source_file": null, "source_map": null },
        })
    };
    let exceptions = event["exception"]["values"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let exceptions: Vec<Value> = exceptions
        .iter()
        .map(|e| {
            let frames = e["stacktrace"]["frames"].as_array().into_iter().flatten();
            json!({ "frames": frames.map(one).collect::<Vec<_>>() })
        })
        .collect();
    let ids = frames(event).iter().any(|f| id_of(&f["abs_path"]).is_some());
    Ok(Answer::json(json!({
        "dist": event["dist"], "release": event["release"], "exceptions": exceptions, "has_debug_ids": ids,
        "min_debug_id_sdk_version": null, "sdk_version": event["sdk"]["version"],
        "project_has_some_artifact_bundle": false, "release_has_some_artifact": false,
        "has_uploaded_some_artifact_with_a_debug_id": false, "sdk_debug_id_support": "full",
        "has_scraping_data": false,
    })))
}

//! Why the frames of an event were mapped to sources or not: what was looked for, what was there, and what to do.

use std::collections::HashMap;

use serde_json::{Value, json};
use storage::relational::{artifacts, release_files};
use storage::sql::{Connection, SqlError};

use super::events::by_id;
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Scripts of an event that are looked up.
const SCRIPTS: usize = 50;
/// The first version of Sentry's JavaScript SDKs that sends debug ids.
const DEBUG_IDS_SINCE: (u32, u32) = (7, 56);

/// What is known of a script of the event.
#[derive(Debug, Clone, Default)]
struct Script {
    debug_id: Option<String>,
    script_by_id: bool,
    map_by_id: bool,
    /// When what carries the debug id was uploaded, µs.
    uploaded: Option<i64>,
    names: Vec<String>,
    script_by_name: bool,
    other_dists: Vec<String>,
    /// What the upload of the script says of its map.
    reference: Option<String>,
    map_name: Option<String>,
    map_by_name: bool,
    scraped: Option<Value>,
    scraped_map: Option<Value>,
    /// What processing said when the event came.
    errors: Vec<(String, String)>,
}

/// What the event is of.
struct Event<'e> {
    json: &'e Value,
    release: Option<&'e str>,
    dist: &'e str,
    received: i64,
}

fn lookup(
    c: &mut dyn Connection,
    (org, project): (i64, i64),
    event: &Event<'_>,
    path: &str,
    names: Vec<String>,
    debug_id: Option<String>,
) -> Result<Script, SqlError> {
    let mut script = Script {
        names,
        debug_id,
        ..Script::default()
    };
    if let Some(id) = script.debug_id.as_deref().map(str::to_lowercase) {
        let found = artifacts::by_debug_id(c, org, project, &id, "minified_source")?;
        let map = artifacts::by_debug_id(c, org, project, &id, "source_map")?;
        script.uploaded = found.as_ref().or(map.as_ref()).map(|f| f.bundle.date_uploaded);
        (script.script_by_id, script.map_by_id) = (found.is_some(), map.is_some());
    }
    if let Some(version) = event.release {
        let dists = if event.dist.is_empty() {
            vec![""]
        } else {
            vec![event.dist, ""]
        };
        let find = |c: &mut dyn Connection, names: &[String]| -> Result<Option<Option<String>>, SqlError> {
            for dist in &dists {
                for name in names {
                    if let Some(found) = artifacts::by_url(c, (org, project), (version, dist), name)? {
                        return Ok(Some(found.file.source_map));
                    }
                    if let Some(file) = release_files::by_name(c, (org, project), (version, dist), name)? {
                        let header = |n: &str| file.headers.get(n).and_then(Value::as_str).map(str::to_owned);
                        return Ok(Some(header("Sourcemap").or_else(|| header("sourcemap"))));
                    }
                }
            }
            Ok(None)
        };
        if let Some(reference) = find(c, &script.names)? {
            script.script_by_name = true;
            script.reference = reference;
        } else {
            script.other_dists = artifacts::dists(c, (org, project), version, &script.names)?;
        }
        if let Some(reference) = &script.reference {
            let folder = script
                .names
                .last()
                .and_then(|n| n.rsplit_once('/'))
                .map_or("~", |(f, _)| f);
            let name = match reference.split_once("://") {
                Some((_, rest)) => format!("~/{}", rest.split_once('/').map_or("", |(_, p)| p)),
                None => format!("{folder}/{}", reference.trim_start_matches("./")),
            };
            script.map_by_name = find(c, std::slice::from_ref(&name))?.is_some();
            script.map_name = Some(name);
        }
    }
    let attempts = event.json["scraping_attempts"].as_array().into_iter().flatten();
    for attempt in attempts {
        match attempt["url"].as_str() {
            Some(url) if url == path => script.scraped = Some(attempt.clone()),
            Some(url) if url.starts_with(path.split(['?', '#']).next().unwrap_or(path)) => {
                script.scraped_map = Some(attempt.clone());
            }
            _ => {}
        }
    }
    for error in event.json["errors"].as_array().into_iter().flatten() {
        let url = error["url"].as_str().unwrap_or_default();
        if error["symbolicator_type"].is_string() && (url == path || url.starts_with(path)) {
            let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
            script.errors.push((text("symbolicator_type"), text("details")));
        }
    }
    Ok(script)
}

/// What is the matter with a frame in words, and what to do about it.
fn explain(
    script: &Script,
    event: &Event<'_>,
    mapped: bool,
    fetches: bool,
    place: &(String, String),
) -> Value {
    let (org, project) = place;
    let upload = format!("sentry-cli sourcemaps upload --org {org} --project {project} ./dist");
    let inject = format!("sentry-cli sourcemaps inject ./dist && {upload}");
    let say = |status: &str, message: String, next: &str, command: Option<&str>| json!({ "status": status, "message": message, "next_step": next, "command": command });
    if mapped {
        return say("mapped", "The frame shows the source.".into(), "", None);
    }
    if script.names.is_empty() {
        let message = "The frame is of the engine or the runtime, which nobody maps.".to_owned();
        return say("not_mappable", message, "", None);
    }
    let has = |kind: &str| script.errors.iter().find(|(k, _)| k == kind);
    if let Some((_, details)) = has("malformed_sourcemap") {
        let message = format!("The source map was found and cannot be read: {details}.");
        return say(
            "malformed",
            message,
            "Build it again, and upload what the build wrote, unchanged.",
            Some(&upload),
        );
    }
    if let Some((_, details)) = has("invalid_location") {
        let message = format!("The source map was found, but {details}.");
        let next = "The map is of another build than the script, or the line is code that the bundler added. Upload \
                    script and map of the same build.";
        return say("no_such_place", message, next, Some(&inject));
    }
    if let Some(id) = &script.debug_id {
        let since = script.uploaded.is_some_and(|t| t > event.received);
        return match (script.script_by_id, script.map_by_id) {
            (_, true) if since => say(
                "uploaded_later",
                format!("What carries the debug id {id} was uploaded after the event came."),
                "Process the issue again.",
                None,
            ),
            (_, true) => say(
                "found",
                format!("Script and map with the debug id {id} are there now."),
                "Process the issue again; new events are mapped.",
                None,
            ),
            (true, false) => say(
                "map_missing",
                format!("The script with the debug id {id} was uploaded, its source map was not."),
                "Let the build write source maps, and upload the folder that holds both.",
                Some(&upload),
            ),
            (false, false) => say(
                "nothing_uploaded",
                format!(
                    "The script carries the debug id {id}, but nothing with this id was uploaded to the project."
                ),
                "Upload the very files that were deployed: debug ids change with every build.",
                Some(&inject),
            ),
        };
    }
    let Some(release) = event.release else {
        return say(
            "no_way",
            "The event names neither a debug id of the script nor a release, so nothing says which upload it is of.".into(),
            "Put debug ids into the build before it is deployed.",
            Some(&inject),
        );
    };
    let of_release = format!("{upload} --release {release}");
    if script.script_by_name {
        return match (&script.map_name, script.map_by_name) {
            (Some(name), false) => say(
                "map_missing",
                format!(
                    "The script was uploaded for the release {release}. Its map should be {name}, which was not."
                ),
                "Upload the map under the address that the script names.",
                Some(&of_release),
            ),
            (Some(_), true) => say(
                "found",
                format!("Script and map are there for the release {release} now."),
                "Process the issue again; new events are mapped.",
                None,
            ),
            (None, _) => say(
                "no_reference",
                "The script was uploaded, and nothing in its headers names a map.".into(),
                "Upload it with its map beside it, or leave the comment sourceMappingURL in it.",
                Some(&of_release),
            ),
        };
    }
    if !script.other_dists.is_empty() {
        let dists = script.other_dists.join(", ");
        let own = if event.dist.is_empty() {
            "none".to_owned()
        } else {
            event.dist.to_owned()
        };
        return say(
            "wrong_dist",
            format!("The release {release} has the script for the dist {dists}; the event's is {own}."),
            "Set the same dist in the SDK and in the upload.",
            Some(&of_release),
        );
    }
    let mut message = format!(
        "The release {release} has no file called {}.",
        script.names.join(" or ")
    );
    if let Some(why) = script.scraped.as_ref().and_then(|s| s["details"].as_str()) {
        message = format!("{message} It was not to be had on the web either: {why}.");
        return say(
            "fetch_failed",
            message,
            "Upload script and map; nothing has to be public then.",
            Some(&of_release),
        );
    }
    if !fetches {
        message = format!("{message} Nothing is fetched from the web for this project.");
    }
    say(
        "nothing_uploaded",
        message,
        "Upload script and map, best with debug ids.",
        Some(&inject),
    )
}

fn result_of(found: bool, other_dists: bool) -> &'static str {
    match (found, other_dists) {
        (true, _) => "found",
        (false, true) => "wrong-dist",
        (false, false) => "unsuccessful",
    }
}

/// Which SDKs send debug ids: `full`, `needs-upgrade`, `not-supported`.
fn support(sdk: &Value) -> &'static str {
    if !sdk["name"]
        .as_str()
        .unwrap_or_default()
        .starts_with("sentry.javascript.")
    {
        return "not-supported";
    }
    let version = sdk["version"].as_str().unwrap_or_default();
    let mut parts = version.split('.').map(|p| p.parse::<u32>().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if version >= DEBUG_IDS_SINCE {
        "full"
    } else {
        "needs-upgrade"
    }
}

/// What is known of the files behind each frame of an event, in words too.
pub fn debug(call: &Call) -> Result<Answer, ApiError> {
    let project = call.project()?;
    let place = (call.organization()?.slug.clone(), project.slug.clone());
    let loaded = by_id(call, project, call.event_id("event")?)?.ok_or_else(|| ApiError::missing("Event"))?;
    let json = &loaded.json;
    let event = Event {
        json,
        release: json["release"].as_str().filter(|r| !r.is_empty()),
        dist: json["dist"].as_str().unwrap_or_default(),
        received: loaded.record.row.received,
    };
    let ids: HashMap<&str, String> = json["debug_meta"]["images"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|i| i["type"] == "sourcemap")
        .filter_map(|i| Some((i["code_file"].as_str()?, i["debug_id"].as_str()?.to_owned())))
        .collect();
    let fetches = project.settings.get("scrapeJavaScript").and_then(Value::as_bool) == Some(true);
    let empty = Vec::new();
    let exceptions = json["exception"]["values"].as_array().unwrap_or(&empty);
    let (scripts, some_bundle, of_release) = call.api.stores.sql.reading(|c| {
        let mut scripts: HashMap<String, Script> = HashMap::new();
        for path in exceptions
            .iter()
            .flat_map(raw_frames)
            .filter_map(|f| f["abs_path"].as_str())
        {
            if scripts.len() < SCRIPTS && !scripts.contains_key(path) {
                let names = (call.api.hooks.script_names)(path);
                let script = lookup(
                    c,
                    (project.org_id, project.id),
                    &event,
                    path,
                    names,
                    ids.get(path).cloned(),
                )?;
                scripts.insert(path.to_owned(), script);
            }
        }
        let some = artifacts::any(c, project.id, None)?;
        let of_release = match event.release {
            Some(version) => {
                artifacts::any(c, project.id, Some(version))?
                    || !release_files::page(c, project.org_id, Some(project.id), version, "", 0, 1)?
                        .is_empty()
            }
            None => false,
        };
        Ok((scripts, some, of_release))
    })?;
    let none = Script::default();
    let shown = |exception: &Value| {
        let frames = exception["stacktrace"]["frames"].as_array().unwrap_or(&empty);
        let frames = raw_frames(exception).iter().zip(frames).map(|(raw, frame)| {
            let path = raw["abs_path"].as_str().unwrap_or_default();
            let script = scripts.get(path).unwrap_or(&none);
            let release = event.release.map(|_| {
                json!({
                    "abs_path": path, "matching_source_file_names": script.names,
                    "matching_source_map_name": script.map_name, "source_map_reference": script.reference,
                    "source_file_lookup_result": result_of(script.script_by_name, !script.other_dists.is_empty()),
                    "source_map_lookup_result": result_of(script.map_by_name, false),
                })
            });
            let mapped = frame["data"]["symbolicated"] == true;
            json!({
                "debug_id_process": {
                    "debug_id": script.debug_id, "uploaded_source_file_with_correct_debug_id": script.script_by_id,
                    "uploaded_source_map_with_correct_debug_id": script.map_by_id,
                },
                "release_process": release,
                "scraping_process": { "source_file": script.scraped, "source_map": script.scraped_map },
                "explanation": explain(script, &event, mapped, fetches, &place),
            })
        });
        json!({ "frames": frames.collect::<Vec<_>>() })
    };
    Ok(Answer::json(json!({
        "dist": json["dist"], "release": json["release"],
        "exceptions": exceptions.iter().map(shown).collect::<Vec<_>>(),
        "has_debug_ids": scripts.values().any(|s| s.debug_id.is_some()),
        "min_debug_id_sdk_version": format!("{}.{}.0", DEBUG_IDS_SINCE.0, DEBUG_IDS_SINCE.1),
        "sdk_version": json["sdk"]["version"], "sdk_debug_id_support": support(&json["sdk"]),
        "project_has_some_artifact_bundle": some_bundle, "release_has_some_artifact": of_release,
        "has_uploaded_some_artifact_with_a_debug_id": scripts.values().any(|s| s.script_by_id || s.map_by_id),
        "has_scraping_data": json["scraping_attempts"].as_array().is_some_and(|a| !a.is_empty()),
    })))
}

/// The frames of an exception as they came.
fn raw_frames(exception: &Value) -> &[Value] {
    let raw = exception["raw_stacktrace"]["frames"].as_array();
    raw.or(exception["stacktrace"]["frames"].as_array())
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sdks_that_send_debug_ids() {
        let of = |name: &str, version: &str| support(&json!({ "name": name, "version": version }));
        assert_eq!(of("sentry.javascript.browser", "11.12.0"), "full");
        assert_eq!(of("sentry.javascript.react", "7.56.0"), "full");
        assert_eq!(of("sentry.javascript.react", "7.55.9"), "needs-upgrade");
        assert_eq!(of("raven-js", "3.0"), "not-supported");
        assert_eq!(support(&Value::Null), "not-supported");
    }
}

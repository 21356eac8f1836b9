//! The plain fields of an event.

use protocol::json::{Json, Map};

use super::to_text;
use crate::context::Receipt;
use crate::meta::Notes;

/// Platforms that SDKs name; others become `other`.
const PLATFORMS: [&str; 28] = [
    "as3",
    "c",
    "cfml",
    "cocoa",
    "csharp",
    "elixir",
    "go",
    "groovy",
    "haskell",
    "java",
    "javascript",
    "native",
    "node",
    "objc",
    "other",
    "perl",
    "php",
    "python",
    "ruby",
    "rust",
    "swift",
    "dart",
    "kotlin",
    "powershell",
    "scala",
    "clojure",
    "unity",
    "unreal",
];

/// Entries of a fingerprint that count.
const MAX_FINGERPRINT: usize = 100;

/// Those of them that Sentry knows by another name or not at all.
const UNKNOWN_PLATFORMS: [&str; 8] = [
    "swift",
    "dart",
    "kotlin",
    "scala",
    "clojure",
    "unity",
    "unreal",
    "powershell",
];

/// The level by its name, also by the names that some SDKs use.
pub fn level(name: &str) -> Option<&'static str> {
    Some(match name {
        "debug" | "trace" | "10" => "debug",
        "info" | "log" | "20" => "info",
        "warning" | "warn" | "30" => "warning",
        "error" | "40" => "error",
        "fatal" | "critical" | "50" => "fatal",
        _ => return None,
    })
}

pub(super) fn normalize(event: &mut Map<'_>, receipt: &Receipt<'_>, notes: &mut Notes) {
    text(event, "event_id", notes);
    set_level(event, notes);
    set_platform(event, notes);
    for key in [
        "transaction",
        "culprit",
        "logger",
        "server_name",
        "site",
        "checksum",
        "release",
        "dist",
        "environment",
    ] {
        text(event, key, notes);
    }
    from_receipt(event, receipt);
    logger(event, notes);
    release(event, notes);
    fingerprint(event, notes);
    for key in [
        "user",
        "request",
        "contexts",
        "extra",
        "modules",
        "sdk",
        "debug_meta",
        "template",
    ] {
        object(event, key, notes);
    }
    user(event);
    sdk(event);
    contexts(event, notes);
    if let Some(Json::Object(images)) = event.get_mut("debug_meta")
        && let Some(list) = images.get_mut("images").and_then(Json::as_array_mut)
    {
        list.retain(|i| i.as_object().is_some());
    }
}

/// Keeps a field only as text; numbers and booleans become text.
fn text(event: &mut Map<'_>, key: &'static str, notes: &mut Notes) {
    let Some(value) = event.get_mut(key) else { return };
    if value.as_str().is_some_and(|s| !s.is_empty() || key == "culprit") {
        return;
    }
    if let Some(s) = to_text(value).filter(|s| !s.is_empty()) {
        *value = Json::from(s);
        return;
    }
    if value.as_str() != Some("") && !value.is_null() {
        notes.enter(key);
        notes.invalid("expected a string", value);
        notes.leave();
    }
    event.remove(key);
}

/// Keeps a field only as object.
fn object(event: &mut Map<'_>, key: &'static str, notes: &mut Notes) {
    let Some(value) = event.get(key) else { return };
    if value.as_object().is_some() {
        return;
    }
    let empty = value.as_array().is_some_and(<[_]>::is_empty) || value.is_null();
    if !empty {
        notes.enter(key);
        notes.invalid("expected an object", value);
        notes.leave();
    }
    event.remove(key);
}

fn set_level(event: &mut Map<'_>, notes: &mut Notes) {
    let given = event.get("level").filter(|v| !v.is_null());
    let known = given
        .and_then(to_text)
        .and_then(|t| level(&t.to_ascii_lowercase()));
    if let (Some(value), None) = (given, known) {
        notes.enter("level");
        notes.invalid("expected a level", value);
        notes.leave();
    }
    let fallback = if event.str("type") == Some("transaction") {
        "info"
    } else {
        "error"
    };
    event.set("level", known.unwrap_or(fallback));
}

fn set_platform(event: &mut Map<'_>, notes: &mut Notes) {
    let given = event.str("platform").filter(|p| !p.is_empty());
    let known = given.and_then(|p| PLATFORMS.iter().find(|k| **k == p)).copied();
    let known = known.filter(|p| !UNKNOWN_PLATFORMS.contains(p));
    if let (Some(value), None) = (given, known) {
        let value = Json::from(value.to_owned());
        notes.enter("platform");
        notes.error("invalid_data", Some("not a known platform"), Some(value));
        notes.leave();
    }
    event.set("platform", known.unwrap_or("other"));
}

fn from_receipt(event: &mut Map<'_>, receipt: &Receipt<'_>) {
    if let Some(id) = receipt.event_id {
        event.set("event_id", id.to_string());
    }
    for (key, value) in [("release", receipt.release), ("environment", receipt.environment)] {
        if let Some(value) = value.filter(|v| !v.is_empty())
            && event.str(key).is_none()
        {
            event.set(key, value.to_owned());
        }
    }
}

fn logger(event: &mut Map<'_>, notes: &mut Notes) {
    match event.str("logger") {
        None => event.set("logger", if event.contains("csp") { "csp" } else { "" }),
        Some(name) if name.contains(['\n', '\r']) => {
            let value = Json::from(name.to_owned());
            notes.enter("logger");
            notes.error("invalid_data", Some("line breaks are not allowed"), Some(value));
            notes.leave();
            event.set("logger", "");
        }
        Some(_) => {}
    }
}

fn release(event: &mut Map<'_>, notes: &mut Notes) {
    for (key, limit) in [("release", 200), ("environment", 64), ("dist", 64)] {
        let Some(given) = event.str(key) else { continue };
        let trimmed = given.trim().to_owned();
        let chars = trimmed.chars().count();
        let bad = match key {
            "environment" => {
                trimmed.eq_ignore_ascii_case("none")
                    || trimmed.contains(['\n', '\r', '\u{c}', '/'])
                    || chars > limit
            }
            "release" => {
                trimmed == "."
                    || trimmed == ".."
                    || trimmed == "latest"
                    || trimmed.contains(['\n', '\r', '\t', '\u{c}', '/', '\\'])
                    || chars > limit
            }
            _ => {
                chars > limit
                    || !trimmed
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'+' | b' '))
            }
        };
        if trimmed.is_empty() || bad {
            if bad {
                notes.enter(key);
                notes.error(
                    "invalid_data",
                    Some("not a valid name"),
                    Some(Json::from(given.to_owned())),
                );
                notes.leave();
            }
            event.remove(key);
        } else if trimmed.len() != given.len() {
            event.set(key, trimmed);
        }
    }
    if event.str("release").is_none() {
        event.remove("dist");
    }
}

fn fingerprint(event: &mut Map<'_>, notes: &mut Notes) {
    let Some(value) = event.get_mut("fingerprint") else {
        return;
    };
    let Some(list) = value.as_array_mut() else {
        notes.enter("fingerprint");
        notes.invalid("expected an array", value);
        notes.leave();
        event.remove("fingerprint");
        return;
    };
    let texts: Vec<Json<'_>> = list
        .iter()
        .take(MAX_FINGERPRINT)
        .filter_map(|entry| match entry {
            Json::Bool(b) => Some(if *b { "True" } else { "False" }.to_owned()),
            // A float without fraction is written as a whole number.
            Json::Number(n) => Some(n.as_i64().map_or_else(|| n.text().to_owned(), |i| i.to_string())),
            other => to_text(other),
        })
        .map(Json::from)
        .collect();
    if texts.is_empty() {
        event.remove("fingerprint");
    } else {
        *list = texts;
    }
}

fn user(event: &mut Map<'_>) {
    let Some(Json::Object(user)) = event.get_mut("user") else {
        return;
    };
    user.0.retain(|(_, v)| !v.is_null());
    for key in ["id", "email", "username", "ip_address", "name", "segment"] {
        if let Some(value) = user.get_mut(key) {
            match to_text(value).filter(|s| !s.trim().is_empty()) {
                Some(s) => *value = Json::from(s),
                None => {
                    user.remove(key);
                }
            }
        }
    }
    if user.is_empty() {
        event.remove("user");
    }
}

fn sdk(event: &mut Map<'_>) {
    let Some(Json::Object(sdk)) = event.get_mut("sdk") else {
        return;
    };
    sdk.0.retain(|(_, v)| !v.is_null() && v.as_str() != Some(""));
    if sdk.is_empty() {
        event.remove("sdk");
    }
}

fn contexts(event: &mut Map<'_>, notes: &mut Notes) {
    let Some(Json::Object(contexts)) = event.get_mut("contexts") else {
        return;
    };
    notes.enter("contexts");
    contexts.0.retain_mut(|(key, value)| match value {
        Json::Object(m) => {
            if m.is_empty() {
                return false;
            }
            if m.str("type").is_none() {
                m.set("type", key.clone());
            }
            if &**key == "trace" {
                for id in ["trace_id", "span_id", "parent_span_id"] {
                    if let Some(Json::Str(s)) = m.get(id)
                        && s.contains('-')
                    {
                        let plain = s.replace('-', "").to_ascii_lowercase();
                        m.set(id, plain);
                    }
                }
            }
            true
        }
        Json::Null => false,
        other => {
            notes.enter_name(key);
            notes.invalid("expected an object", other);
            notes.leave();
            false
        }
    });
    notes.leave();
    if contexts.is_empty() {
        event.remove("contexts");
    }
}

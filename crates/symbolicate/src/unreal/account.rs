//! The engine's account of a crash (`CrashContext.runtime-xml`), as parts of an event.

use std::borrow::Cow;

use protocol::json::{Json, Map};

use super::xml;

/// The longest text that is kept, characters.
const MAX_TEXT: usize = 8_000;

/// The name under which games put an event for us into the data of the game.
const PAYLOAD: &str = "__sentry";

/// Properties that other parts of the event tell better, or that are stacks and lists of modules as text.
const LEFT_OUT: [&str; 8] = [
    "Modules",
    "ErrorMessage",
    "UserName",
    "CallStack",
    "PCallStack",
    "PCallStackHash",
    "Threads",
    "UserDescription",
];

pub(super) fn read(text: &str) -> Map<'static> {
    let sections = xml::sections(text);
    let mut event = sections
        .iter()
        .find(|(section, key, _)| section == "GameData" && key == PAYLOAD)
        .and_then(|(_, _, value)| protocol::json::parse_str(value).ok())
        .and_then(|(json, _)| match json.into_owned() {
            Json::Object(map) => Some(map),
            _ => None,
        })
        .unwrap_or_default();

    let get = |section: &str, key: &str| {
        sections
            .iter()
            .find(|(s, k, v)| s == section && k == key && !v.is_empty())
            .map(|(_, _, value)| short(value))
    };
    let runtime = |key: &str| get("RuntimeProperties", key);
    if let Some(message) = runtime("ErrorMessage")
        && !["message", "logentry"].iter().any(|k| event.contains(k))
    {
        let mut entry = Map::new();
        entry.set("formatted", message);
        event.set("logentry", entry);
    }
    fill(&mut event, "user", "username", runtime("UserName"));
    fill(&mut event, "user", "id", runtime("LoginId"));
    if let Some(words) = runtime("UserDescription") {
        fill(&mut event, "extra", "user_description", Some(words));
    }
    let set = |key: &str| runtime(key).is_some_and(|v| v == "true" || v == "1");
    if !event.contains("level") {
        if set("IsAssert") {
            event.set("level", "error");
        } else if set("IsEnsure") {
            event.set("level", "warning");
        }
    }
    if !event.contains("sdk") {
        let mut sdk = Map::new();
        sdk.set("name", "unreal.crashreporter");
        sdk.set(
            "version",
            runtime("CrashReportClientVersion").unwrap_or_else(|| "0.0.0".into()),
        );
        event.set("sdk", sdk);
    }

    let mut contexts = match event.remove("contexts") {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    };
    let memory = runtime("MemoryStats.TotalPhysical").and_then(|v| v.parse::<u64>().ok());
    if let Some(memory) = memory {
        fill(&mut contexts, "device", "memory_size", Some(memory));
    }
    fill(
        &mut contexts,
        "os",
        "raw_description",
        runtime("Misc.OSVersionMajor"),
    );
    let gpu = get("EngineData", "RHI.AdapterName").or_else(|| runtime("Misc.PrimaryGPUBrand"));
    fill(&mut contexts, "gpu", "name", gpu);
    for (key, name) in [
        ("id", "RHI.DeviceId"),
        ("vendor_name", "RHI.GPUVendor"),
        ("version", "RHI.UserDriverVersion"),
        ("api_type", "RHI.RHIName"),
        ("graphics_shader_level", "RHI.FeatureLevel"),
    ] {
        fill(&mut contexts, "gpu", key, get("EngineData", name));
    }
    for (section, context) in [("RuntimeProperties", "unreal"), ("GameData", "game")] {
        let mut map = Map::new();
        for (_, key, value) in sections.iter().filter(|(s, _, _)| s == section) {
            if !value.is_empty() && key != PAYLOAD && !LEFT_OUT.contains(&key.as_str()) {
                let key = if section == "GameData" {
                    key.clone()
                } else {
                    snake(key)
                };
                map.set(key, short(value));
            }
        }
        if !map.is_empty() {
            map.set("type", context);
            contexts.set(context, map);
        }
    }
    if !contexts.is_empty() {
        event.set("contexts", contexts);
    }
    event
}

/// Adds who it happened to, as the request says it: id, Epic's account and machine.
pub(super) fn add_user(event: &mut Map<'static>, user: &str) {
    let mut parts = user.split('|').map(|p| Some(short(p)).filter(|p| !p.is_empty()));
    fill(event, "user", "id", parts.next().flatten());
    fill(event, "tags", "epic_account_id", parts.next().flatten());
    fill(event, "tags", "machine_id", parts.next().flatten());
}

/// Sets a member of an object in `map`, if there is a value and it has none.
fn fill(
    map: &mut Map<'static>,
    object: &'static str,
    key: &'static str,
    value: Option<impl Into<Json<'static>>>,
) {
    let Some(value) = value else { return };
    let slot = map.entry(object);
    if !matches!(slot, Json::Null | Json::Object(_)) {
        return;
    }
    let inner = slot.make_object();
    if inner.get(key).is_none_or(Json::is_null) {
        inner.set(Cow::Borrowed(key), value);
    }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// `Misc.CPUBrand` as `misc_cpu_brand`.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    let chars: Vec<char> = name.chars().take(200).collect();
    for (i, c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            out.push('_');
            continue;
        }
        let before = i.checked_sub(1).map(|i| chars[i]);
        let starts = c.is_ascii_uppercase()
            && before.is_some_and(|b| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_ascii_uppercase() && chars.get(i + 1).is_some_and(char::is_ascii_lowercase))
            });
        if starts && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

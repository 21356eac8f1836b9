//! The tags of an event: its own, and those made of its fields.

use protocol::json::{Json, Map};

use super::heading::exceptions;

/// Longest value of a tag, characters.
const MAX: usize = 200;

/// The user as the tag `user` has it.
pub(super) fn user(event: &Map<'_>) -> Option<String> {
    let user = event.object("user")?;
    [
        ("id", "id"),
        ("username", "username"),
        ("email", "email"),
        ("ip_address", "ip"),
    ]
    .into_iter()
    .find_map(|(key, name)| {
        user.str(key)
            .filter(|v| !v.is_empty() && *v != "[Filtered]")
            .map(|v| format!("{name}:{v}"))
    })
}

/// All tags of an event, sorted by key.
pub(super) fn promote(event: &Map<'_>) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = event
        .array("tags")
        .unwrap_or_default()
        .iter()
        .filter_map(|pair| Some((pair.str_at(&["0"])?.to_owned(), pair.str_at(&["1"])?.to_owned())))
        .collect();
    let mut add = |key: &str, value: Option<&str>| {
        let Some(value) = value.map(str::trim).filter(|v| !v.is_empty()) else {
            return;
        };
        if !out.iter().any(|(k, _)| k == key) {
            let value = value.replace(['\n', '\r'], " ");
            out.push((key.to_owned(), value.chars().take(MAX).collect()));
        }
    };
    for key in [
        "level",
        "environment",
        "release",
        "dist",
        "server_name",
        "site",
        "logger",
        "transaction",
    ] {
        add(key, event.str(key));
    }
    add("url", event.object("request").and_then(|r| r.str("url")));
    add("user", user(event).as_deref());
    if let Some(mechanism) = exceptions(event).next().and_then(|e| e.object("mechanism")) {
        add("mechanism", mechanism.str("type"));
        add(
            "handled",
            mechanism
                .get("handled")
                .and_then(Json::as_bool)
                .map(|h| if h { "yes" } else { "no" }),
        );
    }
    if let Some(contexts) = event.object("contexts") {
        for (key, context) in contexts.iter() {
            let Some(context) = context.as_object() else {
                continue;
            };
            let kind = context.str("type").unwrap_or(key);
            match kind {
                "browser" | "os" | "runtime" | "client_os" => {
                    let name = context.str("name");
                    let version = context.str("version");
                    let full = name.map(|n| version.map_or_else(|| n.to_owned(), |v| format!("{n} {v}")));
                    let raw = context.str("raw_description").filter(|_| name.is_none());
                    add(key, full.as_deref().or(raw));
                    add(&format!("{key}.name"), name);
                    if kind == "os" {
                        let rooted = context.get("rooted").and_then(Json::as_bool);
                        add("os.rooted", rooted.map(|r| if r { "yes" } else { "no" }));
                    }
                }
                "device" => {
                    add("device", context.str("model"));
                    add("device.family", context.str("family"));
                }
                "gpu" => {
                    add("gpu.name", context.str("name"));
                    add("gpu.vendor", context.str("vendor_name"));
                }
                "app" => add("app.device", context.str("device_app_hash")),
                "monitor" => add("monitor.slug", context.str("slug")),
                "replay" => add("replayId", context.str("replay_id")),
                _ => {}
            }
        }
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

//! Why an event stands in its issue, in the shape of Sentry's API: the stored variants by their key.

use serde_json::{Map, Value, json};

/// Names of components for people; the others are called by their id.
const NAMES: [(&str, &str); 12] = [
    ("app", "in-app"),
    ("chained-exception", "chained exception"),
    ("stacktrace", "stack trace"),
    ("filename", "file name"),
    ("context-line", "line of source"),
    ("ns-error", "error code"),
    ("csp", "CSP report"),
    ("salt", "kind of report"),
    ("uri", "blocked address"),
    ("type", "type"),
    ("value", "value"),
    ("fingerprint", "fingerprint"),
];

/// The variants of a stored event, by key. Empty if it was stored without any.
pub fn grouping_info(event: &Value) -> Value {
    let Some(grouping) = event.get("_grouping") else {
        return json!({});
    };
    let mut out = Map::new();
    for variant in grouping
        .get("variants")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let Some(key) = variant.get("key").and_then(Value::as_str) else {
            continue;
        };
        let hybrid = variant.get("hash").is_some_and(Value::is_string)
            && !key.ends_with("fingerprint")
            && grouping.get("fingerprint").is_some();
        let kind = match key {
            "custom_client_fingerprint" | "custom_server_fingerprint" => "custom-fingerprint",
            "built_in_fingerprint" => "built-in-fingerprint",
            "checksum" => "checksum",
            "hashed_checksum" => "hashed-checksum",
            "fallback" => "fallback",
            _ if hybrid => "salted-component",
            _ => "component",
        };
        let component = variant.get("component").map(component);
        let mut view = json!({
            "key": key,
            "type": kind,
            "hash": variant.get("hash"),
            "hashMismatch": false,
            "contributes": variant.get("contributes"),
            "description": variant.get("description"),
            "hint": component.as_ref().and_then(|c| c.get("hint")),
            "component": component,
            "config": { "id": "newstyle:2026-01-20" },
        });
        if let Some(fingerprint) = grouping
            .get("fingerprint")
            .filter(|_| hybrid || kind.ends_with("fingerprint"))
        {
            view["values"] = fingerprint.get("resolved").cloned().unwrap_or_default();
            view["client_values"] = fingerprint.get("entries").cloned().unwrap_or_default();
            if let Some(rule) = fingerprint.get("rule") {
                view["matched_rule"] = rule.clone();
            }
        }
        out.insert(key.to_owned(), view);
    }
    Value::Object(out)
}

/// What a component is called.
pub fn component_name(id: &str) -> &str {
    NAMES.iter().find(|(k, _)| *k == id).map_or(id, |(_, name)| name)
}

/// A component with everything said that the stored form leaves out.
fn component(stored: &Value) -> Value {
    let Some(map) = stored.as_object() else {
        return stored.clone();
    };
    let id = map.get("id").and_then(Value::as_str).unwrap_or_default();
    let name = component_name(id);
    let values: Vec<Value> = map
        .get("values")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(component)
        .collect();
    let mut out = json!({
        "id": id,
        "name": name,
        "contributes": map.get("contributes").and_then(Value::as_bool).unwrap_or(true),
        "hint": map.get("hint"),
        "values": values,
    });
    if let Some(count) = map.get("count") {
        out["count"] = count.clone();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoGeo, ProjectRules, ProjectSettings, Receipt, process_event};

    #[test]
    fn a_stored_event_can_say_why() {
        let body = br#"{"platform":"python","fingerprint":["{{ default }}","x"],"exception":{"values":[{"type":"E","value":"v",
            "stacktrace":{"frames":[{"function":"lib","in_app":false},{"function":"lib2","in_app":false},
            {"function":"mine","module":"m","in_app":true}]}}]}}"#;
        let rules = ProjectRules::compile(1, &ProjectSettings::default()).unwrap();
        let done = process_event(body, &Receipt::default(), &rules, &NoGeo, &crate::NoSymbols).unwrap();
        let event: Value = serde_json::from_slice(&done.json).unwrap();
        let info = grouping_info(&event);
        assert_eq!(info["app"]["hash"], done.hashes[0].to_string());
        assert_eq!(info["app"]["type"], "salted-component");
        assert_eq!(info["app"]["values"], json!(["{{ default }}", "x"]));
        let stack = &info["app"]["component"]["values"][2];
        assert_eq!(stack["name"], "stack trace");
        assert_eq!(stack["values"][0]["count"], 2);
        assert_eq!(stack["values"][1]["values"][0]["values"][0], "m");
        assert_eq!(info["system"]["contributes"], true);
        assert_eq!(grouping_info(&json!({})), json!({}));
    }
}

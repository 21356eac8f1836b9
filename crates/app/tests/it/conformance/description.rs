//! Operations: from the description file, or from the list of them in the repository.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// An operation.
pub struct Operation {
    pub method: String,
    /// With names in braces, without `/api/0`.
    pub path: String,
    /// The statuses of success.
    pub statuses: Vec<u16>,
    /// The schemas of their bodies.
    schemas: Vec<(u16, Value)>,
    /// The keys that an object, or each element of a list, must have.
    keys: Vec<String>,
}

/// All of them.
pub struct Operations {
    pub all: Vec<Operation>,
    /// The description was found, not the list alone.
    pub described: bool,
}

fn description() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("API_DESCRIPTION") {
        return Some(PathBuf::from(path)).filter(|p| p.exists());
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // A second work tree may lie elsewhere: the folder is looked for beside the first as well.
    let git = std::process::Command::new("git")
        .args(["rev-parse", "--path-format=absolute", "--git-common-dir"])
        .current_dir(&here)
        .output()
        .ok();
    let common = git.map(|o| PathBuf::from(String::from_utf8_lossy(&o.stdout).trim()));
    let roots = [Some(here), common.and_then(|c| c.parent().map(Path::to_owned))];
    roots
        .into_iter()
        .flatten()
        .map(|r| r.join("../shared/reference/openapi-derefed.json"))
        .find(|p| p.exists())
}

impl Operations {
    /// Reads the description, or else the list.
    pub fn load(list: &Path) -> Operations {
        let Some(file) = description() else {
            let text = std::fs::read_to_string(list).unwrap();
            let all = text
                .lines()
                .filter(|l| !l.starts_with('#'))
                .map(Operation::of_line)
                .collect();
            return Operations {
                all,
                described: false,
            };
        };
        let json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let mut all = Vec::new();
        for (path, methods) in json["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                if matches!(method.as_str(), "get" | "put" | "post" | "delete" | "patch") {
                    all.push(Operation::of_description(path, method, operation));
                }
            }
        }
        all.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
        let lines: String = all.iter().map(Operation::line).collect();
        let text = format!(
            "# Method, path, statuses of success, required keys of the answer or of its elements.\n{lines}"
        );
        if std::env::var_os("UPDATE_OPERATIONS").is_some() {
            std::fs::write(list, text).unwrap();
        } else {
            let kept = std::fs::read_to_string(list).unwrap_or_default();
            assert!(
                kept == text,
                "operations.txt differs from the description: UPDATE_OPERATIONS=1 writes it"
            );
        }
        Operations { all, described: true }
    }

    /// The operation of a path; one with fixed segments before one with names in their place.
    pub fn find(&self, method: &str, path: &str) -> Option<usize> {
        let segments: Vec<&str> = path.split('/').collect();
        let fits = |o: &Operation| {
            let pattern: Vec<&str> = o.path.split('/').collect();
            let same = |(p, s): (&&str, &&str)| p == s || (p.starts_with('{') && !s.is_empty());
            o.method == method && pattern.len() == segments.len() && pattern.iter().zip(&segments).all(same)
        };
        let names = |i: &usize| self.all[*i].path.matches('{').count();
        (0..self.all.len())
            .filter(|i| fits(&self.all[*i]))
            .min_by_key(names)
    }
}

impl Operation {
    fn of_description(path: &str, method: &str, operation: &Value) -> Operation {
        let mut statuses = Vec::new();
        let mut schemas = Vec::new();
        for (status, response) in operation["responses"].as_object().unwrap() {
            let Some(status) = status.parse().ok().filter(|s| (200..300).contains(s)) else {
                continue;
            };
            statuses.push(status);
            let schema = &response["content"]["application/json"]["schema"];
            if schema.is_object() {
                schemas.push((status, schema.clone()));
            }
        }
        let first = schemas.first().map(|(_, s)| s.clone()).unwrap_or_default();
        let object = if first["type"] == "array" {
            &first["items"]
        } else {
            &first
        };
        let mut keys: Vec<String> = object["required"]
            .as_array()
            .map(|a| a.iter().filter_map(|k| k.as_str().map(str::to_owned)).collect())
            .unwrap_or_default();
        keys.sort();
        keys.dedup();
        Operation {
            method: method.to_uppercase(),
            path: path.strip_prefix("/api/0").unwrap_or(path).to_owned(),
            statuses,
            schemas,
            keys,
        }
    }

    fn line(&self) -> String {
        let statuses: Vec<String> = self.statuses.iter().map(u16::to_string).collect();
        format!(
            "{} {} {} {}\n",
            self.method,
            self.path,
            statuses.join(","),
            self.keys.join(",")
        )
    }

    fn of_line(line: &str) -> Operation {
        let mut parts = line.split(' ');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (method, path, statuses, keys) = (next(), next(), next(), next());
        Operation {
            method,
            path,
            statuses: statuses.split(',').filter_map(|s| s.parse().ok()).collect(),
            schemas: vec![],
            keys: keys
                .split(',')
                .filter(|k| !k.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    /// How many elements a list has; nothing if it is none.
    pub fn elements(body: &Value) -> Option<usize> {
        let list = body
            .as_array()
            .or_else(|| body["data"].as_array())
            .or_else(|| body["Resources"].as_array());
        list.map(Vec::len)
    }

    /// Everything that is wrong with a body.
    pub fn check(&self, status: u16, body: &Value, wrong: &mut Vec<String>) {
        if let Some((_, schema)) = self.schemas.iter().find(|(s, _)| *s == status) {
            return matches(schema, body, "", wrong);
        }
        let objects = match body {
            Value::Array(list) => list.iter().collect(),
            Value::Null => vec![],
            other => vec![other],
        };
        for key in &self.keys {
            if objects.iter().any(|o| o.get(key).is_none()) {
                wrong.push(format!("{key} is missing"));
            }
        }
    }
}

/// Where the description and what Sentry and its clients do are not the same: the end of a pointer, what stands there,
/// and what the description wants. An issue that waits for nobody has no inbox, one that nobody owns no owners; a
/// monitor has a list of environments, and a schedule of a number and a unit; applications have objects.
const OTHERWISE: &[(&str, &str, &str)] = &[
    ("/inbox", "null", "object"),
    ("/owners", "null", "object"),
    ("/environments", "array", "object"),
    ("/schedule", "array", "string"),
    ("/schedule/1", "string", "integer"),
    ("/metadata", "object", "string"),
    ("/schema", "object", "string"),
];

/// Compares a value with a schema, as OpenAPI 3.0 writes it.
fn matches(schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let allowed = schema["enum"].as_array();
    let kind = kind(value);
    let want = schema["type"].as_str().unwrap_or("");
    if OTHERWISE
        .iter()
        .any(|(end, have, described)| at.ends_with(end) && *have == kind && *described == want)
    {
        return;
    }
    if value.is_null() {
        let fine = schema["nullable"] == true
            || allowed.is_some_and(|e| e.contains(value))
            || schema.get("type").is_none() && schema.get("anyOf").is_none() && schema.get("oneOf").is_none();
        if fine {
            return;
        }
    }
    if let Some(choices) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        let tries: Vec<Vec<String>> = choices
            .iter()
            .map(|choice| {
                let mut wrong = Vec::new();
                matches(choice, value, at, &mut wrong);
                wrong
            })
            .collect();
        if let Some(best) = tries.into_iter().min_by_key(Vec::len) {
            wrong.extend(best);
        }
        return;
    }
    if !want.is_empty() && want != kind && !(want == "number" && kind == "integer") {
        wrong.push(format!("{at}: {kind} and not {want}"));
        return;
    }
    if let Some(allowed) = allowed
        && !allowed.contains(value)
    {
        wrong.push(format!("{at}: {value} is none of the allowed values"));
    }
    match value {
        Value::Object(map) => object(schema, map, at, wrong),
        Value::Array(list) => {
            for (i, element) in list.iter().enumerate().take(5) {
                matches(&schema["items"], element, &format!("{at}/{i}"), wrong);
            }
        }
        Value::String(text) => format(schema, text, at, wrong),
        _ => {}
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_i64() || n.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn object(schema: &Value, map: &serde_json::Map<String, Value>, at: &str, wrong: &mut Vec<String>) {
    for key in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !map.contains_key(key) {
            wrong.push(format!("{at}/{key} is missing"));
        }
    }
    let properties = &schema["properties"];
    for (key, value) in map {
        match properties.get(key) {
            Some(inner) => matches(inner, value, &format!("{at}/{key}"), wrong),
            None if schema["additionalProperties"].is_object() => {
                matches(
                    &schema["additionalProperties"],
                    value,
                    &format!("{at}/{key}"),
                    wrong,
                );
            }
            None => {}
        }
    }
}

fn format(schema: &Value, text: &str, at: &str, wrong: &mut Vec<String>) {
    let fine = match schema["format"].as_str() {
        Some("date-time") => text.ends_with('Z') && protocol::time::parse_time(text).is_some(),
        Some("uri") => text.contains("://"),
        _ => true,
    };
    if !fine {
        wrong.push(format!("{at}: {text:?} is no {}", schema["format"]));
    }
}

#[test]
fn schemas_are_compared() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"], "properties": {
            "a": { "type": "string", "nullable": true, "format": "date-time" },
            "b": { "type": "array", "items": { "anyOf": [{ "type": "integer" }, { "type": "string", "enum": ["x"] }] } },
        },
        "additionalProperties": { "type": "number" },
    });
    let check = |value: Value| {
        let mut wrong = Vec::new();
        matches(&schema, &value, "", &mut wrong);
        wrong
    };
    assert!(check(serde_json::json!({ "a": null, "b": [1, "x"], "c": 1 })).is_empty());
    assert_eq!(check(serde_json::json!({})), ["/a is missing"]);
    assert_eq!(
        check(serde_json::json!({ "a": "2026-01-01", "b": ["y"], "c": "" })).len(),
        3
    );
}

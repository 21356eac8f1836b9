//! The description of the API that ships (`openapi.json`): made of the table of routes, of what the code says of each
//! endpoint, and of what the scenarios' requests were answered. `UPDATE_OPENAPI=1` writes it anew, with what it knew
//! before; without that, every answer is compared with it, and so is the table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use api::access::Access;
use api::{ROUTES, Route};
use serde_json::{Map, Value, json};

/// What lies deeper in an answer is not described.
const DEPTH: usize = 9;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json")
}

/// What values looked like.
#[derive(Default, Clone)]
struct Shape {
    types: BTreeSet<&'static str>,
    /// Strings that were all times.
    times: Option<bool>,
    items: Option<Box<Shape>>,
    object: Option<Object>,
}

/// What objects looked like.
#[derive(Default, Clone)]
struct Object {
    fields: BTreeMap<String, Shape>,
    required: BTreeSet<String>,
    /// Keys are data: numbers, times, names.
    map: bool,
    seen: bool,
}

fn is_name(key: &str) -> bool {
    // A SHA-1 names a file.
    if storage::uploads::is_sha1(key) {
        return false;
    }
    let mut chars = key.chars();
    let first = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$');
    first && key.len() <= 40 && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_time(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() >= 20 && b[4] == b'-' && b[10] == b'T' && text.ends_with('Z')
}

impl Shape {
    fn learn(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => _ = self.types.insert("null"),
            Value::Bool(_) => _ = self.types.insert("boolean"),
            Value::Number(n) => {
                let kind = if n.is_f64() { "number" } else { "integer" };
                self.types.insert(kind);
            }
            Value::String(s) => {
                self.types.insert("string");
                self.times = Some(self.times.unwrap_or(true) && is_time(s));
            }
            Value::Array(all) => {
                self.types.insert("array");
                let items = self.items.get_or_insert_default();
                if depth < DEPTH {
                    all.iter().for_each(|v| items.learn(v, depth + 1));
                }
            }
            Value::Object(map) => {
                self.types.insert("object");
                if depth < DEPTH {
                    self.object.get_or_insert_default().learn(map, depth);
                }
            }
        }
        // Every integer is a number.
        if self.types.contains("number") {
            self.types.remove("integer");
        }
    }

    /// Learns what a schema of this module says.
    fn remember(&mut self, schema: &Value) {
        let names: Vec<&str> = match &schema["type"] {
            Value::String(s) => vec![s],
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        for known in [
            "null", "boolean", "number", "integer", "string", "array", "object",
        ] {
            if names.contains(&known) {
                self.types.insert(known);
            }
        }
        if self.types.contains("string") {
            let time = schema["format"] == "date-time";
            self.times = Some(self.times.unwrap_or(true) && time);
        }
        if let Some(items) = schema.get("items") {
            self.items.get_or_insert_default().remember(items);
        }
        if let Some(all) = schema.get("additionalProperties") {
            let object = self.object.get_or_insert_default();
            object.map = true;
            object.seen = true;
            object.fields.entry(String::new()).or_default().remember(all);
        }
        if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
            let required: BTreeSet<String> = schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|r| r.as_str().map(str::to_owned))
                .collect();
            let object = self.object.get_or_insert_default();
            if object.seen {
                object.required.retain(|r| required.contains(r));
            } else {
                object.required = required;
            }
            object.seen = true;
            for (name, field) in fields {
                object.fields.entry(name.clone()).or_default().remember(field);
            }
        }
    }

    fn schema(&self) -> Value {
        let mut out = Map::new();
        match self.types.iter().collect::<Vec<_>>().as_slice() {
            [] => {}
            [one] => _ = out.insert("type".into(), json!(one)),
            all => _ = out.insert("type".into(), json!(all)),
        }
        if self.times == Some(true) {
            out.insert("format".into(), json!("date-time"));
        }
        if let Some(items) = &self.items {
            out.insert("items".into(), items.schema());
        }
        if let Some(object) = &self.object {
            if object.map {
                let value = object.fields.get("").map_or(json!({}), Shape::schema);
                out.insert("additionalProperties".into(), value);
            } else {
                let fields = object.fields.iter().map(|(k, v)| (k.clone(), v.schema()));
                out.insert("properties".into(), Value::Object(fields.collect()));
                if !object.required.is_empty() {
                    out.insert("required".into(), json!(object.required));
                }
            }
        }
        Value::Object(out)
    }
}

impl Object {
    fn learn(&mut self, map: &Map<String, Value>, depth: usize) {
        if !self.map && map.keys().any(|k| !is_name(k)) {
            // What were names before are data as well.
            let before = std::mem::take(&mut self.fields);
            let mut one = Shape::default();
            before.values().for_each(|s| one.remember(&s.schema()));
            self.fields.insert(String::new(), one);
            self.required.clear();
            self.map = true;
        }
        if self.map {
            let one = self.fields.entry(String::new()).or_default();
            map.values().for_each(|v| one.learn(v, depth + 1));
        } else {
            if self.seen {
                self.required.retain(|r| map.contains_key(r));
            } else {
                self.required = map.keys().cloned().collect();
            }
            for (key, value) in map {
                self.fields
                    .entry(key.clone())
                    .or_default()
                    .learn(value, depth + 1);
            }
        }
        self.seen = true;
    }
}

/// What is not as the schema says.
fn differences(schema: &Value, value: &Value, at: &str, depth: usize, out: &mut Vec<String>) {
    if schema.as_object().is_none_or(Map::is_empty) || depth > DEPTH {
        return;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = |name: &str| match &schema["type"] {
        Value::String(s) => s == name,
        Value::Array(all) => all.iter().any(|t| t == name),
        _ => true,
    };
    let number = kind == "integer" && allowed("number");
    if !(allowed(kind) || number) {
        out.push(format!("{at} is {kind} and not {}", schema["type"]));
        return;
    }
    match value {
        Value::Array(all) => {
            for one in all {
                differences(&schema["items"], one, &format!("{at}/*"), depth + 1, out);
            }
        }
        Value::Object(map) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap_or_default();
                if !map.contains_key(name) {
                    out.push(format!("{at} has no {name}"));
                }
            }
            for (key, one) in map {
                let field = match (schema.get("properties"), schema.get("additionalProperties")) {
                    (Some(fields), _) => match fields.get(key) {
                        Some(field) => field,
                        None => {
                            out.push(format!("{at}/{key} is not described"));
                            continue;
                        }
                    },
                    (None, Some(all)) => all,
                    (None, None) => continue,
                };
                differences(field, one, &format!("{at}/{key}"), depth + 1, out);
            }
        }
        _ => {}
    }
}

/// The route of a request.
pub fn route(method: &str, path: &str) -> Option<&'static Route> {
    let path = path.split('?').next().unwrap_or(path);
    let asked: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    ROUTES.iter().find(|r| {
        let pattern: Vec<&str> = r.path.split('/').filter(|s| !s.is_empty()).collect();
        let same = |(p, a): (&&str, &&str)| p == a || p.starts_with('{');
        r.method == method && pattern.len() == asked.len() && pattern.iter().zip(&asked).all(same)
    })
}

/// What was seen of each route, by method and path.
#[derive(Default)]
pub struct Seen {
    answers: BTreeMap<(String, String, u16), Shape>,
    bodies: BTreeMap<(String, String), Shape>,
}

impl Seen {
    /// Notes an exchange that went well.
    pub fn note(&mut self, method: &str, path: &str, body: Option<&Value>, status: u16, answer: &Value) {
        let Some(route) = route(method, path) else {
            return;
        };
        let (method, path) = (route.method.to_owned(), route.path.to_owned());
        if let Some(body) = body {
            let shape = self.bodies.entry((method.clone(), path.clone())).or_default();
            shape.learn(body, 0);
        }
        self.answers
            .entry((method, path, status))
            .or_default()
            .learn(answer, 0);
    }

    /// Learns what the description said before.
    fn remember(&mut self, description: &Value) {
        for route in served() {
            let operation = &description["paths"][api_path(route)][route.method.to_lowercase()];
            let key = (route.method.to_owned(), route.path.to_owned());
            let media = "application/json";
            if let Some(schema) = operation["requestBody"]["content"][media].get("schema") {
                self.bodies.entry(key.clone()).or_default().remember(schema);
            }
            for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
                if let (Some(schema), Ok(status)) = (answer["content"][media].get("schema"), status.parse()) {
                    let key = (key.0.clone(), key.1.clone(), status);
                    self.answers.entry(key).or_default().remember(schema);
                }
            }
        }
    }
}

fn api_path(route: &Route) -> String {
    format!("/api/0{}", route.path)
}

/// Every route but those of the hosted business, which answer that they are not there.
fn served() -> impl Iterator<Item = &'static Route> {
    ROUTES
        .iter()
        .filter(|r| source_of(r).is_none_or(|s| s.file != "hosted"))
}

/// Where the function of a route stands.
struct Source {
    /// Its module, as the table names it.
    file: String,
    /// Its name.
    name: String,
    /// The kind of document, for functions that are the same for all of them.
    kind: Option<String>,
}

/// What the tables say of a route, by its method and path.
fn source_of(route: &Route) -> Option<&'static Source> {
    static SOURCES: std::sync::OnceLock<BTreeMap<(String, String), Source>> = std::sync::OnceLock::new();
    let all = SOURCES.get_or_init(|| {
        let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src");
        let mut files = vec![api.join("routes.rs")];
        files.extend(
            std::fs::read_dir(api.join("routes"))
                .unwrap()
                .map(|f| f.unwrap().path()),
        );
        let mut out = BTreeMap::new();
        for file in files {
            let text = std::fs::read_to_string(file).unwrap();
            for part in text.split("route(").skip(1) {
                let part: String = part.split_whitespace().collect::<Vec<_>>().join(" ");
                let mut quoted = part.split('"');
                let (Some(_), Some(method), Some(_), Some(path)) =
                    (quoted.next(), quoted.next(), quoted.next(), quoted.next())
                else {
                    continue;
                };
                let rest = &part[part.find(path).unwrap_or(0) + path.len()..];
                // The last argument, up to the bracket that closes the call.
                let (mut depth, mut end) = (0, rest.len());
                for (i, c) in rest.char_indices() {
                    match c {
                        '(' => depth += 1,
                        ')' if depth == 0 => {
                            end = i;
                            break;
                        }
                        ')' => depth -= 1,
                        _ => {}
                    }
                }
                let last = rest[..end].trim_end_matches([',', ' ']).rsplit(", ").next();
                let function = last.unwrap_or("").trim();
                let (function, kind) = match function.split_once("::<") {
                    Some((function, kind)) => (function, Some(kind.trim_end_matches('>').to_owned())),
                    None => (function, None),
                };
                let (file, name) = function.rsplit_once("::").unwrap_or(("kept", function));
                out.insert(
                    (method.to_owned(), path.to_owned()),
                    Source {
                        file: file.to_owned(),
                        name: name.to_owned(),
                        kind,
                    },
                );
            }
        }
        out
    });
    all.get(&(route.method.to_owned(), route.path.to_owned()))
}

/// The text over the function of a route.
fn text_of(source: &Source) -> Option<String> {
    let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src");
    let module = source.file.replace("::", "/");
    let places = [
        format!("endpoints/{module}.rs"),
        format!("kept/{module}.rs"),
        format!("{module}.rs"),
    ];
    let text = places
        .iter()
        .find_map(|p| std::fs::read_to_string(api.join(p)).ok())?;
    let at = [
        format!("pub fn {}(", source.name),
        format!("pub fn {}<", source.name),
    ];
    let at = at.iter().find_map(|f| text.find(f))?;
    let lines: Vec<&str> = text[..at].lines().rev().collect();
    let docs = lines
        .iter()
        .skip_while(|l| l.is_empty() || l.starts_with("#["))
        .take_while(|l| l.starts_with("///"));
    let mut docs: Vec<&str> = docs.map(|l| l.trim_start_matches('/').trim()).collect();
    docs.reverse();
    Some(docs.join(" ")).filter(|d| !d.is_empty())
}

fn noun(kind: &str) -> String {
    let mut out = String::new();
    for c in kind.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn describe(route: &Route, seen: &Seen) -> Value {
    let source = source_of(route);
    let text = source.and_then(|s| match (&s.kind, text_of(s)) {
        (Some(kind), Some(text)) => Some(format!("{} ({})", text.trim_end_matches('.'), noun(kind))),
        (_, text) => text,
    });
    let text = text.unwrap_or_else(|| format!("{} {}", route.method, route.path));
    let words = |text: &str| -> String {
        let parts = text.split(|c: char| !c.is_ascii_alphanumeric());
        parts
            .filter(|p| !p.is_empty())
            .map(|p| p[..1].to_uppercase() + &p[1..])
            .collect()
    };
    let parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let tag = route
        .path
        .split('/')
        .rfind(|s| !s.is_empty() && !s.starts_with('{'))
        .unwrap_or("root");
    let who = match route.access {
        Access::Public => "everybody".to_owned(),
        Access::SignedIn => "who is signed in".to_owned(),
        Access::Session => "a session, not a token".to_owned(),
        Access::Superuser => "administrators of the installation".to_owned(),
        Access::Scope(scope) => scope.to_owned(),
        Access::AnyOf(scopes) => scopes.join(" or "),
    };
    let key = (route.method.to_owned(), route.path.to_owned());
    let mut responses = Map::new();
    for ((method, path, status), shape) in &seen.answers {
        if (method, path) != (&key.0, &key.1) {
            continue;
        }
        let mut answer = json!({ "description": "Done." });
        if *status != 204 {
            answer["content"] = json!({ "application/json": { "schema": shape.schema() } });
        }
        responses.insert(status.to_string(), answer);
    }
    if responses.is_empty() {
        responses.insert("default".into(), json!({ "description": "See the summary." }));
    }
    let mut out = json!({
        "operationId": format!("{}{}", route.method.to_lowercase(), words(route.path)), "summary": text,
        "description": format!("For: {who}."), "tags": [tag], "responses": responses,
    });
    if !parameters.is_empty() {
        out["parameters"] = json!(parameters);
    }
    if route.access == Access::Public {
        out["security"] = json!([]);
    }
    if let Some(body) = seen.bodies.get(&key) {
        let mut schema = body.schema();
        // What the scenarios sent is what may be sent.
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("required");
        }
        out["requestBody"] = json!({ "content": { "application/json": { "schema": schema } } });
    }
    if route.takes > 0 {
        let file = json!({ "type": "string", "format": "binary" });
        let schema = json!({ "type": "object", "properties": { "file": file } });
        out["requestBody"] = json!({ "content": { "multipart/form-data": { "schema": schema } } });
    }
    out
}

fn build(seen: &Seen) -> Value {
    let mut paths: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for route in served() {
        let operations = paths.entry(api_path(route)).or_default();
        operations.insert(route.method.to_lowercase(), describe(route, seen));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Vedette", "version": "0",
            "description": "The web API of Vedette, in Sentry's shapes. Lists are walked by the `Link` header.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "session": [] }],
        "components": { "securitySchemes": {
            "token": { "type": "http", "scheme": "bearer" },
            "session": { "type": "apiKey", "in": "cookie", "name": "vedette_session" },
        } },
        "paths": paths,
    })
}

/// One operation a line: it is read by programs, and its changes by people.
fn print(description: &Value) -> String {
    let mut out = String::from("{\n");
    for (key, value) in description.as_object().into_iter().flatten() {
        if key == "paths" {
            continue;
        }
        out += &format!("{}: {value},\n", json!(key));
    }
    out += "\"paths\": {\n";
    let paths = description["paths"].as_object().cloned().unwrap_or_default();
    let mut lines = Vec::new();
    for (path, operations) in &paths {
        let operations = operations.as_object().cloned().unwrap_or_default();
        let operations: Vec<String> = operations
            .iter()
            .map(|(m, o)| format!("  {}: {o}", json!(m)))
            .collect();
        lines.push(format!("{}: {{\n{}\n}}", json!(path), operations.join(",\n")));
    }
    out + lines.join(",\n").as_str() + "\n}\n}\n"
}

/// Compares what was seen with the description, or writes it anew; answers what is wrong, and how many of the
/// operations have a described answer.
pub fn settle(mut seen: Seen, exchanges: &[(String, String, u16, Value)]) -> (Vec<String>, usize, usize) {
    let text = std::fs::read_to_string(file()).unwrap_or_default();
    let before: Value = serde_json::from_str(&text).unwrap_or_default();
    let operations = served().count();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        seen.remember(&before);
        let now = build(&seen);
        std::fs::write(file(), print(&now)).unwrap();
        return (vec![], described(&now), operations);
    }
    let mut wrong = Vec::new();
    for route in served() {
        let operation = &before["paths"][api_path(route)][route.method.to_lowercase()];
        if operation.is_null() {
            wrong.push(format!("{} {} is not described", route.method, route.path));
        }
    }
    let known: usize = before["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, o)| o.as_object().map_or(0, Map::len))
        .sum();
    if known != operations {
        wrong.push(format!(
            "{known} operations are described, and {operations} served"
        ));
    }
    for (method, path, status, answer) in exchanges {
        let Some(route) = route(method, path) else {
            continue;
        };
        let operation = &before["paths"][api_path(route)][method.to_lowercase()];
        let schema = &operation["responses"][status.to_string()]["content"]["application/json"]["schema"];
        if *status != 204 && schema.is_null() {
            wrong.push(format!("{method} {}: {status} is not described", route.path));
        }
        let mut found = Vec::new();
        differences(schema, answer, "", 0, &mut found);
        found.truncate(5);
        wrong.extend(found.iter().map(|f| format!("{method} {}: {f}", route.path)));
    }
    wrong.dedup();
    (wrong, described(&before), operations)
}

/// How many operations say what they answer.
fn described(description: &Value) -> usize {
    let known = |r: &&Route| {
        let operation = &description["paths"][api_path(r)][r.method.to_lowercase()];
        operation["responses"]
            .as_object()
            .is_some_and(|all| !all.contains_key("default"))
    };
    served().filter(known).count()
}

#[test]
fn shapes_are_learned_and_compared() {
    let mut shape = Shape::default();
    shape.learn(
        &json!({ "id": "1", "at": "2026-11-29T10:00:00Z", "n": 1, "tags": [] }),
        0,
    );
    shape.learn(
        &json!({ "id": "2", "at": null, "n": 1.5, "tags": [{ "key": "a" }], "more": { "2026": 1 } }),
        0,
    );
    let schema = shape.schema();
    assert_eq!(schema["required"], json!(["at", "id", "n", "tags"]));
    assert_eq!(
        schema["properties"]["at"],
        json!({ "type": ["null", "string"], "format": "date-time" })
    );
    assert_eq!(schema["properties"]["n"]["type"], "number");
    assert_eq!(
        schema["properties"]["more"]["additionalProperties"]["type"],
        "integer"
    );
    let mut again = Shape::default();
    again.remember(&schema);
    assert_eq!(again.schema(), schema);
    let wrong = |value: Value| {
        let mut out = Vec::new();
        differences(&schema, &value, "", 0, &mut out);
        out
    };
    assert_eq!(
        wrong(json!({ "id": "3", "at": null, "n": 2, "tags": [] })),
        Vec::<String>::new()
    );
    assert_eq!(
        wrong(json!({ "id": 3, "at": null, "n": 2, "tags": [] })),
        ["/id is integer and not \"string\""]
    );
    assert_eq!(
        wrong(json!({ "at": null, "n": 2, "tags": [], "x": 1 })),
        [" has no id", "/x is not described"]
    );
}

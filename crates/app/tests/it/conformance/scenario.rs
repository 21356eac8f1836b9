//! Scenarios: requests in a file, one after the other, with what is kept of an answer for the next and what it must
//! hold.
//!
//! ```text
//! POST /organizations/$org/dashboards/
//!     {"title": "Errors"}
//!     keep dashboard /id
//! GET /organizations/$org/dashboards/$dashboard/
//!     want /title "Errors"
//! GET /organizations/$org/dashboards/99/ -> 404
//! GET /organizations/$org/replays/ empty
//! ```
//!
//! `form name ~/a.js` and `file file a.js text` make a form of parts, in whose files `\n` begins a line.
//! `session` asks as a browser does that is signed in. `empty` says that an answer holds no data, `single` that a list has one element alone. A pointer may say `/[id=5]`
//! for the element of a list whose `id` is 5, or `/#` for how many there are.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

/// A request, and what is expected of its answer.
#[derive(Default)]
pub struct Step {
    pub method: String,
    pub path: String,
    pub body: Option<Value>,
    /// The parts of a form: field, name of the file if it is one, text.
    pub form: Vec<(String, Option<String>, String)>,
    pub status: Option<u16>,
    pub empty: bool,
    pub single: bool,
    /// Asked with a session, not with a token.
    pub session: bool,
    pub keeps: Vec<(String, String)>,
    pub wants: Vec<(String, Value)>,
}

/// Reads every scenario of a folder, in the order of their names.
pub fn read(folder: &Path) -> Vec<Step> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    let mut steps = Vec::new();
    for file in files {
        for (n, line) in std::fs::read_to_string(&file).unwrap().lines().enumerate() {
            let place = format!("{}:{}", file.display(), n + 1);
            let text = line.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if line.starts_with(' ') {
                detail(steps.last_mut().expect("a request comes first"), text, &place);
            } else {
                steps.push(request(text, &place));
            }
        }
    }
    steps
}

fn request(line: &str, place: &str) -> Step {
    let mut words = line.split(' ');
    let mut step = Step {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        ..Step::default()
    };
    while let Some(word) = words.next() {
        match word {
            "->" => step.status = words.next().and_then(|s| s.parse().ok()),
            "empty" => step.empty = true,
            "single" => step.single = true,
            "session" => step.session = true,
            other => panic!("{place}: what is {other}?"),
        }
    }
    step
}

fn detail(step: &mut Step, text: &str, place: &str) {
    let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|e| panic!("{place}: {e}"));
    if text.starts_with(['{', '[']) {
        step.body = Some(json(text));
        return;
    }
    let mut words = text.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some("form"), Some(field), Some(value)) => step.form.push((field.into(), None, value.into())),
        (Some("file"), Some(field), Some(rest)) => {
            let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
            step.form
                .push((field.into(), Some(name.into()), text.replace("\\n", "\n")));
        }
        (Some("keep"), Some(name), Some(pointer)) => step.keeps.push((name.into(), pointer.into())),
        (Some("want"), Some(pointer), Some(value)) => step.wants.push((pointer.into(), json(value))),
        _ => panic!("{place}: {text}"),
    }
}

/// The parts of a pointer; a slash within brackets parts nothing.
fn parts(pointer: &str) -> Vec<String> {
    let (mut out, mut inside) = (vec![], false);
    for c in pointer.chars() {
        inside = (inside || c == '[') && c != ']';
        match out.last_mut() {
            _ if c == '/' && !inside => out.push(String::new()),
            Some(last) => last.push(c),
            None => {}
        }
    }
    out
}

/// What a pointer shows.
pub fn pointed(json: &Value, pointer: &str) -> Option<Value> {
    let mut at = json.clone();
    for part in parts(pointer) {
        at = if part == "#" {
            Value::from(at.as_array()?.len())
        } else if let Some(pair) = part.strip_prefix('[').and_then(|p| p.strip_suffix(']')) {
            let (key, value) = pair.split_once('=')?;
            let same = |e: &&Value| match &e[key] {
                Value::String(s) => s == value,
                other => other.as_i64().is_some_and(|n| value.parse() == Ok(n)),
            };
            at.as_array()?.iter().find(same)?.clone()
        } else {
            at.pointer(&format!("/{part}"))?.clone()
        };
    }
    Some(at)
}

/// Names and their values.
#[derive(Default)]
pub struct Variables(HashMap<String, Value>);

impl Variables {
    pub fn set(&mut self, name: &str, value: &Value) {
        self.0.insert(name.to_owned(), value.clone());
    }

    fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::String(s)) => s.clone(),
            Some(other) => other.to_string(),
            None => format!("${name}"),
        }
    }

    /// Puts values in place of `$name`.
    pub fn fill(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(after.len());
            out.push_str(&self.text(&after[..end]));
            rest = &after[end..];
        }
        out + rest
    }

    /// The same in every text of a value; a text that is `$name` alone becomes the value itself, `$#name` its number.
    pub fn fill_json(&self, value: &Value) -> Value {
        match value {
            Value::String(s) => match s.strip_prefix('$') {
                Some(name) if self.0.contains_key(name) => self.0[name].clone(),
                Some(rest) if rest.starts_with('#') => self
                    .text(&rest[1..])
                    .parse::<i64>()
                    .map(Value::from)
                    .unwrap_or(Value::Null),
                _ => Value::String(self.fill(s)),
            },
            Value::Array(list) => list.iter().map(|v| self.fill_json(v)).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(k, v)| (self.fill(k), self.fill_json(v)))
                .collect(),
            other => other.clone(),
        }
    }
}

//! What processing changed or could not read, as it is shown beside the event: `_meta` and `errors`.

use std::borrow::Cow;

use protocol::json::{Json, Map};

/// Errors that are listed at most.
const MAX_ERRORS: usize = 100;

/// Changes that are noted at most.
const MAX_REMARKS: usize = 2000;

/// Characters of a key that are said.
const MAX_NAME: usize = 200;

/// Bytes of a value that could not be read, as it is said.
const MAX_VALUE: usize = 1024;

/// How deep such a value may be.
const MAX_VALUE_DEPTH: usize = 7;

/// A step into the event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A key that the code names.
    Key(&'static str),
    /// A key that the event names.
    Name(String),
    /// A place in a list.
    Index(usize),
}

impl Step {
    fn text(&self) -> Cow<'static, str> {
        match self {
            Step::Key(k) => Cow::Borrowed(k),
            Step::Name(n) => Cow::Owned(n.clone()),
            Step::Index(i) => Cow::Owned(i.to_string()),
        }
    }
}

/// A change to a text: which rule, what it did, and where in the new text.
#[derive(Clone, Debug)]
pub struct Remark {
    /// The rule: `!limit`, `@password:filter`, ...
    pub rule: Cow<'static, str>,
    /// `s` replaced by another text, `x` removed.
    pub how: &'static str,
    /// First and last character of the replacement.
    pub range: Option<(usize, usize)>,
}

/// Collects what is to be said about an event, with the place one is at.
#[derive(Default, Debug)]
pub struct Notes {
    path: Vec<Step>,
    meta: Map<'static>,
    errors: Vec<Json<'static>>,
    remarks: usize,
}

impl Notes {
    /// Steps into a key.
    pub fn enter(&mut self, key: &'static str) {
        self.path.push(Step::Key(key));
    }

    /// Steps into a key that the event names; of a long one its beginning is said.
    pub fn enter_name(&mut self, name: &str) {
        let name = match name.char_indices().nth(MAX_NAME) {
            Some((end, _)) => format!("{}...", &name[..end]),
            None => name.to_owned(),
        };
        self.path.push(Step::Name(name));
    }

    /// Steps into a place of a list.
    pub fn enter_index(&mut self, i: usize) {
        self.path.push(Step::Index(i));
    }

    /// Steps out.
    pub fn leave(&mut self) {
        self.path.pop();
    }

    fn name(&self) -> String {
        self.path.iter().map(Step::text).collect::<Vec<_>>().join(".")
    }

    fn slot(&mut self) -> &mut Map<'static> {
        let mut at = &mut self.meta;
        for step in self.path.iter().map(Step::text).chain([Cow::Borrowed("")]) {
            let i = match at.0.iter().position(|(k, _)| *k == step) {
                Some(i) => i,
                None => {
                    at.0.push((step, Json::object()));
                    at.0.len() - 1
                }
            };
            at = at.0[i].1.make_object();
        }
        at
    }

    /// Notes an error at the place, with the value that was there unless it is long.
    pub fn error(&mut self, kind: &'static str, reason: Option<&str>, value: Option<Json<'static>>) {
        if self.errors.len() >= MAX_ERRORS {
            return;
        }
        let value = value.filter(is_short);
        let name = self.name();
        let note = match reason {
            Some(reason) => {
                let mut detail = Map::new();
                detail.set("reason", reason.to_owned());
                Json::Array(vec![Json::from(kind), detail.into()])
            }
            None => Json::from(kind),
        };
        let slot = self.slot();
        match slot.entry("err") {
            Json::Array(list) => list.push(note),
            other => *other = Json::Array(vec![note]),
        }
        if let Some(value) = &value {
            slot.set("val", value.clone());
        }
        let mut error = Map::new();
        error.set("type", kind);
        if !name.is_empty() {
            error.set("name", name);
        }
        if let Some(reason) = reason {
            error.set("reason", reason.to_owned());
        }
        if let Some(value) = value {
            error.set("value", value);
        }
        self.errors.push(error.into());
    }

    /// Notes that the value was of a wrong kind.
    pub fn invalid(&mut self, reason: &str, value: &Json<'_>) {
        if is_short(value) {
            self.error("invalid_data", Some(reason), Some(value.clone().into_owned()));
        } else {
            self.error("invalid_data", Some(reason), None);
        }
    }

    /// Notes a change to the text at the place; `len` is its length before.
    pub fn remark(&mut self, remark: &Remark, len: Option<usize>) {
        if self.remarks >= MAX_REMARKS {
            return;
        }
        self.remarks += 1;
        let slot = self.slot();
        let mut note = vec![
            Json::from(remark.rule.clone().into_owned()),
            Json::from(remark.how),
        ];
        if let Some((from, to)) = remark.range {
            note.push(Json::from(from));
            note.push(Json::from(to));
        }
        match slot.entry("rem") {
            Json::Array(list) => list.push(Json::Array(note)),
            other => *other = Json::Array(vec![Json::Array(note)]),
        }
        if let Some(len) = len
            && !slot.contains("len")
        {
            slot.set("len", len);
        }
    }

    /// Notes that a list or object at the place was shortened; `total` is how many it had.
    pub fn shortened(&mut self, total: usize) {
        let remark = Remark {
            rule: "!limit".into(),
            how: "x",
            range: None,
        };
        self.remark(&remark, Some(total));
    }

    /// Adds everything to the event's own `_meta` and `errors`.
    pub fn write(self, event: &mut Map<'_>) {
        if !self.errors.is_empty() {
            match event.entry("errors") {
                Json::Array(list) => list.extend(self.errors),
                other => *other = Json::Array(self.errors),
            }
        }
        if !self.meta.is_empty() {
            merge(event.entry("_meta").make_object(), self.meta);
        }
    }
}

/// Whether a value may be said: it is then kept twice more.
fn is_short(value: &Json<'_>) -> bool {
    fn left(value: &Json<'_>, depth: usize, room: usize) -> Option<usize> {
        match value {
            Json::Str(text) => room.checked_sub(text.len() + 2),
            Json::Number(n) => room.checked_sub(n.text().len()),
            Json::Array(list) => {
                let depth = depth.checked_sub(1)?;
                list.iter()
                    .try_fold(room, |room, v| left(v, depth, room.checked_sub(1)?))
            }
            Json::Object(map) => {
                let depth = depth.checked_sub(1)?;
                let one =
                    |room: usize, (k, v): (&str, &Json<'_>)| left(v, depth, room.checked_sub(k.len() + 4)?);
                map.iter().try_fold(room, one)
            }
            Json::Rendered(text) => room.checked_sub(text.len()),
            Json::Null | Json::Bool(_) => room.checked_sub(5),
        }
    }
    left(value, MAX_VALUE_DEPTH, MAX_VALUE).is_some()
}

/// Merges notes into those that came with the event.
fn merge<'a>(into: &mut Map<'a>, from: Map<'static>) {
    for (key, value) in from.0 {
        match (into.get_mut(&key), value) {
            (Some(Json::Object(old)), Json::Object(new)) => merge(old, new),
            (Some(Json::Array(old)), Json::Array(new)) => old.extend(new),
            (Some(old), new) if old.is_null() => *old = new,
            (Some(_), _) => {}
            (None, new) => into.0.push((key, new)),
        }
    }
}

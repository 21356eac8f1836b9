//! What processing changed or could not read, as it is shown beside the event: `_meta` and `errors`.

use std::borrow::Cow;

use protocol::json::{Json, Map};

/// Errors that are listed at most.
const MAX_ERRORS: usize = 100;

/// Changes that are noted at most.
const MAX_REMARKS: usize = 2000;

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

    /// Steps into a key that the event names.
    pub fn enter_name(&mut self, name: &str) {
        self.path.push(Step::Name(name.to_owned()));
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

    /// Notes an error at the place, with the value that was there.
    pub fn error(&mut self, kind: &'static str, reason: Option<&str>, value: Option<Json<'static>>) {
        if self.errors.len() >= MAX_ERRORS {
            return;
        }
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
        self.error("invalid_data", Some(reason), Some(value.clone().into_owned()));
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

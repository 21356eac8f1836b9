//! The row of an event.

use std::cell::RefCell;
use std::sync::Arc;

use protocol::ids::GroupHash;
use protocol::json::{Json, Map};
use protocol::table::{Row, Value};

use super::heading::{Heading, exceptions, frames, message};
use super::table::ERRORS;
use super::{tags, time_of};
use crate::context::Receipt;
use crate::grouping::deciding_thread;
use crate::memo::{self, Memo};

/// Distinct texts of one column that are kept.
const MAX_TEXTS: usize = 100;

/// Longest text in a column, characters.
const MAX_TEXT: usize = 512;

/// Longest message, characters.
const MAX_WORDS: usize = 8192;

/// Whether the exceptions were handled; none if nothing says so.
pub(super) fn handled(event: &Map<'_>) -> Option<bool> {
    let mut answer = None;
    for e in exceptions(event) {
        match e
            .object("mechanism")
            .and_then(|m| m.get("handled"))
            .and_then(Json::as_bool)
        {
            Some(false) => return Some(false),
            Some(true) => answer = Some(true),
            None => {}
        }
    }
    answer
}

fn short(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

/// Collects distinct texts.
#[derive(Default)]
struct Texts(Vec<String>);

impl Texts {
    fn add(&mut self, text: Option<&str>) {
        let Some(text) = text.filter(|t| !t.is_empty()) else {
            return;
        };
        if self.0.len() < MAX_TEXTS && !self.0.iter().any(|t| t == text) {
            self.0.push(short(text, MAX_TEXT));
        }
    }
}

struct Builder {
    row: Row,
}

impl Builder {
    fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|t| !t.is_empty()) {
            self.row.set(&ERRORS, name, Value::Str(short(text, MAX_TEXT)));
        }
    }

    fn words(&mut self, name: &str, text: &str) {
        self.row.set(&ERRORS, name, Value::Str(short(text, MAX_WORDS)));
    }

    fn flag(&mut self, name: &str, flag: Option<bool>) {
        if let Some(flag) = flag {
            self.row.set(&ERRORS, name, Value::Bool(flag));
        }
    }

    fn texts(&mut self, name: &str, texts: Texts) {
        self.row.set(&ERRORS, name, Value::List(texts.0.into()));
    }
}

/// Makes the row.
pub(super) fn row(
    event: &Map<'_>,
    receipt: &Receipt<'_>,
    heading: &Heading,
    hashes: &[GroupHash],
    all_tags: &[(String, String)],
) -> Row {
    let id = event
        .str("event_id")
        .and_then(|id| id.parse().ok())
        .unwrap_or(protocol::ids::EventId::NIL);
    let mut b = Builder {
        row: Row {
            project: receipt.project,
            time: time_of(event, receipt),
            received: receipt.received,
            id: id.0,
            hash: hashes.first().map_or([0; 16], |h| h.0),
            ..Row::default()
        },
    };
    b.text("event.type", event.str("type"));
    for key in [
        "level",
        "platform",
        "environment",
        "release",
        "dist",
        "transaction",
        "logger",
        "server_name",
    ] {
        b.text(key, event.str(key));
    }
    b.words("message", message(event));
    b.words("title", &heading.title);
    b.text("culprit", Some(&heading.culprit));
    b.text("location", heading.location.as_deref());
    user(&mut b, event);
    errors(&mut b, event);
    stacks(&mut b, event);
    request(&mut b, event);
    contexts(&mut b, event);
    let sdk = event.object("sdk");
    b.text("sdk.name", sdk.and_then(|s| s.str("name")));
    b.text("sdk.version", sdk.and_then(|s| s.str("version")));
    let replay = all_tags
        .iter()
        .find(|(k, _)| k == "replayId")
        .map(|(_, v)| v.as_str());
    b.text("replayId", replay);
    if let Some(entries) = event.array("fingerprint") {
        let joined = entries
            .iter()
            .filter_map(Json::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        b.text(
            "fingerprint",
            Some(&joined)
                .filter(|j| *j != "{{ default }}")
                .map(String::as_str),
        );
    }
    b.row.set_tags(all_tags.to_vec());
    b.row
}

fn user(b: &mut Builder, event: &Map<'_>) {
    b.text("user", tags::user(event).as_deref());
    let Some(user) = event.object("user") else { return };
    for (column, key) in [
        ("user.id", "id"),
        ("user.email", "email"),
        ("user.username", "username"),
        ("user.ip", "ip_address"),
    ] {
        b.text(column, user.str(key));
    }
    if let Some(geo) = user.object("geo") {
        for (column, key) in [
            ("geo.country_code", "country_code"),
            ("geo.region", "region"),
            ("geo.city", "city"),
            ("geo.subdivision", "subdivision"),
        ] {
            b.text(column, geo.str(key));
        }
    }
}

fn errors(b: &mut Builder, event: &Map<'_>) {
    let (mut kinds, mut values, mut mechanisms) = (Texts::default(), Texts::default(), Texts::default());
    let mut any = false;
    let mut thread = None;
    for e in exceptions(event) {
        any = true;
        kinds.add(e.str("type"));
        values.add(e.str("value"));
        mechanisms.add(e.object("mechanism").and_then(|m| m.str("type")));
        thread = e.get("thread_id").or(thread);
    }
    if any {
        let unhandled = handled(event) == Some(false);
        b.flag("error.handled", Some(!unhandled));
        b.flag("error.unhandled", Some(unhandled));
    }
    b.texts("error.type", kinds);
    b.texts("error.value", values);
    b.texts("error.mechanism", mechanisms);
    let threads = event
        .get("threads")
        .and_then(|t| t.get("values")?.as_array())
        .unwrap_or_default();
    if let Some(id) = thread {
        let own = threads.iter().find(|t| t.get("id") == Some(id));
        b.flag("error.main_thread", own.and_then(|t| t.get("main")?.as_bool()));
    }
}

/// The columns of stack traces, and the fields of frames that they hold.
const STACK: [(&str, &str); 5] = [
    ("stack.abs_path", "abs_path"),
    ("stack.filename", "filename"),
    ("stack.function", "function"),
    ("stack.module", "module"),
    ("stack.package", "package"),
];

type Lists = [Arc<Vec<String>>; 5];

thread_local! {
    static KNOWN: RefCell<Memo<Lists>> = RefCell::default();
}

fn stacks(b: &mut Builder, event: &Map<'_>) {
    let mut any = false;
    let mut all: Vec<[Option<&str>; 5]> = Vec::new();
    let mut add = |holder| all.extend(frames(holder).map(texts_of));
    for e in exceptions(event) {
        any |= frames(e).next().is_some();
        add(e);
    }
    add(event);
    if !any && let Some(thread) = deciding_thread(event) {
        add(thread);
    }
    let mut key = Vec::with_capacity(4096);
    for text in all.iter().flatten() {
        memo::text(&mut key, *text);
    }
    let known = KNOWN.with_borrow_mut(|memo| memo.get(&key, || lists(&all)));
    let lists = known.unwrap_or_else(|| lists(&all).into());
    for ((name, _), list) in STACK.iter().zip(&*lists) {
        b.row.set(&ERRORS, name, Value::List(list.clone()));
    }
}

fn texts_of<'a>(frame: &'a Map<'_>) -> [Option<&'a str>; 5] {
    let mut out = [None; 5];
    for (key, value) in frame.iter() {
        if let Some(i) = STACK.iter().position(|(_, field)| *field == key) {
            out[i] = value.as_str();
        }
    }
    out
}

fn lists(frames: &[[Option<&str>; 5]]) -> Lists {
    let mut lists: [Texts; 5] = Default::default();
    for frame in frames {
        for (list, text) in lists.iter_mut().zip(frame) {
            list.add(*text);
        }
    }
    lists.map(|l| Arc::new(l.0))
}

fn request(b: &mut Builder, event: &Map<'_>) {
    if let Some(request) = event.object("request") {
        b.text("http.method", request.str("method"));
        b.text("http.url", request.str("url"));
        let headers = request.array("headers").unwrap_or_default();
        let referer = headers.iter().find(|p| {
            p.str_at(&["0"])
                .is_some_and(|k| k.eq_ignore_ascii_case("referer"))
        });
        b.text("http.referer", referer.and_then(|p| p.str_at(&["1"])));
    }
    let status = event
        .get("contexts")
        .and_then(|c| c.path(&["response", "status_code"]));
    let status = match status {
        Some(Json::Number(n)) => Some(n.text()),
        Some(Json::Str(s)) => Some(&**s),
        _ => None,
    };
    b.text("http.status_code", status);
}

fn contexts(b: &mut Builder, event: &Map<'_>) {
    let Some(contexts) = event.object("contexts") else {
        return;
    };
    if let Some(trace) = contexts.object("trace") {
        b.text("trace", trace.str("trace_id"));
        b.text("trace.span", trace.str("span_id"));
    }
    for key in ["os", "browser", "runtime"] {
        let Some(context) = contexts.object(key) else {
            continue;
        };
        let (name, version) = (context.str("name"), context.str("version"));
        let full = name.map(|n| version.map_or_else(|| n.to_owned(), |v| format!("{n} {v}")));
        b.text(key, full.as_deref());
        b.text(&format!("{key}.name"), name);
        b.text(&format!("{key}.version"), version);
        if key == "os" {
            b.text("os.build", context.str("build"));
            b.text("os.kernel_version", context.str("kernel_version"));
            let rooted = context.get("rooted").and_then(Json::as_bool);
            b.text("os.rooted", rooted.map(|r| if r { "yes" } else { "no" }));
        }
    }
    if let Some(device) = contexts.object("device") {
        b.text("device", device.str("model"));
        for key in [
            "name",
            "family",
            "model",
            "brand",
            "arch",
            "locale",
            "orientation",
            "uuid",
            "class",
        ] {
            b.text(&format!("device.{key}"), device.str(key));
        }
        b.flag(
            "device.simulator",
            device.get("simulator").and_then(Json::as_bool),
        );
    }
    if let Some(app) = contexts.object("app") {
        b.text("app", app.str("app_identifier"));
        b.text("app.name", app.str("app_name"));
        b.text("app.version", app.str("app_version"));
        b.text("app.build", app.str("app_build"));
        b.flag(
            "app.in_foreground",
            app.get("in_foreground").and_then(Json::as_bool),
        );
    }
}

//! What was captured on the wire against what is read back: every difference must be a normalization of the list in
//! [`super::normalizations`].

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::normalizations::{ACCEPTED, OF_THE_PAGE, REWRITTEN, derived_tags, hollow};

/// A place where the two are not the same.
#[derive(Debug)]
pub struct Difference<'a> {
    pub path: Vec<String>,
    pub sent: Option<&'a Value>,
    pub got: Option<&'a Value>,
}

impl Difference<'_> {
    /// The path as steps to match on.
    pub fn steps(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

/// What the decision about a difference may look at.
pub struct Pair<'a> {
    /// The event as it was sent, in the server's form.
    pub sent: &'a Value,
    /// The event as `…/json/` gives it.
    pub stored: &'a Value,
}

/// The event in the server's form, as far as what was sent alone decides it.
pub fn rewritten(wire: &Value) -> Value {
    let mut sent = wire.clone();
    for rule in REWRITTEN {
        (rule.apply)(&mut sent);
    }
    sent
}

/// Every difference that no normalization accounts for, a line each.
pub fn compare(wire: &Value, stored: &Value, view: &Value) -> Vec<String> {
    let sent = rewritten(wire);
    let stored = same_units(stored);
    let mut wrong = compare_json(&sent, &stored);
    wrong.extend(compare_view(&sent, &without_unshown(&sent), &stored, view));
    wrong
}

fn compare_json(sent: &Value, stored: &Value) -> Vec<String> {
    let mut wrong = unaccounted("json", sent, stored, &Pair { sent, stored });
    for (key, value) in derived_tags(stored) {
        if stored["tags"].get(&key).is_none() {
            wrong.push(format!("json: the tag {key} is missing, it should be {value}"));
        }
    }
    wrong
}

fn compare_view(sent: &Value, shown_of_sent: &Value, stored: &Value, view: &Value) -> Vec<String> {
    let shown = same_units(&protocol_form(view));
    unaccounted("view", shown_of_sent, &shown, &Pair { sent, stored })
}

/// Changes each value of both forms in turn: the comparison must see all of it.
pub fn assert_every_change_is_found(wire: &Value, stored: &Value, view: &Value) {
    let sent = rewritten(wire);
    let (same, shown_of_sent) = (same_units(stored), without_unshown(&sent));
    let mut tried = 0;
    let mut find = |json: &Value, wanted: &dyn Fn(&str) -> bool, compare: &dyn Fn(&Value) -> Vec<String>| {
        let mut pointers = Vec::new();
        leaves(&mut String::new(), json, &mut pointers);
        for pointer in pointers.iter().filter(|p| wanted(p)) {
            let mut other = json.clone();
            *other.pointer_mut(pointer).expect("it was just there") = json!({ "changed": true });
            assert!(!compare(&other).is_empty(), "a change of {pointer} is not seen");
            tried += 1;
        }
    };
    // What the server adds of its own has nothing on the wire to be compared with.
    let was_sent = |p: &str| match p.starts_with("/tags/") {
        true => p.ends_with("/1"),
        false => sent.pointer(p).is_some_and(|v| !v.is_null()),
    };
    find(stored, &was_sent, &|other| {
        compare_json(&sent, &same_units(other))
    });
    let is_shown = |p: &str| {
        let compared = match p.split('/').nth(1) {
            Some("entries") => p.contains("/data/") && !p.ends_with("hasSystemFrames"),
            Some("tags") => p.ends_with("/value"),
            Some("release") => p.ends_with("/version"),
            Some("contexts" | "context" | "packages" | "user" | "environment" | "dist") => true,
            _ => false,
        };
        compared && view.pointer(p).is_some_and(|v| !v.is_null())
    };
    find(view, &is_shown, &|other| {
        compare_view(&sent, &shown_of_sent, &same, other)
    });
    assert!(tried > 60, "only {tried} changes were tried");
}

fn leaves(at: &mut String, value: &Value, found: &mut Vec<String>) {
    let mut inner = |step: &str, value: &Value| {
        let before = at.len();
        at.push('/');
        at.push_str(&step.replace('~', "~0").replace('/', "~1"));
        leaves(at, value, found);
        at.truncate(before);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| inner(k, v)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(i, v)| inner(&i.to_string(), v)),
        _ => found.push(at.clone()),
    }
}

fn unaccounted(what: &str, sent: &Value, got: &Value, pair: &Pair) -> Vec<String> {
    let mut found = Vec::new();
    differences(&mut Vec::new(), Some(sent), Some(got), &mut found);
    let accounted = |d: &Difference| {
        // What one form says of a normalized field, the other says too.
        let stored = d.path.iter().try_fold(pair.stored, |at, step| match at {
            Value::Array(list) => list.get(step.parse::<usize>().ok()?),
            other => other.get(step),
        });
        let same = stored == d.got || [stored, d.got].iter().all(|v| v.is_none_or(hollow));
        same && ACCEPTED.iter().any(|rule| (rule.fits)(d, pair))
            || what == "view" && (OF_THE_PAGE.fits)(d, pair)
    };
    found
        .iter()
        .filter(|d| !accounted(d))
        .map(|d| {
            let text = |v: Option<&Value>| v.map_or("nothing".to_owned(), Value::to_string);
            format!(
                "{what} {}: sent {}, got {}",
                d.path.join("."),
                text(d.sent),
                text(d.got)
            )
        })
        .collect()
}

fn differences<'a>(
    path: &mut Vec<String>,
    sent: Option<&'a Value>,
    got: Option<&'a Value>,
    found: &mut Vec<Difference<'a>>,
) {
    let mut step = |name: String, sent: Option<&'a Value>, got: Option<&'a Value>| {
        path.push(name);
        differences(path, sent, got, found);
        path.pop();
    };
    match (sent, got) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                step(name.clone(), a.get(name), b.get(name));
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for i in 0..a.len().max(b.len()) {
                step(i.to_string(), a.get(i), b.get(i));
            }
        }
        (a, b) if a == b => {}
        _ => found.push(Difference {
            path: path.clone(),
            sent,
            got,
        }),
    }
}

/// Pairs of tags as a map, times as whole microseconds, cookies and query in the order of their names.
pub fn same_units(event: &Value) -> Value {
    let mut event = event.clone();
    sort_pairs(&mut event);
    if let Some(Value::Array(list)) = event.get("tags") {
        let mut map = Map::new();
        for pair in list {
            let key = pair[0].as_str().expect("the key of a tag");
            let before = map.insert(key.to_owned(), pair[1].clone());
            assert!(before.is_none(), "the tag {key} is there twice");
        }
        event["tags"] = Value::Object(map);
    }
    for key in ["timestamp", "start_timestamp", "received"] {
        if let Some(time) = event.get_mut(key) {
            *time = microseconds(time);
        }
    }
    if let Some(list) = event
        .pointer_mut("/breadcrumbs/values")
        .and_then(Value::as_array_mut)
    {
        for time in list.iter_mut().filter_map(|crumb| crumb.get_mut("timestamp")) {
            *time = microseconds(time);
        }
    }
    event
}

/// Puts cookies and query in the order of their names: an object on the wire has no order that this program can
/// see. The notes about them move along.
pub fn sort_pairs(event: &mut Value) {
    for key in ["cookies", "query_string"] {
        let Some(Value::Array(list)) = event.pointer(&format!("/request/{key}")) else {
            continue;
        };
        let mut order: Vec<usize> = (0..list.len()).collect();
        order.sort_by_key(|i| list[*i][0].as_str().map(str::to_owned));
        let sorted: Vec<Value> = order.iter().map(|i| list[*i].clone()).collect();
        event["request"][key] = json!(sorted);
        if let Some(Value::Object(notes)) = event.pointer_mut(&format!("/_meta/request/{key}")) {
            let before = std::mem::take(notes);
            for (name, note) in before {
                let place = name
                    .parse()
                    .ok()
                    .and_then(|i: usize| order.iter().position(|o| *o == i));
                notes.insert(place.map_or(name, |at| at.to_string()), note);
            }
        }
    }
}

fn microseconds(time: &Value) -> Value {
    match time {
        Value::String(text) => protocol::time::parse_time(text).map_or(time.clone(), |us| json!(us)),
        Value::Number(n) => json!((n.as_f64().expect("a number") * 1e6).round() as i64),
        other => other.clone(),
    }
}

// ---- the page's form of an event, back in the protocol's

/// Fields for which the page's form has no place of their own: the first four are among its tags, the others are in
/// `…/json/`.
const UNSHOWN: [&str; 14] = [
    "/level",
    "/logger",
    "/server_name",
    "/transaction",
    "/transaction_info",
    "/start_timestamp",
    "/fingerprint",
    "/ingest_path",
    "/sdk/packages",
    "/sdk/integrations",
    "/sdk/features",
    "/sdk/settings",
    "/debug_meta/sdk_info",
    "/breadcrumbs/dropped",
];

/// Fields of frames that only `…/json/` shows.
const UNSHOWN_OF_FRAMES: [&str; 4] = ["image_addr", "native", "lang", "stack_start"];

/// Fields of threads and of their stacks that only `…/json/` shows.
const UNSHOWN_OF_THREADS: [&str; 4] = ["/daemon", "/priority", "/main", "/stacktrace/snapshot"];

fn without_unshown(sent: &Value) -> Value {
    let mut sent = sent.clone();
    for pointer in UNSHOWN {
        remove(&mut sent, pointer);
    }
    let threads = sent.pointer_mut("/threads/values").and_then(Value::as_array_mut);
    for thread in threads.into_iter().flatten() {
        for pointer in UNSHOWN_OF_THREADS {
            remove(thread, pointer);
        }
    }
    for frame in frames(&mut sent) {
        for key in UNSHOWN_OF_FRAMES {
            frame.remove(key);
        }
    }
    sent
}

fn remove(value: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    if let Some(Value::Object(map)) = value.pointer_mut(parent) {
        map.remove(key);
    }
}

/// The frames of all exceptions and threads.
pub fn frames(event: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let Value::Object(event) = event else {
        panic!("an event is an object")
    };
    event
        .iter_mut()
        .filter(|(key, _)| matches!(key.as_str(), "exception" | "threads"))
        .filter_map(|(_, holder)| holder.get_mut("values")?.as_array_mut())
        .flatten()
        .filter_map(|value| value.pointer_mut("/stacktrace/frames")?.as_array_mut())
        .flatten()
        .filter_map(Value::as_object_mut)
}

fn filled(pairs: Vec<(&str, Value)>) -> Value {
    let kept = pairs.into_iter().filter(|(_, v)| !v.is_null());
    Value::Object(kept.map(|(k, v)| (k.to_owned(), v)).collect())
}

fn protocol_form(view: &Value) -> Value {
    let entries: BTreeMap<&str, &Value> = view["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|e| (e["type"].as_str().expect("a type"), &e["data"]))
        .collect();
    let list = |kind: &str, make: fn(&Value) -> Value| {
        entries.get(kind).map_or(Value::Null, |data| {
            let values = data["values"].as_array().expect("values");
            json!({ "values": values.iter().map(make).collect::<Vec<_>>() })
        })
    };
    let tags: Vec<Value> = view["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .map(|t| json!([t["key"], t["value"]]))
        .collect();
    let images = entries
        .get("debugmeta")
        .map_or(Value::Null, |d| json!({ "images": d["images"] }));
    filled(vec![
        ("event_id", view["eventID"].clone()),
        ("type", view["type"].clone()),
        ("platform", view["platform"].clone()),
        ("timestamp", view["dateCreated"].clone()),
        ("received", view["dateReceived"].clone()),
        ("title", view["title"].clone()),
        ("culprit", view["culprit"].clone()),
        ("location", view["location"].clone()),
        ("metadata", view["metadata"].clone()),
        ("release", view["release"]["version"].clone()),
        ("dist", view["dist"].clone()),
        ("environment", view["environment"].clone()),
        ("tags", json!(tags)),
        ("user", user(&view["user"])),
        ("contexts", view["contexts"].clone()),
        ("extra", none_if_empty(&view["context"])),
        ("modules", none_if_empty(&view["packages"])),
        ("sdk", view["sdk"].clone()),
        (
            "logentry",
            entries.get("message").map_or(Value::Null, |m| message(m)),
        ),
        ("exception", list("exception", exception)),
        ("threads", list("threads", thread)),
        ("breadcrumbs", list("breadcrumbs", |crumb| filled(members(crumb)))),
        (
            "request",
            entries.get("request").map_or(Value::Null, |r| request(r)),
        ),
        ("debug_meta", images),
        ("_meta", meta(&view["_meta"])),
    ])
}

/// The page says `{}` for nothing.
fn none_if_empty(view: &Value) -> Value {
    if *view == json!({}) {
        Value::Null
    } else {
        view.clone()
    }
}

/// The notes, with the two fields that the page calls by other names.
fn meta(view: &Value) -> Value {
    let mut notes = view.clone();
    if let Value::Object(map) = &mut notes {
        for (ours, theirs) in [("extra", "context"), ("modules", "packages")] {
            if let Some(inner) = map.remove(theirs) {
                map.insert(ours.into(), inner);
            }
        }
    }
    notes
}

fn members(value: &Value) -> Vec<(&str, Value)> {
    let map = value.as_object().expect("an object");
    map.iter().map(|(k, v)| (k.as_str(), v.clone())).collect()
}

fn user(view: &Value) -> Value {
    if view.is_null() {
        return Value::Null;
    }
    let mut pairs = members(view);
    pairs.retain(|(k, _)| *k != "data");
    if view["data"].is_object() {
        pairs.extend(members(&view["data"]));
    }
    filled(pairs)
}

fn message(view: &Value) -> Value {
    filled(members(view))
}

fn exception(view: &Value) -> Value {
    filled(vec![
        ("type", view["type"].clone()),
        ("value", view["value"].clone()),
        ("module", view["module"].clone()),
        ("thread_id", view["threadId"].clone()),
        ("mechanism", view["mechanism"].clone()),
        ("stacktrace", stacktrace(&view["stacktrace"])),
        ("raw_stacktrace", stacktrace(&view["rawStacktrace"])),
    ])
}

fn thread(view: &Value) -> Value {
    filled(vec![
        ("id", view["id"].clone()),
        ("name", view["name"].clone()),
        ("crashed", view["crashed"].clone()),
        ("current", view["current"].clone()),
        ("state", view["state"].clone()),
        ("held_locks", view["heldLocks"].clone()),
        ("stacktrace", stacktrace(&view["stacktrace"])),
        ("raw_stacktrace", stacktrace(&view["rawStacktrace"])),
    ])
}

fn stacktrace(view: &Value) -> Value {
    if view.is_null() {
        return Value::Null;
    }
    let frames: Vec<Value> = view["frames"]
        .as_array()
        .expect("frames")
        .iter()
        .map(frame)
        .collect();
    filled(vec![
        ("frames", json!(frames)),
        ("registers", view["registers"].clone()),
    ])
}

fn frame(view: &Value) -> Value {
    let names = [
        ("filename", "filename"),
        ("abs_path", "absPath"),
        ("module", "module"),
        ("package", "package"),
        ("platform", "platform"),
        ("instruction_addr", "instructionAddr"),
        ("symbol_addr", "symbolAddr"),
        ("addr_mode", "addrMode"),
        ("function", "function"),
        ("raw_function", "rawFunction"),
        ("symbol", "symbol"),
        ("lineno", "lineNo"),
        ("colno", "colNo"),
        ("in_app", "inApp"),
        ("trust", "trust"),
        ("errors", "errors"),
        ("lock", "lock"),
        ("vars", "vars"),
        ("data", "data"),
        ("source_link", "sourceLink"),
    ];
    let mut pairs: Vec<(&str, Value)> = names
        .iter()
        .map(|(ours, theirs)| (*ours, view[theirs].clone()))
        .collect();
    let lines = view["context"].as_array().expect("a context");
    let at = view["lineNo"].as_u64().unwrap_or_default();
    let first = lines.first().and_then(|l| l[0].as_u64()).unwrap_or_default();
    let (mut before, mut line, mut after) = (vec![], Value::Null, vec![]);
    for (number, shown) in (first..).zip(lines) {
        let text = if shown[0] == number {
            shown[1].clone()
        } else {
            json!("misnumbered")
        };
        match number.cmp(&at) {
            Ordering::Less => before.push(text),
            Ordering::Equal => line = text,
            Ordering::Greater => after.push(text),
        }
    }
    let around = |list: Vec<Value>| if list.is_empty() { Value::Null } else { json!(list) };
    pairs.push(("pre_context", around(before)));
    pairs.push(("context_line", line));
    pairs.push(("post_context", around(after)));
    filled(pairs)
}

fn request(view: &Value) -> Value {
    let list = |key: &str| {
        if view[key] == json!([]) {
            Value::Null
        } else {
            view[key].clone()
        }
    };
    filled(vec![
        ("method", view["method"].clone()),
        ("url", view["url"].clone()),
        ("query_string", list("query")),
        ("fragment", view["fragment"].clone()),
        ("data", view["data"].clone()),
        ("headers", list("headers")),
        ("cookies", list("cookies")),
        ("env", view["env"].clone()),
        ("inferred_content_type", view["inferredContentType"].clone()),
        ("api_target", view["apiTarget"].clone()),
    ])
}

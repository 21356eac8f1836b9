//! Normalization: the many forms in which SDKs send events become one.
//!
//! The order matters: old names first, then the fields from the outside in, then what follows from several of
//! them (type, user agent, address), at the end the limits.

mod exceptions;
mod fields;
mod frames;
mod infer;
mod limits;
mod message;
mod reports;
mod request;
mod tags;
mod time;

use protocol::json::{Json, Map};

pub use self::time::read as read_time;
use crate::context::Receipt;
use crate::geo::Geo;
use crate::meta::Notes;

/// Old names of interfaces and what they are called today.
const ALIASES: [(&str, &str); 21] = [
    ("sentry.interfaces.Exception", "exception"),
    ("sentry.interfaces.Stacktrace", "stacktrace"),
    ("sentry.interfaces.Message", "logentry"),
    ("sentry.interfaces.Http", "request"),
    ("sentry.interfaces.User", "user"),
    ("sentry.interfaces.Contexts", "contexts"),
    ("sentry.interfaces.Breadcrumbs", "breadcrumbs"),
    ("sentry.interfaces.Template", "template"),
    ("sentry.interfaces.Csp", "csp"),
    ("sentry.interfaces.Hpkp", "hpkp"),
    ("sentry.interfaces.ExpectCT", "expectct"),
    ("sentry.interfaces.ExpectStaple", "expectstaple"),
    ("sentry.interfaces.Threads", "threads"),
    ("sentry.interfaces.DebugMeta", "debug_meta"),
    ("sentry.interfaces.Sdk", "sdk"),
    ("sentry.interfaces.LogEntry", "logentry"),
    ("sentry.interfaces.logger.LogEntry", "logentry"),
    ("sentry.interfaces.exception.Exception", "exception"),
    ("sentry.interfaces.stacktrace.Stacktrace", "stacktrace"),
    ("interface_type", "type"),
    ("message", "logentry"),
];

/// Fields that events may have.
const KNOWN: [&str; 46] = [
    "event_id",
    "level",
    "version",
    "type",
    "fingerprint",
    "culprit",
    "transaction",
    "transaction_info",
    "time_spent",
    "logentry",
    "logger",
    "modules",
    "platform",
    "timestamp",
    "start_timestamp",
    "received",
    "server_name",
    "release",
    "dist",
    "environment",
    "site",
    "user",
    "request",
    "contexts",
    "breadcrumbs",
    "exception",
    "stacktrace",
    "template",
    "threads",
    "tags",
    "extra",
    "debug_meta",
    "sdk",
    "ingest_path",
    "errors",
    "key_id",
    "project",
    "csp",
    "hpkp",
    "expectct",
    "expectstaple",
    "checksum",
    "spans",
    "measurements",
    "profile_id",
    "_meta",
];

/// Fields that are dropped without a word: the server makes them itself, or they mean nothing any more.
const SILENT: [&str; 9] = [
    "metadata",
    "hashes",
    "grouping_config",
    "time_spent",
    "version",
    "key_id",
    "project",
    "_grouping",
    "_metrics",
];

/// Normalizes an event in place.
pub fn normalize(event: &mut Map<'_>, receipt: &Receipt<'_>, geo: &dyn Geo, notes: &mut Notes) {
    rename(event);
    remove_unknown(event, notes);
    time::normalize(event, receipt, notes);
    fields::normalize(event, receipt, notes);
    message::normalize(event, notes);
    limits::counts(event, notes);
    exceptions::normalize(event, notes);
    reports::normalize(event);
    request::normalize(event, notes);
    tags::normalize(event, notes);
    infer::event_type(event);
    infer::address(event, receipt, notes);
    infer::user_agent(event, receipt);
    infer::place(event, geo);
    limits::apply(event, notes);
}

fn rename(event: &mut Map<'_>) {
    for (old, new) in ALIASES {
        let Some(value) = event.remove(old) else { continue };
        if value.is_null() {
            continue;
        }
        match event.get(new) {
            Some(present) if !present.is_null() => {
                // A message beside a structured one fills what that leaves open.
                if old == "message" {
                    message::join(event, value);
                }
            }
            _ => event.set(new, value),
        }
    }
}

fn remove_unknown(event: &mut Map<'_>, notes: &mut Notes) {
    event.0.retain(|(key, value)| {
        if SILENT.contains(&&**key) {
            return false;
        }
        if KNOWN.contains(&&**key) {
            return !value.is_null();
        }
        if !value.is_null() {
            notes.enter_name(key);
            notes.error("invalid_attribute", None, None);
            notes.leave();
        }
        false
    });
}

/// Makes a bare list, or a single object, the `values` of an interface, and gives them.
fn values<'m, 'a>(event: &'m mut Map<'a>, key: &'static str) -> Option<&'m mut Vec<Json<'a>>> {
    let slot = event.get_mut(key)?;
    let list = match slot {
        Json::Array(_) => std::mem::take(slot),
        Json::Object(m) if m.contains("values") => {
            let inner = m.get_mut("values")?;
            if inner.as_object().is_some() {
                *inner = Json::Array(vec![std::mem::take(inner)]);
            }
            return slot.get_mut("values")?.as_array_mut();
        }
        Json::Object(m) if !m.is_empty() => Json::Array(vec![std::mem::take(slot)]),
        _ => return None,
    };
    slot.make_object().set("values", list);
    slot.get_mut("values")?.as_array_mut()
}

/// A text made of a text, number or boolean.
fn to_text(value: &Json<'_>) -> Option<String> {
    match value {
        Json::Str(s) => Some(s.clone().into_owned()),
        Json::Number(n) => Some(n.text().to_owned()),
        Json::Bool(b) => Some(if *b { "True" } else { "False" }.to_owned()),
        _ => None,
    }
}

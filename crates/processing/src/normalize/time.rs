//! When an event happened: the client's time, corrected by how far its clock is off.

use protocol::json::{Json, Map};
use protocol::time::{from_seconds, parse_time};

use crate::context::Receipt;
use crate::meta::Notes;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A difference of the clocks below this is left alone, µs: events may wait at the client.
const DRIFT_MIN: i64 = 55 * 60 * SECOND;

/// How far in the future an event may lie before its time is taken to be wrong, µs.
const FUTURE: i64 = 60 * SECOND;

/// Older events are taken to have a wrong clock, µs.
const PAST: i64 = 30 * DAY;

/// Reads a timestamp in any form.
pub fn read(value: &Json<'_>) -> Option<i64> {
    match value {
        Json::Number(n) => from_seconds(n.as_f64()?),
        Json::Str(s) => parse_time(s),
        _ => None,
    }
}

/// Seconds with microseconds, as they are stored.
pub fn write(us: i64) -> Json<'static> {
    if us % SECOND == 0 {
        Json::from(us / SECOND)
    } else {
        Json::from(us as f64 / 1e6)
    }
}

/// How far the client's clock is behind ours, if that is worth a correction.
pub fn drift(receipt: &Receipt<'_>) -> i64 {
    let off = receipt.sent_at.map_or(0, |sent| receipt.received - sent);
    if off.abs() > DRIFT_MIN { off } else { 0 }
}

pub(super) fn normalize(event: &mut Map<'_>, receipt: &Receipt<'_>, notes: &mut Notes) {
    let given = event.get("timestamp").and_then(read);
    notes.enter("timestamp");
    if given.is_none()
        && let Some(value) = event.get("timestamp")
    {
        notes.invalid("expected a timestamp", value);
    }
    let off = drift(receipt);
    let mut time = given.unwrap_or(receipt.received - off);
    if off != 0 {
        notes.error(
            "clock_drift",
            Some("all timestamps have been corrected by the clock drift of the client"),
            None,
        );
        time += off;
    }
    if time > receipt.received + FUTURE {
        notes.error(
            "future_timestamp",
            None,
            event.get("timestamp").map(|v| v.clone().into_owned()),
        );
        time = receipt.received;
    } else if time < receipt.received - PAST {
        notes.error(
            "past_timestamp",
            None,
            event.get("timestamp").map(|v| v.clone().into_owned()),
        );
        time = receipt.received;
    }
    notes.leave();
    event.set("timestamp", write(time));
    event.set("received", write(receipt.received));
    if off != 0
        && let Some(start) = event.get("start_timestamp").and_then(read)
    {
        event.set("start_timestamp", write(start + off));
    }
    breadcrumbs(event, off, notes);
}

fn breadcrumbs(event: &mut Map<'_>, off: i64, notes: &mut Notes) {
    notes.enter("breadcrumbs");
    notes.enter("values");
    if let Some(list) = super::values(event, "breadcrumbs") {
        list.retain(|v| v.as_object().is_some());
        for (i, crumb) in list.iter_mut().enumerate() {
            let Some(crumb) = crumb.as_object_mut() else {
                continue;
            };
            if let Some(value) = crumb.get_mut("timestamp") {
                match read(value) {
                    Some(us) => *value = write(us + off),
                    None if value.is_null() => {}
                    None => {
                        notes.enter_index(i);
                        notes.enter("timestamp");
                        notes.invalid("expected a timestamp", value);
                        notes.leave();
                        notes.leave();
                        *value = Json::Null;
                    }
                }
            }
            if let Some(level) = crumb.get_mut("level") {
                let known = level.as_str().and_then(super::fields::level);
                if let Some(known) = known {
                    *level = Json::from(known);
                }
            }
        }
    }
    notes.leave();
    notes.leave();
}

//! Questions over what is not kept yet: the answer is empty, and has its form.

use serde_json::{Map, Value, json};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::paged;
use crate::scope::window;
use crate::views::time;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// A list without elements.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let limit = call.limit(100)?;
    Ok(paged(Answer::json(Vec::<Value>::new()), call, 0, limit, false))
}

/// A list without elements, under `data`.
pub fn data(call: &Call) -> Result<Answer, ApiError> {
    let limit = call.limit(100)?;
    Ok(paged(Answer::json(json!({ "data": [] })), call, 0, limit, false))
}

/// An object without keys.
pub fn object(_: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(json!({})))
}

/// A replay: none is kept.
pub fn replay(_: &Call) -> Result<Answer, ApiError> {
    Err(ApiError::Missing(
        "Replay not found: replays are not kept yet.".into(),
    ))
}

/// How many replays each of the things that `query` names has.
pub fn replay_count(call: &Call) -> Result<Answer, ApiError> {
    let query = call.value("query").unwrap_or("");
    let names = query
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map_or("", |(names, _)| names);
    let ids = call.value("returnIds").is_some_and(|v| v == "true" || v == "1");
    let none = if ids { json!([]) } else { json!(0) };
    let names = names
        .split(',')
        .map(|n| n.trim().trim_matches('"'))
        .filter(|n| !n.is_empty());
    let all: Map<String, Value> = names.take(100).map(|n| (n.to_owned(), none.clone())).collect();
    Ok(Answer::json(Value::Object(all)))
}

/// A profile: none is kept.
pub fn profile(_: &Call) -> Result<Answer, ApiError> {
    Err(ApiError::Missing(
        "Profile not found: profiles are not kept yet.".into(),
    ))
}

/// A graph of where time went.
pub fn flamegraph(_: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(json!({
        "activeProfileIndex": 0, "metadata": {}, "platform": "", "profiles": [], "projectID": 0,
        "shared": { "frames": [], "profiles": [] }, "transactionName": "", "version": "",
    })))
}

/// Pieces of a profile.
pub fn chunks(call: &Call) -> Result<Answer, ApiError> {
    if call.value("profiler_id").is_none() {
        return Err(ApiError::field("profiler_id", "This field is required."));
    }
    Ok(Answer::json(
        json!({ "chunk": { "profile": { "frames": [], "samples": [], "stacks": [] }, "measurements": {} } }),
    ))
}

/// Sessions over time: all figures are zero.
pub fn sessions(call: &Call) -> Result<Answer, ApiError> {
    let fields = call.values("field");
    if fields.is_empty() {
        return Err(ApiError::Bad("Request is missing a \"field\"".into()));
    }
    let (start, end, open_end, _) = window(call, 90 * DAY)?;
    let end = if open_end { call.now() } else { end };
    let step = match call.value("interval") {
        None if end - start > 3 * DAY => DAY,
        None => HOUR,
        Some(text) => match storage::search::lower::span(text).filter(|s| *s >= HOUR && DAY % *s == 0) {
            Some(step) => step,
            None => {
                return Err(ApiError::Bad(
                    "interval is 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1d".into(),
                ));
            }
        },
    };
    let (from, to) = (start.div_euclid(step), end.div_euclid(step) + 1);
    if to - from > 2_000 {
        return Err(ApiError::Bad(
            "too many points: use a longer interval or a shorter period".into(),
        ));
    }
    // A rate of nothing is not known; a number of nothing is zero.
    let none = |f: &str| {
        if f.contains("rate") || f.starts_with(['p', 'a']) {
            Value::Null
        } else {
            json!(0)
        }
    };
    let points = usize::try_from(to - from).unwrap_or(0);
    let totals: Map<String, Value> = fields.iter().map(|f| ((*f).to_owned(), none(f))).collect();
    let series: Map<String, Value> = fields
        .iter()
        .map(|f| ((*f).to_owned(), json!(vec![none(f); points])))
        .collect();
    let groups = if call.values("groupBy").is_empty() {
        json!([{ "by": {}, "totals": totals, "series": series }])
    } else {
        json!([])
    };
    let intervals: Vec<Value> = (from..to).map(|i| time(i * step)).collect();
    Ok(Answer::json(json!({
        "start": time(from * step), "end": time(to * step), "intervals": intervals, "groups": groups,
        "query": call.value("query").unwrap_or(""),
    })))
}

/// Whether releases kept to thresholds, of which there are none.
pub fn thresholds(call: &Call) -> Result<Answer, ApiError> {
    for name in ["start", "end"] {
        if call.value(name).is_none() {
            return Err(ApiError::field(name, "This field is required."));
        }
    }
    object(call)
}

/// Where organizations lie: all on this server.
pub fn regions(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(
        json!({ "regions": [{ "name": "default", "url": &*call.api.url }] }),
    ))
}

/// Where the organization lies.
pub fn region(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(json!({ "name": "default", "url": &*call.api.url })))
}

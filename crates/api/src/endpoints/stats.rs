//! Outcomes: what became of everything that was sent.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use storage::relational::outcomes::{self, Counted};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::scope::window;
use crate::views::time;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

fn interval(call: &Call, length: i64) -> Result<i64, ApiError> {
    let step = match call.value("interval") {
        None => {
            if length > 3 * DAY {
                24
            } else {
                1
            }
        }
        Some(text) => match storage::search::lower::span(text).map(|s| s / HOUR) {
            Some(hours) if (1..=24).contains(&hours) && 24 % hours == 0 => hours,
            _ => {
                return Err(ApiError::Bad(
                    "interval is 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1d".into(),
                ));
            }
        },
    };
    if length / (step * HOUR) > 2000 {
        return Err(ApiError::Bad(
            "too many points: use a longer interval or a shorter period".into(),
        ));
    }
    Ok(step)
}

/// Sums of outcomes by `groupBy` (outcome, reason, category, project) over time.
pub fn stats_v2(call: &Call) -> Result<Answer, ApiError> {
    let fields = call.values("field");
    if fields.is_empty()
        || fields
            .iter()
            .any(|f| !matches!(*f, "sum(quantity)" | "sum(times_seen)"))
    {
        return Err(ApiError::Bad("field is sum(quantity) or sum(times_seen)".into()));
    }
    let by = call.values("groupBy");
    if let Some(unknown) = by
        .iter()
        .find(|g| !matches!(**g, "outcome" | "reason" | "category" | "project"))
    {
        return Err(ApiError::Bad(format!(
            "groupBy is outcome, reason, category or project, not {unknown}"
        )));
    }
    let (start, end, open_end, _) = window(call, 7 * DAY)?;
    let end = if open_end { call.now() } else { end };
    let step = interval(call, end - start)?;
    let from = start.div_euclid(HOUR).div_euclid(step);
    let to = end.div_euclid(HOUR).div_euclid(step) + 1;
    let projects: Vec<i64> = call.projects()?.iter().map(|p| p.id).collect();
    let rows = call
        .api
        .stores
        .sql
        .reading(|c| outcomes::read(c, &projects, from * step, to * step))?;
    let keep = |name: &str, value: &str| {
        let wanted = call.values(name);
        wanted.is_empty() || wanted.contains(&value)
    };
    let slots = usize::try_from(to - from).unwrap_or(0);
    let mut groups: BTreeMap<Vec<String>, Vec<i64>> = BTreeMap::new();
    for r in &rows {
        if !keep("category", &r.category) || !keep("outcome", &r.outcome) || !keep("reason", &r.reason) {
            continue;
        }
        let key = by
            .iter()
            .map(|g| match *g {
                "outcome" => r.outcome.clone(),
                "reason" => r.reason.clone(),
                "category" => r.category.clone(),
                _ => r.project.to_string(),
            })
            .collect();
        let series = groups.entry(key).or_insert_with(|| vec![0; slots]);
        if let Some(slot) = usize::try_from(r.hour.div_euclid(step) - from)
            .ok()
            .and_then(|i| series.get_mut(i))
        {
            *slot += r.quantity;
        }
    }
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|(key, series)| {
            let by: serde_json::Map<String, Value> = by
                .iter()
                .zip(key)
                .map(|(name, value)| {
                    let value = match *name {
                        "project" => json!(value.parse::<i64>().unwrap_or(0)),
                        "reason" if value.is_empty() => json!("none"),
                        _ => json!(value),
                    };
                    ((*name).to_owned(), value)
                })
                .collect();
            let total: i64 = series.iter().sum();
            let totals: serde_json::Map<_, _> =
                fields.iter().map(|f| ((*f).to_owned(), json!(total))).collect();
            let all: serde_json::Map<_, _> =
                fields.iter().map(|f| ((*f).to_owned(), json!(series))).collect();
            json!({ "by": by, "totals": totals, "series": all })
        })
        .collect();
    let intervals: Vec<Value> = (from..to).map(|i| time(i * step * HOUR)).collect();
    Ok(Answer::json(json!({
        "start": time(from * step * HOUR), "end": time(to * step * HOUR), "intervals": intervals, "groups": groups,
    })))
}

/// Events of a project over time: `[[seconds, count], …]`; `stat` is received, rejected or blacklisted.
pub fn project_stats(call: &Call) -> Result<Answer, ApiError> {
    let number = |name: &str| call.value(name).and_then(|v| v.parse::<i64>().ok());
    let now = call.now() / 1_000_000;
    let (since, until) = (
        number("since").unwrap_or(now - 86_400),
        number("until").unwrap_or(now),
    );
    let step = match call.value("resolution") {
        None | Some("1h") => 1,
        Some("1d") => 24,
        Some(_) => return Err(ApiError::Bad("resolution is 1h or 1d".into())),
    };
    let stat = call.value("stat").unwrap_or("received");
    let (from, to) = (
        (since / 3600).div_euclid(step),
        (until / 3600).div_euclid(step) + 1,
    );
    if to <= from || to - from > 5000 {
        return Err(ApiError::Bad(
            "since must lie before until, and not too far".into(),
        ));
    }
    let id = call.project()?.id;
    let rows = call
        .api
        .stores
        .sql
        .reading(|c| outcomes::read(c, &[id], from * step, to * step))?;
    let counts = |r: &Counted| {
        let event = matches!(r.category.as_str(), "error" | "default" | "security");
        event
            && match stat {
                "received" | "generated" => r.outcome != "client_discard",
                "rejected" => r.outcome == "rate_limited",
                _ => r.outcome == "filtered",
            }
    };
    let points: Vec<Value> = (from..to)
        .map(|slot| {
            let n: i64 = rows
                .iter()
                .filter(|r| r.hour.div_euclid(step) == slot && counts(r))
                .map(|r| r.quantity)
                .sum();
            json!([slot * step * 3600, n])
        })
        .collect();
    Ok(Answer::json(points))
}

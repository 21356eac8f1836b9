//! What became of what each project sent, in one sum.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use storage::relational::outcomes;

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::scope::window;
use crate::views::time;

const HOUR: i64 = 3_600_000_000;

/// Sums of outcomes by project and category.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let fields = call.values("field");
    if fields.is_empty()
        || fields
            .iter()
            .any(|f| !matches!(*f, "sum(quantity)" | "sum(times_seen)"))
    {
        return Err(ApiError::Bad("field is sum(quantity) or sum(times_seen)".into()));
    }
    let (start, end, open_end, _) = window(call, 7 * 24 * HOUR)?;
    let end = if open_end { call.now() } else { end };
    let (from, to) = (start.div_euclid(HOUR), end.div_euclid(HOUR) + 1);
    let projects = call.projects()?;
    let ids: Vec<i64> = projects.iter().map(|p| p.id).collect();
    let rows = call
        .api
        .stores
        .sql
        .reading(|c| outcomes::read(c, &ids, from, to))?;
    let keep = |name: &str, value: &str| {
        let wanted = call.values(name);
        wanted.is_empty() || wanted.contains(&value)
    };
    let views: Vec<Value> = projects
        .iter()
        .map(|p| {
            let mut sums: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
            let own = rows.iter().filter(|r| r.project == p.id);
            for r in own.filter(|r| keep("category", &r.category) && keep("outcome", &r.outcome)) {
                *sums
                    .entry(&r.category)
                    .or_default()
                    .entry(&r.outcome)
                    .or_default() += r.quantity;
            }
            let stats: Vec<Value> = sums
                .into_iter()
                .map(|(category, outcomes)| {
                    let total: i64 = outcomes.values().sum();
                    let accepted = outcomes.get("accepted").copied().unwrap_or(0);
                    let mut totals: Map<String, Value> =
                        fields.iter().map(|f| ((*f).to_owned(), json!(total))).collect();
                    totals.insert("dropped".into(), json!(total - accepted));
                    json!({ "category": category, "outcomes": outcomes, "totals": totals })
                })
                .collect();
            json!({ "id": p.id.to_string(), "slug": p.slug, "stats": stats })
        })
        .collect();
    Ok(Answer::json(json!({
        "start": time(from * HOUR), "end": time(to * HOUR), "projects": views,
    })))
}

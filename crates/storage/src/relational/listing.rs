//! Pages of issues without conditions on their events.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::issues::{Condition, Issue, in_order};
use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result, Value};

/// How a list of issues is ordered; ties by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Last seen first.
    LastSeen,
    /// First seen last comes first.
    FirstSeen,
    /// Most events in the window first; of their life, if the window has no beginning.
    Events,
}

/// How many issues are looked at first beyond the page when they are ordered by events.
const AHEAD: i64 = 75;

/// The issues that a page is taken from.
struct Scope<'a> {
    clause: String,
    values: Vec<Value>,
    condition: &'a Condition,
}

impl Scope<'_> {
    fn count(&self, c: &mut dyn Connection) -> Result<i64> {
        c.query_one(&format!("select count(*) {}", self.clause), &self.values)?
            .int(0)
    }

    /// Numbers and a value of each, in an order. Numbers first: what is sorted is narrow, however many there are.
    fn slice(&self, c: &mut dyn Connection, by: &str, offset: i64, limit: i64) -> Result<Vec<(i64, i64)>> {
        let mut values = self.values.clone();
        values.push(limit.into());
        values.push(offset.into());
        let n = 2 + self.condition.values.len();
        let sql = format!(
            "select i.id, {by} {} order by {by} desc, i.id desc limit ${} offset ${}",
            self.clause,
            n + 1,
            n + 2
        );
        all(c.query(&sql, &values)?, |r| Ok((r.int(0)?, r.int(1)?)))
    }
}

/// A page of issues that fulfil a condition and were seen since a time in µs; also how many there are in all.
///
/// # Errors
/// As the database says.
pub fn page(
    c: &mut dyn Connection,
    projects: &[i64],
    since: i64,
    condition: &Condition,
    sort: Sort,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Issue>, i64)> {
    let of = list(projects.iter().map(|p| serde_json::json!({"p": p})).collect());
    let mut values: Vec<Value> = vec![of.into(), since.into()];
    values.extend(condition.values.iter().cloned());
    // The plus before `delete_after` keeps SQLite from its index: almost every issue is null there.
    let clause = format!(
        "from issues i join {{rows $1 p int}} x on x.p = i.project_id \
         where i.last_seen >= $2 and +i.delete_after is null and {}",
        condition.render(3)
    );
    let scope = Scope {
        clause,
        values,
        condition,
    };
    let total = scope.count(c)?;
    let by = match sort {
        Sort::LastSeen => "i.last_seen",
        Sort::FirstSeen => "i.first_seen",
        Sort::Events if since > i64::MIN => {
            let ids = busiest(c, &scope, since, offset, limit)?;
            return Ok((in_order(c, &ids)?, total));
        }
        Sort::Events => "i.times_seen",
    };
    let ids: Vec<i64> = scope
        .slice(c, by, offset, limit)?
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    Ok((in_order(c, &ids)?, total))
}

/// A page of issues by their events since a time. No issue has more of them than in its life: issues are counted
/// in the order of their lives, until none that follows can reach the page.
fn busiest(
    c: &mut dyn Connection,
    scope: &Scope<'_>,
    since: i64,
    offset: i64,
    limit: i64,
) -> Result<Vec<i64>> {
    let wanted = usize::try_from(offset + limit).unwrap_or(0);
    let hour = since.div_euclid(3_600_000_000);
    let mut best: Vec<(i64, i64)> = Vec::new();
    let (mut from, mut step) = (0, offset + limit + AHEAD);
    loop {
        let next = scope.slice(c, "i.times_seen", from, step)?;
        let counted = events_since(c, &next, hour)?;
        best.extend(
            next.iter()
                .map(|(id, _)| (counted.get(id).copied().unwrap_or(0), *id)),
        );
        best.sort_unstable_by_key(|b| Reverse(*b));
        best.truncate(wanted);
        // Whatever follows has at most this place.
        let reachable = next.last().map(|(id, life)| (*life, *id));
        let ended = (next.len() as i64) < step;
        if ended || (best.len() == wanted && best.last().copied() >= reachable) {
            break;
        }
        from += step;
        step *= 4;
    }
    let skipped = usize::try_from(offset).unwrap_or(0);
    Ok(best.into_iter().skip(skipped).map(|(_, id)| id).collect())
}

/// Events of issues since an hour; issues without any are missing.
fn events_since(c: &mut dyn Connection, issues: &[(i64, i64)], hour: i64) -> Result<HashMap<i64, i64>> {
    let ids = list(issues.iter().map(|(i, _)| serde_json::json!({"i": i})).collect());
    let rows = c.query(
        "select h.issue_id, cast(sum(t.events) as bigint) from {rows $1 i int} x \
         join issue_hashes h on h.issue_id = x.i join hash_hours t on t.hash_id = h.id \
         where t.hour >= $2 group by h.issue_id",
        params![ids, hour],
    )?;
    Ok(all(rows, |r| Ok((r.int(0)?, r.int(1)?)))?.into_iter().collect())
}

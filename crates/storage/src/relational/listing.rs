//! Pages of issues without conditions on their events.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::issues::{Condition, Issue, in_order};
use super::{all, hashes, list};
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
    /// Most users in the window first, by whole days; of their life, if the window has no beginning.
    Users,
}

impl Sort {
    /// The value by which an issue is placed, where it is one of the issue itself.
    pub fn value(self, issue: &Issue) -> i64 {
        match self {
            Sort::LastSeen => issue.last_seen,
            Sort::FirstSeen => issue.first_seen,
            Sort::Events => issue.times_seen,
            Sort::Users => issue.users_seen,
        }
    }

    fn column(self) -> &'static str {
        match self {
            Sort::LastSeen => "i.last_seen",
            Sort::FirstSeen => "i.first_seen",
            Sort::Events => "i.times_seen",
            Sort::Users => "i.users_seen",
        }
    }
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// So many issues from the top.
    Offset(i64),
    /// Behind an issue with this value and number. What comes in at the top meanwhile moves nothing.
    After(i64, i64),
    /// Before it; the page ends there.
    Before(i64, i64),
}

/// What a page is a page of.
#[derive(Debug, Clone)]
pub struct Listing<'a> {
    /// The projects.
    pub projects: &'a [i64],
    /// Only issues seen since, µs; the least number for all.
    pub since: i64,
    /// What they fulfil.
    pub condition: &'a Condition,
    /// Their order.
    pub sort: Sort,
}

/// How many issues are looked at first beyond the page when they are ordered by what is counted in the window.
const AHEAD: i64 = 75;

/// The issues that a page is taken from.
struct Scope {
    clause: String,
    values: Vec<Value>,
}

impl Scope {
    fn of(listing: &Listing<'_>) -> Scope {
        let each = |p| serde_json::json!({ "p": p });
        let of = list(listing.projects.iter().map(each).collect());
        let mut values: Vec<Value> = vec![of.into(), listing.since.into()];
        values.extend(listing.condition.values.iter().cloned());
        // The plus before `delete_after` keeps SQLite from its index: almost every issue is null there.
        let clause = format!(
            "from issues i join {{rows $1 p int}} x on x.p = i.project_id \
             where i.last_seen >= $2 and +i.delete_after is null and ({})",
            listing.condition.render(3)
        );
        Scope { clause, values }
    }

    fn count(&self, c: &mut dyn Connection) -> Result<i64> {
        c.query_one(&format!("select count(*) {}", self.clause), &self.values)?
            .int(0)
    }

    /// Numbers and a value of each, in the order of the list. Numbers first: what is sorted is narrow, however many
    /// there are.
    fn slice(&self, c: &mut dyn Connection, by: &str, place: Place, limit: i64) -> Result<Vec<(i64, i64)>> {
        let mut values = self.values.clone();
        let mut put = |value: i64| {
            values.push(value.into());
            values.len()
        };
        let (sign, way) = match place {
            Place::Before(..) => (">", "asc"),
            _ => ("<", "desc"),
        };
        let (beyond, offset) = match place {
            Place::Offset(n) => (String::new(), n),
            Place::After(value, id) | Place::Before(value, id) => {
                let (v, i) = (put(value), put(id));
                let beyond = format!("and ({by} {sign} ${v} or ({by} = ${v} and i.id {sign} ${i}))");
                (beyond, 0)
            }
        };
        let (limit, offset) = (put(limit), put(offset));
        let sql = format!(
            "select i.id, {by} {} {beyond} order by {by} {way}, i.id {way} limit ${limit} offset ${offset}",
            self.clause
        );
        all(c.query(&sql, &values)?, |r| Ok((r.int(0)?, r.int(1)?)))
    }
}

/// A page of at most so many issues, whether more follow in the direction it was asked for, and how many there are
/// in all. A list by what is counted in a window has pages by offset only.
///
/// # Errors
/// As the database says.
pub fn page(
    c: &mut dyn Connection,
    listing: &Listing<'_>,
    place: Place,
    limit: i64,
) -> Result<(Vec<Issue>, bool, i64)> {
    let scope = Scope::of(listing);
    let total = scope.count(c)?;
    let counted = matches!(listing.sort, Sort::Events | Sort::Users) && listing.since > i64::MIN;
    let mut ids: Vec<i64> = match place {
        Place::Offset(offset) if counted => most(c, &scope, listing, offset, limit + 1)?,
        _ => {
            let found = scope.slice(c, listing.sort.column(), place, limit + 1)?;
            found.into_iter().map(|(id, _)| id).collect()
        }
    };
    let more = ids.len() as i64 > limit;
    ids.truncate(usize::try_from(limit).unwrap_or(0));
    if matches!(place, Place::Before(..)) {
        ids.reverse();
    }
    Ok((in_order(c, &ids)?, more, total))
}

/// A page of issues by what is counted of them in a window. No issue has more there than in its life: issues are
/// counted in the order of their lives, until none that follows can reach the page.
fn most(
    c: &mut dyn Connection,
    scope: &Scope,
    listing: &Listing<'_>,
    offset: i64,
    limit: i64,
) -> Result<Vec<i64>> {
    let wanted = usize::try_from(offset + limit).unwrap_or(0);
    let mut best: Vec<(i64, i64)> = Vec::new();
    let (mut from, mut step) = (0, offset + limit + AHEAD);
    loop {
        let next = scope.slice(c, listing.sort.column(), Place::Offset(from), step)?;
        let ids: Vec<i64> = next.iter().map(|(id, _)| *id).collect();
        let counted = match listing.sort {
            Sort::Users => {
                let day = listing.since.div_euclid(86_400_000_000);
                let count = |d: crate::sketch::Distinct| i64::try_from(d.count()).unwrap_or(i64::MAX);
                let sketches = hashes::users_since(c, &ids, day)?;
                sketches.into_iter().map(|(id, d)| (id, count(d))).collect()
            }
            _ => events_since(c, &ids, listing.since.div_euclid(3_600_000_000))?,
        };
        best.extend(ids.iter().map(|id| (counted.get(id).copied().unwrap_or(0), *id)));
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
fn events_since(c: &mut dyn Connection, issues: &[i64], hour: i64) -> Result<HashMap<i64, i64>> {
    let ids = list(issues.iter().map(|i| serde_json::json!({"i": i})).collect());
    let rows = c.query(
        "select h.issue_id, cast(sum(t.events) as bigint) from {rows $1 i int} x \
         join issue_hashes h on h.issue_id = x.i join hash_hours t on t.hash_id = h.id \
         where t.hour >= $2 group by h.issue_id",
        params![ids, hour],
    )?;
    Ok(all(rows, |r| Ok((r.int(0)?, r.int(1)?)))?.into_iter().collect())
}

//! Which issues a query finds.
//!
//! Without conditions on events the list is SQL over what is counted per issue. With them, and for times that do
//! not end now, the event store says which hashes match, and SQL which issues those are.

use std::cmp::Reverse;
use std::collections::HashMap;

use http::HeaderName;
use protocol::ids::GroupHash;
use storage::columns::{Aggregate, Answer as Found, Cell, Field, Filter, GroupOrder, Latest, Question};
use storage::relational::hashes;
use storage::relational::issues::{self, Condition, Issue};
use storage::relational::listing::{self, Listing, Place, Sort};

use super::parts::Parts;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links;
use crate::scope::Scope;

/// Hashes that are asked for at first.
const STEP: usize = 2_000;

/// Events, users, first and last time, µs.
pub type Counted = (i64, i64, i64, i64);

type ByHash = HashMap<(u64, GroupHash), Counted>;

/// The value that places an issue in its list, and its number.
type Key = (i64, i64);

/// Issues that a query finds, in order.
pub struct Page {
    pub issues: Vec<Issue>,
    /// How many there are in all; at least so many, if `cut`.
    pub total: usize,
    /// Counting ended before the end.
    cut: bool,
    /// What is counted under the conditions on events, if there are any.
    pub filtered: HashMap<i64, Counted>,
    /// The first and the last of the page.
    ends: Option<(Key, Key)>,
    /// Whether there are others before and behind it.
    others: (bool, bool),
}

impl Page {
    /// A list of one page.
    fn all(issues: Vec<Issue>) -> Page {
        Page {
            total: issues.len(),
            issues,
            cut: false,
            filtered: HashMap::new(),
            ends: None,
            others: (false, false),
        }
    }
}

pub fn query(call: &Call) -> String {
    match call.query.iter().find(|(k, _)| k == "query") {
        Some((_, text)) => text.trim().to_owned(),
        None => "is:unresolved".to_owned(),
    }
}

pub fn sort(call: &Call) -> Result<Sort, ApiError> {
    Ok(match call.value("sort") {
        None | Some("date" | "recommended" | "inbox" | "trends" | "priority") => Sort::LastSeen,
        Some("new") => Sort::FirstSeen,
        Some("freq") => Sort::Events,
        Some("user") => Sort::Users,
        Some(other) => {
            return Err(ApiError::Bad(format!(
                "sort is date, new, freq or user, not '{other}'"
            )));
        }
    })
}

/// Lists by time are walked by the time and number of an issue (`<µs>:<number>:<1 for back>`), so that what comes
/// in at the top meanwhile shifts nothing; the others by offset.
fn by_time(sort: Sort) -> bool {
    matches!(sort, Sort::LastSeen | Sort::FirstSeen)
}

/// Where the page begins that the `cursor` names.
pub fn start(call: &Call, sort: Sort) -> Result<Place, ApiError> {
    let parts: Vec<&str> = call.value("cursor").unwrap_or("0:0:0").split(':').collect();
    if by_time(sort)
        && let [value, id, back] = parts[..]
        && let (Ok(value), Ok(id)) = (value.parse::<i64>(), id.parse::<i64>())
        && value != 0
    {
        return Ok(match back {
            "1" => Place::Before(value, id),
            _ => Place::After(value, id),
        });
    }
    let offset = links::offset(call)?;
    Ok(Place::Offset(i64::try_from(offset).unwrap_or(0)))
}

/// Adds the headers of a page: links to those before and behind it, and how many issues there are.
pub fn links(answer: Answer, call: &Call, page: &Page, start: Place, sort: Sort, limit: usize) -> Answer {
    let (before, behind) = page.others;
    let cursors = match (start, page.ends) {
        (_, Some((first, last))) if by_time(sort) => [
            format!("{}:{}:1", first.0, first.1),
            format!("{}:{}:0", last.0, last.1),
        ],
        (Place::Offset(n), _) => {
            let n = usize::try_from(n).unwrap_or(0);
            [
                format!("0:{}:1", n.saturating_sub(limit)),
                format!("0:{}:0", n.saturating_add(limit)),
            ]
        }
        (Place::After(value, id) | Place::Before(value, id), _) => {
            [format!("{value}:{id}:1"), format!("{value}:{id}:0")]
        }
    };
    let [previous, next] = &cursors;
    let answer = links::both(answer, call, (previous, before), (next, behind));
    let total = page.total.to_string();
    if page.cut {
        return links::hits(answer, page.total).with(HeaderName::from_static("x-max-hits"), total);
    }
    links::hits(answer, page.total)
}

/// The page of issues that a query finds. With conditions on events they are counted as far as `enough`.
pub fn find(
    call: &Call,
    scope: &Scope,
    text: &str,
    sort: Sort,
    start: Place,
    limit: usize,
    enough: usize,
) -> Result<Page, ApiError> {
    let lowered = scope.lower(call, text)?;
    let filter = scope.with_environments(call, lowered.filter);
    let condition = lowered.condition;
    if filter != Filter::All || !scope.open_end {
        let wish = Wish {
            condition: &condition,
            sort,
            start,
            limit,
            enough,
        };
        return by_events(call, scope, filter, &wish);
    }
    let listing = Listing {
        projects: &scope.ids(),
        since: if scope.bounded { scope.start } else { i64::MIN },
        condition: &condition,
        sort,
    };
    let most = i64::try_from(limit).unwrap_or(100);
    let (issues, more, total) = call
        .api
        .stores
        .sql
        .reading(|c| listing::page(c, &listing, start, most))?;
    let key = |i: &Issue| (sort.value(i), i.id);
    Ok(Page {
        ends: issues.first().map(key).zip(issues.last().map(key)),
        others: match start {
            Place::Offset(n) => (n > 0, more),
            Place::After(..) => (true, more),
            Place::Before(..) => (more, true),
        },
        total: usize::try_from(total).unwrap_or(0),
        cut: false,
        filtered: HashMap::new(),
        issues,
    })
}

/// What is wanted of the issues whose events match.
struct Wish<'a> {
    condition: &'a Condition,
    sort: Sort,
    start: Place,
    limit: usize,
    enough: usize,
}

impl Wish<'_> {
    /// Whether the page is among what was found; nothing that is left is newer than `newest`.
    fn reached(&self, found: &[Key], newest: i64) -> bool {
        match self.start {
            Place::Offset(n) => found.len() > usize::try_from(n).unwrap_or(0) + self.limit,
            Place::After(value, id) => found.iter().filter(|k| **k < (value, id)).count() > self.limit,
            Place::Before(value, _) => newest < value,
        }
    }
}

/// A page of the issues that have some hashes.
fn by_events(call: &Call, scope: &Scope, filter: Filter, wish: &Wish<'_>) -> Result<Page, ApiError> {
    let (mut found, cut, counted) = match wish.sort {
        Sort::LastSeen => {
            let (found, cut) = newest(call, scope, &filter, wish)?;
            (found, cut, None)
        }
        _ => {
            let counted = counts(call, scope, filter.clone(), None)?;
            (every(call, &counted, wish)?, false, Some(counted))
        }
    };
    found.sort_unstable_by_key(|k| Reverse(*k));
    let range = match wish.start {
        Place::Offset(n) => {
            let from = usize::try_from(n).unwrap_or(0).min(found.len());
            from..(from + wish.limit).min(found.len())
        }
        Place::After(value, id) => {
            let from = found.partition_point(|k| *k >= (value, id));
            from..(from + wish.limit).min(found.len())
        }
        Place::Before(value, id) => {
            let to = found.partition_point(|k| *k > (value, id));
            to.saturating_sub(wish.limit)..to
        }
    };
    let ids: Vec<i64> = found[range.clone()].iter().map(|(_, id)| *id).collect();
    let sql = &call.api.stores.sql;
    let hashes = sql.reading(|c| hashes::of_issues(c, &ids))?;
    let counted = match counted {
        Some(counted) => counted,
        // Nobody looks at them.
        None if Parts::of(call).leaves("stats") => ByHash::new(),
        None => counts(
            call,
            scope,
            filter,
            Some(hashes.iter().map(|h| h.hash.0).collect()),
        )?,
    };
    // Read last: what is counted of an event is in its issue already.
    let issues = sql.reading(|c| issues::in_order(c, &ids))?;
    let (filtered, _) = sums(&hashes, &counted);
    Ok(Page {
        issues,
        ends: found[range.clone()]
            .first()
            .copied()
            .zip(found[range.clone()].last().copied()),
        others: (range.start > 0, range.end < found.len()),
        total: if cut { wish.enough } else { found.len() },
        cut,
        filtered,
    })
}

/// What is counted by hash, added up by issue; and the issues in the order of their first hash. Users of issues
/// with several hashes are counted per hash and added, so they may be counted twice.
fn sums(rows: &[hashes::HashRow], counted: &ByHash) -> (HashMap<i64, Counted>, Vec<i64>) {
    let mut out: HashMap<i64, Counted> = HashMap::new();
    let mut order = Vec::new();
    for row in rows {
        let (Some(issue), Some(n)) = (row.issue, counted.get(&(row.project, row.hash))) else {
            continue;
        };
        let sum = out.entry(issue).or_insert_with(|| {
            order.push(issue);
            (0, 0, i64::MAX, i64::MIN)
        });
        *sum = (sum.0 + n.0, sum.1 + n.1, sum.2.min(n.2), sum.3.max(n.3));
    }
    (out, order)
}

/// Issues with the newest matching events, until there are enough; whether that was before the end. The issue of
/// the hash with the newest event comes first, so the rest need not be known.
fn newest(
    call: &Call,
    scope: &Scope,
    filter: &Filter,
    wish: &Wish<'_>,
) -> Result<(Vec<Key>, bool), ApiError> {
    let mut limit = STEP;
    loop {
        let question = Question::Latest { limit };
        let Found::Latest { found, more } = scope.select(call, filter.clone(), None, question)? else {
            return Ok((vec![], false));
        };
        let time = |l: &Latest| ((l.project, GroupHash(l.hash)), (0, 0, l.time, l.time));
        let counted: ByHash = found.iter().map(time).collect();
        let wanted: Vec<_> = counted.keys().copied().collect();
        let mut keys: Vec<Key> = call.api.stores.sql.reading(|c| {
            let (sums, ids) = sums(&hashes::find(c, &wanted)?, &counted);
            let passed = issues::filter(c, &ids, wish.condition)?;
            let key = |(id, _): (i64, i64)| (sums.get(&id).map_or(0, |n| n.3), id);
            Ok(passed.into_iter().map(key).collect())
        })?;
        let Some(end) = found.last().filter(|_| more).map(|l| l.time) else {
            return Ok((keys, false));
        };
        // Of the last moment there may be others, which the numbers of their issues would place between.
        keys.retain(|(time, _)| *time > end);
        if keys.len() >= wish.enough && wish.reached(&keys, end) {
            return Ok((keys, true));
        }
        limit = limit.saturating_mul(8);
    }
}

/// All issues whose events match, with what places them.
fn every(call: &Call, counted: &ByHash, wish: &Wish<'_>) -> Result<Vec<Key>, ApiError> {
    let wanted: Vec<_> = counted.keys().copied().collect();
    Ok(call.api.stores.sql.reading(|c| {
        let (sums, ids) = sums(&hashes::find(c, &wanted)?, counted);
        let found = issues::filter(c, &ids, wish.condition)?;
        let key = |(id, first_seen): (i64, i64)| {
            let n = sums.get(&id).copied().unwrap_or_default();
            let value = match wish.sort {
                Sort::LastSeen => n.3,
                Sort::FirstSeen => first_seen,
                Sort::Events => n.0,
                Sort::Users => n.1,
            };
            (value, id)
        };
        Ok(found.into_iter().map(key).collect())
    })?)
}

/// Events, users, first and last time of the rows that match, by hash; of some hashes, if they are given.
fn counts(
    call: &Call,
    scope: &Scope,
    filter: Filter,
    hashes: Option<Vec<[u8; 16]>>,
) -> Result<ByHash, ApiError> {
    let table = call.api.stores.catalog.errors;
    let user = table.column("user").map(Field::Column).unwrap_or(Field::Id);
    let question = Question::Groups {
        by: vec![Field::Project, Field::Hash],
        every: None,
        aggregates: vec![
            Aggregate::Count,
            Aggregate::Distinct(user),
            Aggregate::Min(Field::Time),
            Aggregate::Max(Field::Time),
        ],
        order: GroupOrder::Key,
        limit: 0,
    };
    let Found::Groups(groups) = scope.select(call, filter, hashes, question)? else {
        return Ok(HashMap::new());
    };
    let number = |c: &Cell| match c {
        Cell::Number(n) => *n as i64,
        _ => 0,
    };
    let mut by_hash = HashMap::with_capacity(groups.len());
    for group in &groups {
        let (Some(project), Some(Cell::Str(hash))) = (group.key.first(), group.key.get(1)) else {
            continue;
        };
        if let Ok(hash) = hash.parse() {
            let v: Vec<i64> = group.values.iter().map(number).collect();
            by_hash.insert(
                (u64::try_from(number(project)).unwrap_or(0), hash),
                (v[0], v[1], v[2], v[3]),
            );
        }
    }
    Ok(by_hash)
}

/// An event id or a short id alone in the search box finds its issue.
pub fn lookup(call: &Call, scope: &Scope, text: &str) -> Result<Option<Page>, ApiError> {
    let word = text.strip_prefix("is:unresolved ").unwrap_or(text).trim();
    if let Ok(id) = word.parse::<protocol::ids::EventId>() {
        for project in &scope.projects {
            if let Some(loaded) = crate::endpoints::events::by_id(call, project, id)?
                && let Some(issue) = crate::endpoints::events::issue_of(call, &loaded)?
            {
                let issues = call.api.stores.sql.reading(|c| issues::by_ids(c, &[issue]))?;
                return Ok(Some(Page::all(issues)));
            }
        }
        return Ok(Some(Page::all(vec![])));
    }
    if word.contains(' ') || word.contains(':') {
        return Ok(None);
    }
    if let Some((slug, number)) = issues::parse_short_id(word)
        && let Some(project) = scope.projects.iter().find(|p| p.slug == slug)
    {
        let found = call
            .api
            .stores
            .sql
            .reading(|c| crate::endpoints::issue::by_short(c, project.id, number))?;
        if let Some(issue) = found {
            return Ok(Some(Page::all(vec![issue])));
        }
    }
    Ok(None)
}

//! Answering a [`Select`] from any number of sources at once: the segments of an index and the rows that are
//! still in memory. There is one definition of every aggregate, so sources merge exactly.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use protocol::ids::EventId;

use super::select::{
    Aggregate, Answer, Cell, Facet, FacetValue, Field, Found, Group, GroupOrder, Latest, Order, Question,
    Select,
};
use super::{ColumnsError, Result};
use crate::sketch::{Distinct, stable_hash};
use crate::spread::Spread;

/// A value that a source shows.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// A text.
    Str(&'a str),
    /// A grouping hash, which as a text is its hex digits.
    Hash([u8; 16]),
    /// A number.
    Number(f64),
}

/// Some of the rows: a segment, or what is in memory. Documents are numbered within their source.
pub trait Source {
    /// The documents that match the select.
    ///
    /// # Errors
    /// [`ColumnsError::Store`] if the source cannot be read.
    fn matching(&mut self, select: &Select) -> Result<Vec<u32>>;
    /// When a document happened, and its place in the order of application.
    fn moment(&self, doc: u32) -> (i64, u64);
    /// The project and the hash of a document.
    fn origin(&mut self, doc: u32) -> (u64, [u8; 16]);
    /// Where a document's record lies.
    fn found(&self, doc: u32) -> Found;
    /// The first and the last time of its documents, or times that lie outside of them, µs.
    fn span(&self) -> (i64, i64) {
        (i64::MIN, i64::MAX)
    }
    /// The values of these fields of these documents are asked for next, one after the other.
    fn prepare(&mut self, _docs: &[u32], _fields: &[&Field]) {}
    /// Shows the values of a field of a document.
    fn values(&mut self, doc: u32, field: &Field, see: &mut dyn FnMut(Seen<'_>));
    /// Shows what tags these documents have, in any order: each pair of key and value at least once, and how many
    /// of the documents have it, first and last when. `wanted` leaves other keys out.
    fn tags(&mut self, docs: &[u32], wanted: Option<&[String]>, see: &mut dyn FnMut(&str, &str, Times));
}

/// How many rows, and their first and last time, µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// How many.
    pub count: u64,
    /// The first time.
    pub first: i64,
    /// The last time.
    pub last: i64,
}

impl Times {
    /// One row.
    pub fn once(time: i64) -> Times {
        Times {
            count: 1,
            first: time,
            last: time,
        }
    }

    /// Adds more rows.
    pub fn add(&mut self, more: Times) {
        self.count += more.count;
        self.first = self.first.min(more.first);
        self.last = self.last.max(more.last);
    }
}

/// Answers a question from sources.
///
/// # Errors
/// [`ColumnsError`] if a source cannot be read.
pub fn answer(select: &Select, sources: &mut [Box<dyn Source + '_>]) -> Result<Answer> {
    match &select.question {
        Question::Rows { order, after, limit } => rows(select, sources, *order, *after, *limit),
        Question::Groups {
            by,
            every,
            aggregates,
            order,
            limit,
        } => {
            let mut groups = Groups {
                by,
                every: *every,
                aggregates,
                map: HashMap::new(),
                passing: vec![],
            };
            let fields: Vec<&Field> = by.iter().chain(aggregates.iter().filter_map(looked_at)).collect();
            for source in sources.iter_mut() {
                let docs = source.matching(select)?;
                groups.passing = passing(select, aggregates, source.as_mut())?;
                source.prepare(&docs, &fields);
                for doc in docs {
                    groups.add(source.as_mut(), doc);
                }
            }
            Ok(Answer::Groups(groups.finish(*order, *limit)))
        }
        Question::Latest { limit } => latest(select, sources, *limit),
        Question::Facets { tags, values, newest } => {
            facets(select, sources, tags.as_deref(), *values, *newest)
        }
    }
}

/// The documents of a source that fulfil the condition of each aggregate, where it has one.
fn passing(
    select: &Select,
    aggregates: &[Aggregate],
    source: &mut dyn Source,
) -> Result<Vec<Option<HashSet<u32>>>> {
    let of = |aggregate: &Aggregate| {
        let Aggregate::If(condition) = aggregate else {
            return Ok(None);
        };
        let filter = select.filter.clone().and(condition.clone());
        let narrower = Select {
            filter,
            ..select.clone()
        };
        Ok(Some(source.matching(&narrower)?.into_iter().collect()))
    };
    aggregates.iter().map(of).collect()
}

fn rows(
    select: &Select,
    sources: &mut [Box<dyn Source + '_>],
    order: Order,
    after: Option<(i64, u64)>,
    limit: usize,
) -> Result<Answer> {
    // A heap of the best `limit + 1`: the worst of them on top. Keys are turned so that smaller is better.
    let turn = |(time, seq): (i64, u64)| match order {
        Order::Newest => (-i128::from(time), -i128::from(seq)),
        Order::Oldest => (i128::from(time), i128::from(seq)),
    };
    let bound = after.map(turn);
    let mut heap: BinaryHeap<((i128, i128), usize, u32)> = BinaryHeap::new();
    // The best and the worst that a source can have; the best source first, until none can be better.
    let mut order: Vec<(i128, i128, usize)> = sources
        .iter()
        .enumerate()
        .map(|(number, source)| {
            let (first, last) = source.span();
            let (a, b) = (turn((first, 0)).0, turn((last, 0)).0);
            (a.min(b), a.max(b), number)
        })
        .collect();
    order.sort_unstable();
    for (best, worst, number) in order {
        if bound.is_some_and(|(time, _)| worst < time) {
            continue;
        }
        if heap.len() > limit && heap.peek().is_some_and(|((time, _), ..)| *time < best) {
            break;
        }
        let source = &mut sources[number];
        for doc in source.matching(select)? {
            let key = turn(source.moment(doc));
            if bound.is_some_and(|b| key <= b) {
                continue;
            }
            heap.push((key, number, doc));
            if heap.len() > limit + 1 {
                heap.pop();
            }
        }
    }
    let mut found = heap.into_sorted_vec();
    let more = found.len() > limit;
    found.truncate(limit);
    let rows = found
        .into_iter()
        .map(|(_, number, doc)| sources[number].found(doc))
        .collect();
    Ok(Answer::Rows { rows, more })
}

/// Sources whose newest rows are newest first: their last times, and their places.
fn newest_first(sources: &[Box<dyn Source + '_>]) -> Vec<(i64, usize)> {
    let mut order: Vec<(i64, usize)> = sources.iter().map(|s| s.span().1).zip(0..).collect();
    order.sort_unstable_by_key(|o| Reverse(*o));
    order
}

fn latest(select: &Select, sources: &mut [Box<dyn Source + '_>], limit: usize) -> Result<Answer> {
    let mut newest: HashMap<(u64, [u8; 16]), i64> = HashMap::new();
    let mut cut = false;
    for (last, number) in newest_first(sources) {
        // What is newer than all that is left stays as it is.
        if newest.len() > limit && newest.values().filter(|time| **time > last).count() > limit {
            cut = true;
            break;
        }
        let source = &mut sources[number];
        let docs = source.matching(select)?;
        source.prepare(&docs, &[&Field::Hash]);
        for doc in docs {
            let time = source.moment(doc).0;
            let known = newest.entry(source.origin(doc)).or_insert(time);
            *known = time.max(*known);
        }
    }
    let mut found: Vec<Latest> = newest
        .into_iter()
        .map(|((project, hash), time)| Latest { project, hash, time })
        .collect();
    found.sort_unstable_by_key(|l| (Reverse(l.time), l.project, l.hash));
    let more = cut || found.len() > limit;
    found.truncate(limit);
    Ok(Answer::Latest { found, more })
}

/// The field that an aggregate looks at.
fn looked_at(aggregate: &Aggregate) -> Option<&Field> {
    match aggregate {
        Aggregate::Count | Aggregate::If(_) => None,
        Aggregate::Distinct(f)
        | Aggregate::Min(f)
        | Aggregate::Max(f)
        | Aggregate::Sum(f)
        | Aggregate::Numbers(f)
        | Aggregate::Percentile(f, _) => Some(f),
    }
}

#[derive(PartialEq, Eq, Hash, Clone)]
enum Key {
    Null,
    Str(Box<str>),
    Hash([u8; 16]),
    Bits(u64),
}

impl Key {
    fn cell(self) -> Cell {
        match self {
            Key::Null => Cell::Null,
            Key::Str(s) => Cell::Str(s.into()),
            Key::Hash(h) => Cell::Str(EventId(h).to_string()),
            Key::Bits(b) => Cell::Number(f64::from_bits(b)),
        }
    }
}

enum Acc {
    Count(u64),
    Distinct(Distinct),
    Number(Option<f64>),
    Spread(Spread, f64),
}

struct Groups<'a> {
    by: &'a [Field],
    every: Option<i64>,
    aggregates: &'a [Aggregate],
    map: HashMap<Vec<Key>, Vec<Acc>>,
    /// Of the source that is read: see [`passing`].
    passing: Vec<Option<HashSet<u32>>>,
}

impl Groups<'_> {
    /// A document with several values of a grouping field stands in a group of each.
    fn add(&mut self, source: &mut dyn Source, doc: u32) {
        let mut keys: Vec<Vec<Key>> = vec![Vec::with_capacity(self.by.len() + 1)];
        for field in self.by {
            let mut parts = Vec::new();
            source.values(doc, field, &mut |v| {
                parts.push(match v {
                    Seen::Str(s) => Key::Str(s.into()),
                    Seen::Hash(h) => Key::Hash(h),
                    Seen::Number(n) => Key::Bits(n.to_bits()),
                });
            });
            match parts.len() {
                0 => keys.iter_mut().for_each(|k| k.push(Key::Null)),
                1 => keys.iter_mut().for_each(|k| k.push(parts[0].clone())),
                _ => {
                    let each = |k: &Vec<Key>| {
                        let with = |p: &Key| k.iter().chain([p]).cloned().collect();
                        parts.iter().map(with).collect::<Vec<_>>()
                    };
                    keys = keys.iter().flat_map(each).collect();
                }
            }
        }
        if let Some(every) = self.every.filter(|e| *e > 0) {
            let start = source.moment(doc).0.div_euclid(every) * every;
            keys.iter_mut()
                .for_each(|k| k.push(Key::Bits((start as f64).to_bits())));
        }
        for key in keys {
            let aggregates = self.aggregates;
            let accs = self.map.entry(key).or_insert_with(|| {
                let start = |a: &Aggregate| match a {
                    Aggregate::Count | Aggregate::If(_) | Aggregate::Numbers(_) => Acc::Count(0),
                    Aggregate::Percentile(_, share) => Acc::Spread(Spread::default(), *share),
                    Aggregate::Distinct(_) => Acc::Distinct(Distinct::default()),
                    _ => Acc::Number(None),
                };
                aggregates.iter().map(start).collect()
            });
            for ((aggregate, acc), passing) in aggregates.iter().zip(accs).zip(&self.passing) {
                if passing.as_ref().is_none_or(|docs| docs.contains(&doc)) {
                    feed(aggregate, acc, source, doc);
                }
            }
        }
    }

    fn finish(self, order: GroupOrder, limit: usize) -> Vec<Group> {
        let finish = |a: Acc| match a {
            Acc::Count(n) => Cell::Number(n as f64),
            Acc::Distinct(d) => Cell::Number(d.count() as f64),
            Acc::Number(n) => n.map_or(Cell::Null, Cell::Number),
            Acc::Spread(all, share) => all.at(share).map_or(Cell::Null, Cell::Number),
        };
        let mut groups: Vec<Group> = self
            .map
            .into_iter()
            .map(|(key, accs)| Group {
                key: key.into_iter().map(Key::cell).collect(),
                values: accs.into_iter().map(finish).collect(),
            })
            .collect();
        groups.sort_by(|a, b| {
            let by_key = || compare_cells(&a.key, &b.key);
            match order {
                GroupOrder::Key => by_key(),
                GroupOrder::Aggregate(i) => {
                    let number = |g: &Group| match g.values.get(i) {
                        Some(Cell::Number(n)) => *n,
                        _ => f64::NEG_INFINITY,
                    };
                    number(b).total_cmp(&number(a)).then_with(by_key)
                }
            }
        });
        if limit > 0 {
            groups.truncate(limit);
        }
        groups
    }
}

fn compare_cells(a: &[Cell], b: &[Cell]) -> std::cmp::Ordering {
    let rank = |c: &Cell| match c {
        Cell::Null => 0,
        Cell::Number(_) => 1,
        Cell::Str(_) => 2,
    };
    for (x, y) in a.iter().zip(b) {
        let order = match (x, y) {
            (Cell::Str(x), Cell::Str(y)) => x.cmp(y),
            (Cell::Number(x), Cell::Number(y)) => x.total_cmp(y),
            _ => rank(x).cmp(&rank(y)),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

fn feed(aggregate: &Aggregate, acc: &mut Acc, source: &mut dyn Source, doc: u32) {
    match (aggregate, acc) {
        (Aggregate::Count | Aggregate::If(_), Acc::Count(n)) => *n += 1,
        (Aggregate::Distinct(field), Acc::Distinct(set)) => {
            source.values(doc, field, &mut |v| match v {
                Seen::Str(s) => set.add(s.as_bytes()),
                Seen::Hash(h) => set.add(EventId(h).to_string().as_bytes()),
                Seen::Number(n) => set.add(&n.to_bits().to_le_bytes()),
            });
        }
        (Aggregate::Min(field), Acc::Number(n)) => combined(source, doc, field, n, f64::min),
        (Aggregate::Max(field), Acc::Number(n)) => combined(source, doc, field, n, f64::max),
        (Aggregate::Sum(field), Acc::Number(n)) => combined(source, doc, field, n, |a, b| a + b),
        (Aggregate::Numbers(field), Acc::Count(n)) => numbers(source, doc, field, &mut |_| *n += 1),
        (Aggregate::Percentile(field, _), Acc::Spread(all, _)) => {
            numbers(source, doc, field, &mut |x| all.add(x));
        }
        _ => {}
    }
}

fn combined(source: &mut dyn Source, doc: u32, field: &Field, n: &mut Option<f64>, f: fn(f64, f64) -> f64) {
    numbers(source, doc, field, &mut |x| *n = Some(n.map_or(x, |n| f(n, x))));
}

/// Shows what of a field are numbers.
fn numbers(source: &mut dyn Source, doc: u32, field: &Field, see: &mut dyn FnMut(f64)) {
    source.values(doc, field, &mut |v| {
        let x = match v {
            Seen::Number(x) => Some(x),
            Seen::Str(s) => s.parse().ok(),
            Seen::Hash(h) => EventId(h).to_string().parse().ok(),
        };
        if let Some(x) = x {
            see(x);
        }
    });
}

#[derive(Default)]
struct FacetState {
    total: u64,
    values: HashMap<String, Times>,
    distinct: Distinct,
}

/// A row: when it happened and its place in the order of application, its source, its number there.
type Hit = ((i64, u64), usize, u32);

fn facets(
    select: &Select,
    sources: &mut [Box<dyn Source + '_>],
    tags: Option<&[String]>,
    values: usize,
    newest: usize,
) -> Result<Answer> {
    // The newest sources first: of most others only the number of rows counts then.
    let mut hits: BinaryHeap<Reverse<Hit>> = BinaryHeap::new();
    let mut total = 0u64;
    for (last, number) in newest_first(sources) {
        let docs = sources[number].matching(select)?;
        total += docs.len() as u64;
        if hits.len() >= newest && hits.peek().is_none_or(|Reverse(((time, _), ..))| last < *time) {
            continue;
        }
        for doc in docs {
            hits.push(Reverse((sources[number].moment(doc), number, doc)));
            if hits.len() > newest {
                hits.pop();
            }
        }
    }
    let seen = hits.len() as u64;
    let mut by_source: Vec<Vec<u32>> = vec![Vec::new(); sources.len()];
    for Reverse((_, number, doc)) in hits {
        by_source[number].push(doc);
    }
    let mut states: HashMap<String, FacetState> = HashMap::new();
    for (source, mut docs) in sources.iter_mut().zip(by_source) {
        docs.sort_unstable();
        source.tags(&docs, tags, &mut |key, value, times| {
            if !states.contains_key(key) {
                states.insert(key.to_owned(), FacetState::default());
            }
            let Some(state) = states.get_mut(key) else { return };
            state.total += times.count;
            match state.values.get_mut(value) {
                Some(known) => known.add(times),
                None => {
                    state.distinct.add_hash(stable_hash(value.as_bytes()));
                    state.values.insert(value.to_owned(), times);
                }
            }
        });
    }
    let mut facets: Vec<Facet> = states
        .into_iter()
        .map(|(key, state)| {
            let mut top: Vec<FacetValue> = state
                .values
                .into_iter()
                .map(|(value, times)| FacetValue {
                    value,
                    count: times.count,
                    first: times.first,
                    last: times.last,
                })
                .collect();
            top.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
            top.truncate(values);
            Facet {
                key,
                total: state.total,
                distinct: state.distinct.count(),
                values: top,
            }
        })
        .collect();
    facets.sort_by(|a, b| b.total.cmp(&a.total).then_with(|| a.key.cmp(&b.key)));
    Ok(Answer::Facets { facets, seen, total })
}

/// Whether a select's fixed conditions (project, time, hash, deleted) let a row through.
pub fn in_scope(select: &Select, project: u64, time: i64, hash: [u8; 16], seq: u64) -> bool {
    select.projects.contains(&project)
        && select.time.contains(&time)
        && select.hashes.as_ref().is_none_or(|h| h.contains(&hash))
        && !select.hidden.hides(project, hash, seq)
}

/// An error with the words of what lies below.
pub fn store_error(e: impl std::fmt::Display) -> ColumnsError {
    ColumnsError::Store(e.to_string())
}

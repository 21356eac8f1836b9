//! Rows: of events, or of groups of events with figures.

use std::cmp::Ordering;
use std::collections::HashMap;

use protocol::ids::GroupHash;
use serde_json::{Map, Value, json};
use storage::columns::{
    Aggregate, Answer as Found, Cell, Field, Filter, Group, GroupOrder, Order, Question, Test,
};
use storage::relational::hashes;
use storage::relational::issues::{self, Issue, short_id};

use super::{Figure, Plain, Shows, aggregates, kind};
use crate::answer::ApiError;
use crate::call::Call;
use crate::endpoints::events::{issue_of, load_all};
use crate::scope::Scope;
use crate::views;

/// Groups that are looked at to put them in order.
const GROUPS: usize = 10_000;
/// Groups whose different values are counted anew.
const RECOUNTED: usize = 200;
/// Events that a page in another order than time's is taken from.
const EVENTS: usize = 1_000;

/// A question for a table.
pub struct Ask {
    /// The columns, as they were named.
    pub columns: Vec<(String, Shows)>,
    /// Which events.
    pub filter: Filter,
    /// By which column, and whether the largest comes first.
    pub sort: Option<(String, bool)>,
    /// Where the page begins, and how long it is.
    pub page: (usize, usize),
}

/// The rows of a page, and whether there are more.
pub fn rows(call: &Call, scope: &Scope, ask: &Ask) -> Result<(Vec<Value>, bool), ApiError> {
    if ask.columns.iter().any(|(_, s)| matches!(s, Shows::Figure(_))) {
        groups(call, scope, ask)
    } else {
        events(call, scope, ask)
    }
}

fn page(mut all: Vec<Value>, ask: &Ask, capped: bool) -> (Vec<Value>, bool) {
    if let Some((name, largest_first)) = &ask.sort {
        all.sort_by(|a, b| {
            let order = compare(&a[name], &b[name]);
            if *largest_first { order.reverse() } else { order }
        });
    }
    let more = all.len() > ask.page.0 + ask.page.1 || capped;
    (all.into_iter().skip(ask.page.0).take(ask.page.1).collect(), more)
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(x), Some(y)) => x.partial_cmp(&y).unwrap_or(Ordering::Equal),
        _ => {
            let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
            (a.is_null(), text(b)).cmp(&(b.is_null(), text(a))).reverse()
        }
    }
}

/// Events, newest first unless another column orders the newest thousand.
fn events(call: &Call, scope: &Scope, ask: &Ask) -> Result<(Vec<Value>, bool), ApiError> {
    let by_time = |name: &str| {
        ask.columns
            .iter()
            .any(|(n, s)| n == name && *s == Shows::Plain(Plain::Time))
            || name == "timestamp"
    };
    let (order, in_time) = match &ask.sort {
        Some((name, largest)) if by_time(name) => {
            (if *largest { Order::Newest } else { Order::Oldest }, true)
        }
        None => (Order::Newest, true),
        Some(_) => (Order::Newest, false),
    };
    let limit = if in_time {
        ask.page.0 + ask.page.1 + 1
    } else {
        EVENTS
    };
    let question = Question::Rows {
        order,
        after: None,
        limit,
    };
    let Found::Rows { rows, more } = scope.select(call, ask.filter.clone(), None, question)? else {
        return Ok((vec![], false));
    };
    let (rows, more) = if in_time {
        let more = more || rows.len() > ask.page.0 + ask.page.1;
        (
            rows.into_iter()
                .skip(ask.page.0)
                .take(ask.page.1)
                .collect::<Vec<_>>(),
            more,
        )
    } else {
        (rows, more)
    };
    let mut out = Vec::with_capacity(rows.len());
    for loaded in load_all(call, &rows)? {
        let row = &loaded.record.row;
        let project = scope.project(i64::try_from(row.project).unwrap_or(0));
        let wants_issue = ask
            .columns
            .iter()
            .any(|(_, s)| matches!(s, Shows::Plain(Plain::Issue | Plain::IssueId)));
        let issue = match if wants_issue {
            issue_of(call, &loaded)?
        } else {
            None
        } {
            Some(id) => call.api.stores.sql.reading(|c| issues::by_ids(c, &[id]))?.pop(),
            None => None,
        };
        let mut view = Map::new();
        // Whoever reads a row opens the event: id and project are always there.
        view.insert("id".into(), json!(loaded.id()));
        view.insert("project.name".into(), json!(project.map(|p| &p.slug)));
        for (name, shows) in &ask.columns {
            let Shows::Plain(plain) = shows else { continue };
            let value = match plain {
                Plain::Id => json!(loaded.id()),
                Plain::Time => views::time(row.time),
                Plain::Received => views::time(row.received),
                Plain::Project => json!(project.map(|p| &p.slug)),
                Plain::ProjectId => json!(row.project),
                Plain::Issue => json!(
                    issue
                        .as_ref()
                        .zip(project)
                        .map(|(i, p)| short_id(&p.slug, i.short_number))
                ),
                Plain::IssueId => json!(issue.as_ref().map(|i| i.id)),
                Plain::Title => loaded.json["title"].clone(),
                Plain::Tag(key) => json!(row.tag(key)),
                Plain::Column(i) => row.get(*i).map_or(Value::Null, value),
            };
            view.insert(name.clone(), value);
        }
        out.push(Value::Object(view));
    }
    if in_time {
        Ok((out, more))
    } else {
        Ok(page(out, ask, more))
    }
}

fn value(value: &protocol::table::Value) -> Value {
    use protocol::table::Value as Column;
    match value {
        Column::Str(s) => json!(s),
        Column::List(l) => json!(l.as_ref()),
        Column::Int(n) => json!(n),
        Column::Float(x) => json!(x),
        Column::Bool(b) => json!(b),
    }
}

fn groups(call: &Call, scope: &Scope, ask: &Ask) -> Result<(Vec<Value>, bool), ApiError> {
    let mut by = Vec::new();
    let mut wanted = Vec::new();
    for (_, shows) in &ask.columns {
        match shows {
            Shows::Plain(plain) => by.push(super::key(call, plain)?),
            Shows::Figure(figure) => wanted.extend(aggregates(call, scope, figure)?),
        }
    }
    let of_issue = |p: &Plain| matches!(super::key(call, p), Ok(Field::Hash));
    let folds = ask
        .columns
        .iter()
        .any(|(_, s)| matches!(s, Shows::Plain(p) if of_issue(p)));
    if folds && !by.contains(&Field::Project) {
        by.push(Field::Project);
    }
    let question = Question::Groups {
        by: by.clone(),
        every: None,
        aggregates: wanted.clone(),
        order: GroupOrder::Aggregate(0),
        limit: GROUPS,
    };
    let Found::Groups(mut found) = scope.select(call, ask.filter.clone(), None, question)? else {
        return Ok((vec![], false));
    };
    let capped = found.len() >= GROUPS;
    let mut of_hash = HashMap::new();
    if folds {
        of_hash = issues_of(call, &by, &found)?;
        let (folded, extents) = fold(&by, &of_hash, &wanted, found);
        found = folded;
        if wanted.iter().any(apart) {
            tell_apart(call, scope, ask, &by, &wanted, &mut found, &extents)?;
        }
    }
    let seconds = ((scope.end.min(call.now()) - scope.start).max(1) as f64) / 1e6;
    let all = found
        .iter()
        .map(|g| show(call, scope, ask, &by, g, &of_hash, seconds))
        .collect();
    Ok(page(all, ask, capped))
}

type ByHash = HashMap<String, Issue>;

/// The issues of the hashes of groups.
fn issues_of(call: &Call, by: &[Field], found: &[Group]) -> Result<ByHash, ApiError> {
    let at = |field: &Field| by.iter().position(|f| f == field);
    let (Some(hash), Some(project)) = (at(&Field::Hash), at(&Field::Project)) else {
        return Ok(HashMap::new());
    };
    let keys: Vec<(u64, GroupHash)> = found
        .iter()
        .filter_map(|g| match (&g.key[hash], &g.key[project]) {
            (Cell::Str(h), Cell::Number(p)) => Some((*p as u64, h.parse().ok()?)),
            (Cell::Str(h), Cell::Str(p)) => Some((p.parse().ok()?, h.parse().ok()?)),
            _ => None,
        })
        .collect();
    Ok(call.api.stores.sql.reading(|c| {
        let rows = hashes::find(c, &keys)?;
        let ids: Vec<i64> = rows.iter().filter_map(|r| r.issue).collect();
        let issues: HashMap<i64, Issue> = issues::by_ids(c, &ids)?.into_iter().map(|i| (i.id, i)).collect();
        let pair = |r: &hashes::HashRow| Some((r.hash.to_string(), issues.get(&r.issue?)?.clone()));
        Ok(rows.iter().filter_map(pair).collect())
    })?)
}

/// Groups of hashes of one issue become one group; answers the hashes of each as well.
fn fold(
    by: &[Field],
    of_hash: &ByHash,
    wanted: &[Aggregate],
    found: Vec<Group>,
) -> (Vec<Group>, Vec<Vec<String>>) {
    let Some(at) = by.iter().position(|f| *f == Field::Hash) else {
        return (found, vec![]);
    };
    let mut places: HashMap<String, usize> = HashMap::new();
    let (mut out, mut extents): (Vec<Group>, Vec<Vec<String>>) = (Vec::new(), Vec::new());
    for group in found {
        let hash = match &group.key[at] {
            Cell::Str(hash) => hash.clone(),
            _ => String::new(),
        };
        let issue = of_hash
            .get(&hash)
            .map_or_else(|| hash.clone(), |i| i.id.to_string());
        let rest = group
            .key
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != at)
            .map(|(_, c)| c);
        let name = format!("{issue} {:?}", rest.collect::<Vec<_>>());
        let place = *places.entry(name).or_insert(out.len());
        match out.get_mut(place) {
            None => {
                out.push(group);
                extents.push(vec![hash]);
            }
            Some(known) => {
                for ((have, more), aggregate) in known.values.iter_mut().zip(&group.values).zip(wanted) {
                    *have = joined(aggregate, have, more);
                }
                extents[place].push(hash);
            }
        }
    }
    (out, extents)
}

/// What cannot be put together from the figures of several hashes.
fn apart(aggregate: &Aggregate) -> bool {
    matches!(aggregate, Aggregate::Distinct(_) | Aggregate::Percentile(..))
}

/// Different values of several hashes are counted anew, over all events of the group: those that hashes share were
/// counted for each.
fn tell_apart(
    call: &Call,
    scope: &Scope,
    ask: &Ask,
    by: &[Field],
    wanted: &[Aggregate],
    found: &mut [Group],
    extents: &[Vec<String>],
) -> Result<(), ApiError> {
    let several = found
        .iter_mut()
        .zip(extents)
        .filter(|(_, hashes)| hashes.len() > 1);
    for (group, hashes) in several.take(RECOUNTED) {
        let mut filter = ask.filter.clone();
        for (field, cell) in by.iter().zip(&group.key).filter(|(f, _)| **f != Field::Hash) {
            let here = |test| Filter::Field(field.clone(), test);
            filter = filter.and(match cell {
                Cell::Str(text) => here(Test::Is(vec![text.clone()])),
                Cell::Number(n) => here(Test::Between(Some(*n), Some(*n))),
                Cell::Null => Filter::Not(Box::new(here(Test::Present))),
            });
        }
        let question = Question::Groups {
            by: vec![],
            every: None,
            aggregates: wanted.to_vec(),
            order: GroupOrder::Aggregate(0),
            limit: 1,
        };
        let read = |h: &String| h.parse().ok().map(|GroupHash(bytes)| bytes);
        let hashes = hashes.iter().filter_map(read).collect();
        if let Found::Groups(mut one) = scope.select(call, filter, Some(hashes), question)?
            && let Some(whole) = one.pop()
        {
            group.values = whole.values;
        }
    }
    Ok(())
}

fn joined(aggregate: &Aggregate, a: &Cell, b: &Cell) -> Cell {
    let (Cell::Number(x), Cell::Number(y)) = (a, b) else {
        return if *a == Cell::Null { b.clone() } else { a.clone() };
    };
    Cell::Number(match aggregate {
        Aggregate::Count | Aggregate::Sum(_) | Aggregate::Numbers(_) | Aggregate::If(_) => x + y,
        Aggregate::Min(_) => x.min(*y),
        // A first guess for different values and percentiles; they are counted anew.
        Aggregate::Max(_) | Aggregate::Distinct(_) | Aggregate::Percentile(..) => x.max(*y),
    })
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Str(s) => json!(s),
        Cell::Number(n) => number(*n),
    }
}

/// A number without a fraction is written as one.
pub fn number(n: f64) -> Value {
    if n.fract() == 0.0 && n.abs() < 9e15 {
        json!(n as i64)
    } else {
        json!(n)
    }
}

fn show(
    call: &Call,
    scope: &Scope,
    ask: &Ask,
    by: &[Field],
    group: &Group,
    of_hash: &ByHash,
    seconds: f64,
) -> Value {
    let of = |field: &Field| by.iter().position(|f| f == field).and_then(|i| group.key.get(i));
    let project = of(&Field::Project).and_then(|c| match c {
        Cell::Number(n) => scope.project(*n as i64),
        Cell::Str(s) => scope.project(s.parse().ok()?),
        Cell::Null => None,
    });
    let issue = match of(&Field::Hash) {
        Some(Cell::Str(hash)) => of_hash.get(hash),
        _ => None,
    };
    let mut out = Map::new();
    let (mut keys, mut values) = (group.key.iter(), group.values.iter());
    for (name, shows) in &ask.columns {
        let shown = match shows {
            Shows::Plain(plain) => {
                let key = keys.next().unwrap_or(&Cell::Null);
                match plain {
                    Plain::Project => json!(project.map(|p| &p.slug)),
                    Plain::ProjectId => json!(project.map(|p| p.id)),
                    Plain::Issue => json!(issue.zip(project).map(|(i, p)| short_id(&p.slug, i.short_number))),
                    Plain::IssueId => json!(issue.map(|i| i.id)),
                    Plain::Title => json!(issue.map(|i| &i.title)),
                    Plain::Column(_) if matches!(super::key(call, plain), Ok(Field::Hash)) => {
                        json!(issue.map(|i| &i.title))
                    }
                    Plain::Time | Plain::Received => date(key),
                    _ => cell(key),
                }
            }
            Shows::Figure(figure) => {
                let first = values.next().unwrap_or(&Cell::Null);
                match figure {
                    Figure::Mean(_) => match (first, values.next()) {
                        (Cell::Number(sum), Some(Cell::Number(n))) if *n > 0.0 => json!(sum / n),
                        _ => Value::Null,
                    },
                    Figure::PerSecond | Figure::PerMinute => match first {
                        Cell::Number(n) => {
                            json!(n / seconds * if *figure == Figure::PerMinute { 60.0 } else { 1.0 })
                        }
                        _ => Value::Null,
                    },
                    Figure::Count | Figure::Distinct(_) => match first {
                        Cell::Null => json!(0),
                        other => cell(other),
                    },
                    _ if kind(call, shows) == "date" => date(first),
                    _ => cell(first),
                }
            }
        };
        out.insert(name.clone(), shown);
    }
    Value::Object(out)
}

fn date(cell: &Cell) -> Value {
    match cell {
        Cell::Number(us) => views::time(*us as i64),
        _ => Value::Null,
    }
}

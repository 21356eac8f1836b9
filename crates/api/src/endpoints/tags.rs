//! Tags: which occur, and with which values.

use serde_json::{Value, json};
use storage::columns::{Answer as Found, Facet, FacetValue, Field, Filter, Question, Test};
use storage::relational::issues::Issue;
use storage::relational::projects::Project;

use super::issue::find;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::{offset, paged};
use crate::scope::{Scope, extent};
use crate::views::time;

/// The newest rows that values are counted over; said in the answer when there are more.
const NEWEST: usize = 100_000;

fn name(key: &str) -> String {
    let words = key.replace(['.', '_', '-'], " ");
    words
        .split(' ')
        .map(|w| {
            let mut chars = w.chars();
            chars
                .next()
                .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn value(key: &str, v: &FacetValue) -> Value {
    let query = format!("{key}:\"{}\"", v.value.replace('"', "\\\""));
    json!({
        "key": key, "name": v.value, "value": v.value, "count": v.count, "query": query,
        "firstSeen": time(v.first), "lastSeen": time(v.last),
    })
}

fn facet(f: &Facet, seen: u64, total: u64) -> Value {
    json!({
        "key": f.key, "name": name(&f.key), "totalValues": f.total, "uniqueValues": f.distinct,
        "topValues": f.values.iter().map(|v| value(&f.key, v)).collect::<Vec<_>>(),
        "eventsSeen": seen, "eventsTotal": total,
    })
}

fn facets(
    call: &Call,
    scope: &Scope,
    hashes: Option<Vec<[u8; 16]>>,
    tags: Option<Vec<String>>,
    values: usize,
    newest: usize,
    filter: Filter,
) -> Result<(Vec<Facet>, u64, u64), ApiError> {
    let question = Question::Facets { tags, values, newest };
    match scope.select(call, scope.with_environments(call, filter), hashes, question)? {
        Found::Facets { facets, seen, total } => Ok((facets, seen, total)),
        _ => Ok((vec![], 0, 0)),
    }
}

/// The tags of an issue with their top values.
pub fn of_issue(
    call: &Call,
    issue: &Issue,
    project: &Project,
    values: usize,
    newest: usize,
) -> Result<Vec<Value>, ApiError> {
    let scope = Scope::of_issue(call, project.clone())?;
    let hashes = Some(extent(call, issue.id)?);
    let (all, seen, total) = facets(call, &scope, hashes, None, values, newest, Filter::All)?;
    Ok(all.iter().map(|f| facet(f, seen, total)).collect())
}

/// The tags of an issue.
pub fn issue_tags(call: &Call) -> Result<Answer, ApiError> {
    let (issue, project) = find(call)?;
    Ok(Answer::json(of_issue(
        call,
        &issue,
        &project,
        call.limit(10)?,
        NEWEST,
    )?))
}

fn one(call: &Call) -> Result<Option<(Facet, u64, u64)>, ApiError> {
    let (issue, project) = find(call)?;
    let scope = Scope::of_issue(call, project)?;
    let tags = Some(vec![call.param("key").to_owned()]);
    let hashes = Some(extent(call, issue.id)?);
    let (mut all, seen, total) = facets(call, &scope, hashes, tags, 1000, NEWEST, Filter::All)?;
    Ok(all.pop().map(|f| (f, seen, total)))
}

/// One tag of an issue.
pub fn issue_tag(call: &Call) -> Result<Answer, ApiError> {
    let (mut found, seen, total) = one(call)?.ok_or_else(|| ApiError::missing("Tag"))?;
    found.values.truncate(10);
    Ok(Answer::json(facet(&found, seen, total)))
}

fn page(call: &Call, key: &str, mut values: Vec<FacetValue>) -> Result<Answer, ApiError> {
    if let Some(part) = call.value("query") {
        let part = part.trim_matches('*').to_lowercase();
        values.retain(|v| v.value.to_lowercase().contains(&part));
    }
    if matches!(call.value("sort"), Some("-last_seen" | "date")) {
        values.sort_by_key(|v| std::cmp::Reverse(v.last));
    }
    let (offset, limit) = (offset(call)?, call.limit(100)?);
    let more = values.len() > offset + limit;
    let views: Vec<Value> = values
        .iter()
        .skip(offset)
        .take(limit)
        .map(|v| value(key, v))
        .collect();
    Ok(paged(Answer::json(views), call, offset, limit, more))
}

/// The values of a tag of an issue, most frequent first.
pub fn issue_values(call: &Call) -> Result<Answer, ApiError> {
    let found = one(call)?;
    page(
        call,
        call.param("key"),
        found.map(|(f, _, _)| f.values).unwrap_or_default(),
    )
}

/// The tags that occur in the organization or project.
pub fn organization_tags(call: &Call) -> Result<Answer, ApiError> {
    let scope = Scope::of(call)?;
    let (all, _, _) = facets(call, &scope, None, None, 0, 10_000, Filter::All)?;
    let views: Vec<Value> = all
        .iter()
        .map(|f| {
            json!({
                "key": f.key, "name": name(&f.key), "totalValues": f.total, "uniqueValues": f.distinct,
                "canDelete": false,
            })
        })
        .collect();
    Ok(Answer::json(views))
}

/// The values of a tag, or of a searchable field, for suggestions.
pub fn organization_values(call: &Call) -> Result<Answer, ApiError> {
    let scope = Scope::of(call)?;
    let key = call.param("key");
    let table = call.api.stores.catalog.errors;
    let (field, kind) = storage::search::keys::event_field(table, key);
    let part = call
        .value("query")
        .map(|q| q.trim_matches('*').to_owned())
        .filter(|q| !q.is_empty());
    let filter = match &part {
        Some(part) => {
            let part = part.replace('\\', "\\\\").replace('*', "\\*");
            Filter::Field(field.clone(), Test::Like(format!("*{part}*")))
        }
        None => Filter::Field(field.clone(), Test::Present),
    };
    if let Field::Tag(_) = field {
        let (mut all, _, _) = facets(
            call,
            &scope,
            None,
            Some(vec![key.to_owned()]),
            1000,
            NEWEST,
            filter,
        )?;
        return page(call, key, all.pop().map(|f| f.values).unwrap_or_default());
    }
    use protocol::table::Type;
    let text = matches!(kind, Type::Text | Type::Texts | Type::SharedTexts);
    if !text || !matches!(field, Field::Column(_)) {
        return page(call, key, vec![]);
    }
    use storage::columns::{Aggregate, Cell, GroupOrder};
    let question = Question::Groups {
        by: vec![field],
        every: None,
        aggregates: vec![
            Aggregate::Count,
            Aggregate::Min(Field::Time),
            Aggregate::Max(Field::Time),
        ],
        order: GroupOrder::Aggregate(0),
        limit: 1000,
    };
    let Found::Groups(groups) = scope.select(call, scope.with_environments(call, filter), None, question)?
    else {
        return page(call, key, vec![]);
    };
    let number = |c: Option<&Cell>| match c {
        Some(Cell::Number(n)) => *n as i64,
        _ => 0,
    };
    let values = groups
        .into_iter()
        .filter_map(|g| match g.key.first() {
            Some(Cell::Str(s)) => Some(FacetValue {
                value: s.clone(),
                count: u64::try_from(number(g.values.first())).unwrap_or(0),
                first: number(g.values.get(1)),
                last: number(g.values.get(2)),
            }),
            _ => None,
        })
        .collect();
    page(call, key, values)
}

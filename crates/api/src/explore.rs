//! Questions to the event store as tables: which columns and figures are asked for, in Sentry's words, and how they
//! are answered.

pub mod series;
pub mod table;

use protocol::table::Type;
use storage::columns::{Aggregate, Field};

use crate::answer::ApiError;
use crate::call::Call;
use crate::scope::Scope;

/// Columns that one question may name.
pub const COLUMNS: usize = 20;

/// What of an event or of its issue a column shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Plain {
    /// The event's id.
    Id,
    /// When it happened.
    Time,
    /// When it was received.
    Received,
    /// The slug of the project.
    Project,
    /// The number of the project.
    ProjectId,
    /// The short id of the issue.
    Issue,
    /// The number of the issue.
    IssueId,
    /// The title of the event; of a group, that of its issue.
    Title,
    /// A column of the table.
    Column(usize),
    /// A tag.
    Tag(String),
}

/// A figure over the events of a group.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// How many.
    Count,
    /// How many different values.
    Distinct(Plain),
    /// The smallest.
    Min(Plain),
    /// The largest.
    Max(Plain),
    /// The sum.
    Sum(Plain),
    /// The mean.
    Mean(Plain),
    /// The number below which this share of the numbers lies.
    Percentile(Plain, f64),
    /// How many fulfil a condition, as a query.
    If(String),
    /// How many in a second.
    PerSecond,
    /// How many in a minute.
    PerMinute,
}

/// A column of an answer: how it is called, and what it shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Shows {
    /// Something of each event or group.
    Plain(Plain),
    /// A figure.
    Figure(Figure),
}

/// The names of datasets that are answered from the error events. Those of the others are known, and empty.
pub fn is_errors(dataset: &str) -> bool {
    matches!(
        dataset,
        "" | "errors" | "discover" | "error-events" | "issuePlatform" | "metricsEnhanced"
    )
}

/// Checks the name of a dataset; answers whether its events are kept.
pub fn dataset(call: &Call) -> Result<bool, ApiError> {
    let name = call.value("dataset").unwrap_or("");
    let others = [
        "spans",
        "logs",
        "ourlogs",
        "transactions",
        "metrics",
        "tracemetrics",
        "profiles",
        "profile_functions",
        "profileFunctions",
        "replays",
        "uptime_results",
        "uptimeResults",
        "preprod",
        "processing_errors",
    ];
    match (is_errors(name), others.contains(&name)) {
        (true, _) => Ok(true),
        (false, true) => Ok(false),
        (false, false) => Err(ApiError::Bad(format!(
            "dataset must be one of: errors, discover, {}",
            others.join(", ")
        ))),
    }
}

/// Reads the name of a column that is no figure.
pub fn plain(call: &Call, name: &str) -> Plain {
    let table = call.api.stores.catalog.errors;
    match name {
        "id" | "eventID" | "event_id" => Plain::Id,
        "timestamp" | "time" => Plain::Time,
        "timestamp.received" | "received" => Plain::Received,
        "project" | "project.name" | "project_name" => Plain::Project,
        "project.id" | "project_id" => Plain::ProjectId,
        "issue" => Plain::Issue,
        "issue.id" | "group_id" => Plain::IssueId,
        "title" => Plain::Title,
        "user.display" => table
            .column("user")
            .map_or(Plain::Tag("user".into()), Plain::Column),
        _ => {
            let tag = name.strip_prefix("tags[").and_then(|n| n.strip_suffix(']'));
            match (tag, table.column(name)) {
                (Some(tag), _) => Plain::Tag(tag.to_owned()),
                (None, Some(column)) => Plain::Column(column),
                (None, None) => Plain::Tag(name.to_owned()),
            }
        }
    }
}

/// Reads a column of a question: `title`, `count()`, `count_unique(user)`.
pub fn column(call: &Call, name: &str) -> Result<Shows, ApiError> {
    let Some((function, rest)) = name.split_once('(') else {
        return Ok(Shows::Plain(plain(call, name)));
    };
    let argument = rest.strip_suffix(')').unwrap_or(rest).trim();
    let of = || plain(call, argument);
    let need = |figure: Figure| {
        if argument.is_empty() {
            return Err(ApiError::Bad(format!("{function}() needs a field")));
        }
        Ok(Shows::Figure(figure))
    };
    match function {
        "count" => Ok(Shows::Figure(Figure::Count)),
        "count_unique" | "uniq" => need(Figure::Distinct(of())),
        "min" => need(Figure::Min(of())),
        "max" => need(Figure::Max(of())),
        "sum" => need(Figure::Sum(of())),
        "avg" => need(Figure::Mean(of())),
        "last_seen" => Ok(Shows::Figure(Figure::Max(Plain::Time))),
        "first_seen" => Ok(Shows::Figure(Figure::Min(Plain::Time))),
        "eps" => Ok(Shows::Figure(Figure::PerSecond)),
        "epm" => Ok(Shows::Figure(Figure::PerMinute)),
        "count_if" => Ok(Shows::Figure(Figure::If(condition(argument)?))),
        "percentile" => {
            let (field, share) = argument.rsplit_once(',').unwrap_or((argument, ""));
            match share.trim().parse() {
                Ok(share) if (0.0..=1.0).contains(&share) => {
                    Ok(Shows::Figure(Figure::Percentile(plain(call, field.trim()), share)))
                }
                _ => Err(ApiError::Bad(
                    "percentile(field, share) needs a field and a share from 0 to 1, like percentile(duration, 0.9)"
                        .into(),
                )),
            }
        }
        "median" => need(Figure::Percentile(of(), 0.5)),
        _ => match function.strip_prefix('p').and_then(|n| n.parse::<u8>().ok()) {
            Some(share @ (50 | 75 | 90 | 95 | 99 | 100)) => {
                need(Figure::Percentile(of(), f64::from(share) / 100.0))
            }
            _ => Err(ApiError::Bad(format!(
                "{function}() is not answered here: count, count_unique, count_if, min, max, sum, avg, median, p50, p75, \
                 p90, p95, p99, p100, percentile, first_seen, last_seen, eps and epm are"
            ))),
        },
    }
}

/// Reads the condition of `count_if(level,equals,error)` as a query.
fn condition(arguments: &str) -> Result<String, ApiError> {
    let mut parts = arguments.splitn(3, ',').map(str::trim);
    let (Some(key), Some(how), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        let what = "count_if(field, operator, value) needs all three, like count_if(level,equals,error)";
        return Err(ApiError::Bad(what.into()));
    };
    let odd = |c: char| c.is_whitespace() || "\"()".contains(c);
    if key.is_empty() || key.contains(odd) || key.starts_with('!') {
        return Err(ApiError::Bad(format!("count_if: '{key}' is no field")));
    }
    let value = value
        .strip_prefix('"')
        .and_then(|v| v.strip_suffix('"'))
        .unwrap_or(value);
    let text = || format!("\"{}\"", value.replace('"', "\\\"").replace('*', "\\*"));
    let sign = match how {
        "equals" => return Ok(format!("{key}:{}", text())),
        "notEquals" => return Ok(format!("!{key}:{}", text())),
        "greater" => ">",
        "greaterOrEquals" => ">=",
        "less" => "<",
        "lessOrEquals" => "<=",
        _ => {
            return Err(ApiError::Bad(format!(
                "count_if: the operator is equals, notEquals, greater, greaterOrEquals, less or lessOrEquals, not '{how}'"
            )));
        }
    };
    if value.is_empty() || value.contains(odd) {
        return Err(ApiError::Bad(format!(
            "count_if: '{value}' cannot be compared with {how}"
        )));
    }
    Ok(format!("{key}:{sign}{value}"))
}

/// What the event store groups by for a column; words and what belongs to the issue are found by the hash.
pub fn key(call: &Call, plain: &Plain) -> Result<Field, ApiError> {
    Ok(match plain {
        Plain::Id => {
            return Err(ApiError::Bad(
                "id cannot stand beside a figure: every group would be one event".into(),
            ));
        }
        Plain::Time => Field::Time,
        Plain::Received => Field::Received,
        Plain::Project | Plain::ProjectId => Field::Project,
        Plain::Issue | Plain::IssueId | Plain::Title => Field::Hash,
        Plain::Tag(key) => Field::Tag(key.clone()),
        Plain::Column(i) => match call.api.stores.catalog.errors.columns.get(*i) {
            Some(column) if column.kind == Type::Words => Field::Hash,
            _ => Field::Column(*i),
        },
    })
}

/// What the event store computes for a figure.
pub fn aggregates(call: &Call, scope: &Scope, figure: &Figure) -> Result<Vec<Aggregate>, ApiError> {
    let number = |plain: &Plain| match plain {
        Plain::Time => Ok(Field::Time),
        Plain::Received => Ok(Field::Received),
        other => key(call, other),
    };
    let distinct = |plain: &Plain| match plain {
        // Different issues are counted by their hashes; only merged ones count twice.
        Plain::Issue | Plain::IssueId | Plain::Title => Ok(Field::Hash),
        other => key(call, other),
    };
    Ok(match figure {
        Figure::Count | Figure::PerSecond | Figure::PerMinute => vec![Aggregate::Count],
        // Every event has its own.
        Figure::Distinct(Plain::Id) => vec![Aggregate::Count],
        Figure::Distinct(of) => vec![Aggregate::Distinct(distinct(of)?)],
        Figure::Min(of) => vec![Aggregate::Min(number(of)?)],
        Figure::Max(of) => vec![Aggregate::Max(number(of)?)],
        Figure::Sum(of) => vec![Aggregate::Sum(number(of)?)],
        Figure::Mean(of) => vec![Aggregate::Sum(number(of)?), Aggregate::Numbers(number(of)?)],
        Figure::Percentile(of, share) => vec![Aggregate::Percentile(number(of)?, *share)],
        Figure::If(query) => vec![Aggregate::If(scope.lower_events(call, query)?)],
    })
}

/// What `meta.fields` says of a column.
pub fn kind(call: &Call, shows: &Shows) -> &'static str {
    match shows {
        Shows::Figure(Figure::Count | Figure::Distinct(_) | Figure::If(_)) => "integer",
        Shows::Figure(
            Figure::Min(Plain::Time | Plain::Received)
            | Figure::Max(Plain::Time | Plain::Received)
            | Figure::Percentile(Plain::Time | Plain::Received, _),
        ) => "date",
        Shows::Figure(Figure::PerSecond | Figure::PerMinute) => "rate",
        Shows::Figure(_) => "number",
        Shows::Plain(Plain::Time | Plain::Received) => "date",
        Shows::Plain(Plain::ProjectId | Plain::IssueId) => "integer",
        Shows::Plain(Plain::Column(i)) => {
            match call.api.stores.catalog.errors.columns.get(*i).map(|c| c.kind) {
                Some(Type::Bool) => "boolean",
                Some(Type::Int) => "integer",
                Some(Type::Float) => "number",
                Some(Type::Time) => "date",
                _ => "string",
            }
        }
        Shows::Plain(_) => "string",
    }
}

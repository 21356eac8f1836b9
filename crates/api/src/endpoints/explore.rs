//! Tables and series of events over an organization. Of what is not kept yet, such as spans and logs, the answer is
//! empty.

use serde_json::{Map, Value, json};
use storage::columns::{Cell, Field, Filter};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::explore::series::{Line, Pieces, lines};
use crate::explore::table::{Ask, number, rows};
use crate::explore::{self, COLUMNS, Shows, column, dataset, kind};
use crate::links::{offset, paged};
use crate::scope::Scope;
use crate::views;

/// Series that are shown beside each other.
const TOP: usize = 20;

fn meta(call: &Call, columns: &[(String, Shows)]) -> Value {
    let fields: Map<String, Value> = columns
        .iter()
        .map(|(n, s)| (n.clone(), json!(kind(call, s))))
        .collect();
    let units: Map<String, Value> = columns.iter().map(|(n, _)| (n.clone(), Value::Null)).collect();
    json!({
        "fields": fields, "units": units, "isMetricsData": false, "isMetricsExtractedData": false, "tips": {},
        "datasetReason": "unchanged", "dataset": call.value("dataset").unwrap_or("errors"), "dataScanned": "full",
    })
}

fn columns(call: &Call) -> Result<Vec<(String, Shows)>, ApiError> {
    let names = call.values("field");
    if names.is_empty() {
        return Err(ApiError::Bad("No columns selected".into()));
    }
    if names.len() > COLUMNS {
        return Err(ApiError::Bad(format!(
            "You can view up to {COLUMNS} fields at a time."
        )));
    }
    names
        .into_iter()
        .map(|n| Ok((n.to_owned(), column(call, n)?)))
        .collect()
}

/// `-count()`, `-count`, `timestamp`: the name of a column as it was asked for.
fn order(call: &Call, columns: &[(String, Shows)]) -> Result<Option<(String, bool)>, ApiError> {
    let Some(text) = call.value("sort").or_else(|| call.value("orderby")) else {
        return Ok(None);
    };
    let (name, largest) = text.strip_prefix('-').map_or((text, false), |n| (n, true));
    let bare = |n: &str| n.replace("()", "").replace(['(', '.', ','], "_").replace(')', "");
    let found = columns
        .iter()
        .map(|(n, _)| n)
        .find(|n| *n == name || bare(n) == bare(name));
    match found {
        Some(n) => Ok(Some((n.clone(), largest))),
        None if name == "timestamp" => Ok(Some((name.to_owned(), largest))),
        None => Err(ApiError::Bad(format!(
            "orderby must also be in the selected columns or groupby: {name}"
        ))),
    }
}

fn filter(call: &Call, scope: &Scope) -> Result<Filter, ApiError> {
    let filter = scope.lower_events(call, call.value("query").unwrap_or(""))?;
    Ok(scope.with_environments(call, filter))
}

/// A table of events, or of groups of events with figures.
pub fn events(call: &Call) -> Result<Answer, ApiError> {
    let (start, limit) = (offset(call)?, call.limit(50)?);
    if !dataset(call)? {
        let fields: Map<String, Value> = call
            .values("field")
            .iter()
            .map(|f| ((*f).to_owned(), json!("string")))
            .collect();
        let body = json!({ "data": [], "meta": { "fields": fields, "units": {}, "dataset": call.value("dataset") } });
        return Ok(paged(Answer::json(body), call, 0, limit, false));
    }
    let columns = columns(call)?;
    let scope = Scope::of(call)?;
    let ask = Ask {
        sort: order(call, &columns)?,
        filter: filter(call, &scope)?,
        page: (start, limit),
        columns,
    };
    let (data, more) = rows(call, &scope, &ask)?;
    let body = json!({ "data": data, "meta": meta(call, &ask.columns) });
    Ok(paged(Answer::json(body), call, start, limit, more))
}

/// What an attribute holds, in the words of those who ask for it.
fn attribute(call: &Call, shows: &Shows) -> &'static str {
    match kind(call, shows) {
        "integer" | "number" | "rate" => "number",
        "boolean" => "boolean",
        _ => "string",
    }
}

/// Whether a question can be answered, part by part, without asking it.
pub fn validate(call: &Call) -> Result<Answer, ApiError> {
    let part =
        |name: &str, wrong: Option<String>| json!({ "name": name, "valid": wrong.is_none(), "error": wrong });
    let said = |e: ApiError| match e {
        ApiError::Bad(what) | ApiError::Missing(what) => what,
        ApiError::Query(e) => e.message,
        _ => "cannot be answered".to_owned(),
    };
    let data = dataset(call).map(|_| ()).err().map(said);
    let projects = call.projects().map(|_| ()).err().map(said);
    let scope = Scope::of(call);
    let shown = |name: &str| {
        let shows = column(call, name)?;
        if let (Shows::Figure(figure), Ok(scope)) = (&shows, &scope) {
            explore::aggregates(call, scope, figure)?;
        }
        Ok(shows)
    };
    let mut fields = Vec::new();
    for name in call.values("field") {
        let shown = shown(name);
        let attribute = shown.as_ref().map_or("string", |s| attribute(call, s));
        let mut view = part(name, shown.err().map(said));
        view["attrType"] = json!(attribute);
        fields.push(view);
    }
    let query = scope.and_then(|s| s.lower_events(call, call.value("query").unwrap_or("")));
    let query = query.map(|_| ()).err().map(said);
    let names = columns(call).unwrap_or_default();
    let sorted: Vec<&str> = call
        .value("sort")
        .or_else(|| call.value("orderby"))
        .into_iter()
        .collect();
    let sorted: Vec<Value> = sorted
        .iter()
        .map(|n| {
            let mut view = part(n, order(call, &names).err().map(said));
            let bare = n.trim_start_matches('-');
            view["attrType"] = json!(column(call, bare).map_or("string", |s| attribute(call, &s)));
            view
        })
        .collect();
    let environments: Vec<Value> = call.values("environment").iter().map(|n| part(n, None)).collect();
    let fine = data.is_none()
        && projects.is_none()
        && query.is_none()
        && fields.iter().chain(&sorted).all(|p| p["valid"] == true);
    let body = json!({
        "valid": fine, "projects": [{ "valid": projects.is_none(), "error": projects }],
        "dataset": [part(call.value("dataset").unwrap_or("errors"), data)], "environment": environments,
        "field": fields, "query": { "valid": query.is_none(), "error": query, "fields": [] }, "orderby": sorted,
    });
    let mut answer = Answer::json(body);
    if !fine {
        answer.status = http::StatusCode::BAD_REQUEST;
    }
    Ok(answer)
}

/// The groups that `topEvents` asks for: their names and fields.
fn grouped(call: &Call) -> Result<(Vec<String>, Vec<Field>, usize), ApiError> {
    let top = call
        .value("topEvents")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
        .min(TOP);
    if top == 0 {
        return Ok((vec![], vec![], 0));
    }
    let mut names: Vec<&str> = call.values("groupBy");
    names.extend(call.values("field"));
    let mut out = (vec![], vec![], top);
    for name in names {
        if let Shows::Plain(plain) = column(call, name)? {
            out.0.push(name.to_owned());
            out.1.push(explore::key(call, &plain)?);
        }
    }
    Ok(out)
}

fn axes(call: &Call) -> Vec<&str> {
    let all = call.values("yAxis");
    if all.is_empty() { vec!["count()"] } else { all }
}

fn key_text(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Str(s) => json!(s),
        Cell::Number(n) => number(*n),
    }
}

/// Figures over time, each a series of `{timestamp, value}` in milliseconds.
pub fn timeseries(call: &Call) -> Result<Answer, ApiError> {
    let kept = dataset(call)?;
    let scope = Scope::of(call)?;
    let pieces = Pieces::of(call, &scope)?;
    let filter = filter(call, &scope)?;
    let (names, by, top) = grouped(call)?;
    let step = pieces.step / 1000;
    let mut all = Vec::new();
    for axis in axes(call) {
        let found = if kept {
            lines(call, &scope, &filter, axis, &by, top, pieces)?
        } else {
            vec![]
        };
        for (line, order) in found.iter().zip(0..) {
            let values: Vec<Value> = pieces
                .seconds()
                .zip(&line.values)
                .map(|(s, v)| {
                    let open = s * 1_000_000 + pieces.step > call.now();
                    json!({ "timestamp": s * 1000, "value": number(*v), "incomplete": open })
                })
                .collect();
            let kind = column(call, axis).map_or("number", |s| kind(call, &s));
            let mut view = json!({
                "yAxis": axis, "values": values,
                "meta": { "valueType": kind, "valueUnit": null, "interval": step, "dataScanned": "full" },
            });
            if !names.is_empty() {
                let keys = names
                    .iter()
                    .zip(&line.key)
                    .map(|(n, k)| json!({ "key": n, "value": key_text(k) }));
                view["groupBy"] = json!(keys.collect::<Vec<_>>());
                view["meta"]["order"] = json!(order);
                view["meta"]["isOther"] = json!(false);
            }
            all.push(view);
        }
    }
    let end = pieces.start + i64::try_from(pieces.count).unwrap_or(0) * pieces.step;
    Ok(Answer::json(json!({
        "timeSeries": all,
        "meta": { "dataset": call.value("dataset").unwrap_or("errors"), "start": pieces.start / 1000, "end": end / 1000 },
    })))
}

fn stats_view(pieces: Pieces, line: Option<&Line>, order: usize) -> Value {
    let data: Vec<Value> = pieces
        .seconds()
        .enumerate()
        .map(|(i, s)| json!([s, [{ "count": number(line.map_or(0.0, |l| l.values[i])) }]]))
        .collect();
    let end = pieces.start + i64::try_from(pieces.count).unwrap_or(0) * pieces.step;
    json!({
        "data": data, "start": pieces.start / 1_000_000, "end": end / 1_000_000, "order": order,
        "isMetricsData": false, "meta": { "fields": {}, "units": {} },
    })
}

/// The older form of [`timeseries`]: `[[seconds, [{count}]], …]`, by axis or by group where there are several.
pub fn stats(call: &Call) -> Result<Answer, ApiError> {
    let kept = dataset(call)?;
    let scope = Scope::of(call)?;
    let pieces = Pieces::of(call, &scope)?;
    let filter = filter(call, &scope)?;
    let (names, by, top) = grouped(call)?;
    let axes = axes(call);
    let mut out = Map::new();
    for (axis, order) in axes.iter().zip(0..) {
        let found = if kept {
            lines(call, &scope, &filter, axis, &by, top, pieces)?
        } else {
            vec![]
        };
        if names.is_empty() {
            out.insert((*axis).to_owned(), stats_view(pieces, found.first(), order));
            continue;
        }
        for (line, order) in found.iter().zip(0..) {
            let key: Vec<String> = line
                .key
                .iter()
                .map(|k| match key_text(k) {
                    Value::String(s) => s,
                    other => other.to_string(),
                })
                .collect();
            out.insert(key.join(","), stats_view(pieces, Some(line), order));
        }
    }
    if names.is_empty() && axes.len() == 1 {
        return Ok(Answer::json(
            out.into_iter().next().map(|(_, v)| v).unwrap_or_default(),
        ));
    }
    Ok(Answer::json(Value::Object(out)))
}

/// What can be asked of items of a trace. Items are not kept yet; those of errors are.
pub fn attributes(call: &Call) -> Result<Answer, ApiError> {
    let item = call
        .value("itemType")
        .or_else(|| call.value("dataset"))
        .unwrap_or("spans");
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let part = call
        .value("substringMatch")
        .or_else(|| call.value("query"))
        .unwrap_or("")
        .to_lowercase();
    let columns = if matches!(item, "errors" | "occurrences") {
        call.api.stores.catalog.errors.columns
    } else {
        &[]
    };
    let fitting: Vec<_> = columns
        .iter()
        .filter(|c| c.name.to_lowercase().contains(&part))
        .collect();
    let more = fitting.len() > start.saturating_add(limit);
    let all: Vec<Value> = fitting
        .iter()
        .skip(start)
        .take(limit)
        .map(|c| {
            let kind = if c.kind == protocol::table::Type::Bool { "boolean" } else { "string" };
            json!({ "key": c.name, "name": c.name, "attributeType": kind, "attributeSource": { "source_type": "sentry" } })
        })
        .collect();
    Ok(paged(Answer::json(all), call, start, limit, more))
}

/// How values of attributes are spread over items of a trace, which are not kept yet.
pub fn attribute_stats(call: &Call) -> Result<Answer, ApiError> {
    if call.value("statsType").is_none() {
        return Err(ApiError::field("statsType", "This field is required."));
    }
    Ok(Answer::json(json!({ "data": [] })))
}

/// The errors of a trace. Its spans are not kept yet.
pub fn trace(call: &Call) -> Result<Answer, ApiError> {
    let (scope, rows) = of_trace(call)?;
    let mut out = Vec::new();
    for loaded in super::events::load_all(call, &rows)? {
        let row = &loaded.record.row;
        let project = scope.project(i64::try_from(row.project).unwrap_or(0));
        let issue = super::events::issue_of(call, &loaded)?;
        let text = |key: &str| loaded.json[key].as_str().unwrap_or("").to_owned();
        out.push(json!({
            "event_type": "error", "event_id": loaded.id(), "project_id": row.project,
            "project_slug": project.map_or("", |p| &p.slug), "description": text("title"),
            "transaction": text("transaction"), "issue_id": issue.unwrap_or(0), "level": text("level"),
            "start_timestamp": row.time as f64 / 1e6, "end_timestamp": row.time as f64 / 1e6,
            "culprit": text("culprit"), "short_id": null, "issue_type": 1, "children": [], "errors": [],
            "occurrences": [],
        }));
    }
    Ok(Answer::json(out))
}

fn of_trace(call: &Call) -> Result<(Scope, Vec<storage::columns::Found>), ApiError> {
    use storage::columns::{Answer as Found, Order, Question, Test};
    let id = call.param("trace").to_lowercase().replace('-', "");
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(ApiError::missing("Trace"));
    }
    let scope = Scope::of(call)?;
    let table = call.api.stores.catalog.errors;
    let filter = match table.column("trace") {
        Some(i) => Filter::Field(Field::Column(i), Test::Is(vec![id])),
        None => Filter::None,
    };
    let question = Question::Rows {
        order: Order::Oldest,
        after: None,
        limit: call.limit(100)?,
    };
    match scope.select(call, filter, None, question)? {
        Found::Rows { rows, .. } => Ok((scope, rows)),
        _ => Ok((scope, vec![])),
    }
}

/// How much a trace holds of each kind.
pub fn trace_meta(call: &Call) -> Result<Answer, ApiError> {
    let (_, rows) = of_trace(call)?;
    Ok(Answer::json(json!({
        "errors": rows.len(), "errorsCount": rows.len(), "logsCount": 0, "metricsCount": 0, "performanceIssuesCount": 0,
        "spansCount": 0, "uptimeCount": 0, "transactionChildCountMap": [], "spansCountMap": {},
    })))
}

/// The users that events of a project named.
pub fn users(call: &Call) -> Result<Answer, ApiError> {
    use storage::columns::{Aggregate, Answer as Found, GroupOrder, Question};
    let scope = Scope::of(call)?;
    let table = call.api.stores.catalog.errors;
    let names = ["user", "user.id", "user.email", "user.username", "user.ip"];
    let by: Vec<Field> = names
        .iter()
        .filter_map(|n| table.column(n))
        .map(Field::Column)
        .collect();
    let question = Question::Groups {
        by,
        every: None,
        aggregates: vec![Aggregate::Min(Field::Time), Aggregate::Count],
        order: GroupOrder::Aggregate(1),
        limit: 1_000,
    };
    let filter = match (call.value("query"), table.column("user")) {
        (Some(query), _) => scope.lower_events(call, &format!("user.{query}"))?,
        (None, Some(i)) => Filter::Field(Field::Column(i), storage::columns::Test::Present),
        (None, None) => Filter::All,
    };
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let Found::Groups(groups) = scope.select(call, filter, None, question)? else {
        return Ok(Answer::json(Vec::<Value>::new()));
    };
    let more = groups.len() > start.saturating_add(limit);
    let text = |c: Option<&Cell>| match c {
        Some(Cell::Str(s)) => s.clone(),
        _ => String::new(),
    };
    let page: Vec<Value> = groups
        .iter()
        .skip(start)
        .take(limit)
        .map(|g| {
            let (tag, id) = (text(g.key.first()), text(g.key.get(1)));
            let seen = match g.values.first() {
                Some(Cell::Number(us)) => views::time(*us as i64),
                _ => Value::Null,
            };
            let email = text(g.key.get(2));
            json!({
                "id": crate::token_hash(&tag)[..16], "tagValue": tag, "identifier": id, "email": email,
                "username": text(g.key.get(3)), "ipAddress": text(g.key.get(4)), "name": "", "avatarUrl": "",
                "hash": crate::token_hash(&tag)[..32], "dateCreated": seen,
            })
        })
        .collect();
    Ok(paged(Answer::json(page), call, start, limit, more))
}

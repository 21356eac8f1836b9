//! What a query means: a condition on issues and a filter on events that must both hold.
//!
//! Terms that look at issues become SQL where they stand alone in the top-level AND. Inside an OR with event
//! terms they become the set of hashes of the issues that fulfil them, which the caller looks up.

use std::collections::BTreeMap;

use protocol::table::{Table, Type};
use protocol::time::{day_of, parse_time};

use super::grammar::{Expr, Op, QueryError, Term, Text};
use super::keys::{IssueKey, STATES, event_field, issue_key};
use crate::columns::{Field, Filter, Test};
use crate::life::FRESH;
use crate::relational::issues::{Condition, parse_short_id};
use crate::sql::Value;

const DAY: i64 = 86_400_000_000;

/// What the language needs to know.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The table of events.
    pub table: &'static Table,
    /// Now, µs.
    pub now: i64,
    /// Who asks.
    pub me: Option<i64>,
    /// Users of the organization: number, e-mail address.
    pub users: &'a [(i64, String)],
    /// Teams of the organization: number, slug.
    pub teams: &'a [(i64, String)],
    /// The teams of who asks.
    pub my_teams: &'a [i64],
    /// Projects in scope: number, slug.
    pub projects: &'a [(i64, String)],
    /// The newest release of each project in scope.
    pub latest: &'a [String],
}

/// What a query means.
#[derive(Debug, Clone, PartialEq)]
pub struct Lowered {
    /// On issues.
    pub condition: Condition,
    /// On events.
    pub filter: Filter,
}

/// Looks up the hashes of the issues that fulfil a condition: the project of each, and the hash as hex.
pub type Resolve<'a> = &'a mut dyn FnMut(&Condition) -> Result<Vec<(u64, String)>, QueryError>;

/// The events of issues, by the hashes of these. Projects share hashes where they share code, so each counts in
/// its own project only.
pub fn of_hashes(hashes: Vec<(u64, String)>) -> Filter {
    let mut by_project: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (project, hash) in hashes {
        by_project.entry(project).or_default().push(hash);
    }
    let mut any: Vec<Filter> = by_project
        .into_iter()
        .map(|(project, hashes)| {
            let project = Filter::Field(Field::Project, Test::Is(vec![project.to_string()]));
            project.and(Filter::Field(Field::Hash, Test::Is(hashes)))
        })
        .collect();
    match any.len() {
        0 => Filter::None,
        1 => any.remove(0),
        _ => Filter::Or(any),
    }
}

/// Says what a query means.
///
/// # Errors
/// [`QueryError`] where a value does not fit its key.
pub fn lower(expr: &Expr, context: &Context<'_>, resolve: Resolve<'_>) -> Result<Lowered, QueryError> {
    let parts = match expr {
        Expr::And(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut conditions = Vec::new();
    let mut filter = Filter::All;
    for part in parts {
        if is_pure_issue(part) {
            conditions.push(condition(part, context)?);
        } else {
            filter = filter.and(events(part, context, resolve)?);
        }
    }
    Ok(Lowered {
        condition: Condition::join(conditions, " and ", "true"),
        filter,
    })
}

/// Says what a query means for events alone: issue terms become sets of hashes.
///
/// # Errors
/// As [`lower`].
pub fn lower_events(expr: &Expr, context: &Context<'_>, resolve: Resolve<'_>) -> Result<Filter, QueryError> {
    events(expr, context, resolve)
}

fn has_key(term: &Term) -> Option<&str> {
    (term.key == "has" && !term.is_tag).then(|| term.values.first().map_or("", |v| v.text.as_str()))
}

fn is_issue_term(term: &Term) -> bool {
    !term.is_tag && (issue_key(&term.key).is_some() || has_key(term).is_some_and(|k| issue_key(k).is_some()))
}

fn is_pure_issue(expr: &Expr) -> bool {
    match expr {
        Expr::All => true,
        Expr::And(v) | Expr::Or(v) => v.iter().all(is_pure_issue),
        Expr::Not(e) => is_pure_issue(e),
        Expr::Term(t) => is_issue_term(t),
        Expr::Free(_) => false,
    }
}

fn error<T>(at: (usize, usize), message: impl Into<String>) -> Result<T, QueryError> {
    Err(QueryError {
        start: at.0,
        end: at.1,
        message: message.into(),
    })
}

// ---- events

fn events(expr: &Expr, context: &Context<'_>, resolve: Resolve<'_>) -> Result<Filter, QueryError> {
    Ok(match expr {
        Expr::All => Filter::All,
        pure if !matches!(pure, Expr::And(_) | Expr::Or(_)) && is_pure_issue(pure) => {
            of_hashes(resolve(&condition(pure, context)?)?)
        }
        Expr::And(v) => {
            let mut all = Filter::All;
            for e in v {
                all = all.and(events(e, context, resolve)?);
            }
            all
        }
        Expr::Or(v) => {
            let mut any = Vec::new();
            for e in v {
                any.push(events(e, context, resolve)?);
            }
            Filter::Or(any)
        }
        Expr::Not(e) => Filter::Not(Box::new(events(e, context, resolve)?)),
        Expr::Free(text) => free(&text.plain(), context.table),
        Expr::Term(term) => event_term(term, context)?,
    })
}

/// Words in the message or the title.
fn free(text: &str, table: &Table) -> Filter {
    let words = text.replace('*', " ");
    if crate::columns::tokens(&words).next().is_none() {
        return Filter::All;
    }
    let fields = ["message", "title"].iter().filter_map(|n| table.column(n));
    let test = |i| Filter::Field(Field::Column(i), Test::Words(words.clone()));
    Filter::Or(fields.map(test).collect())
}

fn event_term(term: &Term, context: &Context<'_>) -> Result<Filter, QueryError> {
    if let Some(key) = has_key(term) {
        let (field, _) = event_field(context.table, key);
        return Ok(Filter::Field(field, Test::Present));
    }
    if !term.is_tag && matches!(term.key.as_str(), "project" | "project.id" | "project.name") {
        return project(term, context);
    }
    if !term.is_tag
        && let Some(part) = term.key.strip_prefix("release.")
    {
        return release_part(term, part, context);
    }
    let (field, kind) = if term.is_tag {
        (Field::Tag(term.key.clone()), Type::Text)
    } else {
        event_field(context.table, &term.key)
    };
    let one = |value: &Text| one_value(term, &field, kind, value, context);
    let mut any = term.values.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    // Several plain texts are one test.
    if any.len() > 1 && any.iter().all(|f| matches!(f, Filter::Field(_, Test::Is(_)))) {
        let all = any.drain(..).flat_map(|f| match f {
            Filter::Field(_, Test::Is(v)) => v,
            _ => vec![],
        });
        return Ok(Filter::Field(field, Test::Is(all.collect())));
    }
    Ok(if any.len() == 1 {
        any.remove(0)
    } else {
        Filter::Or(any)
    })
}

fn one_value(
    term: &Term,
    field: &Field,
    kind: Type,
    value: &Text,
    context: &Context<'_>,
) -> Result<Filter, QueryError> {
    let plain = value.plain();
    if plain.is_empty() {
        return Ok(Filter::Not(Box::new(Filter::Field(field.clone(), Test::Present))));
    }
    let test = match kind {
        Type::Time => {
            let (from, to) = time_range(term.op, value, context.now)?;
            Test::Between(from.map(|n| n as f64), to.map(|n| n as f64))
        }
        Type::Bool => {
            let on = match plain.to_lowercase().as_str() {
                "true" | "1" | "yes" => 1.0,
                "false" | "0" | "no" => 0.0,
                _ => return error(value.span, format!("'{}' is true or false", term.key)),
            };
            Test::Between(Some(on), Some(on))
        }
        Type::Int | Type::Float => number_test(term, value, kind == Type::Int)?,
        Type::Words => Test::Words(plain.replace('*', " ")),
        Type::Text | Type::Texts | Type::SharedTexts if term.op != Op::Is => {
            let tag = matches!(field, Field::Tag(_)) && plain.parse::<f64>().is_ok();
            if tag || field_is_number_like(&term.key) {
                number_test(term, value, false)?
            } else {
                let message = format!("'{}' holds text: it cannot be compared with > or <", term.key);
                return error(value.span, message);
            }
        }
        Type::Text | Type::Texts | Type::SharedTexts => match field {
            Field::Id | Field::Hash => match plain.parse::<protocol::ids::EventId>() {
                Ok(id) => Test::Is(vec![id.to_string()]),
                Err(_) => return error(value.span, format!("'{}' takes 32 hex digits", term.key)),
            },
            _ if term.key == "release" && plain == "latest" && !term.is_tag => {
                Test::Is(context.latest.to_vec())
            }
            _ if value.is_pattern() && !term.is_list => Test::Like(value.text.clone()),
            _ => Test::Is(vec![plain]),
        },
    };
    Ok(match test {
        Test::Words(w) if crate::columns::tokens(&w).next().is_none() => {
            Filter::Field(field.clone(), Test::Present)
        }
        Test::Is(list) if list.is_empty() => Filter::None,
        test => Filter::Field(field.clone(), test),
    })
}

fn field_is_number_like(key: &str) -> bool {
    matches!(key, "http.status_code" | "os.version" | "os.build")
}

fn project(term: &Term, context: &Context<'_>) -> Result<Filter, QueryError> {
    let mut any = Vec::new();
    for value in &term.values {
        let text = value.plain();
        let found = context
            .projects
            .iter()
            .find(|(id, slug)| *slug == text || id.to_string() == text);
        match found {
            Some((id, _)) => {
                let id = *id as f64;
                any.push(Filter::Field(Field::Project, Test::Between(Some(id), Some(id))));
            }
            None => return error(value.span, format!("no project '{text}' is in scope")),
        }
    }
    Ok(Filter::Or(any))
}

fn release_part(term: &Term, part: &str, context: &Context<'_>) -> Result<Filter, QueryError> {
    let (field, _) = event_field(context.table, "release");
    let mut any = Vec::new();
    for value in &term.values {
        let v = &value.text;
        let patterns = match part {
            "version" => vec![format!("*@{v}"), format!("*@{v}+*")],
            "package" => vec![format!("{v}@*")],
            "build" => vec![format!("*+{v}")],
            _ => {
                return error(
                    term.span,
                    "releases have release.version, release.package and release.build",
                );
            }
        };
        any.extend(
            patterns
                .into_iter()
                .map(|p| Filter::Field(field.clone(), Test::Like(p))),
        );
    }
    Ok(Filter::Or(any))
}

// ---- numbers and times

fn number(term: &Term, value: &Text) -> Result<f64, QueryError> {
    let text = value.plain().to_lowercase();
    let (digits, factor) = match text.chars().last() {
        Some('k') => (&text[..text.len() - 1], 1e3),
        Some('m') => (&text[..text.len() - 1], 1e6),
        Some('b') => (&text[..text.len() - 1], 1e9),
        _ => (text.as_str(), 1.0),
    };
    match digits.parse::<f64>() {
        Ok(n) if n.is_finite() => Ok(n * factor),
        _ => error(
            value.span,
            format!("'{}' takes a number, such as 10, >100 or 1.5k", term.key),
        ),
    }
}

fn number_test(term: &Term, value: &Text, whole: bool) -> Result<Test, QueryError> {
    let n = number(term, value)?;
    let step = |n: f64, up: bool| match (whole, up) {
        (true, true) => n.floor() + 1.0,
        (true, false) => n.ceil() - 1.0,
        (false, true) => n.next_up(),
        (false, false) => n.next_down(),
    };
    Ok(match term.op {
        Op::Is => Test::Between(Some(n), Some(n)),
        Op::AtLeast => Test::Between(Some(n), None),
        Op::AtMost => Test::Between(None, Some(n)),
        Op::Greater => Test::Between(Some(step(n, true)), None),
        Op::Less => Test::Between(None, Some(step(n, false))),
    })
}

/// Both ends included.
fn time_range(op: Op, value: &Text, now: i64) -> Result<(Option<i64>, Option<i64>), QueryError> {
    let text = value.plain();
    if let Some(sign @ ('-' | '+')) = text.chars().next() {
        let Some(ago) = span(&text[1..]) else {
            return error(
                value.span,
                "a relative time is like -24h (newer) or +7d (older); units m, h, d, w",
            );
        };
        let edge = now - ago;
        return Ok(match (op, sign) {
            (Op::Is, '-') | (Op::AtLeast | Op::Greater, _) => (Some(edge), None),
            _ => (None, Some(edge)),
        });
    }
    let (from, to) = if text.len() == 10 && text.as_bytes().get(4) == Some(&b'-') {
        let Some(day) = protocol::time::parse_day(&text) else {
            return error(value.span, "a day is like 2026-11-26");
        };
        let from = i64::from(day) * DAY;
        (from, from + DAY - 1)
    } else {
        match parse_time(&text) {
            Some(t) => (t, t),
            None => {
                return error(
                    value.span,
                    "a time is like 2026-11-26T12:30:00Z, 2026-11-26, -24h or +7d",
                );
            }
        }
    };
    debug_assert!(day_of(from) <= day_of(to));
    Ok(match op {
        Op::Is => (Some(from), Some(to)),
        Op::Greater => (Some(to + 1), None),
        Op::AtLeast => (Some(from), None),
        Op::Less => (None, Some(from - 1)),
        Op::AtMost => (None, Some(to)),
    })
}

/// Reads `90m`, `24h`, `7d`, `2w` as µs.
pub fn span(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1_000_000,
        'm' => 60_000_000,
        'h' => 3_600_000_000,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let n: i64 = text[..text.len() - 1].parse().ok().filter(|n| *n >= 0)?;
    n.checked_mul(unit)
}

// ---- issues

fn condition(expr: &Expr, context: &Context<'_>) -> Result<Condition, QueryError> {
    let list = |v: &[Expr], word: &str| {
        let parts = v
            .iter()
            .map(|e| condition(e, context))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Condition::join(parts, word, "true"))
    };
    match expr {
        Expr::All | Expr::Free(_) => Ok(Condition::new("true", vec![])),
        Expr::And(v) => list(v, " and "),
        Expr::Or(v) => list(v, " or "),
        Expr::Not(e) => condition(e, context).map(Condition::negate),
        Expr::Term(term) => issue_term(term, context),
    }
}

fn issue_term(term: &Term, context: &Context<'_>) -> Result<Condition, QueryError> {
    if let Some(key) = has_key(term) {
        return Ok(Condition::new(
            match issue_key(key).map(|k| k.key) {
                Some(IssueKey::Assigned) => assigned::SOMEBODY,
                Some(IssueKey::FirstRelease) => "i.first_release is not null",
                Some(IssueKey::Bookmarks) => "exists (select 1 from bookmarks b where b.issue_id = i.id)",
                _ => "true",
            },
            vec![],
        ));
    }
    let Some(info) = issue_key(&term.key) else {
        return error(term.span, format!("'{}' is not a key of issues", term.key));
    };
    if term.is_list && info.key == IssueKey::Is {
        return error(term.span, "'is' takes one value: write is:a OR is:b");
    }
    let mut any = Vec::new();
    for value in &term.values {
        any.push(issue_value(term, info.key, value, context)?);
    }
    Ok(Condition::join(any, " or ", "false"))
}

fn issue_value(
    term: &Term,
    key: IssueKey,
    value: &Text,
    context: &Context<'_>,
) -> Result<Condition, QueryError> {
    let text = value.plain();
    let plain = |sql: &str, v: Vec<Value>| Ok(Condition::new(sql, v));
    match key {
        IssueKey::Is => state(&text, value, context.now),
        IssueKey::Assigned => assigned::assigned(&text, value, context),
        IssueKey::Bookmarks | IssueKey::Subscribed => {
            let (table, extra) = match key {
                IssueKey::Bookmarks => ("bookmarks", ""),
                _ => ("subscriptions", " and b.is_active = 1"),
            };
            let exists = format!("exists (select 1 from {table} b where b.issue_id = i.id{extra}");
            Ok(match person(&text, value, context)? {
                None => Condition::new(format!("not {exists})"), vec![]),
                Some(ids) => {
                    let inner = one_of("b.user_id", &ids)?;
                    Condition::new(format!("{exists} and {})", inner.sql), inner.values)
                }
            })
        }
        IssueKey::FirstSeen => between("i.first_seen", time_range(term.op, value, context.now)?),
        IssueKey::LastSeen => between("i.last_seen", time_range(term.op, value, context.now)?),
        IssueKey::TimesSeen | IssueKey::UserCount => {
            let column = if key == IssueKey::TimesSeen {
                "i.times_seen"
            } else {
                "i.users_seen"
            };
            let Test::Between(from, to) = number_test(term, value, true)? else {
                return plain("true", vec![]);
            };
            between(
                column,
                (from.map(|n| n.ceil() as i64), to.map(|n| n.floor() as i64)),
            )
        }
        IssueKey::FirstRelease => {
            let list = if text == "latest" {
                context.latest.to_vec()
            } else {
                vec![text]
            };
            let parts = list
                .into_iter()
                .map(|v| Condition::new("i.first_release = ?", vec![v.into()]))
                .collect();
            Ok(Condition::join(parts, " or ", "false"))
        }
        IssueKey::Issue => {
            let Some((slug, number)) = parse_short_id(&text) else {
                return error(value.span, "a short id is like SHOP-1A");
            };
            match context.projects.iter().find(|(_, s)| *s == slug) {
                Some((id, _)) => plain(
                    "i.project_id = ? and i.short_number = ?",
                    vec![(*id).into(), number.into()],
                ),
                None => plain("false", vec![]),
            }
        }
        IssueKey::IssueId => match text.parse::<i64>() {
            Ok(id) => plain("i.id = ?", vec![id.into()]),
            Err(_) => error(value.span, "issue.id takes a number"),
        },
        IssueKey::Priority => match text.as_str() {
            "high" | "medium" | "med" | "low" => {
                let name = if text == "med" { "medium" } else { &text };
                plain("i.priority = ?", vec![name.into()])
            }
            _ => error(value.span, "issue.priority is high, medium or low"),
        },
        IssueKey::Category => plain(if text == "error" { "true" } else { "false" }, vec![]),
        IssueKey::IssueType => plain("i.kind = ?", vec![text.into()]),
    }
}

fn between(column: &str, (from, to): (Option<i64>, Option<i64>)) -> Result<Condition, QueryError> {
    let mut parts = Vec::new();
    if let Some(from) = from {
        parts.push(Condition::new(format!("{column} >= ?"), vec![from.into()]));
    }
    if let Some(to) = to {
        parts.push(Condition::new(format!("{column} <= ?"), vec![to.into()]));
    }
    Ok(Condition::join(parts, " and ", "true"))
}

fn one_of(column: &str, ids: &[i64]) -> Result<Condition, QueryError> {
    let parts = ids
        .iter()
        .map(|id| Condition::new(format!("{column} = ?"), vec![(*id).into()]))
        .collect();
    Ok(Condition::join(parts, " or ", "false"))
}

/// The users that a name stands for; `None` is nobody.
fn person(text: &str, value: &Text, context: &Context<'_>) -> Result<Option<Vec<i64>>, QueryError> {
    match text {
        "none" => Ok(None),
        "me" => match context.me {
            Some(me) => Ok(Some(vec![me])),
            None => error(value.span, "'me' needs a user: a token without one cannot use it"),
        },
        "my_teams" => Ok(Some(context.me.into_iter().collect())),
        _ => {
            let name = text.to_lowercase();
            let found: Vec<i64> = context
                .users
                .iter()
                .filter(|(id, email)| *email == name || id.to_string() == name)
                .map(|(id, _)| *id)
                .collect();
            if found.is_empty() {
                return error(
                    value.span,
                    format!("nobody here is called '{text}': use me, none or an e-mail address"),
                );
            }
            Ok(Some(found))
        }
    }
}

fn state(text: &str, value: &Text, now: i64) -> Result<Condition, QueryError> {
    let fresh = |name: &str| {
        Condition::new(
            "i.status = 'unresolved' and i.substatus = ? and i.status_changed > ?",
            vec![name.into(), (now - FRESH).into()],
        )
    };
    let substatus =
        |name: &str| Condition::new("i.status = 'ignored' and i.substatus = ?", vec![name.into()]);
    Ok(match text {
        "unresolved" | "resolved" => Condition::new("i.status = ?", vec![text.into()]),
        "archived" | "ignored" | "muted" => Condition::new("i.status = 'ignored'", vec![]),
        "new" | "escalating" | "regressed" => fresh(text),
        "ongoing" => Condition::new(
            "i.status = 'unresolved' and (i.substatus = 'ongoing' or i.status_changed <= ?)",
            vec![(now - FRESH).into()],
        ),
        "archived_until_escalating" | "until_escalating" => substatus("archived_until_escalating"),
        "archived_until_condition_met" | "until_condition_met" => substatus("archived_until_condition_met"),
        "archived_forever" | "forever" => substatus("archived_forever"),
        "assigned" => Condition::new(assigned::SOMEBODY, vec![]),
        "unassigned" => Condition::new(assigned::NOBODY, vec![]),
        // Waits for a first look: new, escalating or regressed, with nobody in charge.
        "for_review" => Condition::new(
            "i.status = 'unresolved' and i.assigned_user is null and i.assigned_team is null \
             and i.status_changed > ? and i.substatus in ('new', 'escalating', 'regressed')",
            vec![(now - FRESH).into()],
        ),
        "linked" => Condition::new("false", vec![]),
        "unlinked" => Condition::new("true", vec![]),
        _ => {
            let all = STATES.join(", ");
            return error(value.span, format!("'is' knows: {all}"));
        }
    })
}

mod assigned;

#[cfg(test)]
mod tests;

//! The text of stack-trace rules, read into [`Rule`]s.

use super::glob::Glob;
use super::text::{Cursor, RulesError};
use super::{Action, Families, Field, Matcher, Rule, Span, Test};
use crate::grouping::Family;

/// Reads rules, one a line.
///
/// # Errors
/// The first line that cannot be read, and what is wrong with it.
pub fn parse(text: &str) -> Result<Vec<Rule>, RulesError> {
    Cursor::lines(text).map(|mut line| rule(&mut line)).collect()
}

fn rule(c: &mut Cursor<'_>) -> Result<Rule, RulesError> {
    let text = c.text().to_owned();
    let mut rule = Rule {
        caller: None,
        matchers: Vec::new(),
        callee: None,
        actions: Vec::new(),
        text: text.into(),
    };
    if c.take("[") {
        rule.caller = Some(bracket(c)?);
        c.space();
        if !c.take("|") {
            return c.error("expected `|` after the bracket");
        }
        c.space();
        if c.rest().starts_with('[') {
            return c.error("only one bracket may stand on a side");
        }
    }
    loop {
        c.space();
        if c.take("|") {
            c.space();
            if !c.take("[") {
                return c.error("expected `[` after `|`");
            }
            if rule.matchers.is_empty() {
                return c.error("expected a matcher before `|`");
            }
            rule.callee = Some(bracket(c)?);
            c.space();
            if c.rest().starts_with('|') {
                return c.error("only one bracket may stand on a side");
            }
            break;
        }
        let start = c.position();
        match matcher(c)? {
            Some(m) => rule.matchers.push(m),
            None => {
                c.back_to(start);
                break;
            }
        }
    }
    if rule.matchers.is_empty() {
        return c.error("expected a matcher such as `function:name`");
    }
    loop {
        c.space();
        if c.end() {
            break;
        }
        rule.actions.extend(action(c)?);
    }
    Ok(rule)
}

fn bracket(c: &mut Cursor<'_>) -> Result<Matcher, RulesError> {
    c.space();
    let Some(m) = matcher(c)? else {
        return c.error("expected a matcher in the bracket");
    };
    c.space();
    if !c.take("]") {
        return c.error("expected `]`");
    }
    Ok(m)
}

fn matcher(c: &mut Cursor<'_>) -> Result<Option<Matcher>, RulesError> {
    let start = c.position();
    let negated = c.take("!");
    let Some(key) = c.key() else { return Ok(None) };
    if !c.take(":") {
        c.back_to(start);
        return Ok(None);
    }
    let Some(value) = c.value() else {
        return c.error(format!("expected a value for `{key}`"));
    };
    let test = match key.as_str() {
        "function" | "stack.function" => Test::Name(Field::Function, Glob::name(&value)),
        "module" | "stack.module" => Test::Name(Field::Module, Glob::name(&value)),
        "category" | "stack.category" => Test::Category(Glob::name(&value)),
        "path" | "stack.abs_path" => Test::Path(Glob::path(&value)),
        "package" | "stack.package" => Test::Package(Glob::path(&value)),
        "family" => Test::Family(families(&value)),
        "app" | "in-app" | "stack.in_app" => Test::App(match value.as_str() {
            "1" | "yes" | "true" => Some(true),
            "0" | "no" | "false" => Some(false),
            _ => None,
        }),
        "type" | "error.type" => Test::Error(Field::Type, Glob::name(&value)),
        "value" | "error.value" => Test::Error(Field::Value, Glob::name(&value)),
        "mechanism" | "error.mechanism" => Test::Error(Field::Mechanism, Glob::name(&value)),
        _ => {
            c.back_to(start);
            return c.error(format!("unknown matcher `{key}`"));
        }
    };
    Ok(Some(Matcher {
        negated,
        test,
        number: None,
    }))
}

fn families(list: &str) -> Families {
    let mut set = Families::default();
    for name in list.split(',') {
        match name {
            "native" => set.add(Family::Native),
            "javascript" => set.add(Family::JavaScript),
            "other" => set.add(Family::Other),
            "all" => set = Families::ALL,
            _ => {}
        }
    }
    set
}

fn action(c: &mut Cursor<'_>) -> Result<Option<Action>, RulesError> {
    let start = c.position();
    let span = if c.take("^") {
        Span::Callees
    } else if c.rest().starts_with("v+") || c.rest().starts_with("v-") {
        c.take("v");
        Span::Callers
    } else {
        Span::This
    };
    let flag = if c.take("+") {
        Some(true)
    } else if c.take("-") {
        Some(false)
    } else {
        None
    };
    let name = c.key().unwrap_or_default();
    if let Some(flag) = flag {
        return match name.as_str() {
            "app" => Ok(Some(Action::App(span, flag))),
            "group" => Ok(Some(Action::Group(span, flag))),
            _ => {
                c.back_to(start);
                c.error("expected `app` or `group` after the sign")
            }
        };
    }
    if span == Span::This && c.take("=") {
        let value = c.value().unwrap_or_default();
        let number = value.parse::<usize>().ok();
        return match (name.as_str(), number) {
            ("category", _) if !value.is_empty() => Ok(Some(Action::Category(value.into()))),
            ("max-frames", Some(n)) => Ok(Some(Action::MaxFrames(n))),
            ("min-frames", Some(n)) => Ok(Some(Action::MinFrames(n))),
            // Older rule texts hold it; it means nothing today.
            ("invert-stacktrace", Some(_)) => Ok(None),
            _ => {
                c.back_to(start);
                c.error(format!("cannot read `{name}={value}`"))
            }
        };
    }
    c.back_to(start);
    c.error("expected an action such as `-app`, `^-group` or `category=name`")
}

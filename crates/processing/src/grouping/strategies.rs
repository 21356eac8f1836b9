//! The strategies: what of an event is looked at, in order of priority.

use protocol::json::{Json, Map};

use super::component::Component;
use super::rules::{Rule, RuleError};
use super::stack::views;
use super::{frame, groups, message, security};

/// What gave the components.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Exceptions.
    Exception,
    /// A thread.
    Threads,
    /// The stack trace of the event itself.
    Stacktrace,
    /// A template of a template engine.
    Template,
    /// A report of a content security policy.
    Csp,
    /// A report of another kind.
    Report,
    /// The message.
    Message,
}

/// A strategy as a function of event, rules and platform.
type Look<'a> = fn(&'a Json<'_>, &[&'a [Rule]], &'a str) -> Components<'a>;

type Components<'a> = Vec<(&'static str, Component<'a>)>;

/// Runs the strategies; the first that has something to contribute wins. Those before it are left out, as they
/// had nothing.
pub fn run<'a>(event: &'a Json<'_>, rules: &[&'a [Rule]]) -> (Option<Strategy>, Components<'a>) {
    let platform = event.str_at(&["platform"]).unwrap_or("other");
    let mut kept = Vec::new();
    let order: [(Strategy, Look<'a>); 7] = [
        (Strategy::Exception, exception),
        (Strategy::Threads, threads),
        (Strategy::Stacktrace, stacktrace),
        (Strategy::Template, template),
        (Strategy::Csp, csp),
        (Strategy::Report, report),
        (Strategy::Message, log),
    ];
    for (strategy, look) in order {
        let mut found = look(event, rules, platform);
        settle(&mut found);
        if found.iter().any(|(_, c)| c.contributes) {
            return (Some(strategy), found);
        }
        kept.extend(found);
    }
    kept.truncate(4);
    (None, kept)
}

/// Of the views of the same thing only those stay that say something of their own.
fn settle(found: &mut Components<'_>) {
    let [(_, app), (_, system)] = found.as_mut_slice() else {
        return;
    };
    if !app.contributes || !system.contributes {
        return;
    }
    match (app.has_contributing_stack(), system.has_contributing_stack()) {
        (true, false) => system.ignore("ignored as it has no stack trace, unlike the other view"),
        (false, true) => app.ignore("ignored as it has no stack trace, unlike the other view"),
        _ => {
            if app.contributes_same(system) {
                system.ignore("ignored as it is the same as the other view");
            }
        }
    }
}

/// The list under `values`, or the value itself where it is a list.
fn values<'a, 'b>(interface: Option<&'a Json<'b>>) -> Vec<&'a Map<'b>> {
    let list = interface.and_then(|v| v.as_array().or_else(|| v.get("values")?.as_array()));
    list.unwrap_or_default()
        .iter()
        .filter_map(Json::as_object)
        .collect()
}

/// What rules may ask about an exception.
pub fn rule_error<'a>(exception: &'a Map<'_>) -> RuleError<'a> {
    RuleError {
        kind: exception.str("type"),
        value: exception.str("value"),
        mechanism: exception.object("mechanism").and_then(|m| m.str("type")),
    }
}

fn exception<'a>(event: &'a Json<'_>, rules: &[&'a [Rule]], platform: &'a str) -> Components<'a> {
    let values = values(event.get("exception"));
    let views: Vec<(Component<'a>, Option<Component<'a>>)> =
        values.iter().map(|e| single(e, rules, platform)).collect();
    let picked = groups::pick(event, &values, &|a, b| views[a] == views[b]);
    if let [one] = picked.as_slice() {
        let (app, system) = views[*one].clone();
        let mut out = vec![("app", app)];
        out.extend(system.map(|s| ("system", s)));
        return out;
    }
    if picked.is_empty() {
        return Vec::new();
    }
    let app: Vec<_> = picked.iter().map(|&i| views[i].0.clone()).collect();
    let system: Vec<_> = picked.iter().filter_map(|&i| views[i].1.clone()).collect();
    let mut out = vec![("app", Component::list("chained-exception", app))];
    if !system.is_empty() {
        out.push(("system", Component::list("chained-exception", system)));
    }
    out
}

/// The views of one exception; without a stack there is only one.
fn single<'a>(
    exception: &'a Map<'_>,
    rules: &[&'a [Rule]],
    platform: &'a str,
) -> (Component<'a>, Option<Component<'a>>) {
    let error = rule_error(exception);
    match exception.get("stacktrace").filter(|s| s.as_object().is_some()) {
        Some(trace) => {
            let [app, system] = views(trace, platform, rules, &error);
            (
                assemble(exception, Some(app)),
                Some(assemble(exception, Some(system))),
            )
        }
        None => (assemble(exception, None), None),
    }
}

fn assemble<'a>(exception: &'a Map<'_>, stack: Option<Component<'a>>) -> Component<'a> {
    let mut parts = Vec::with_capacity(4);
    let mechanism = exception.object("mechanism");
    if let Some(kind) = exception.str("type").filter(|s| !s.is_empty()) {
        let mut part = Component::text("type", kind);
        if mechanism.and_then(|m| m.get("synthetic")).and_then(Json::as_bool) == Some(true) {
            part.ignore("ignored as the exception was made up to carry a stack trace");
        }
        parts.push(part);
    }
    let ns_error = mechanism
        .and_then(|m| m.object("meta")?.object("ns_error"))
        .map(|e| {
            let mut parts = Vec::with_capacity(2);
            if let Some(domain) = e.str("domain") {
                parts.push(Component::text("domain", domain));
            }
            match e.get("code") {
                Some(Json::Number(n)) => parts.push(Component::text("code", n.text())),
                Some(Json::Str(s)) => parts.push(Component::text("code", &**s)),
                _ => {}
            }
            Component::list("ns-error", parts)
        });
    if let Some(value) = exception.str("value").filter(|s| !s.is_empty()) {
        let text = message::normalized(value);
        let mut part = Component::text("value", text);
        if stack.as_ref().is_some_and(|s| s.contributes) {
            part.ignore("the stack trace takes precedence");
        } else if ns_error.as_ref().is_some_and(|e| e.contributes) {
            part.ignore("the error code takes precedence");
        }
        parts.push(part);
    }
    parts.extend(ns_error);
    parts.extend(stack);
    Component::list("exception", parts)
}

fn threads<'a>(event: &'a Json<'_>, rules: &[&'a [Rule]], platform: &'a str) -> Components<'a> {
    let Some(thread) = event.as_object().and_then(deciding_thread) else {
        return Vec::new();
    };
    let Some(trace) = thread.get("stacktrace").filter(|s| s.as_object().is_some()) else {
        return Vec::new();
    };
    let [app, system] = views(trace, platform, rules, &RuleError::default());
    let list = |stack| Component::list("threads", vec![stack]);
    vec![("app", list(app)), ("system", list(system))]
}

/// The single crashed thread, else the single current one, else the only one.
pub fn deciding_thread<'a, 'b>(event: &'a Map<'b>) -> Option<&'a Map<'b>> {
    let threads = values(event.get("threads"));
    for flag in ["crashed", "current"] {
        let mut marked = threads
            .iter()
            .filter(|t| t.get(flag).and_then(Json::as_bool) == Some(true));
        if let (Some(one), None) = (marked.next(), marked.next()) {
            return Some(one);
        }
    }
    if let [one] = threads.as_slice() {
        Some(one)
    } else {
        None
    }
}

fn stacktrace<'a>(event: &'a Json<'_>, rules: &[&'a [Rule]], platform: &'a str) -> Components<'a> {
    let Some(trace) = event.get("stacktrace").filter(|s| s.as_object().is_some()) else {
        return Vec::new();
    };
    let [app, system] = views(trace, platform, rules, &RuleError::default());
    vec![("app", app), ("system", system)]
}

fn template<'a>(event: &'a Json<'_>, _: &[&'a [Rule]], _: &'a str) -> Components<'a> {
    let Some(template) = event.get("template").and_then(Json::as_object) else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    if let Some(name) = template.str("filename").filter(|s| !s.is_empty()) {
        parts.push(Component::text("filename", name));
    }
    if let Some(line) = template.str("context_line").filter(|s| !s.is_empty()) {
        parts.push(Component::text("context-line", frame::one_spaced(line)));
    }
    vec![("default", Component::list("template", parts))]
}

fn csp<'a>(event: &'a Json<'_>, _: &[&'a [Rule]], _: &'a str) -> Components<'a> {
    let report = event.get("csp").filter(|r| r.as_object().is_some());
    report
        .map(|r| vec![("default", security::csp(r))])
        .unwrap_or_default()
}

fn report<'a>(event: &'a Json<'_>, _: &[&'a [Rule]], _: &'a str) -> Components<'a> {
    for (key, name) in [
        ("hpkp", "hpkp"),
        ("expectstaple", "expect-staple"),
        ("expectct", "expect-ct"),
    ] {
        if let Some(report) = event.get(key).filter(|r| r.as_object().is_some()) {
            return vec![("default", security::report(name, report))];
        }
    }
    Vec::new()
}

fn log<'a>(event: &'a Json<'_>, _: &[&'a [Rule]], _: &'a str) -> Components<'a> {
    let Some(entry) = event.get("logentry") else {
        return Vec::new();
    };
    let text = ["message", "formatted"]
        .into_iter()
        .find_map(|key| entry.str_at(&[key]).filter(|s| !s.is_empty()));
    match text {
        Some(text) => vec![("default", Component::text("message", message::normalized(text)))],
        None => Vec::new(),
    }
}

//! What is settled on the frames of an event before it is grouped, and stored with it.

use std::cell::RefCell;

use protocol::json::{Json, Map};

use super::frame::Frame;
use super::rules::{self, Rule, RuleError};
use super::stack::write_key;
use super::trim::trim_function;
use super::{Family, strategies};
use crate::memo::Memo;

/// Trims function names, cuts query strings from the file names of scripts, and lets the stack-trace rules say
/// which frames are in app and of which category they are.
pub fn prepare(event: &mut Json<'_>, rules: &[&[Rule]]) {
    let platform = event.str_at(&["platform"]).unwrap_or("other").to_owned();
    if let Some(values) = list(event.get_mut("exception")) {
        for exception in values {
            let Some(exception) = exception.as_object_mut() else {
                continue;
            };
            let Some(mut stack) = take_stack(exception) else {
                continue;
            };
            stacktrace(&mut stack, &platform, rules, &strategies::rule_error(exception));
            put_stack(exception, stack);
        }
    }
    if let Some(values) = list(event.get_mut("threads")) {
        for thread in values.iter_mut().filter_map(Json::as_object_mut) {
            if let Some(stack) = thread.get_mut("stacktrace") {
                stacktrace(stack, &platform, rules, &RuleError::default());
            }
        }
    }
    if let Some(stack) = event.get_mut("stacktrace") {
        stacktrace(stack, &platform, rules, &RuleError::default());
    }
}

fn list<'a, 'b>(interface: Option<&'a mut Json<'b>>) -> Option<&'a mut Vec<Json<'b>>> {
    match interface? {
        Json::Array(list) => Some(list),
        other => other.get_mut("values")?.as_array_mut(),
    }
}

/// Takes the value out while it is changed, leaving its key in place.
fn take_stack<'b>(exception: &mut Map<'b>) -> Option<Json<'b>> {
    exception.get_mut("stacktrace").map(std::mem::take)
}

fn put_stack<'b>(exception: &mut Map<'b>, stack: Json<'b>) {
    if let Some(slot) = exception.get_mut("stacktrace") {
        *slot = stack;
    }
}

type Verdicts = Vec<(Option<bool>, Option<String>)>;

thread_local! {
    static KNOWN: RefCell<Memo<Verdicts>> = RefCell::default();
}

fn stacktrace(stack: &mut Json<'_>, platform: &str, rules: &[&[Rule]], error: &RuleError<'_>) {
    let Some(frames) = stack.get_mut("frames").and_then(Json::as_array_mut) else {
        return;
    };
    for frame in frames.iter_mut().filter_map(Json::as_object_mut) {
        trim(frame, platform);
    }
    let verdicts = {
        let seen: Vec<_> = frames
            .iter()
            .filter_map(Json::as_object)
            .map(|f| Frame::read(f, platform))
            .collect();
        let mut key = Vec::with_capacity(4096);
        write_key(&seen, rules, error, &mut key);
        let judge = || judge(&seen, rules, error);
        let known = KNOWN.with_borrow_mut(|memo| memo.get(&key, judge));
        known.unwrap_or_else(|| judge().into())
    };
    for (frame, (in_app, category)) in frames
        .iter_mut()
        .filter_map(Json::as_object_mut)
        .zip(verdicts.iter())
    {
        let in_app = *in_app;
        let before = frame.get("in_app").and_then(Json::as_bool);
        let now = in_app.unwrap_or(false);
        if before != Some(now) {
            frame.set("in_app", now);
        }
        if let Some(category) = category {
            let category = category.clone();
            frame.entry("data").make_object().set("category", category);
        }
        // What it was before rules changed it: 1 or 0, and -1 where the client said nothing.
        if in_app.is_some() && before != Some(now) {
            let before = before.map_or(-1, i64::from);
            frame.entry("data").make_object().set("orig_in_app", before);
        }
    }
}

/// What the rules say of the frames: whether they are in app, and their category where that changes.
fn judge(frames: &[Frame<'_>], rules: &[&[Rule]], error: &RuleError<'_>) -> Verdicts {
    let mut seen: Vec<_> = frames.iter().map(Frame::for_rules).collect();
    let given: Vec<_> = seen.iter().map(|f| f.category).collect();
    rules::classify(rules, &mut seen, error);
    let changed =
        |now: Option<&str>, then: Option<&str>| if now == then { None } else { now.map(str::to_owned) };
    seen.iter()
        .zip(given)
        .map(|(f, before)| (f.in_app, changed(f.category, before)))
        .collect()
}

fn trim(frame: &mut Map<'_>, platform: &str) {
    let platform = frame.str("platform").unwrap_or(platform).to_owned();
    if platform == "csharp" || Family::of(&platform) == Family::Native {
        if frame.str("raw_function").is_none()
            && let Some(name) = frame.str("function")
        {
            let short = trim_function(name, &platform);
            if short != name {
                let (short, name) = (short.into_owned(), name.to_owned());
                frame.set("function", short);
                frame.set("raw_function", name);
            }
        }
    } else if platform == "javascript"
        && let Some(name) = frame.str("filename")
        && let Some(at) = name.find('?')
        && at > 0
    {
        let short = name[..at].to_owned();
        frame.set("filename", short);
    }
}

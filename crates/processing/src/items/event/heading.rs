//! Title, culprit and location: how an event is called in lists.

use protocol::json::{Json, Map};

use crate::grouping::Family;

/// How an event is called.
pub(super) struct Heading {
    /// One line.
    pub(super) title: String,
    /// Where it happened: `module in function`, a transaction, a URL.
    pub(super) culprit: String,
    /// The file.
    pub(super) location: Option<String>,
    /// What the others are made of.
    pub(super) metadata: Map<'static>,
}

/// Longest title, characters.
const MAX_TITLE: usize = 256;

pub(super) fn of(event: &Map<'_>, rule_title: Option<String>) -> Heading {
    let mut metadata = Map::new();
    let mut location = None;
    let title = match event.str("type") {
        Some("error") => {
            error(event, &mut metadata);
            location = metadata.str("filename").map(str::to_owned);
            error_title(&metadata)
        }
        Some("csp") => {
            location = event
                .object("csp")
                .and_then(|c| c.str("document_uri"))
                .map(str::to_owned);
            csp(event, &mut metadata)
        }
        _ => {
            let text = message(event);
            let title = shortened(text.trim().lines().next().unwrap_or_default().trim(), 100);
            let title = if title.is_empty() {
                "<unlabeled event>".to_owned()
            } else {
                title
            };
            metadata.set("title", title.clone());
            title
        }
    };
    let title = match rule_title.filter(|t| !t.is_empty()) {
        Some(title) => {
            metadata.set("title", title.clone());
            title
        }
        None => title,
    };
    Heading {
        title: shortened(&title, MAX_TITLE),
        culprit: culprit(event),
        location,
        metadata,
    }
}

/// The text of a message.
pub(super) fn message<'e>(event: &'e Map<'_>) -> &'e str {
    let entry = event.object("logentry");
    entry
        .and_then(|e| e.str("formatted").or_else(|| e.str("message")))
        .unwrap_or_default()
}

fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some(_) => {
            let end = text.char_indices().nth(max - 3).map_or(text.len(), |(i, _)| i);
            format!("{}...", &text[..end])
        }
        None => text.to_owned(),
    }
}

/// The exceptions of an event.
pub(super) fn exceptions<'e, 'a>(event: &'e Map<'a>) -> impl DoubleEndedIterator<Item = &'e Map<'a>> {
    let list = event.get("exception").and_then(|e| e.get("values")?.as_array());
    list.unwrap_or_default().iter().filter_map(Json::as_object)
}

/// The exception that titles the event: of a group the one that all of it comes down to, else the last.
fn main_exception<'e, 'a>(event: &'e Map<'a>) -> Option<&'e Map<'a>> {
    let list: Vec<_> = exceptions(event).collect();
    let index = crate::grouping::main_exception(event, &list).unwrap_or(list.len().saturating_sub(1));
    list.get(index).copied()
}

/// The frames under a stack trace.
pub(super) fn frames<'e, 'a>(holder: &'e Map<'a>) -> impl DoubleEndedIterator<Item = &'e Map<'a>> {
    let list = holder.get("stacktrace").and_then(|s| s.get("frames")?.as_array());
    list.unwrap_or_default().iter().filter_map(Json::as_object)
}

fn is_in_app(frame: &Map<'_>) -> bool {
    frame.get("in_app").and_then(Json::as_bool) == Some(true)
}

/// The frame that names the place: in app and with a named function if there is such, else in app, else named.
fn named_frame<'e, 'a>(holder: &'e Map<'a>) -> Option<&'e Map<'a>> {
    let named = |f: &Map<'_>| !matches!(f.str("function"), None | Some("" | "<redacted>" | "<unknown>"));
    let last = |test: &dyn Fn(&Map<'_>) -> bool| frames(holder).rev().find(|f| test(f));
    last(&|f| is_in_app(f) && named(f))
        .or_else(|| last(&is_in_app))
        .or_else(|| last(&named))
}

/// The frame nearest the crash that is in app, else nearest at all.
fn crash_frame<'e, 'a>(holder: &'e Map<'a>) -> Option<&'e Map<'a>> {
    frames(holder)
        .rev()
        .find(|f| is_in_app(f))
        .or_else(|| frames(holder).next_back())
}

fn error(event: &Map<'_>, metadata: &mut Map<'static>) {
    let Some(main) = main_exception(event) else {
        return;
    };
    let synthetic = main
        .object("mechanism")
        .and_then(|m| m.get("synthetic"))
        .and_then(Json::as_bool)
        == Some(true);
    metadata.set("value", shortened(main.str("value").unwrap_or_default(), 1024));
    // What was made up to carry a stack trace has no type worth showing; a message with a stack has none at all.
    if synthetic && main.str("type").is_none() {
        metadata.set(
            "title",
            shortened(
                main.str("value")
                    .unwrap_or_default()
                    .lines()
                    .next()
                    .unwrap_or_default(),
                100,
            ),
        );
    }
    if !synthetic {
        metadata.set("type", shortened(main.str("type").unwrap_or("Error"), 128));
    }
    let frame = named_frame(main)
        .or_else(|| crash_frame(main))
        .or_else(|| exceptions(event).rev().find_map(named_frame))
        .or_else(|| crash_frame(event));
    if let Some(frame) = frame {
        for (key, value) in [
            (
                "filename",
                frame.str("filename").or_else(|| frame.str("abs_path")),
            ),
            ("function", frame.str("function")),
        ] {
            if let Some(value) = value {
                metadata.set(key, value.to_owned());
            }
        }
    }
    if let Some(sdk) = event.object("sdk").and_then(|s| s.str("name")) {
        let mut inner = Map::new();
        inner.set("name", sdk.to_owned());
        inner.set("name_normalized", crate::grouping::canonical_sdk(sdk).to_owned());
        metadata.set("sdk", inner);
    }
}

fn error_title(metadata: &Map<'_>) -> String {
    let first = |key: &str| {
        metadata
            .str(key)
            .and_then(|v| v.lines().next())
            .unwrap_or_default()
            .to_owned()
    };
    match metadata.str("type") {
        Some(kind) => {
            let value = first("value");
            if value.is_empty() {
                kind.to_owned()
            } else {
                format!("{kind}: {value}")
            }
        }
        None => match metadata
            .str("title")
            .filter(|t| !t.is_empty())
            .or(metadata.str("function"))
        {
            Some(title) => title.to_owned(),
            None => {
                let value = first("value");
                if value.is_empty() {
                    "<unknown>".to_owned()
                } else {
                    value
                }
            }
        },
    }
}

fn csp(event: &Map<'_>, metadata: &mut Map<'static>) -> String {
    let report = event.object("csp");
    let text = |key: &str| report.and_then(|r| r.str(key)).unwrap_or_default();
    let directive = text("effective_directive").to_owned();
    let uri = crate::grouping::blocked_uri(text("blocked_uri"));
    let local = uri == "'self'";
    let what = match directive.as_str() {
        "child-src" => "child source",
        "connect-src" => "connection",
        "font-src" => "font",
        "form-action" => "form action",
        "frame-ancestors" => "frame ancestor",
        "frame-src" => "frame",
        "img-src" => "image",
        "manifest-src" => "manifest",
        "media-src" => "media",
        "object-src" => "object",
        "plugin-types" => "plugin",
        "style-src" | "style-src-elem" | "style-src-attr" => "style",
        "script-src" | "script-src-elem" | "script-src-attr" => "script",
        "worker-src" => "worker",
        _ => "",
    };
    let violated = text("violated_directive");
    let title = match (what, local) {
        ("script", _) if uri == "eval://" => "Blocked unsafe eval() 'script'".to_owned(),
        (what, _) if uri == "inline://" => {
            format!(
                "Blocked inline '{}'",
                if what.is_empty() { directive.as_str() } else { what }
            )
        }
        ("script", true) if violated.contains("'unsafe-inline'") => {
            "Blocked unsafe inline 'script'".to_owned()
        }
        ("script", true) if violated.contains("'unsafe-eval'") => "Blocked unsafe eval() 'script'".to_owned(),
        ("", true) => format!("Blocked inline '{directive}'"),
        ("", false) => format!("Blocked '{directive}' from '{uri}'"),
        (what, true) => format!("Blocked inline '{what}'"),
        (what, false) => format!("Blocked '{what}' from '{uri}'"),
    };
    metadata.set("directive", directive);
    metadata.set("uri", uri);
    metadata.set("message", title.clone());
    title
}

fn culprit(event: &Map<'_>) -> String {
    for key in ["culprit", "transaction"] {
        if let Some(text) = event.str(key).filter(|s| !s.is_empty()) {
            return shortened(text, 200);
        }
    }
    let platform = event.str("platform").unwrap_or("other");
    let stack = exceptions(event)
        .rev()
        .find_map(crash_frame)
        .or_else(|| crash_frame(event));
    if let Some(frame) = stack {
        return shortened(&frame_culprit(frame, platform), 200);
    }
    if event.str("type") == Some("csp") {
        return event
            .object("csp")
            .and_then(|c| c.str("effective_directive"))
            .unwrap_or_default()
            .to_owned();
    }
    let url = event
        .object("request")
        .and_then(|r| r.str("url"))
        .unwrap_or_default();
    shortened(url, 200)
}

fn frame_culprit(frame: &Map<'_>, platform: &str) -> String {
    let platform = frame.str("platform").unwrap_or(platform);
    let function = frame.str("function");
    if Family::of(platform) == Family::Native {
        return function.unwrap_or("?").to_owned();
    }
    let Some(place) = frame.str("module").or_else(|| frame.str("filename")) else {
        return String::new();
    };
    let function = function.unwrap_or("?");
    if Family::of(platform) == Family::JavaScript {
        format!("{function}({place})")
    } else {
        format!("{place} in {function}")
    }
}

//! What fingerprint rules can ask about an event, and the variables of fingerprints.

use protocol::json::{Json, Map};

use super::{DEFAULT, variable};
use crate::grouping::parameterize::parameterize;
use crate::grouping::{Family, stack, strategies};

/// The kinds of things that matchers are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Items {
    Messages,
    Log,
    Exceptions,
    Frames,
    Sdk,
    Release,
    Tags,
}

impl Items {
    pub(super) const ALL: [Items; 7] = [
        Items::Messages,
        Items::Log,
        Items::Exceptions,
        Items::Frames,
        Items::Sdk,
        Items::Release,
        Items::Tags,
    ];
}

/// A frame as matchers and variables see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameFields<'a> {
    pub(super) function: Option<&'a str>,
    pub(super) module: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) filename: Option<&'a str>,
    pub(super) package: Option<&'a str>,
    pub(super) in_app: bool,
    pub(super) family: Family,
}

/// An event as fingerprint rules see it.
pub(super) struct Fields<'a> {
    event: &'a Json<'a>,
    platform: &'a str,
    exceptions: Vec<&'a Map<'a>>,
    frames: Vec<&'a Map<'a>>,
    /// The frames among which variables look.
    crashed: Vec<&'a Map<'a>>,
}

fn object_list<'a>(event: &'a Json<'a>, key: &str) -> Vec<&'a Map<'a>> {
    let list = event
        .get(key)
        .and_then(|v| v.as_array().or_else(|| v.get("values")?.as_array()));
    list.unwrap_or_default()
        .iter()
        .filter_map(Json::as_object)
        .collect()
}

impl<'a> Fields<'a> {
    pub(super) fn read(event: &'a Json<'_>) -> Fields<'a> {
        // A shared reference may be looked at as if it held shorter borrows.
        let event: &'a Json<'a> = event;
        let exceptions = object_list(event, "exception");
        let mut frames: Vec<&Map<'a>> = exceptions
            .iter()
            .filter_map(|e| e.get("stacktrace"))
            .flat_map(stack::frames)
            .collect();
        let mut crashed: Vec<&Map<'a>> = exceptions
            .last()
            .and_then(|e| e.get("stacktrace"))
            .map(|s| stack::frames(s).collect())
            .unwrap_or_default();
        if let Some(own) = event.get("stacktrace") {
            frames.extend(stack::frames(own));
            if crashed.is_empty() {
                crashed = stack::frames(own).collect();
            }
        }
        if frames.is_empty() {
            let thread = event
                .as_object()
                .and_then(strategies::deciding_thread)
                .and_then(|t| t.get("stacktrace"));
            frames = thread.map(|s| stack::frames(s).collect()).unwrap_or_default();
            if let [only] = object_list(event, "threads").as_slice()
                && let Some(s) = only.get("stacktrace")
            {
                crashed = stack::frames(s).collect();
            }
        }
        Fields {
            event,
            platform: event.str_at(&["platform"]).unwrap_or("other"),
            exceptions,
            frames,
            crashed,
        }
    }

    /// How many things of a kind there are.
    pub(super) fn count(&self, kind: Items) -> usize {
        match kind {
            Items::Messages => self.exceptions.len() + 1,
            Items::Exceptions => self.exceptions.len(),
            Items::Frames => self.frames.len(),
            _ => 1,
        }
    }

    fn top(&self, key: &str) -> Option<&'a str> {
        self.event.get(key)?.as_str().filter(|s| !s.is_empty())
    }

    fn log(&self) -> Option<&'a str> {
        let entry = self.event.get("logentry")?;
        ["formatted", "message"]
            .iter()
            .find_map(|k| entry.get(k)?.as_str().filter(|s| !s.is_empty()))
    }

    /// The text of a key of the i-th thing of its kind.
    pub(super) fn text(&self, key: &str, i: usize) -> Option<&'a str> {
        match key {
            "message" if i == 0 => self.log(),
            "message" => self.exceptions.get(i - 1)?.str("value"),
            "type" | "value" => self.exceptions.get(i)?.str(key),
            "logger" | "level" | "release" => self.top(key),
            "sdk" => Some(canonical_sdk(
                self.event.str_at(&["sdk", "name"]).unwrap_or_default(),
            )),
            _ => self.tag(key.strip_prefix("tags.")?),
        }
    }

    fn tag(&self, name: &str) -> Option<&'a str> {
        match self.event.get("tags")? {
            Json::Object(m) => m.str(name),
            Json::Array(pairs) => pairs
                .iter()
                .filter_map(Json::as_array)
                .find(|p| p.first().and_then(Json::as_str) == Some(name))?
                .get(1)?
                .as_str(),
            _ => None,
        }
    }

    pub(super) fn frame(&self, i: usize) -> Option<FrameFields<'a>> {
        self.frames.get(i).map(|f| self.fields_of(f))
    }

    fn fields_of(&self, frame: &'a Map<'a>) -> FrameFields<'a> {
        let text = |key: &str| frame.str(key).filter(|s| !s.is_empty());
        FrameFields {
            function: text("function"),
            module: text("module"),
            path: text("abs_path").or_else(|| text("filename")),
            filename: text("filename"),
            package: text("package"),
            in_app: frame.get("in_app").and_then(Json::as_bool).unwrap_or(false),
            family: Family::of(text("platform").unwrap_or(self.platform)),
        }
    }

    /// The frame nearest the crash that is in app, else nearest at all.
    fn crash_frame(&self) -> Option<FrameFields<'a>> {
        let app = self
            .crashed
            .iter()
            .rev()
            .find(|f| f.get("in_app").and_then(Json::as_bool) == Some(true));
        app.or(self.crashed.last()).map(|f| self.fields_of(f))
    }

    /// The value of one entry of a fingerprint.
    pub(super) fn resolve(&self, entry: &str) -> String {
        match variable(entry) {
            Some("default") => DEFAULT.to_owned(),
            Some(name) => self.value(name),
            None => {
                let known = self.log() == Some(entry)
                    || self.exceptions.iter().any(|e| e.str("value") == Some(entry));
                if known {
                    parameterize(entry).into_owned()
                } else {
                    entry.to_owned()
                }
            }
        }
    }

    /// A text with variables inside.
    pub(super) fn expand(&self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(start) = rest.find("{{") {
            let Some(end) = rest[start..].find("}}").map(|i| start + i + 2) else {
                break;
            };
            out.push_str(&rest[..start]);
            match variable(&rest[start..end]) {
                Some("default") => out.push_str("<default>"),
                Some(name) => out.push_str(&self.raw(name)),
                None => out.push_str(&rest[start..end]),
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }

    /// The value of a variable in a fingerprint, where messages are parameterized.
    fn value(&self, name: &str) -> String {
        match name {
            "message" | "value" | "error.value" => {
                let text = self.raw(name);
                if text.starts_with("<no-") {
                    text
                } else {
                    parameterize(&text).into_owned()
                }
            }
            _ => self.raw(name),
        }
    }

    fn raw(&self, name: &str) -> String {
        let last = self.exceptions.last();
        let frame = || self.crash_frame();
        let found: Result<&str, &str> = match name {
            "message" | "raw_message" => self
                .log()
                .or_else(|| last?.str("value").filter(|s| !s.is_empty()))
                .ok_or("<no-message>"),
            "type" | "error.type" => last.and_then(|e| e.str("type")).ok_or("<no-type>"),
            "value" | "error.value" | "raw_value" | "error.raw_value" => {
                last.and_then(|e| e.str("value")).ok_or("<no-value>")
            }
            "function" | "stack.function" => frame().and_then(|f| f.function).ok_or("<no-function>"),
            "path" | "stack.abs_path" => frame().and_then(|f| f.path).ok_or("<no-abs-path>"),
            "stack.filename" => frame().and_then(|f| f.filename.or(f.path)).ok_or("<no-filename>"),
            "module" | "stack.module" => frame().and_then(|f| f.module).ok_or("<no-module>"),
            "package" | "stack.package" => frame()
                .and_then(|f| f.package)
                .map(|p| p.rsplit(['/', '\\']).next().unwrap_or(p))
                .ok_or("<no-package>"),
            "transaction" => self.top(name).ok_or("<no-transaction>"),
            "level" => self.top(name).ok_or("<no-level>"),
            "logger" => self.top(name).ok_or("<no-logger>"),
            _ => match name.strip_prefix("tags.") {
                Some(tag) => {
                    return self
                        .tag(tag)
                        .map_or(format!("<no-value-for-tag-{tag}>"), str::to_owned);
                }
                None => return format!("<unrecognized-variable-{name}>"),
            },
        };
        found.unwrap_or_else(|none| none).to_owned()
    }
}

/// The SDK's name without its framework: `sentry.python.django` is `sentry.python`.
pub(crate) fn canonical_sdk(name: &str) -> &str {
    const KNOWN: [&str; 24] = [
        "android",
        "cocoa",
        "cordova",
        "csharp",
        "dart",
        "dotnet",
        "electron",
        "elixir",
        "go",
        "godot",
        "java",
        "javascript",
        "kotlin",
        "native",
        "objc",
        "perl",
        "php",
        "python",
        "react-native",
        "ruby",
        "rust",
        "swift",
        "unreal",
        "unity",
    ];
    let Some(rest) = name.strip_prefix("sentry.") else {
        return "other";
    };
    let second = rest.split('.').next().unwrap_or(rest);
    if KNOWN.contains(&second) {
        &name[..7 + second.len()]
    } else {
        "other"
    }
}

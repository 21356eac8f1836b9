//! Fingerprints: what clients and rules say about which events belong together.

mod fields;
mod parse;

use std::borrow::Cow;
use std::sync::LazyLock;

use md5::{Digest, Md5};
use protocol::ids::GroupHash;
use protocol::json::{Json, Map};

pub(crate) use self::fields::canonical_sdk;
use self::fields::{Fields, Items};
pub use self::parse::parse;
use super::Family;
use super::component::Component;
use super::rules::glob::{Glob, path_key};

/// The variable that stands for the hash the event has without a fingerprint.
pub const DEFAULT: &str = "{{ default }}";

/// Characters of an entry that are stored with the event.
const MAX_STORED: usize = 500;

/// The rules that apply to every project, after its own.
static BUILT_IN: LazyLock<Vec<FingerprintRule>> = LazyLock::new(|| {
    let hydration = [
        "*https://reactjs.org/docs/error-decoder.html?invariant={418,419,422,423,425}*",
        "*https://react.dev/errors/{418,419,422,423,425}*",
        "*Hydration failed because the initial UI does not match what was rendered on the server*",
        "*Text content does not match server-rendered HTML*",
        "*There was an error while hydrating*",
        "*Minified React error #{418,419,422,423,425}*",
        "*The server could not finish this Suspense boundary*",
    ];
    let mut text = String::from(
        "family:javascript type:\"ChunkLoadError\" -> \"chunkloaderror\"\n\
         family:javascript value:\"ChunkLoadError*\" -> \"chunkloaderror\"\n",
    );
    for pattern in hydration {
        text.push_str(&format!(
            "family:javascript tags.transaction:\"*\" message:\"{pattern}\" -> \"hydrationerror\", {{{{tags.transaction}}}}\n"
        ));
    }
    parse(&text).unwrap_or_else(|e| panic!("the rules in the program are wrong: {e}"))
});

/// A fingerprint rule.
#[derive(Clone, Debug)]
pub struct FingerprintRule {
    /// Conditions; those about the same kind of thing must hold for one and the same thing.
    pub matchers: Vec<FingerprintMatcher>,
    /// The entries that replace the client's.
    pub fingerprint: Vec<String>,
    /// `title="..."` and the like.
    pub attributes: Vec<(String, String)>,
    /// The line it was written as.
    pub text: String,
}

/// A condition of a fingerprint rule.
#[derive(Clone, Debug)]
pub struct FingerprintMatcher {
    /// The canonical key.
    pub key: String,
    /// The pattern as it is written.
    pub pattern: String,
    /// Whether it holds when the pattern does not match.
    pub negated: bool,
    glob: Glob,
}

/// Where a fingerprint comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The client.
    Client,
    /// A rule of the project, by its index.
    Project(usize),
    /// A built-in rule.
    BuiltIn,
}

/// The fingerprint of an event.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    /// The entries with their variables.
    pub entries: Vec<String>,
    /// The entries with the values of their variables; [`DEFAULT`] stays.
    pub resolved: Vec<String>,
    /// Where it comes from.
    pub source: Source,
    /// The title that a rule gives the issue, its variables resolved.
    pub title: Option<String>,
    /// The same as written.
    pub title_template: Option<String>,
    /// The line of the rule.
    pub rule: Option<String>,
}

/// The name in `{{ name }}`, if the whole entry is that.
pub(crate) fn variable(entry: &str) -> Option<&str> {
    let name = entry.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    (!name.is_empty() && !name.contains(['{', '}'])).then_some(name)
}

fn is_default(entry: &str) -> bool {
    variable(entry) == Some("default")
}

/// The fingerprint of an event: the first matching rule's, else the client's.
pub fn of_event(event: &Json<'_>, rules: &[FingerprintRule]) -> Fingerprint {
    let client: Vec<String> = event
        .get("fingerprint")
        .and_then(Json::as_array)
        .unwrap_or_default()
        .iter()
        .filter_map(|e| e.as_str().map(str::to_owned))
        .collect();
    let fields = Fields::read(event);
    let matched = rules
        .iter()
        .enumerate()
        .map(|(i, r)| (Source::Project(i), r))
        .chain(built_in(event).iter().map(|r| (Source::BuiltIn, r)))
        .find(|(_, rule)| rule.matches(&fields));
    let (source, entries, rule) = match matched {
        Some((source, rule)) => (source, rule.fingerprint.clone(), Some(rule)),
        None => (Source::Client, client, None),
    };
    let entries: Vec<String> = entries
        .into_iter()
        .map(|e| if is_default(&e) { DEFAULT.to_owned() } else { e })
        .collect();
    let plain = entries.iter().all(|e| e == DEFAULT) && entries.len() < 2;
    let resolved = if plain {
        entries.clone()
    } else {
        entries.iter().map(|e| fields.resolve(e)).collect()
    };
    let template = rule
        .and_then(|r| r.attributes.iter().find(|(k, _)| k == "title"))
        .map(|(_, v)| v.clone());
    Fingerprint {
        title: template.as_ref().map(|t| fields.expand(t)),
        title_template: template,
        rule: rule.map(|r| r.text.clone()),
        entries,
        resolved,
        source,
    }
}

/// The built-in rules are about JavaScript; others need not look at them.
fn built_in(event: &Json<'_>) -> &'static [FingerprintRule] {
    let platform = event.str_at(&["platform"]).unwrap_or("other");
    if Family::of(platform) == Family::JavaScript {
        &BUILT_IN
    } else {
        &[]
    }
}

impl Fingerprint {
    /// Whether it overrides everything else.
    pub fn is_custom(&self) -> bool {
        !self.entries.is_empty() && !self.entries.iter().any(|e| e == DEFAULT)
    }

    /// Whether it mixes the default with something else.
    pub fn is_hybrid(&self) -> bool {
        self.entries.len() > 1 && self.entries.iter().any(|e| e == DEFAULT)
    }

    /// The hash of a fingerprint without default.
    pub fn custom_hash(&self) -> GroupHash {
        let mut hasher = Md5::new();
        for entry in &self.resolved {
            hasher.update(entry.as_bytes());
        }
        GroupHash(hasher.finalize().into())
    }

    /// The hash of a variant with the component in place of the default.
    pub fn mixed_hash(&self, component: &Component<'_>) -> GroupHash {
        let mut hasher = Md5::new();
        for entry in &self.resolved {
            if entry == DEFAULT {
                component.feed(&mut hasher);
            } else {
                hasher.update(entry.as_bytes());
            }
        }
        GroupHash(hasher.finalize().into())
    }

    /// The stored form.
    pub fn to_json(&self) -> Json<'static> {
        let short = |e: &String| e.chars().take(MAX_STORED).collect::<String>();
        let list = |entries: &[String]| Json::Array(entries.iter().map(|e| Json::from(short(e))).collect());
        let mut m = Map::new();
        m.set("entries", list(&self.entries));
        m.set("resolved", list(&self.resolved));
        m.set(
            "source",
            match self.source {
                Source::Client => "client",
                Source::Project(_) => "project rule",
                Source::BuiltIn => "built-in rule",
            },
        );
        if let Some(rule) = &self.rule {
            m.set("rule", rule.clone());
        }
        m.into()
    }
}

impl FingerprintRule {
    /// A rule of parts that were read elsewhere; none if it has no matcher or no entry.
    pub fn from_parts(
        matchers: Vec<(String, String)>,
        fingerprint: Vec<String>,
        title: Option<String>,
    ) -> Option<FingerprintRule> {
        let matchers: Vec<_> = matchers
            .into_iter()
            .map(|(key, pattern)| {
                let negated = key.starts_with('!');
                FingerprintMatcher::new(key.trim_start_matches('!'), pattern, negated)
            })
            .collect();
        let attributes = title.into_iter().map(|t| ("title".to_owned(), t)).collect();
        let text = String::new();
        (!matchers.is_empty() && !fingerprint.is_empty()).then_some(FingerprintRule {
            matchers,
            fingerprint,
            attributes,
            text,
        })
    }

    /// Whether the rule matches.
    fn matches(&self, fields: &Fields<'_>) -> bool {
        Items::ALL.iter().all(|kind| {
            let mut about = self.matchers.iter().filter(|m| m.items() == *kind).peekable();
            if about.peek().is_none() {
                return true;
            }
            let about: Vec<_> = about.collect();
            (0..fields.count(*kind)).any(|i| about.iter().all(|m| m.holds(fields, i)))
        })
    }
}

impl FingerprintMatcher {
    fn new(key: &str, pattern: String, negated: bool) -> FingerprintMatcher {
        let glob = match key {
            "message" | "value" | "level" => Glob::lower(&pattern),
            "path" | "package" | "release" => Glob::path(&pattern),
            _ => Glob::name(&pattern),
        };
        FingerprintMatcher {
            key: key.to_owned(),
            pattern,
            negated,
            glob,
        }
    }

    fn items(&self) -> Items {
        match self.key.as_str() {
            "message" => Items::Messages,
            "logger" | "level" => Items::Log,
            "type" | "value" => Items::Exceptions,
            "path" | "package" | "module" | "function" | "family" | "app" => Items::Frames,
            "sdk" => Items::Sdk,
            "release" => Items::Release,
            _ => Items::Tags,
        }
    }

    fn holds(&self, fields: &Fields<'_>, i: usize) -> bool {
        self.test(fields, i) != self.negated
    }

    fn test(&self, fields: &Fields<'_>, i: usize) -> bool {
        if self.items() == Items::Frames {
            return fields.frame(i).is_some_and(|f| self.test_frame(&f));
        }
        let Some(text) = fields.text(&self.key, i) else {
            return false;
        };
        match self.key.as_str() {
            "message" | "value" | "level" => self.glob.matches(&lower(text)),
            "release" => self.glob.matches_path(&path_key(text)),
            _ => self.glob.matches(text),
        }
    }

    fn test_frame(&self, frame: &fields::FrameFields<'_>) -> bool {
        match self.key.as_str() {
            "app" => match self.pattern.as_str() {
                "1" | "yes" | "true" => frame.in_app,
                "0" | "no" | "false" => !frame.in_app,
                _ => false,
            },
            "family" => self.pattern.split(',').any(|name| match name {
                "all" => true,
                "native" => frame.family == Family::Native,
                "javascript" => frame.family == Family::JavaScript,
                "other" => frame.family == Family::Other,
                _ => false,
            }),
            "path" => frame.path.is_some_and(|p| self.glob.matches_path(&path_key(p))),
            "package" => frame
                .package
                .is_some_and(|p| self.glob.matches_path(&path_key(p))),
            "module" => frame.module.is_some_and(|m| self.glob.matches(m)),
            _ => self.glob.matches(frame.function.unwrap_or("<unknown>")),
        }
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase() || b >= 0x80) {
        Cow::Owned(text.to_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(rules: &str, event: &str) -> Fingerprint {
        let (event, _) = protocol::json::parse_str(event).unwrap();
        of_event(&event.clone().into_owned(), &parse(rules).unwrap())
    }

    #[test]
    fn the_first_matching_rule_wins() {
        let event = r#"{"exception":{"values":[{"type":"Timeout","value":"Slow DB"}]},"logger":"a.b"}"#;
        let f = fingerprint(
            "type:Other -> x\ntype:Timeout value:*db* -> slow, {{ logger }} title=\"Slow {{ type }}\"",
            event,
        );
        assert_eq!(f.source, Source::Project(1));
        assert_eq!(f.resolved, ["slow", "a.b"]);
        assert_eq!(f.title.as_deref(), Some("Slow Timeout"));
        assert!(f.is_custom());
    }

    #[test]
    fn built_in_rules_are_for_scripts() {
        let event = r#"{"platform":"javascript","exception":{"values":[{"type":"ChunkLoadError","value":"x","stacktrace":{"frames":[{"function":"a"}]}}]}}"#;
        assert_eq!(fingerprint("", event).source, Source::BuiltIn);
        assert_eq!(
            fingerprint("", &event.replace("javascript", "python")).source,
            Source::Client
        );
    }

    #[test]
    fn hybrids_keep_the_default() {
        let f = fingerprint("", r#"{"fingerprint":["{{default}}","a"]}"#);
        assert!(f.is_hybrid());
        assert_eq!(f.resolved, [DEFAULT, "a"]);
    }
}

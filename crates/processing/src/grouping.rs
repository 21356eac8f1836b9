//! Which events are the same: the grouping hashes of an event and why it has them.
//!
//! 1. [`prepare`]: function names are trimmed and the stack-trace rules settle `in_app` and the category of every
//!    frame; both are stored with the event.
//! 2. [`group`]: fingerprint rules may replace the client's fingerprint; a checksum decides alone; else the first
//!    of the [`strategies`] that has something to contribute gives the variants, which the fingerprint keeps,
//!    mixes or overrides. A variant's hash is the MD5 of all contributing values in their order.

mod again;
pub mod compare;
mod component;
pub mod fingerprint;
mod frame;
mod groups;
pub mod info;
mod message;
pub mod parameterize;
mod prepare;
pub mod rules;
mod security;
pub mod similar;
mod stack;
mod strategies;
pub mod trim;

use protocol::ids::GroupHash;
use protocol::json::{Json, Map};

pub use self::again::regroup;
pub(crate) use self::again::unsettle;
pub use self::component::{Component, Content};
pub(crate) use self::fingerprint::canonical_sdk;
use self::fingerprint::{Fingerprint, FingerprintRule, Source};
pub(crate) use self::groups::main_exception;
pub use self::prepare::prepare;
use self::rules::Rule;
pub(crate) use self::security::normalized_uri as blocked_uri;
use self::strategies::Strategy;
pub(crate) use self::strategies::deciding_thread;

/// The families of platforms that rules and strategies distinguish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// Objective-C, Swift, C and their kin.
    Native,
    /// JavaScript in browsers and Node.
    JavaScript,
    /// Everything else.
    Other,
}

impl Family {
    /// The family of a platform.
    pub fn of(platform: &str) -> Family {
        match platform {
            "objc" | "cocoa" | "swift" | "native" | "c" => Family::Native,
            "javascript" | "node" => Family::JavaScript,
            _ => Family::Other,
        }
    }
}

/// A frame of an event of `platform`, as stack-trace rules see it.
pub fn frame_for_rules<'a>(frame: &'a Map<'_>, platform: &'a str) -> rules::RuleFrame<'a> {
    frame::Frame::read(frame, platform).for_rules()
}

/// The rules that grouping follows.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// Stack-trace rules: the built-in ones, then the project's.
    pub stack: &'r [&'r [Rule]],
    /// Fingerprint rules of the project; the built-in ones follow by themselves.
    pub fingerprint: &'r [FingerprintRule],
}

/// What decided the hashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Basis {
    /// Frames of an exception, a thread or the event.
    Stacktrace,
    /// A message or an exception's value.
    Message,
    /// A fingerprint without the default part.
    Fingerprint,
    /// A security report.
    Violation,
    /// A template.
    Template,
    /// A checksum.
    Checksum,
    /// There was nothing.
    Fallback,
}

impl Basis {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Basis::Stacktrace => "stacktrace",
            Basis::Message => "message",
            Basis::Fingerprint => "fingerprint",
            Basis::Violation => "violation",
            Basis::Template => "template",
            Basis::Checksum => "checksum",
            Basis::Fallback => "fallback",
        }
    }
}

/// One way in which an event was looked at.
#[derive(Clone, Debug)]
pub struct Variant<'a> {
    /// `app`, `system`, `default`, `custom_client_fingerprint`, ...
    pub name: &'static str,
    /// Its hash, if it contributes.
    pub hash: Option<GroupHash>,
    /// What it is made of.
    pub component: Component<'a>,
}

/// The answer of [`group`].
#[derive(Clone, Debug)]
pub struct Grouping<'a> {
    /// The variants, those that do not contribute included.
    pub variants: Vec<Variant<'a>>,
    /// Distinct hashes, that of the system variant last. Never empty.
    pub hashes: Vec<GroupHash>,
    /// What decided.
    pub basis: Basis,
    /// The fingerprint, where it says more than the default.
    pub fingerprint: Fingerprint,
}

/// Computes the grouping of a normalized and [prepared](prepare) event.
pub fn group<'a>(event: &'a Json<'_>, rules: Rules<'a>) -> Grouping<'a> {
    let fingerprint = fingerprint::of_event(event, rules.fingerprint);
    if let Some(sum) = event
        .get("checksum")
        .and_then(Json::as_str)
        .filter(|s| !s.is_empty())
    {
        return checksum(sum, fingerprint);
    }
    let (strategy, mut components) = strategies::run(event, rules.stack);
    let mut basis = match strategy {
        None => Basis::Fallback,
        Some(Strategy::Template) => Basis::Template,
        Some(Strategy::Csp | Strategy::Report) => Basis::Violation,
        Some(Strategy::Message) => Basis::Message,
        Some(Strategy::Exception | Strategy::Threads | Strategy::Stacktrace) => {
            let framed = components
                .iter()
                .any(|(_, c)| c.contributes && c.has_contributing_stack());
            if framed { Basis::Stacktrace } else { Basis::Message }
        }
    };
    let mut variants = Vec::with_capacity(3);
    if fingerprint.is_custom() {
        basis = Basis::Fingerprint;
        for (_, c) in &mut components {
            c.ignore("a fingerprint takes precedence");
        }
        let name = match fingerprint.source {
            Source::Client => "custom_client_fingerprint",
            Source::Project(_) => "custom_server_fingerprint",
            Source::BuiltIn => "built_in_fingerprint",
        };
        let component = Component::list(
            "fingerprint",
            fingerprint
                .resolved
                .iter()
                .map(|e| Component::text("value", e.clone()))
                .collect(),
        );
        variants.push(Variant {
            name,
            hash: Some(component.hash()),
            component,
        });
    }
    for (name, component) in components {
        let hash = component.contributes.then(|| {
            if fingerprint.is_hybrid() {
                fingerprint.mixed_hash(&component)
            } else {
                component.hash()
            }
        });
        variants.push(Variant {
            name,
            hash,
            component,
        });
    }
    if variants.iter().all(|v| v.hash.is_none()) {
        let component = Component::empty("fallback");
        variants.push(Variant {
            name: "fallback",
            hash: Some(component.hash()),
            component,
        });
    }
    let mut hashes = Vec::with_capacity(2);
    for last in [false, true] {
        for v in variants.iter().filter(|v| (v.name == "system") == last) {
            if let Some(hash) = v.hash.filter(|h| !hashes.contains(h)) {
                hashes.push(hash);
            }
        }
    }
    Grouping {
        variants,
        hashes,
        basis,
        fingerprint,
    }
}

fn checksum<'a>(sum: &'a str, fingerprint: Fingerprint) -> Grouping<'a> {
    let plain = sum.len() == 32
        && sum
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    let component = Component::text("checksum", sum);
    let (name, hash) = match sum.parse().ok().filter(|_| plain) {
        Some(hash) => ("checksum", hash),
        None => ("hashed_checksum", component.hash()),
    };
    Grouping {
        variants: vec![Variant {
            name,
            hash: Some(hash),
            component,
        }],
        hashes: vec![hash],
        basis: Basis::Checksum,
        fingerprint,
    }
}

impl Grouping<'_> {
    /// The form that is stored with the event, from which people can be told why.
    pub fn to_json(&self) -> Json<'static> {
        let mut out = Map::new();
        let variants = self.variants.iter().map(|v| {
            let mut m = Map::new();
            m.set("key", v.name);
            m.set("hash", v.hash.map(|h| h.to_string()));
            m.set("contributes", v.hash.is_some());
            m.set("description", describe(v));
            m.set("component", v.component.to_json(v.hash.is_some()));
            Json::Object(m)
        });
        out.set("variants", Json::Array(variants.collect()));
        out.set("basis", self.basis.name());
        if self.fingerprint.is_custom() || self.fingerprint.is_hybrid() {
            out.set("fingerprint", self.fingerprint.to_json());
        }
        out.into()
    }
}

/// One line for people.
fn describe(v: &Variant<'_>) -> String {
    let what = match v.component.id {
        "chained-exception" => "exceptions",
        "threads" => "stack trace of a thread",
        "stacktrace" => "stack trace",
        id => id,
    };
    match v.name {
        "app" => format!("in-app {what}"),
        "system" => format!("full {what}"),
        "custom_client_fingerprint" => "fingerprint of the client".to_owned(),
        "custom_server_fingerprint" => "fingerprint of a rule of the project".to_owned(),
        "built_in_fingerprint" => "built-in fingerprint".to_owned(),
        "fallback" => "nothing to tell the event from others".to_owned(),
        _ => what.to_owned(),
    }
}

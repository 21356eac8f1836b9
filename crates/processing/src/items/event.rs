//! Error events: from the bytes an SDK sends to the stored JSON, its row and its grouping hashes.

mod columns;
mod heading;
pub mod table;
mod tags;

use md5::{Digest, Md5};
use protocol::category::{Category, Discard};
use protocol::ids::{EventId, GroupHash};
use protocol::json::{Json, Map, Repairs};
use protocol::table::Row;

use crate::context::{ProjectRules, Receipt};
use crate::geo::Geo;
use crate::grouping::rules::{BUILT_IN, Rule};
use crate::grouping::{Rules, group, prepare, unsettle};
use crate::meta::Notes;
use crate::normalize::{normalize, read_time};
use crate::symbols::Symbolicate;

/// What is stored of an event.
#[derive(Clone, PartialEq, Debug)]
pub struct Processed {
    /// Its id.
    pub event_id: EventId,
    /// What it counts as.
    pub category: Category,
    /// When it happened, µs since the epoch.
    pub time: i64,
    /// When the server took it, µs.
    pub received: i64,
    /// The normalized event with `_meta`, `errors`, `metadata` and `_grouping`.
    pub json: Vec<u8>,
    /// Its row in [`table::ERRORS`].
    pub row: Row,
    /// Its grouping hashes: the primary one first, that of the system view last.
    pub hashes: Vec<GroupHash>,
    /// The title of its issue.
    pub title: String,
    /// Where it happened, in one line.
    pub culprit: String,
    /// `error`, `fatal`, ...
    pub level: String,
    /// The platform.
    pub platform: String,
    /// `error`, `default` or `csp`.
    pub kind: String,
    /// The logger.
    pub logger: String,
    /// What titles are made of, as JSON text.
    pub metadata: String,
    /// `id:1`, `email:a@b.c`, `username:ann` or `ip:10.0.0.1`.
    pub user: Option<String>,
    /// The release.
    pub release: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// The distribution.
    pub dist: Option<String>,
    /// Whether the program handled it; none if nothing says so.
    pub handled: Option<bool>,
    /// The SDK's name.
    pub sdk: Option<String>,
}

/// What an event must hold at least one of.
const SUBSTANCE: [&str; 14] = [
    "exception",
    "logentry",
    "stacktrace",
    "threads",
    "template",
    "csp",
    "hpkp",
    "expectct",
    "expectstaple",
    "request",
    "breadcrumbs",
    "extra",
    "fingerprint",
    "checksum",
];

/// Processes an event.
///
/// # Errors
/// Why it is not kept.
pub fn process_event(
    body: &[u8],
    receipt: &Receipt<'_>,
    rules: &ProjectRules,
    geo: &dyn Geo,
    symbols: &dyn Symbolicate,
) -> Result<Processed, Discard> {
    let (event, repairs) = protocol::json::parse(body).map_err(|_| Discard::InvalidJson)?;
    let Json::Object(mut event) = event else {
        return Err(Discard::InvalidJson);
    };
    if let Some("transaction" | "feedback" | "profile" | "replay_event") = event.str("type") {
        return Err(Discard::UnknownType);
    }
    let id = receipt
        .event_id
        .or_else(|| event.str("event_id")?.parse().ok())
        .filter(|id| !id.is_nil());
    let id = id.unwrap_or_else(|| made_up_id(body, receipt, 0));
    event.set("event_id", id.to_string());
    if !event.contains("sdk")
        && let Some((name, version)) = receipt.client.and_then(|c| c.split_once('/'))
        && !name.is_empty()
    {
        let mut sdk = Map::new();
        sdk.set("name", name.to_owned());
        sdk.set("version", version.to_owned());
        event.set("sdk", sdk);
    }
    finish(event, receipt, rules, geo, symbols, repairs)
}

/// An id that follows from what was received, for items that bring none.
pub(crate) fn made_up_id(body: &[u8], receipt: &Receipt<'_>, i: usize) -> EventId {
    let mut hasher = Md5::new();
    hasher.update(receipt.received.to_le_bytes());
    hasher.update(receipt.project.to_le_bytes());
    hasher.update((i as u64).to_le_bytes());
    hasher.update(body);
    EventId(hasher.finalize().into())
}

/// Processes an event that is read and has an id.
pub(crate) fn finish(
    mut event: Map<'_>,
    receipt: &Receipt<'_>,
    rules: &ProjectRules,
    geo: &dyn Geo,
    symbols: &dyn Symbolicate,
    repairs: Repairs,
) -> Result<Processed, Discard> {
    let mut notes = Notes::default();
    for (kind, count, at) in repairs.iter() {
        let reason = if count == 1 {
            format!("{} at byte {at}", kind.explain())
        } else {
            format!("{}, {count} times, first at byte {at}", kind.explain())
        };
        notes.error("repaired_json", Some(&reason), None);
    }
    normalize(&mut event, receipt, geo, &mut notes);
    if !SUBSTANCE.iter().any(|key| event.contains(key)) {
        return Err(Discard::Empty);
    }
    if let Some(filter) = rules.filters.verdict(&event, receipt) {
        return Err(filter);
    }
    rules.scrubber.scrub(&mut event, &mut notes);
    notes.write(&mut event);
    symbols.symbolicate(&mut event, receipt.project);
    settle(event, receipt, rules)
}

/// Processes an event that is stored already, from where symbolication begins. `restore` gives frames back what they
/// were when they came.
///
/// # Errors
/// Why it cannot be kept so; then the record stays as it is.
pub fn process_again(
    stored: &[u8],
    (project, received): (u64, i64),
    rules: &ProjectRules,
    restore: &dyn Fn(&mut Map<'_>),
    symbols: &dyn Symbolicate,
) -> Result<Processed, Discard> {
    let (mut event, _) = protocol::json::parse(stored).map_err(|_| Discard::InvalidJson)?;
    unsettle(&mut event);
    let Json::Object(mut event) = event else {
        return Err(Discard::InvalidJson);
    };
    for key in ["title", "culprit", "location", "metadata", "_grouping"] {
        event.remove(key);
    }
    restore(&mut event);
    // What a crash report says anew is scrubbed as it was when it came.
    rules.scrubber.scrub(&mut event, &mut Notes::default());
    symbols.symbolicate(&mut event, project);
    let receipt = Receipt {
        received,
        project,
        ..Receipt::default()
    };
    settle(event, &receipt, rules)
}

/// Groups an event whose frames are as they stay, and makes what is stored of it.
pub(super) fn settle(
    event: Map<'_>,
    receipt: &Receipt<'_>,
    rules: &ProjectRules,
) -> Result<Processed, Discard> {
    let mut event = Json::Object(event);
    let sets: [&[Rule]; 2] = [&BUILT_IN, &rules.stacktrace];
    prepare(&mut event, &sets);

    let grouping = group(
        &event,
        Rules {
            stack: &sets,
            fingerprint: &rules.fingerprint,
        },
    );
    let hashes = grouping.hashes.clone();
    let rule_title = grouping.fingerprint.title.clone();
    let stored_grouping = grouping.to_json();
    drop(grouping);

    let Json::Object(mut event) = event else {
        return Err(Discard::Internal);
    };
    let heading = heading::of(&event, rule_title);
    let all_tags = tags::promote(&event);
    let row = columns::row(&event, receipt, &heading, &hashes, &all_tags);
    let text = |key: &str| event.str(key).unwrap_or_default().to_owned();
    let some = |key: &str| event.str(key).filter(|s| !s.is_empty()).map(str::to_owned);
    let kind = text("type");
    let mut out = Processed {
        event_id: EventId(row.id),
        category: match kind.as_str() {
            "error" => Category::Error,
            "default" => Category::Default,
            _ => Category::Security,
        },
        time: row.time,
        received: receipt.received,
        json: Vec::new(),
        hashes,
        title: heading.title.clone(),
        culprit: heading.culprit.clone(),
        level: text("level"),
        platform: text("platform"),
        logger: text("logger"),
        metadata: Json::Object(heading.metadata.clone()).to_string(),
        user: tags::user(&event),
        release: some("release"),
        environment: some("environment"),
        dist: some("dist"),
        handled: columns::handled(&event),
        sdk: event.object("sdk").and_then(|s| s.str("name")).map(str::to_owned),
        kind,
        row,
    };
    event.set("title", heading.title);
    event.set("culprit", heading.culprit);
    event.set("location", heading.location);
    event.set("metadata", heading.metadata);
    let list = all_tags
        .into_iter()
        .map(|(k, v)| Json::Array(vec![Json::from(k), Json::from(v)]));
    event.set("tags", Json::Array(list.collect()));
    event.set("_grouping", stored_grouping);
    out.json.reserve(8192);
    Json::Object(event).write(&mut out.json);
    Ok(out)
}

/// The time of a normalized event, µs.
fn time_of(event: &Map<'_>, receipt: &Receipt<'_>) -> i64 {
    event
        .get("timestamp")
        .and_then(read_time)
        .unwrap_or(receipt.received)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoGeo, NoSymbols, ProjectSettings};

    fn process(body: &str) -> Result<Processed, Discard> {
        let rules = ProjectRules::compile(1, &ProjectSettings::default()).unwrap();
        let receipt = Receipt {
            received: 1_790_000_000_000_000,
            project: 1,
            ..Receipt::default()
        };
        process_event(body.as_bytes(), &receipt, &rules, &NoGeo, &NoSymbols)
    }

    #[test]
    fn an_event_from_bytes_to_row() {
        let p = process(
            r#"{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","timestamp":1789999990.5,"platform":"python",
            "release":"shop@1.0","environment":"prod","user":{"id":7},"tags":{"a b":"c"},
            "exception":{"values":[{"type":"ValueError","value":"bad 7\nmore","mechanism":{"type":"flask","handled":false},
            "stacktrace":{"frames":[{"function":"pay","module":"shop.cart","filename":"shop/cart.py","in_app":true}]}}]}}"#,
        )
        .unwrap();
        assert_eq!(p.title, "ValueError: bad 7");
        assert_eq!(p.culprit, "shop.cart in pay");
        assert_eq!(p.user.as_deref(), Some("id:7"));
        assert_eq!(p.handled, Some(false));
        assert_eq!(p.time, 1_789_999_990_500_000);
        assert_eq!(p.row.tag("a-b"), Some("c"));
        assert_eq!(p.row.tag("handled"), Some("no"));
        assert_eq!(p.row.tag("mechanism"), Some("flask"));
        assert_eq!(p.hashes.len(), 1);
        assert_eq!(p.row.hash, p.hashes[0].0);
        let (json, _) = protocol::json::parse(&p.json).unwrap();
        assert_eq!(json.str_at(&["_grouping", "variants", "0", "key"]), Some("app"));
    }

    #[test]
    fn what_is_not_kept_has_a_reason() {
        assert_eq!(process("[]").unwrap_err(), Discard::InvalidJson);
        assert_eq!(process("{").unwrap_err(), Discard::InvalidJson);
        assert_eq!(process("{}").unwrap_err(), Discard::Empty);
        assert_eq!(
            process(r#"{"type":"transaction","message":"x"}"#).unwrap_err(),
            Discard::UnknownType
        );
    }

    #[test]
    fn a_repeat_gives_the_same() {
        assert_eq!(
            process(r#"{"message":"x"}"#).unwrap(),
            process(r#"{"message":"x"}"#).unwrap()
        );
    }
}

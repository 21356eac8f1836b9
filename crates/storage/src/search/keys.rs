//! Every key of the search language: those of issues here, those of events from the table's description.

use protocol::table::{Table, Type};

use crate::columns::Field;

/// What a key of issues looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueKey {
    /// States, and whether somebody cares.
    Is,
    /// Who takes care.
    Assigned,
    /// Who has a bookmark.
    Bookmarks,
    /// Who is subscribed.
    Subscribed,
    /// When it began.
    FirstSeen,
    /// When it last came.
    LastSeen,
    /// The release it began with.
    FirstRelease,
    /// Events in its life.
    TimesSeen,
    /// Users in its life.
    UserCount,
    /// Its short id.
    Issue,
    /// Its number.
    IssueId,
    /// How much it matters.
    Priority,
    /// `error` for all that this version keeps.
    Category,
    /// The kind of its last event.
    IssueType,
}

/// A key of issues, for help and suggestions.
#[derive(Debug, Clone, Copy)]
pub struct IssueKeyInfo {
    /// How it is written.
    pub name: &'static str,
    /// Other ways to write it.
    pub aliases: &'static [&'static str],
    /// What it looks at.
    pub key: IssueKey,
    /// `state`, `person`, `date`, `number`, `text`.
    pub kind: &'static str,
    /// Values worth suggesting.
    pub values: &'static [&'static str],
    /// One line for people.
    pub doc: &'static str,
}

/// The values of `is:`.
pub const STATES: &[&str] = &[
    "unresolved",
    "resolved",
    "archived",
    "ignored",
    "muted",
    "new",
    "ongoing",
    "escalating",
    "regressed",
    "archived_until_escalating",
    "archived_until_condition_met",
    "archived_forever",
    "assigned",
    "unassigned",
    "for_review",
    "linked",
    "unlinked",
];

/// Every key of issues.
pub const ISSUE_KEYS: &[IssueKeyInfo] = &[
    IssueKeyInfo {
        name: "is",
        aliases: &[],
        key: IssueKey::Is,
        kind: "state",
        values: STATES,
        doc: "state of the issue",
    },
    IssueKeyInfo {
        name: "assigned",
        aliases: &["assigned_or_suggested", "assignee"],
        key: IssueKey::Assigned,
        kind: "person",
        values: &["me", "none"],
        doc: "who takes care of the issue",
    },
    IssueKeyInfo {
        name: "bookmarks",
        aliases: &[],
        key: IssueKey::Bookmarks,
        kind: "person",
        values: &["me"],
        doc: "who has bookmarked the issue",
    },
    IssueKeyInfo {
        name: "subscribed",
        aliases: &[],
        key: IssueKey::Subscribed,
        kind: "person",
        values: &["me"],
        doc: "who is told about the issue",
    },
    IssueKeyInfo {
        name: "firstSeen",
        aliases: &["age", "first_seen"],
        key: IssueKey::FirstSeen,
        kind: "date",
        values: &["-1h", "-24h", "-7d", "+30d"],
        doc: "when the issue began: -24h is newer than a day, +7d older than a week",
    },
    IssueKeyInfo {
        name: "lastSeen",
        aliases: &["last_seen"],
        key: IssueKey::LastSeen,
        kind: "date",
        values: &["-1h", "-24h", "-7d", "+30d"],
        doc: "when the issue last came",
    },
    IssueKeyInfo {
        name: "firstRelease",
        aliases: &["first-release"],
        key: IssueKey::FirstRelease,
        kind: "text",
        values: &["latest"],
        doc: "the release that the issue began with",
    },
    IssueKeyInfo {
        name: "timesSeen",
        aliases: &["times_seen"],
        key: IssueKey::TimesSeen,
        kind: "number",
        values: &[">10", ">100", ">1k"],
        doc: "events of the issue in its life",
    },
    IssueKeyInfo {
        name: "userCount",
        aliases: &["users"],
        key: IssueKey::UserCount,
        kind: "number",
        values: &[">1", ">10", ">100"],
        doc: "users of the issue in its life",
    },
    IssueKeyInfo {
        name: "issue",
        aliases: &["issue.short_id"],
        key: IssueKey::Issue,
        kind: "text",
        values: &[],
        doc: "the short id, such as SHOP-1A",
    },
    IssueKeyInfo {
        name: "issue.id",
        aliases: &["group.id"],
        key: IssueKey::IssueId,
        kind: "number",
        values: &[],
        doc: "the number of the issue",
    },
    IssueKeyInfo {
        name: "issue.priority",
        aliases: &["priority"],
        key: IssueKey::Priority,
        kind: "text",
        values: &["high", "medium", "low"],
        doc: "how much the issue matters",
    },
    IssueKeyInfo {
        name: "issue.category",
        aliases: &[],
        key: IssueKey::Category,
        kind: "text",
        values: &["error"],
        doc: "the kind of problem",
    },
    IssueKeyInfo {
        name: "issue.type",
        aliases: &[],
        key: IssueKey::IssueType,
        kind: "text",
        values: &["error", "default", "csp"],
        doc: "the kind of event the issue is made of",
    },
];

/// The key of issues with this name.
pub fn issue_key(name: &str) -> Option<&'static IssueKeyInfo> {
    ISSUE_KEYS
        .iter()
        .find(|k| k.name == name || k.aliases.contains(&name))
}

/// Other ways to write a column: Sentry's names and old names.
const ALIASES: &[(&str, &str)] = &[
    ("event.type", "type"),
    ("platform.name", "platform"),
    ("trace.id", "trace"),
    ("trace.span", "span"),
    ("sentry:release", "release"),
    ("sentry:dist", "dist"),
    ("sentry:user", "user"),
    ("server", "server_name"),
    ("location", "culprit"),
    ("url", "http.url"),
    ("device.model_id", "device.model"),
];

/// A field of events: what to look at and what it holds.
pub fn event_field(table: &Table, name: &str) -> (Field, Type) {
    match name {
        "id" | "event_id" | "event.id" => return (Field::Id, Type::Text),
        "timestamp" | "event.timestamp" | "time" => return (Field::Time, Type::Time),
        "received" => return (Field::Received, Type::Time),
        "hash" => return (Field::Hash, Type::Text),
        _ => {}
    }
    if let Some(i) = table.column(name) {
        return (Field::Column(i), table.columns[i].kind);
    }
    let other = ALIASES
        .iter()
        .find(|(alias, _)| *alias == name)
        .map(|(_, to)| *to);
    match other.and_then(|to| table.column(to)) {
        Some(i) => (Field::Column(i), table.columns[i].kind),
        None => (Field::Tag(name.to_owned()), Type::Text),
    }
}

//! Data categories, outcomes and discard reasons: one table each.

/// What kind of data an item is, for quotas, rate limits and outcomes (protocol.md 3.7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Category {
    /// A message or an event without exception.
    Default,
    /// An error event.
    Error,
    /// A transaction.
    Transaction,
    /// A security report (CSP and its kin).
    Security,
    /// Attachments, counted in bytes.
    Attachment,
    /// Release-health sessions.
    Session,
    /// A profile.
    Profile,
    /// A replay event or recording.
    Replay,
    /// A monitor check-in.
    Monitor,
    /// A span.
    Span,
    /// User feedback.
    Feedback,
    /// A metric bucket of the old protocol.
    MetricBucket,
    /// A log record.
    LogItem,
    /// Attachments, counted in pieces.
    AttachmentItem,
    /// A chunk of a continuous profile.
    ProfileChunk,
    /// A trace metric.
    TraceMetric,
    /// An item type that this version does not know.
    Unknown,
}

impl Category {
    /// Every category, in order of its number.
    pub const ALL: [Category; 17] = [
        Category::Default,
        Category::Error,
        Category::Transaction,
        Category::Security,
        Category::Attachment,
        Category::Session,
        Category::Profile,
        Category::Replay,
        Category::Monitor,
        Category::Span,
        Category::Feedback,
        Category::MetricBucket,
        Category::LogItem,
        Category::AttachmentItem,
        Category::ProfileChunk,
        Category::TraceMetric,
        Category::Unknown,
    ];

    /// The name in rate-limit headers, client reports and the API.
    pub fn name(self) -> &'static str {
        match self {
            Category::Default => "default",
            Category::Error => "error",
            Category::Transaction => "transaction",
            Category::Security => "security",
            Category::Attachment => "attachment",
            Category::Session => "session",
            Category::Profile => "profile",
            Category::Replay => "replay",
            Category::Monitor => "monitor",
            Category::Span => "span",
            Category::Feedback => "feedback",
            Category::MetricBucket => "metric_bucket",
            Category::LogItem => "log_item",
            Category::AttachmentItem => "attachment_item",
            Category::ProfileChunk => "profile_chunk",
            Category::TraceMetric => "trace_metric",
            Category::Unknown => "unknown",
        }
    }

    /// The category with this name.
    pub fn from_name(name: &str) -> Option<Category> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }
}

/// How an item ended (`stats_v2` of the API groups by these names).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// Stored.
    Accepted,
    /// Left out by a filter that somebody set.
    Filtered,
    /// Refused by a quota or rate limit.
    RateLimited,
    /// Not usable.
    Invalid,
    /// Dropped by the client, which reported it.
    ClientDiscard,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 5] = [
        Outcome::Accepted,
        Outcome::Filtered,
        Outcome::RateLimited,
        Outcome::Invalid,
        Outcome::ClientDiscard,
    ];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Filtered => "filtered",
            Outcome::RateLimited => "rate_limited",
            Outcome::Invalid => "invalid",
            Outcome::ClientDiscard => "client_discard",
        }
    }
}

/// Why an item was not stored. The name goes into the outcome table and to people.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Discard {
    /// The body of the item is not JSON, or not an object.
    InvalidJson,
    /// The item is larger than its kind may be.
    TooLarge,
    /// An item type that this version does not know, or does not keep yet.
    UnknownType,
    /// The project already has an event with this id.
    Duplicate,
    /// The event holds nothing that could be shown (no exception, message, stack or report).
    Empty,
    /// A security report that is none of the known forms.
    InvalidSecurityReport,
    /// An attachment without its event, or of an event that was itself discarded.
    AttachmentWithoutEvent,
    /// More items of this kind in one envelope than allowed.
    TooManyItems,
    /// The key's limit of events in its window is used up.
    KeyRateLimit,
    /// The project was deleted or disabled between accept and processing.
    ProjectGone,
    /// The event's timestamp lies before the retention period.
    TooOld,
    /// Events with this grouping hash are discarded on somebody's request.
    DiscardedHash,
    /// A page sent it from an address that the project does not allow.
    Cors,
    /// The address of the client is one that the project leaves out.
    FilterAddress,
    /// The release is one that the project leaves out.
    FilterRelease,
    /// The message is one that the project leaves out.
    FilterMessage,
    /// An extension of a browser brought it about.
    FilterExtension,
    /// It happened on a developer's own machine.
    FilterLocalhost,
    /// A robot brought it about.
    FilterCrawler,
    /// The browser is older than the project wants.
    FilterBrowser,
    /// React found another page than the server made.
    FilterHydration,
    /// A part of the application did not load.
    FilterChunkLoad,
    /// Processing failed in a way that is our fault; the item is kept aside.
    Internal,
}

impl Discard {
    /// Every reason, for tables and documentation.
    pub const ALL: [Discard; 23] = [
        Discard::InvalidJson,
        Discard::TooLarge,
        Discard::UnknownType,
        Discard::Duplicate,
        Discard::Empty,
        Discard::InvalidSecurityReport,
        Discard::AttachmentWithoutEvent,
        Discard::TooManyItems,
        Discard::KeyRateLimit,
        Discard::ProjectGone,
        Discard::TooOld,
        Discard::DiscardedHash,
        Discard::Cors,
        Discard::FilterAddress,
        Discard::FilterRelease,
        Discard::FilterMessage,
        Discard::FilterExtension,
        Discard::FilterLocalhost,
        Discard::FilterCrawler,
        Discard::FilterBrowser,
        Discard::FilterHydration,
        Discard::FilterChunkLoad,
        Discard::Internal,
    ];

    /// The reason's name.
    pub fn name(self) -> &'static str {
        match self {
            Discard::InvalidJson => "invalid_json",
            Discard::TooLarge => "too_large",
            Discard::UnknownType => "unknown_type",
            Discard::Duplicate => "duplicate",
            Discard::Empty => "empty",
            Discard::InvalidSecurityReport => "security_report",
            Discard::AttachmentWithoutEvent => "attachment_without_event",
            Discard::TooManyItems => "too_many_items",
            Discard::KeyRateLimit => "key_quota",
            Discard::ProjectGone => "project_gone",
            Discard::TooOld => "too_old",
            Discard::DiscardedHash => "discarded_hash",
            Discard::Cors => "cors",
            Discard::FilterAddress => "ip-address",
            Discard::FilterRelease => "release-version",
            Discard::FilterMessage => "error-message",
            Discard::FilterExtension => "browser-extensions",
            Discard::FilterLocalhost => "localhost",
            Discard::FilterCrawler => "web-crawlers",
            Discard::FilterBrowser => "legacy-browsers",
            Discard::FilterHydration => "react-hydration-errors",
            Discard::FilterChunkLoad => "chunk-load-error",
            Discard::Internal => "internal",
        }
    }

    /// The outcome under which the reason is counted.
    pub fn outcome(self) -> Outcome {
        match self {
            Discard::DiscardedHash
            | Discard::FilterAddress
            | Discard::FilterRelease
            | Discard::FilterMessage
            | Discard::FilterExtension
            | Discard::FilterLocalhost
            | Discard::FilterCrawler
            | Discard::FilterBrowser
            | Discard::FilterHydration
            | Discard::FilterChunkLoad => Outcome::Filtered,
            Discard::KeyRateLimit => Outcome::RateLimited,
            _ => Outcome::Invalid,
        }
    }

    /// What it means, for people.
    pub fn explain(self) -> &'static str {
        match self {
            Discard::InvalidJson => "the item's body is not a JSON object",
            Discard::TooLarge => "the item is larger than its kind may be",
            Discard::UnknownType => "the item's type is not known to this version",
            Discard::Duplicate => "the project already has an event with this id",
            Discard::Empty => "the event holds nothing to show: no exception, message, stack trace or report",
            Discard::InvalidSecurityReport => "the report is none of the known forms",
            Discard::AttachmentWithoutEvent => "the event of the attachment was not stored",
            Discard::TooManyItems => "the envelope holds more items of this kind than allowed",
            Discard::KeyRateLimit => "the client key's rate limit was reached",
            Discard::ProjectGone => "the project was deleted or disabled before the item was processed",
            Discard::TooOld => "the event's time lies before the retention period",
            Discard::DiscardedHash => "events of this issue are discarded on request",
            Discard::Cors => "it was sent by a page of a domain that the project does not allow",
            Discard::FilterAddress => "the project leaves this address out",
            Discard::FilterRelease => "the project leaves this release out",
            Discard::FilterMessage => "the project leaves this message out",
            Discard::FilterExtension => {
                "an extension of a browser brought it about, and the project leaves those out"
            }
            Discard::FilterLocalhost => {
                "it happened on a developer's own machine, and the project leaves those out"
            }
            Discard::FilterCrawler => "a robot brought it about, and the project leaves those out",
            Discard::FilterBrowser => "the browser is older than the project wants",
            Discard::FilterHydration => {
                "React found another page than the server made, and the project leaves that out"
            }
            Discard::FilterChunkLoad => {
                "a part of the application did not load, and the project leaves that out"
            }
            Discard::Internal => "processing failed; the item is kept aside and can be tried again",
        }
    }
}

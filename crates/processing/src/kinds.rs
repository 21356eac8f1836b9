//! The item types of envelopes: one line each.

use protocol::category::Category;

/// An item type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// `type` in the item's header.
    pub name: &'static str,
    /// What it counts as.
    pub category: Category,
    /// The largest payload, bytes.
    pub max_bytes: usize,
    /// How many one envelope may hold.
    pub max_per_envelope: usize,
    /// Whether this version keeps it; the others are counted as discarded.
    pub kept: bool,
}

const KB: usize = 1024;
const MB: usize = 1024 * KB;

const fn kind(
    name: &'static str,
    category: Category,
    max_bytes: usize,
    max_per_envelope: usize,
    kept: bool,
) -> Kind {
    Kind {
        name,
        category,
        max_bytes,
        max_per_envelope,
        kept,
    }
}

/// All item types that are known.
pub static KINDS: [Kind; 31] = [
    kind("event", Category::Error, MB, 1, true),
    kind("attachment", Category::Attachment, 200 * MB, 30, true),
    kind("client_report", Category::Default, 100 * KB, 100, true),
    kind("security", Category::Security, MB, 1, true),
    kind("raw_security", Category::Security, MB, 1, true),
    kind("transaction", Category::Transaction, MB, 1, false),
    kind("session", Category::Session, 10 * MB, 100, false),
    kind("sessions", Category::Session, 10 * MB, 100, false),
    kind("check_in", Category::Monitor, 100 * KB, 1, false),
    kind("user_report", Category::Feedback, MB, 30, false),
    kind("feedback", Category::Feedback, MB, 1, false),
    kind("replay_event", Category::Replay, MB, 1, false),
    kind("replay_recording", Category::Replay, 100 * MB, 1, false),
    kind("replay_video", Category::Replay, 100 * MB, 1, false),
    kind("profile", Category::Profile, 50 * MB, 1, false),
    kind("profile_chunk", Category::ProfileChunk, 50 * MB, 100, false),
    kind("profile_chunk_ui", Category::ProfileChunk, 50 * MB, 100, false),
    kind("log", Category::LogItem, 12 * MB, 1, false),
    kind("otel_log", Category::LogItem, 2 * MB, 100, false),
    kind("trace_metric", Category::TraceMetric, 12 * MB, 1, false),
    kind("span", Category::Span, 12 * MB, 25, false),
    kind("otel_span", Category::Span, 10 * MB, 25, false),
    kind("otel_traces_data", Category::Span, 12 * MB, 25, false),
    kind("statsd", Category::MetricBucket, MB, 1, false),
    kind("metric_buckets", Category::MetricBucket, MB, 1, false),
    kind("metric_meta", Category::MetricBucket, MB, 1, false),
    kind("nel", Category::Default, MB, 100, false),
    kind("unreal_report", Category::Attachment, 200 * MB, 1, false),
    kind("form_data", Category::Default, MB, 1, false),
    kind("integration", Category::Default, 12 * MB, 1, false),
    kind("user_report_v2", Category::Feedback, MB, 1, false),
];

/// The item type with this name.
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_once() {
        for k in &KINDS {
            assert_eq!(KINDS.iter().filter(|o| o.name == k.name).count(), 1, "{}", k.name);
        }
        assert_eq!(find("event").map(|k| k.kept), Some(true));
        assert_eq!(find("what"), None);
    }
}

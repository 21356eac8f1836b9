//! What clients say they dropped.

use protocol::category::Discard;
use protocol::json::Json;

/// Counts of one report that are believed at most.
const MAX_QUANTITY: u64 = 1_000_000_000;

/// The keys of lists of things that were dropped, and the reason they have if they name none.
const LISTS: [(&str, &str); 4] = [
    ("discarded_events", "unknown"),
    ("rate_limited_events", "ratelimit"),
    ("filtered_events", "filtered"),
    ("filtered_sampling_events", "sampling"),
];

/// Reads a client report: reason, category and how many.
///
/// # Errors
/// If it is not a JSON object.
pub fn parse_client_report(body: &[u8]) -> Result<Vec<(String, String, u64)>, Discard> {
    let (report, _) = protocol::json::parse(body).map_err(|_| Discard::InvalidJson)?;
    let report = report.as_object().ok_or(Discard::InvalidJson)?;
    let mut out: Vec<(String, String, u64)> = Vec::new();
    for (list, fallback) in LISTS {
        for entry in report.array(list).unwrap_or_default() {
            let quantity = entry
                .get("quantity")
                .and_then(Json::as_u64)
                .unwrap_or(0)
                .min(MAX_QUANTITY);
            if quantity == 0 {
                continue;
            }
            let word = |key: &str, none: &str| {
                let text = entry.str_at(&[key]).unwrap_or(none);
                text.chars()
                    .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '.'))
                    .take(64)
                    .collect::<String>()
            };
            let (reason, category) = (word("reason", fallback), word("category", "default"));
            match out.iter_mut().find(|(r, c, _)| *r == reason && *c == category) {
                Some((.., n)) => *n = n.saturating_add(quantity),
                None => out.push((reason, category, quantity)),
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports() {
        let body = br#"{"timestamp":1,"discarded_events":[
            {"reason":"queue_overflow","category":"error","quantity":23},
            {"reason":"queue_overflow","category":"error","quantity":2},
            {"reason":"sample rate!","category":"transaction","quantity":"x"},
            {"reason":"before_send","category":"span","quantity":0}]}"#;
        assert_eq!(
            parse_client_report(body),
            Ok(vec![("queue_overflow".into(), "error".into(), 25)])
        );
        assert_eq!(parse_client_report(b"[]"), Err(Discard::InvalidJson));
        assert_eq!(parse_client_report(b"{}"), Ok(vec![]));
    }
}

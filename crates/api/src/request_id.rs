//! Each request has an id: the caller's `X-Request-Id`, or one that is made here. It stands in the answer and in
//! every line that is logged meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;

/// The header.
pub const NAME: &str = "x-request-id";
/// The longest id that is taken over, characters.
const LONGEST: usize = 64;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The caller's id if it is harmless, else a new one: 16 hex digits, unique within the process.
pub fn of(headers: &HeaderMap) -> String {
    let harmless = |id: &&str| {
        (1..=LONGEST).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let given = headers.get(NAME).and_then(|v| v.to_str().ok()).filter(harmless);
    match given {
        Some(id) => id.to_owned(),
        None => {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            // Processes differ by their id: lines of two runs in one log are told apart.
            format!("{:08x}{n:08x}", std::process::id())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_ids_are_taken_over_and_others_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(NAME, "abc-123".parse().unwrap());
        assert_eq!(of(&headers), "abc-123");
        for bad in ["", "a b", "x\"y", &"a".repeat(65)] {
            headers.insert(NAME, bad.parse().unwrap());
            let id = of(&headers);
            assert!(id != bad && id.len() == 16, "{id}");
        }
        assert_ne!(of(&HeaderMap::new()), of(&HeaderMap::new()));
    }
}

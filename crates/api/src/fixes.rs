//! Issues that a commit says it fixes: `Fixes SHOP-1A`, `closes shop-2, SHOP-3`.

use storage::relational::issues::parse_short_id;

const WORDS: &[&str] = &[
    "close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved",
];
/// One message names so many at most.
const MOST: usize = 50;

/// The short ids that a message says are fixed, in capitals, each once.
pub fn named(message: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut fixing = false;
    for word in message.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        if WORDS.contains(&bare.to_lowercase().as_str()) {
            fixing = true;
            continue;
        }
        if !fixing || matches!(bare.to_lowercase().as_str(), "and" | "") {
            continue;
        }
        // `SHOP-1,SHOP-2` is one word.
        let mut found = false;
        for part in bare.split(',').filter(|p| is_short_id(p)) {
            found = true;
            let id = part.to_uppercase();
            if !out.contains(&id) && out.len() < MOST {
                out.push(id);
            }
        }
        fixing = found;
    }
    out
}

fn is_short_id(text: &str) -> bool {
    text.contains('-') && parse_short_id(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_issues_are_found() {
        for (message, ids) in [
            ("Fixes SHOP-1A", &["SHOP-1A"][..]),
            (
                "cart: no crash\n\nfixes: shop-2, SHOP-3 and SHOP-4.",
                &["SHOP-2", "SHOP-3", "SHOP-4"],
            ),
            ("Closes SHOP-5,SHOP-6", &["SHOP-5", "SHOP-6"]),
            ("see SHOP-7", &[]),
            ("fix the build, not SHOP-8", &[]),
            ("resolved MY-APP-9 (again)", &["MY-APP-9"]),
        ] {
            assert_eq!(named(message), ids, "{message}");
        }
    }
}

//! Any text as rules of ownership, and as a CODEOWNERS file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use storage::ownership::{Subject, parse, parse_codeowners, winner};

fuzz_target!(|text: &str| {
    let subject = Subject {
        paths: vec!["src/a/b/free/c.py".into()],
        modules: vec!["shop.cart".into()],
        url: Some("http://x/cart".into()),
        tags: vec![("region".into(), "eu".into())],
    };
    for rules in [parse(text), parse_codeowners(text)].into_iter().flatten() {
        let _ = winner(&rules, &subject);
    }
});

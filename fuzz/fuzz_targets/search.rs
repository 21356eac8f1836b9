//! Any text as a query: an error points into it.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    if let Err(e) = storage::search::parse(query) {
        assert!(e.start <= e.end && e.end <= query.chars().count().max(1), "{e:?}");
    }
});

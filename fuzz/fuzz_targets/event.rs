//! Any bytes as an event, through scrubbing, normalization and grouping.

#![no_main]

use libfuzzer_sys::fuzz_target;
use processing::{NoGeo, NoSymbols, process_event};

#[path = "../setting.rs"]
mod setting;
use setting::{receipt, rules};

fuzz_target!(|bytes: &[u8]| {
    let rules = rules();
    if let Ok(done) = process_event(bytes, &receipt(), &rules, &NoGeo, &NoSymbols) {
        let (_, repairs) = protocol::json::parse(&done.json).expect("stored JSON is read");
        assert!(repairs.is_empty() && !done.hashes.is_empty());
    }
});

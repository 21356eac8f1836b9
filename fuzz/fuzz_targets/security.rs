//! Any bytes as a security report.

#![no_main]

use libfuzzer_sys::fuzz_target;
use processing::{NoGeo, process_security};

#[path = "../setting.rs"]
mod setting;
use setting::{receipt, rules};

fuzz_target!(|bytes: &[u8]| {
    let rules = rules();
    for done in process_security(bytes, None, &receipt(), &rules, &NoGeo)
        .into_iter()
        .flatten()
    {
        assert!(!done.hashes.is_empty());
    }
});

//! Any bytes as a debug file: what it is, or a reason.

#![no_main]

use libfuzzer_sys::fuzz_target;
use symbolicate::object::inspect;

const ID: &str = "2e5bb0b5-91f4-4bfb-9a1a-4d5f9d8d0d01";

fuzz_target!(|bytes: &[u8]| {
    for name in ["shop", "/proguard/2e5bb0b5-91f4-4bfb-9a1a-4d5f9d8d0d01.txt"] {
        if let Ok(found) = inspect(bytes, name, Some(ID)) {
            assert!(!found.is_empty());
            assert!(found.iter().all(|f| f.debug_id.is_some() || f.code_id.is_some()));
        }
    }
});

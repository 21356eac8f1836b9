//! Any bytes as JSON: what is read, is written as JSON that reads as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((value, _)) = protocol::json::parse(bytes) {
        let written = value.to_vec();
        let (again, repairs) = protocol::json::parse(&written).expect("own JSON is read");
        assert!(repairs.is_empty(), "own JSON needs no repair");
        assert_eq!(again.to_vec(), written);
    }
});

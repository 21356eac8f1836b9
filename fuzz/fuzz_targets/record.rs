//! Any bytes as the record of a pack: what is read, is written as the same record.

#![no_main]

use libfuzzer_sys::fuzz_target;
use storage::record::StoredEvent;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(event) = StoredEvent::decode(bytes) {
        let again = StoredEvent::decode(&event.encode()).expect("an own record is read");
        // Numbers that are none are equal to nothing, but are written the same.
        assert_eq!(again.encode(), event.encode());
    }
});

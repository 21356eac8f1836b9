//! Any bytes as an envelope.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::envelope::Envelope;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(envelope) = Envelope::parse(bytes) {
        let payloads: usize = envelope.items.iter().map(|i| i.payload.len()).sum();
        assert!(payloads <= bytes.len());
    }
});

//! Any bytes as a bundle: a manifest and entries within their limits, or a reason.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use symbolicate::bundle::Bundle;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut bundle) = Bundle::open(Cursor::new(bytes)) else {
        return;
    };
    let _ = bundle.manifest();
    let names: Vec<String> = bundle.names().map(str::to_owned).collect();
    for name in names.iter().take(10) {
        if let Ok(entry) = bundle.read(name, 1 << 20) {
            assert!(entry.len() <= 1 << 20);
        }
    }
});

//! Any bytes as a cabinet: what comes out stays within its bound.

#![no_main]

use libfuzzer_sys::fuzz_target;
use symbolicate::cabinet::unpack;

fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    let mut out = Vec::new();
    let _ = unpack(bytes, 1 << 20, &mut out);
    assert!(out.len() <= 1 << 20);
});

//! Any bytes as a body that is compressed, the first byte saying how: it stays within its bound.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use pipeline::ingest::body::{Bodies, decode, decode_store};

const LIMIT: usize = 1 << 20;
const ENCODINGS: [&str; 6] = ["gzip", "deflate", "br", "zstd", "gzip, deflate", "zstd, br"];

fuzz_target!(|bytes: &[u8]| {
    let Some((how, body)) = bytes.split_first() else {
        return;
    };
    let mut share = Arc::new(Bodies::new(LIMIT)).enter();
    let encoding = ENCODINGS[usize::from(*how) % ENCODINGS.len()];
    if let Ok(out) = decode(body.to_vec().into(), encoding, LIMIT, &mut share) {
        assert!(out.len() <= LIMIT);
    }
    let _ = decode_store(body.to_vec().into(), LIMIT, &mut share);
});

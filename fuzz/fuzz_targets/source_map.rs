//! Any bytes as a source map, with the script before it when there is a NUL between them: in the form for maps of usual
//! size and in the one for large maps. What can be looked up in is looked up in. Panics are set aside, as they are in the
//! process that reads maps; this looks for what takes memory and time without end.

#![no_main]

use std::panic::catch_unwind;

use libfuzzer_sys::fuzz_target;
use symbolicate::js::{large, map};

/// Longer scripts nest deeper than the stack of the sanitizer's build.
const SCRIPT: usize = 1_000;

fn look(form: &[u8]) {
    let Some(map) = map::Map::read(form) else {
        return;
    };
    for line in 0..4 {
        for column in [0, 1, 7, 100, 65_536, u32::MAX] {
            let _ = map.find(line, column);
        }
    }
}

fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    let (script, text) = match bytes.iter().position(|b| *b == 0) {
        Some(at) if at <= SCRIPT => (Some(&bytes[..at]), &bytes[at + 1..]),
        _ => (None, bytes),
    };
    let _ = catch_unwind(|| map::convert(script, text).map(|form| look(&form)));
    let mut form = Vec::new();
    if let Ok(Some(())) = large::convert(text, &mut form) {
        look(&form);
    }
    // What lies on the disk may be anything, too.
    let _ = catch_unwind(|| look(bytes));
});

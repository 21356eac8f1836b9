//! Any text as a DSN and as what says who sends.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = protocol::dsn::Dsn::parse(text);
    let _ = protocol::auth::parse_header(text);
    let _ = protocol::time::parse_time(text);
    let pairs = text.split('&').filter_map(|p| p.split_once('='));
    let _ = protocol::auth::parse_query(pairs);
});

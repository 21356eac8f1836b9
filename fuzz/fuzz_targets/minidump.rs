//! Any bytes as a minidump: what is read of it is an event that can be written. What a library panics over is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::json::Json;
use symbolicate::files::NoFiles;

fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    let _ = symbolicate::minidump::read(bytes);
    if let Ok(mut event) = symbolicate::minidump::process(bytes, &NoFiles) {
        symbolicate::native::apply(&mut event, &NoFiles);
        let text = Json::Object(event).to_vec();
        assert!(protocol::json::parse(&text).is_ok());
    }
});

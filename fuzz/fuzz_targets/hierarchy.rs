//! Any bytes as the views of a screen: what is written anew is JSON, of no more than is allowed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use symbolicate::hierarchy::rename;

fuzz_target!(|bytes: &[u8]| {
    let named = rename(bytes, |class| (class != "b").then(|| "b".to_owned()));
    if let Some(named) = named {
        assert!(protocol::json::parse(&named).is_ok());
        assert!(rename(&named, |class| (class != "b").then(|| "b".to_owned())).is_none());
    }
});

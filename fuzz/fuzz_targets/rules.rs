//! Any text as the rules of a project.

#![no_main]

use libfuzzer_sys::fuzz_target;
use processing::{ProjectRules, ProjectSettings};

fuzz_target!(|text: &str| {
    let _ = ProjectRules::compile(
        1,
        &ProjectSettings {
            stacktrace_rules: text.to_owned(),
            ..Default::default()
        },
    );
    let _ = ProjectRules::compile(
        1,
        &ProjectSettings {
            fingerprint_rules: text.to_owned(),
            ..Default::default()
        },
    );
});

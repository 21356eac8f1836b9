//! What events come in with.

use processing::{ProjectRules, ProjectSettings, Receipt};

/// Rules that look at everything an event may hold.
pub fn rules() -> ProjectRules {
    let settings = ProjectSettings {
        stacktrace_rules: "path:**/x/** -app\nfunction:*a* ^-group max-frames=3\n".into(),
        fingerprint_rules: "message:*1* -> {{ message }}, {{ stack.function }}, {{ tags.x }}\n".into(),
        ..ProjectSettings::default()
    };
    ProjectRules::compile(1, &settings).expect("rules")
}

/// A receipt like that of a request.
pub fn receipt() -> Receipt<'static> {
    Receipt {
        received: 1_795_700_000_000_000,
        client_ip: Some("203.0.113.9"),
        user_agent: Some("Mozilla/5.0"),
        project: 1,
        ..Receipt::default()
    }
}

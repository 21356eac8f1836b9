//! The API's root and the server's health.

use serde_json::json;

use crate::access::Proof;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::views::people;

/// Who the caller is, as `sentry-cli info` asks.
pub fn index(call: &Call) -> Result<Answer, ApiError> {
    let user = call.principal.as_ref().map(|p| people::me(&p.user));
    let auth = call.principal.as_ref().map(|p| match &p.proof {
        Proof::Token(scopes) => json!({ "scopes": scopes }),
        Proof::Session(_) => json!({ "scopes": crate::access::SCOPES }),
    });
    Ok(Answer::json(
        json!({ "version": "0", "auth": auth, "user": user }),
    ))
}

/// Version, and how far the workers are.
pub fn health(call: &Call) -> Result<Answer, ApiError> {
    let mut body = json!({ "version": call.api.version, "status": "ok" });
    if let (Some(_), Some(map)) = (&call.principal, body.as_object_mut()) {
        map.insert("server".into(), (call.api.hooks.status)());
    }
    Ok(Answer::json(body))
}

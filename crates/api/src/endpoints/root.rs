//! The API's root.

use http::StatusCode;
use serde_json::json;

use crate::access::Proof;
use crate::answer::{Answer, ApiError, Content};
use crate::call::Call;
use crate::views::people;

/// Who the caller is, as `sentry-cli info` asks.
pub fn index(call: &Call) -> Result<Answer, ApiError> {
    let user = call
        .principal
        .as_ref()
        .and_then(|p| p.user.as_ref())
        .map(people::me);
    let auth = call.principal.as_ref().map(|p| match &p.proof {
        Proof::Token(scopes) => json!({ "scopes": scopes }),
        Proof::Organization(token) => json!({ "scopes": token.scopes }),
        Proof::Session(_) => json!({ "scopes": crate::access::SCOPES }),
    });
    Ok(Answer::json(
        json!({ "version": "0", "auth": auth, "user": user }),
    ))
}

/// The description of the API (OpenAPI 3.1).
pub fn description(_call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer {
        status: StatusCode::OK,
        body: Content::Bytes(crate::OPENAPI.as_bytes().to_vec(), "application/json".into()),
        headers: vec![],
    })
}

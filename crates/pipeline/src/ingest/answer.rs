//! Answers to clients: what is wrong and where, in the body as JSON and in `X-Sentry-Error`.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use protocol::limits::{RATE_LIMITS_HEADER, RateLimit, format_limits};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// What is wrong and what to do, in a sentence.
    pub detail: String,
    /// More about it, the outer cause first.
    pub causes: Vec<String>,
    /// Limits in force (429).
    pub limits: Vec<RateLimit>,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal with a status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Refusal {
        Refusal {
            status,
            detail: detail.into(),
            causes: vec![],
            limits: vec![],
            retry_after: None,
        }
    }

    /// 400 with a cause.
    pub fn bad(detail: impl Into<String>, cause: impl ToString) -> Refusal {
        Refusal {
            causes: vec![cause.to_string()],
            ..Refusal::new(StatusCode::BAD_REQUEST, detail)
        }
    }
}

/// A header value of any text: what a header cannot hold is left out.
fn header_text(text: &str) -> HeaderValue {
    let clean: String = text
        .chars()
        .map(|c| {
            if c.is_ascii() && !c.is_ascii_control() {
                c
            } else {
                ' '
            }
        })
        .collect();
    HeaderValue::from_str(&clean).unwrap_or_else(|_| HeaderValue::from_static("error"))
}

/// Characters of a sentence that are said: it may repeat what was sent.
const SAID: usize = 500;

fn short(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(SAID) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

impl IntoResponse for Refusal {
    fn into_response(mut self) -> Response {
        self.detail = short(self.detail);
        self.causes = self.causes.into_iter().map(short).collect();
        let body = serde_json::json!({ "detail": self.detail, "causes": self.causes });
        let mut text = self.detail.clone();
        for cause in &self.causes {
            text.push_str(": ");
            text.push_str(cause);
        }
        let mut response = json(self.status, &body);
        let headers = response.headers_mut();
        headers.insert("x-sentry-error", header_text(&text));
        if !self.limits.is_empty() {
            headers.insert(RATE_LIMITS_HEADER, header_text(&format_limits(&self.limits)));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The answer to what was taken: its id if it has one.
pub fn accepted(id: Option<&str>) -> Response {
    let body = match id {
        Some(id) => serde_json::json!({ "id": id }),
        None => serde_json::json!({}),
    };
    json(StatusCode::OK, &body)
}

/// Lets pages of any site read the answer (protocol.md 3.3).
pub fn allow_any_origin(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("x-sentry-error, x-sentry-rate-limits, retry-after"),
    );
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("cross-origin"),
    );
}

/// The answer to a preflight request.
pub fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("POST, GET, OPTIONS"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(
            "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, \
             authentication, authorization, content-encoding, transfer-encoding, baggage, sentry-trace, traceparent",
        ),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    allow_any_origin(&mut response);
    response
}

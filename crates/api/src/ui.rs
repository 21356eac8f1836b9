//! The web UI: files embedded in the binary. Every path that is no file answers the page, which finds its way.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use http::{HeaderValue, Method, Request, StatusCode, header};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::Api;
use crate::answer::ApiError;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist"]
#[allow_missing = true]
struct Files;

/// Answers a file of the UI, or its page.
pub async fn page(State(api): State<Api>, request: Request<Body>) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        return ApiError::Missing("The requested resource does not exist.".into()).into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let name = path.trim_start_matches('/');
    if name != "index.html" && !name.is_empty() {
        if let Some(file) = Files::get(name) {
            return asset(name, file.data.into_owned());
        }
        if name.starts_with("assets/") {
            return StatusCode::NOT_FOUND.into_response();
        }
    }
    match Files::get("index.html") {
        Some(file) => index(&api, &file.data),
        None => {
            let text = "This binary was built without its web UI: run `make release`, or `npm run build` in web/ first.\n";
            (StatusCode::NOT_FOUND, text).into_response()
        }
    }
}

fn asset(name: &str, bytes: Vec<u8>) -> Response {
    let end = name.rsplit_once('.').map_or("", |(_, e)| e);
    let mime = match end {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" | "webmanifest" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    // Names under assets/ carry a hash of their content.
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// The path prefix of the address: `/` or `/errors/`.
fn base(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, r)| r);
    match rest.split_once('/') {
        Some((_, path)) if !path.is_empty() => format!("/{}/", path.trim_matches('/')),
        _ => "/".to_owned(),
    }
}

/// The sources of inline scripts: their SHA-256, as a policy names them.
fn script_hashes(html: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find("<script>") {
        let body = &rest[start + 8..];
        let Some(end) = body.find("</script>") else { break };
        let digest = Sha256::digest(&body.as_bytes()[..end]);
        out.push(format!(
            "'sha256-{}'",
            base64::engine::general_purpose::STANDARD.encode(digest)
        ));
        rest = &body[end..];
    }
    out
}

fn index(api: &Api, bytes: &[u8]) -> Response {
    let html = String::from_utf8_lossy(bytes)
        .replace("<base href=\"/\"", &format!("<base href=\"{}\"", base(&api.url)));
    let policy = format!(
        "default-src 'self'; script-src 'self' {}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
         connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
        script_hashes(&html).join(" ")
    );
    let mut response = Response::new(Body::from(html));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_the_address_is_the_base() {
        assert_eq!(base("http://localhost:9000"), "/");
        assert_eq!(base("https://x.y/errors"), "/errors/");
        assert_eq!(base("https://x.y/a/b"), "/a/b/");
    }

    #[test]
    fn inline_scripts_are_named_by_hash() {
        let hashes = script_hashes("<script>a()</script><script src=x></script><script>b()</script>");
        assert_eq!(hashes.len(), 2);
        assert_eq!(hashes[0], "'sha256-qVpDBgj7bpq5hMAcGp3AOc79J3Y1Z4HvySTwKrWDoy4='");
    }
}

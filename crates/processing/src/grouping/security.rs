//! Security reports as they take part in grouping.

use protocol::json::Json;

use super::component::Component;

/// The effective directive and what was blocked.
pub fn csp<'a>(report: &'a Json<'_>) -> Component<'a> {
    let text = |key: &str| report.get(key).and_then(Json::as_str).unwrap_or_default();
    let directive = text("effective_directive").split_whitespace().next();
    let directive = directive
        .or_else(|| text("violated_directive").split_whitespace().next())
        .unwrap_or_default();
    let blocked = text("blocked_uri");
    let local = matches!(blocked, "" | "self" | "'self'");
    let violated = text("violated_directive");
    let unsafe_word = ["'unsafe-inline'", "'unsafe-eval'"]
        .into_iter()
        .find(|w| directive == "script-src" && local && violated.contains(w));
    let second = match unsafe_word {
        Some(word) => Component::text("violation", word),
        None => Component::text("uri", normalized_uri(blocked)),
    };
    Component::list("csp", vec![Component::text("salt", directive), second])
}

/// What was blocked, without what differs from page to page.
pub fn normalized_uri(uri: &str) -> String {
    if matches!(uri, "" | "self" | "'self'") {
        return "'self'".to_owned();
    }
    let Some((scheme, rest)) = uri.split_once(':') else {
        return format!("{uri}://");
    };
    let Some(rest) = rest.strip_prefix("//") else {
        return format!("{scheme}:");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, h)| h);
    match scheme {
        "http" | "https" => host.to_owned(),
        _ => format!("{scheme}://{host}"),
    }
}

/// The other reports: their name and the host.
pub fn report<'a>(name: &'static str, report: &'a Json<'_>) -> Component<'a> {
    let host = report.get("hostname").and_then(Json::as_str).unwrap_or_default();
    Component::list(
        name,
        vec![Component::text("salt", name), Component::text("hostname", host)],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris() {
        for (uri, expected) in [
            ("", "'self'"),
            ("self", "'self'"),
            ("https://cdn.example.com:8443/x.js?a", "cdn.example.com:8443"),
            ("data:text/plain", "data:"),
            ("ftp://a.b/x", "ftp://a.b"),
            ("inline", "inline://"),
        ] {
            assert_eq!(normalized_uri(uri), expected);
        }
    }
}

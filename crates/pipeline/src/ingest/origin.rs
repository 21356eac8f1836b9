//! Pages that may send to a project: what its setting `allowedDomains` says of a browser's `Origin` or `Referer`.

use http::{HeaderMap, StatusCode, header};
use protocol::category::{Category, Discard};
use protocol::envelope::Envelope;
use serde_json::Value;

use super::Ingest;
use super::answer::Refusal;
use super::record::Meta;
use super::request::Sender;

/// An address of the setting: `example.com`, `*.example.com`, `https://example.com:8080`.
#[derive(Debug, Clone, PartialEq)]
struct Domain {
    scheme: Option<String>,
    /// Without `*.`.
    host: String,
    below: bool,
    port: Option<u16>,
}

/// The addresses that may send.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Allowed {
    /// Nothing restricts.
    any: bool,
    domains: Vec<Domain>,
}

/// Scheme, host and port of an address; no scheme or port where it has none.
fn split(text: &str) -> (Option<&str>, &str, Option<u16>) {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let authority = authority.rsplit_once('@').map_or(authority, |(_, a)| a);
    let port = |text: &str| text.parse::<u16>().ok();
    // The colons of an IPv6 address stand in brackets.
    match authority.rsplit_once(':') {
        Some((host, p)) if !p.contains(']') && port(p).is_some() => (scheme, host, port(p)),
        _ => (scheme, authority, None),
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

impl Allowed {
    /// Reads a project's settings; without the setting everybody may send.
    pub fn of(settings: &Value) -> Allowed {
        let list = settings.get("allowedDomains").and_then(Value::as_array);
        let texts: Vec<String> = list
            .into_iter()
            .flatten()
            .filter_map(|v| Some(v.as_str()?.trim().to_lowercase()))
            .filter(|t| !t.is_empty())
            .collect();
        if texts.is_empty() || texts.iter().any(|t| t == "*") {
            return Allowed {
                any: true,
                domains: vec![],
            };
        }
        let domain = |text: &String| {
            let (scheme, host, port) = split(text);
            let below = host.starts_with("*.");
            Domain {
                scheme: scheme.map(str::to_owned),
                host: host.trim_start_matches("*.").to_owned(),
                below,
                port,
            }
        };
        Allowed {
            any: false,
            domains: texts.iter().map(domain).collect(),
        }
    }

    /// Whether an address is one that the setting names: where nothing is named, none is.
    pub fn names(&self, url: &str) -> bool {
        !self.any && self.allows(url)
    }

    /// Whether a page at this address may send.
    fn allows(&self, origin: &str) -> bool {
        let origin = origin.to_lowercase();
        let (scheme, host, port) = split(&origin);
        let port = port.or_else(|| scheme.and_then(default_port));
        self.any
            || self.domains.iter().any(|d| {
                let deeper = d.below
                    && host
                        .strip_suffix(d.host.as_str())
                        .is_some_and(|h| h.ends_with('.'));
                (host == d.host || deeper)
                    && d.scheme.as_deref().is_none_or(|s| Some(s) == scheme)
                    && d.port.is_none_or(|p| Some(p) == port)
            })
    }
}

/// The address of the page that sends, if a browser says one.
fn page(headers: &HeaderMap) -> Option<&str> {
    let names = [header::ORIGIN, header::REFERER];
    let mut said = names.iter().filter_map(|n| headers.get(n)?.to_str().ok());
    said.find(|t| t.contains("://"))
}

/// Refuses what a page sends that may not, and counts it.
pub fn check(
    ingest: &Ingest,
    headers: &HeaderMap,
    meta: &Meta,
    sender: &Sender,
    holds: &[(Category, u64)],
) -> Result<(), Refusal> {
    let Some(page) = page(headers) else {
        return Ok(());
    };
    if sender.entry.project.allowed.allows(page) {
        return Ok(());
    }
    for (category, quantity) in holds {
        ingest
            .quota
            .refuse(meta.project, *category, *quantity, meta.received, Discard::Cors);
    }
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        "event submission rejected: the project does not take events from pages of this origin; \
         its settings list the allowed domains",
    ))
}

/// What an envelope holds, as it is counted.
pub fn holds(envelope: &Envelope<'_>) -> Vec<(Category, u64)> {
    let mut out = Vec::new();
    for item in &envelope.items {
        let category = processing::kinds::find(&item.kind).map(|k| k.category);
        match category {
            _ if item.kind == "client_report" => {}
            Some(Category::Attachment) => {
                out.push((Category::AttachmentItem, 1));
                out.push((Category::Attachment, item.payload.len() as u64));
            }
            other => out.push((other.unwrap_or(Category::Default), 1)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn domains_are_compared_part_by_part() {
        let allowed =
            |domain: &str, origin: &str| Allowed::of(&json!({ "allowedDomains": [domain] })).allows(origin);
        for (domain, origin, want) in [
            ("*", "http://anything", true),
            ("example.com", "https://example.com", true),
            ("example.com", "http://EXAMPLE.com:8080/page?x=1", true),
            ("example.com", "https://www.example.com", false),
            ("example.com", "https://example.com.evil.org", false),
            ("*.example.com", "https://a.b.example.com", true),
            ("*.example.com", "https://example.com", true),
            ("*.example.com", "https://badexample.com", false),
            ("example.com:8080", "http://example.com:8080", true),
            ("example.com:8080", "http://example.com", false),
            ("example.com:443", "https://example.com", true),
            ("https://example.com", "https://example.com/a", true),
            ("https://example.com", "http://example.com", false),
            ("[::1]:9000", "http://[::1]:9000", true),
            ("example.com", "http://example.com@evil.org", false),
        ] {
            assert_eq!(allowed(domain, origin), want, "{domain} {origin}");
        }
        assert!(Allowed::of(&json!({})).allows("http://x"));
        assert!(Allowed::of(&json!({ "allowedDomains": [] })).allows("http://x"));
    }
}

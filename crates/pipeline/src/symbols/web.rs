//! Scripts and maps from where browsers get them.

use std::time::Duration;

use storage::cache::CacheError;
use storage::outgoing::Request;
use symbolicate::js::{Artifact, FetchError, Found, urls};

use super::Symbols;
use super::convert::open;
use super::shelf::hash;
use crate::directory::ProjectEntry;

/// The largest file that is fetched, bytes.
const LARGEST_FETCHED: u64 = 64 << 20;
/// How long a server may take for a file.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long it is remembered that a file was not to be had, µs.
const MISSING: i64 = 3_600_000_000;
/// How long a server is left alone that did not answer, µs.
const SILENT: i64 = 300_000_000;
/// How long a fetched file counts, µs: what stands at an address may change.
const FRESH: i64 = 3_600_000_000;
/// Redirections that are followed.
const REDIRECTIONS: usize = 3;

fn other(details: impl ToString) -> FetchError {
    FetchError {
        reason: "other",
        details: details.to_string(),
    }
}

/// The host of an address.
fn host(url: &str) -> &str {
    url.split('/').nth(2).unwrap_or_default()
}

/// Fetches a file for a project, or takes what was fetched within the hour.
pub(super) fn fetch(symbols: &Symbols, project: &ProjectEntry, url: &str) -> Result<Artifact, FetchError> {
    let url = url.split('#').next().unwrap_or(url);
    let now = symbols.stores.clock.now();
    // What a project's token lets it see is its own.
    let owner = project.symbols.token.as_ref().map_or(0, |_| project.project.id);
    let failures = [format!("{owner} {url}"), format!("host {}", host(url))];
    let generation = symbols.directory.generation();
    for key in &failures {
        if let Some(known) = symbols.failures.get(generation, key, now) {
            return Err(known);
        }
    }
    let key = format!("web-{}-{}", hash(&[url, &owner.to_string()]), now / FRESH);
    let mut failure = None;
    let file = symbols
        .cache
        .file(&key, &mut |out| match ask(symbols, project, url) {
            Ok((bytes, map)) => {
                // The header that names the map is kept in front, so that the file says all.
                let mut content = map.unwrap_or_default().into_bytes();
                content.push(b'\n');
                content.extend_from_slice(&bytes);
                std::fs::write(out, content).map_err(|e| CacheError::Failed(e.to_string()))
            }
            Err(e) => {
                failure = Some(e);
                Err(CacheError::Failed("not fetched".into()))
            }
        });
    if let Some(failure) = failure {
        let [of_url, of_host] = failures;
        let remember = match failure.reason {
            "timeout" => Some((of_host, SILENT)),
            "not_found" | "permission_denied" => Some((of_url, MISSING)),
            // This server had too much to ask, which says nothing of the other.
            _ if failure.details.contains("was not asked") => None,
            _ => Some((of_url, SILENT)),
        };
        if let Some((key, pause)) = remember {
            symbols
                .failures
                .put(generation, key, failure.clone(), now + pause);
        }
        return Err(failure);
    }
    let file = file.map_err(other)?;
    // The two parts are files of their own, as whoever reads maps needs them plain.
    let whole = open(&file).map_err(other)?;
    let split = whole.iter().position(|b| *b == b'\n').unwrap_or(0);
    let map = std::str::from_utf8(&whole[..split])
        .ok()
        .filter(|m| !m.is_empty())
        .map(str::to_owned);
    let plain_key = format!("{key}-plain");
    let plain = symbols.cache.file(&plain_key, &mut |out| {
        std::fs::write(out, whole.get(split + 1..).unwrap_or_default())
            .map_err(|e| CacheError::Failed(e.to_string()))
    });
    let plain = plain.map_err(other)?;
    Ok(Artifact {
        bytes: open(&plain).map_err(other)?,
        path: Some(plain),
        key: plain_key,
        url: url.to_owned(),
        map,
        found: Found::Web,
    })
}

/// Asks for a file: its bytes, and the map that its headers name.
fn ask(
    symbols: &Symbols,
    project: &ProjectEntry,
    url: &str,
) -> Result<(Vec<u8>, Option<String>), FetchError> {
    let mut url = url.to_owned();
    for _ in 0..=REDIRECTIONS {
        let mut headers = vec![("Accept".into(), "*/*".to_owned())];
        if let Some((name, token)) = &project.symbols.token
            && project.allowed.names(&url)
        {
            headers.push((name.clone().into(), token.clone()));
        }
        let request = Request {
            method: "GET",
            url: url.clone(),
            headers,
            body: Vec::new(),
            most: LARGEST_FETCHED,
            patience: Some(PATIENCE),
            private: false,
        };
        let answer = symbols.outgoing.ask(&request).map_err(|e| {
            let reason = if e.0.contains("did not answer") {
                "timeout"
            } else {
                "download_error"
            };
            FetchError { reason, details: e.0 }
        })?;
        match answer.status {
            200 => {
                let html = answer
                    .header("content-type")
                    .is_some_and(|t| t.starts_with("text/html"));
                let start = answer.body.iter().find(|b| !b.is_ascii_whitespace());
                if html || start == Some(&b'<') {
                    return Err(FetchError {
                        reason: "other",
                        details: format!(
                            "{url} is a page, not a script: the server answers what it does not have so"
                        ),
                    });
                }
                let map = answer
                    .header("sourcemap")
                    .or(answer.header("x-sourcemap"))
                    .map(str::to_owned);
                return Ok((answer.body, map));
            }
            301 | 302 | 303 | 307 | 308 => match answer.header("location") {
                Some(to) => url = urls::join(&url, to),
                None => return Err(other(format!("{url} leads elsewhere and does not say where"))),
            },
            404 | 410 => {
                return Err(FetchError {
                    reason: "not_found",
                    details: format!("{url} is not there: the server answers {}", answer.status),
                });
            }
            401 | 403 => {
                return Err(FetchError {
                    reason: "permission_denied",
                    details: format!("{url} may not be read: the server answers {}", answer.status),
                });
            }
            status => return Err(other(format!("{url}: the server answers {status}"))),
        }
    }
    Err(other(format!(
        "{url} leads elsewhere more than {REDIRECTIONS} times"
    )))
}

//! Scripts and maps from where browsers get them.

use std::time::Duration;

use storage::cache::CacheError;
use symbolicate::js::{Artifact, FetchError, Found};

use super::Symbols;
use super::convert::open;
use super::fetch::{Fetch, Unfetched, Why};
use super::shelf::hash;
use crate::directory::ProjectEntry;

/// The largest file that is fetched, bytes.
const LARGEST_FETCHED: u64 = 64 << 20;
/// How long a server may take for a file.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a fetched file counts, µs: what stands at an address may change.
const FRESH: i64 = 3_600_000_000;
fn other(details: impl ToString) -> FetchError {
    FetchError {
        reason: "other",
        details: details.to_string(),
    }
}

/// Why a script or map did not come, in the words of events.
fn told(what: Unfetched) -> FetchError {
    let Unfetched { why, url, details } = what;
    let (reason, details) = match why {
        Why::Missing => ("not_found", format!("{url} is not there: {details}")),
        Why::Forbidden => ("permission_denied", format!("{url} may not be read: {details}")),
        Why::Timeout => ("timeout", details),
        Why::Unreachable | Why::NotAsked => ("download_error", details),
        Why::Odd => ("other", format!("{url}: {details}")),
    };
    FetchError { reason, details }
}

/// Fetches a file for a project, or takes what was fetched within the hour.
pub(super) fn fetch(symbols: &Symbols, project: &ProjectEntry, url: &str) -> Result<Artifact, FetchError> {
    let url = url.split('#').next().unwrap_or(url);
    let now = symbols.stores.clock.now();
    // What a project's token lets it see is its own.
    let owner = project.symbols.token.as_ref().map_or(0, |_| project.project.id);
    let of_file = format!("{owner} {url}");
    let generation = symbols.directory.generation();
    if let Some(known) = symbols.unscraped.recall(generation, &of_file, url, now) {
        return Err(told(known));
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
        symbols.unscraped.note(generation, &of_file, url, &failure, now);
        return Err(told(failure));
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
fn ask(symbols: &Symbols, project: &ProjectEntry, url: &str) -> Result<(Vec<u8>, Option<String>), Unfetched> {
    let fetch = Fetch {
        outgoing: &*symbols.outgoing,
        most: LARGEST_FETCHED,
        patience: PATIENCE,
        headers: &|url| match &project.symbols.token {
            Some((name, token)) if project.allowed.names(url) => vec![(name.clone().into(), token.clone())],
            _ => Vec::new(),
        },
        turn: &|| Ok(()),
    };
    let (answer, url) = fetch.get(url)?;
    let html = answer
        .header("content-type")
        .is_some_and(|t| t.starts_with("text/html"));
    let start = answer.body.iter().find(|b| !b.is_ascii_whitespace());
    if html || start == Some(&b'<') {
        let what = "this is a page, not a script: the server answers what it does not have so";
        return Err(Unfetched::new(Why::Odd, &url, what));
    }
    let map = answer
        .header("sourcemap")
        .or(answer.header("x-sourcemap"))
        .map(str::to_owned);
    Ok((answer.body, map))
}

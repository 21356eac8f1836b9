//! Who sends: the key by every form of authentication, and the client's address.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{HeaderMap, StatusCode, request::Parts};
use protocol::auth::{Auth, AuthError, join, parse_header, parse_query};
use protocol::dsn::Dsn;

use super::Ingest;
use super::answer::Refusal;
use crate::directory::KeyEntry;

/// The pairs of a query string.
pub fn query(parts: &Parts) -> Vec<(String, String)> {
    let text = parts.uri.query().unwrap_or("");
    serde_urlencoded::from_str(text).unwrap_or_default()
}

/// One value of a query.
pub fn value(query: &[(String, String)], name: &str) -> Option<String> {
    query
        .iter()
        .find(|(k, _)| k == name)
        .map(|(_, v)| v.clone())
        .filter(|v| !v.is_empty())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned)
}

/// A header as text, shortened to what is worth keeping.
pub fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    text(headers, name)
        .map(|t| t.chars().take(1000).collect())
        .filter(|t: &String| !t.is_empty())
}

fn refuse(e: &AuthError) -> Refusal {
    let status = match e {
        AuthError::BadKey | AuthError::BadVersion => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNAUTHORIZED,
    };
    Refusal::new(status, e.to_string())
}

/// The client's address, as [`protocol::forwarded`] finds it.
pub fn address(ingest: &Ingest, parts: &Parts) -> Option<IpAddr> {
    let peer = parts
        .extensions
        .get::<axum::extract::ConnectInfo<SocketAddr>>()
        .map(|c| c.0.ip());
    let lists = parts.headers.get_all("x-forwarded-for");
    protocol::forwarded::client(
        peer,
        lists.iter().filter_map(|v| v.to_str().ok()),
        &*ingest.trusted,
    )
}

/// Who sends.
pub struct Sender {
    /// The key.
    pub entry: Arc<KeyEntry>,
    /// What the client calls itself.
    pub client: Option<String>,
}

/// Finds the key and checks that it belongs to the project of the path, if there is one.
pub fn authenticate(
    ingest: &Ingest,
    parts: &Parts,
    query: &[(String, String)],
    project: Option<&str>,
    dsn: Option<&str>,
) -> Result<Sender, Refusal> {
    let mut forms = Vec::new();
    for name in ["x-sentry-auth", "authorization"] {
        if let Some(value) = text(&parts.headers, name) {
            forms.push(parse_header(&value).map_err(|e| refuse(&e))?);
        }
    }
    let pairs = query.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    forms.push(parse_query(pairs).map_err(|e| refuse(&e))?);
    let mut dsn_project = None;
    if let Some(dsn) = dsn {
        let dsn = Dsn::parse(dsn).map_err(|e| Refusal::bad("bad dsn in the envelope header", e))?;
        dsn_project = Some(dsn.project.0);
        forms.push(Some(Auth {
            key: dsn.key,
            ..Auth::default()
        }));
    }
    let auth = join(forms).map_err(|e| refuse(&e))?;
    let wanted = match project {
        None => dsn_project,
        Some(text) => match text.parse::<u64>() {
            Ok(id) => Some(id),
            Err(_) => {
                return Err(Refusal::bad(
                    "bad project in the path",
                    format!("'{text}' is not a project number"),
                ));
            }
        },
    };
    let rejected =
        |why: &str| Refusal::new(StatusCode::FORBIDDEN, format!("event submission rejected: {why}"));
    let Some(entry) = ingest.directory.key(&auth.key) else {
        return Err(rejected(
            "no project has this key; copy the DSN from the project's settings",
        ));
    };
    if !entry.key.is_active {
        return Err(rejected("the key is disabled"));
    }
    let actual = u64::try_from(entry.key.project_id).unwrap_or(0);
    if wanted.is_some_and(|w| w != actual) || dsn_project.is_some_and(|d| d != actual) {
        return Err(rejected(
            "the key belongs to another project than the path or DSN names",
        ));
    }
    let client = auth.client.or_else(|| header(&parts.headers, "user-agent"));
    Ok(Sender { entry, client })
}

//! Single sign-on through a provider of an organization (OpenID Connect): what the provider says of itself, the
//! exchange of a code, and [`token`] for what its tokens say.
//!
//! Everything that comes from a provider is foreign: bounded, checked, and asked for through the one client that
//! looks at addresses.

pub mod token;

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde::Deserialize;
use storage::outgoing::{Outgoing, Request};
use storage::relational::sign_on::Provider;

use token::Keys;

/// What the only kind of provider is called.
pub const NAME: &str = "OpenID Connect";
/// The longest answer of a provider, bytes.
const MOST: u64 = 512 << 10;
/// What a provider says of itself counts so long, µs.
const FRESH: i64 = 600_000_000;
/// Providers that are remembered.
const REMEMBERED: usize = 200;

/// What a provider says of itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Clone, Deserialize)]
pub struct Discovery {
    /// Its address.
    pub issuer: String,
    /// Where browsers are sent.
    pub authorization_endpoint: String,
    /// Where codes are exchanged.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where it says more of users.
    pub userinfo_endpoint: Option<String>,
    /// How this server may show who it is.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// By what its tokens may be signed.
    pub id_token_signing_alg_values_supported: Option<Vec<String>>,
}

/// What a provider says of itself, and when it said it, µs.
#[derive(Clone)]
struct Remembered {
    at: i64,
    discovery: Arc<Discovery>,
    keys: Arc<Keys>,
}

/// What is known of providers, by organization.
#[derive(Default)]
pub struct Providers(Mutex<HashMap<i64, Remembered>>);

fn ask(outgoing: &dyn Outgoing, request: Request) -> Result<(u16, Vec<u8>), String> {
    let request = Request {
        most: MOST,
        private: true,
        ..request
    };
    let answer = outgoing.ask(&request).map_err(|e| e.0)?;
    Ok((answer.status, answer.body))
}

fn get(outgoing: &dyn Outgoing, url: &str, headers: Vec<(&'static str, String)>) -> Result<Vec<u8>, String> {
    let request = Request {
        method: "GET",
        url: url.to_owned(),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
        ..Request::default()
    };
    match ask(outgoing, request)? {
        (200, body) => Ok(body),
        (status, _) => Err(format!("{url} answers with status {status}")),
    }
}

/// Whether a text can be an address of a provider: no other scheme reaches a browser.
pub fn is_address(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|r| r.split(['/', '?']).next()).unwrap_or("");
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'<' | b'>'));
    text.len() <= 500 && plain && !host.is_empty() && !host.contains('@') && !text.contains('#')
}

/// Asks a provider about itself.
///
/// # Errors
/// What is wrong, for whoever set it up.
pub fn discover(outgoing: &dyn Outgoing, issuer: &str) -> Result<Discovery, String> {
    let url = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let body = get(outgoing, &url, vec![])?;
    let found: Discovery =
        serde_json::from_slice(&body).map_err(|e| format!("{url} is no description of a provider: {e}"))?;
    if found.issuer != issuer {
        return Err(format!(
            "{url} says that the issuer is {}: write exactly this address as the issuer",
            found.issuer.chars().take(300).collect::<String>()
        ));
    }
    let addresses = [
        &found.authorization_endpoint,
        &found.token_endpoint,
        &found.jwks_uri,
    ];
    let userinfo = found.userinfo_endpoint.as_ref();
    if let Some(wrong) = addresses.into_iter().chain(userinfo).find(|a| !is_address(a)) {
        return Err(format!(
            "{url} names {} where an http address must stand",
            wrong.chars().take(300).collect::<String>()
        ));
    }
    Ok(found)
}

/// Fetches the keys of a provider.
///
/// # Errors
/// What is wrong.
pub fn keys(outgoing: &dyn Outgoing, discovery: &Discovery) -> Result<Keys, String> {
    let body = get(outgoing, &discovery.jwks_uri, vec![])?;
    let keys = Keys::read(&body).map_err(|e| format!("{}: {e}", discovery.jwks_uri))?;
    if keys.is_empty() {
        return Err(format!(
            "{} holds no key for RS256 or ES256, by which tokens must be signed",
            discovery.jwks_uri
        ));
    }
    Ok(keys)
}

impl Providers {
    /// What the provider of an organization says of itself, as it said it at most ten minutes ago; `again` asks anew.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub fn of(
        &self,
        outgoing: &dyn Outgoing,
        provider: &Provider,
        now: i64,
        again: bool,
    ) -> Result<(Arc<Discovery>, Arc<Keys>), String> {
        let known = self.0.lock().get(&provider.org_id).cloned();
        if let Some(known) = known
            && !again
            && known.discovery.issuer == provider.issuer
            && now - known.at < FRESH
        {
            return Ok((known.discovery, known.keys));
        }
        let discovery = Arc::new(discover(outgoing, &provider.issuer)?);
        let keys = Arc::new(keys(outgoing, &discovery)?);
        let mut all = self.0.lock();
        if all.len() >= REMEMBERED {
            all.clear();
        }
        let known = Remembered {
            at: now,
            discovery: discovery.clone(),
            keys: keys.clone(),
        };
        all.insert(provider.org_id, known);
        Ok((discovery, keys))
    }
}

/// What a provider gives for a code.
pub struct Redeemed {
    /// Who it is, signed.
    pub id_token: String,
    /// What opens the userinfo endpoint.
    pub access_token: String,
}

/// A part of a form or of basic credentials, as RFC 6749 encodes it.
fn encode(text: &str) -> String {
    serde_urlencoded::to_string([("", text)])
        .unwrap_or_default()
        .trim_start_matches('=')
        .to_owned()
}

/// Exchanges a code.
///
/// # Errors
/// What the provider says against it.
pub fn redeem(
    outgoing: &dyn Outgoing,
    discovery: &Discovery,
    provider: &Provider,
    code: &str,
    verifier: &str,
    redirect: &str,
) -> Result<Redeemed, String> {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect),
        ("code_verifier", verifier),
    ];
    let mut headers = vec![
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ("accept", "application/json".to_owned()),
    ];
    let methods = discovery.token_endpoint_auth_methods_supported.as_deref();
    let has = |name: &str| methods.is_some_and(|m| m.iter().any(|m| m == name));
    if has("client_secret_post") && !has("client_secret_basic") {
        form.push(("client_id", &provider.client_id));
        form.push(("client_secret", &provider.client_secret));
    } else {
        let pair = format!(
            "{}:{}",
            encode(&provider.client_id),
            encode(&provider.client_secret)
        );
        headers.push(("authorization", format!("Basic {}", STANDARD.encode(pair))));
    }
    let request = Request {
        method: "POST",
        url: discovery.token_endpoint.clone(),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
        body: serde_urlencoded::to_string(&form)
            .map_err(|e| e.to_string())?
            .into_bytes(),
        ..Request::default()
    };
    let (status, body) = ask(outgoing, request)?;
    let body: serde_json::Value = serde_json::from_slice(&body).map_err(|_| {
        format!(
            "{} answers with status {status} and no JSON",
            discovery.token_endpoint
        )
    })?;
    let text = |name: &str| body.get(name).and_then(|v| v.as_str());
    if status != 200 {
        let why = [text("error"), text("error_description")];
        let why: Vec<&str> = why.into_iter().flatten().collect();
        let why: String = why.join(": ").chars().take(300).collect();
        return Err(format!("status {status} {why}"));
    }
    let missing = || "its answer has no id_token: the scope openid must be allowed there".to_owned();
    Ok(Redeemed {
        id_token: text("id_token").ok_or_else(missing)?.to_owned(),
        access_token: text("access_token").unwrap_or("").to_owned(),
    })
}

/// What the userinfo endpoint says of somebody, for providers whose tokens have no address. It must mean the same
/// person.
///
/// # Errors
/// If it does not answer, or speaks of somebody else.
pub fn userinfo(
    outgoing: &dyn Outgoing,
    discovery: &Discovery,
    access_token: &str,
    claims: &mut token::Claims,
) -> Result<(), String> {
    let Some(url) = discovery.userinfo_endpoint.as_deref() else {
        return Ok(());
    };
    let headers = vec![
        ("authorization", format!("Bearer {access_token}")),
        ("accept", "application/json".to_owned()),
    ];
    let body = get(outgoing, url, headers)?;
    let body: serde_json::Value = serde_json::from_slice(&body).map_err(|e| format!("{url}: {e}"))?;
    if body.get("sub").and_then(|s| s.as_str()) != Some(&claims.subject) {
        return Err(format!("{url} speaks of somebody else than the token"));
    }
    claims.take_person(&body);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_providers_are_http() {
        for good in [
            "https://a.example",
            "http://localhost:8080/realms/x",
            "https://a/b?c=d",
        ] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "ftp://a",
            "https://a@b",
            "https://a/ b",
            "//a",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        assert_eq!(encode("a b:c%"), "a+b%3Ac%25");
    }
}

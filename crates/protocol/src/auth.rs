//! How a client says which key it uses (protocol.md 3.2; Sentry's `transport/authentication.mdx`).
//!
//! Forms: the header `X-Sentry-Auth` or `Authorization` (`Sentry sentry_key=…, …`), the query
//! (`?sentry_key=…`), and the envelope header's `dsn`. If several are given they must name the same key.

use std::fmt;

/// What a client said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Auth {
    /// The public key, 32 hex digits in lower case.
    pub key: String,
    /// `sentry.python/2.75.0`.
    pub client: Option<String>,
    /// The protocol version it speaks; 7 today.
    pub version: Option<String>,
}

/// Why the words could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthError {
    /// No form of authentication was given.
    Missing,
    /// The header is not `Sentry key=value, …`, or it has no key.
    Malformed,
    /// The key is not 32 hex digits.
    BadKey,
    /// A protocol version above 7 or not a number.
    BadVersion,
    /// Two forms were given and name different keys.
    Conflict,
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AuthError::Missing => {
                "missing authorization information: send X-Sentry-Auth, ?sentry_key= or a dsn in the envelope header"
            }
            AuthError::Malformed => "bad X-Sentry-Auth header: expected 'Sentry sentry_key=<key>, ...'",
            AuthError::BadKey => "bad sentry_key: expected 32 hex digits",
            AuthError::BadVersion => "unsupported protocol version: expected 7 or lower",
            AuthError::Conflict => "conflicting authorization: the forms given name different keys",
        })
    }
}

impl std::error::Error for AuthError {}

/// Checks a public key and lowers its case.
///
/// # Errors
/// [`AuthError::BadKey`] unless it is 32 hex digits.
pub fn parse_key(text: &str) -> Result<String, AuthError> {
    if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(AuthError::BadKey)
    }
}

fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Option<Auth>, AuthError> {
    let mut auth = Auth::default();
    for (name, value) in pairs {
        match name {
            "sentry_key" => auth.key = parse_key(value)?,
            "sentry_client" if !value.is_empty() => auth.client = Some(value.to_owned()),
            "sentry_version" => {
                let number: f64 = value.parse().map_err(|_| AuthError::BadVersion)?;
                if !(2.0..8.0).contains(&number) {
                    return Err(AuthError::BadVersion);
                }
                auth.version = Some(value.to_owned());
            }
            _ => {}
        }
    }
    Ok((!auth.key.is_empty()).then_some(auth))
}

/// Reads the value of `X-Sentry-Auth` or `Authorization`; `None` if it speaks another scheme (`Bearer`).
///
/// # Errors
/// [`AuthError`] if it is Sentry's scheme and cannot be read.
pub fn parse_header(value: &str) -> Result<Option<Auth>, AuthError> {
    let value = value.trim();
    let rest = match value.split_once(char::is_whitespace) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sentry") => rest,
        _ if value.get(..7).is_some_and(|s| s.eq_ignore_ascii_case("sentry_")) => value,
        _ if value.eq_ignore_ascii_case("sentry") => return Err(AuthError::Malformed),
        _ => return Ok(None),
    };
    let pairs = rest
        .split(',')
        .filter_map(|part| part.trim().split_once('='))
        .map(|(k, v)| (k.trim(), v.trim().trim_matches('"')));
    from_pairs(pairs)?.map(Some).ok_or(AuthError::Malformed)
}

/// Reads the query's `sentry_key`, `sentry_client` and `sentry_version` from decoded pairs.
///
/// # Errors
/// [`AuthError`] if a key or version is given and cannot be read.
pub fn parse_query<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Option<Auth>, AuthError> {
    from_pairs(pairs)
}

/// Joins what the forms said: the first that is there wins, all must name one key.
///
/// # Errors
/// [`AuthError::Missing`] if there is none, [`AuthError::Conflict`] if two differ.
pub fn join(forms: impl IntoIterator<Item = Option<Auth>>) -> Result<Auth, AuthError> {
    let mut found: Option<Auth> = None;
    for form in forms.into_iter().flatten() {
        match &mut found {
            None => found = Some(form),
            Some(first) => {
                if first.key != form.key {
                    return Err(AuthError::Conflict);
                }
                if first.client.is_none() {
                    first.client = form.client;
                }
            }
        }
    }
    found.ok_or(AuthError::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn header_forms() {
        let auth = parse_header(&format!(
            "Sentry sentry_key={KEY}, sentry_version=7, sentry_client=sentry.python/2.75.0"
        ))
        .unwrap()
        .unwrap();
        assert_eq!(auth.key, KEY);
        assert_eq!(auth.client.as_deref(), Some("sentry.python/2.75.0"));
        assert!(
            parse_header(&format!(
                "sentry sentry_version=7,sentry_key={}",
                KEY.to_uppercase()
            ))
            .unwrap()
            .is_some()
        );
        assert_eq!(parse_header("Bearer abc"), Ok(None));
        assert_eq!(parse_header("Sentry sentry_version=7"), Err(AuthError::Malformed));
        assert_eq!(parse_header("Sentry sentry_key=abc"), Err(AuthError::BadKey));
        assert_eq!(
            parse_header(&format!("Sentry sentry_key={KEY}, sentry_version=9")),
            Err(AuthError::BadVersion)
        );
    }

    #[test]
    fn forms_must_agree() {
        let a = || {
            Some(Auth {
                key: KEY.into(),
                ..Auth::default()
            })
        };
        let b = Some(Auth {
            key: "f".repeat(32),
            ..Auth::default()
        });
        assert_eq!(join([None, None]), Err(AuthError::Missing));
        assert_eq!(join([a(), b]), Err(AuthError::Conflict));
        assert_eq!(join([None, a(), a()]).map(|x| x.key), Ok(KEY.to_owned()));
    }
}

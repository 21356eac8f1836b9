//! The DSN: `{scheme}://{public key}[:{secret}]@{host}{path}/{project}`.

use std::fmt;

use crate::auth::{AuthError, parse_key};
use crate::ids::ProjectId;

/// A client key as SDKs are given it. The secret of old DSNs is read and forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dsn {
    /// `http` or `https`.
    pub scheme: String,
    /// The public key, 32 hex digits.
    pub key: String,
    /// Host and port.
    pub host: String,
    /// The path prefix, without a slash at its end: `` or `/sentry`.
    pub path: String,
    /// The project.
    pub project: ProjectId,
}

impl Dsn {
    /// Reads a DSN.
    ///
    /// # Errors
    /// [`AuthError::Malformed`] if a part is missing, [`AuthError::BadKey`] if the key is not 32 hex digits.
    pub fn parse(text: &str) -> Result<Dsn, AuthError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(AuthError::Malformed)?;
        let (user, rest) = rest.split_once('@').ok_or(AuthError::Malformed)?;
        let key = parse_key(user.split(':').next().unwrap_or(user))?;
        let rest = rest
            .split(['?', '#'])
            .next()
            .unwrap_or(rest)
            .trim_end_matches('/');
        let (front, project) = rest.rsplit_once('/').ok_or(AuthError::Malformed)?;
        let project = project.parse().map(ProjectId).map_err(|_| AuthError::Malformed)?;
        let (host, path) = match front.split_once('/') {
            Some((host, path)) => (host, format!("/{}", path.trim_matches('/'))),
            None => (front, String::new()),
        };
        if host.is_empty() || !matches!(scheme, "http" | "https") {
            return Err(AuthError::Malformed);
        }
        Ok(Dsn {
            scheme: scheme.into(),
            key,
            host: host.into(),
            path,
            project,
        })
    }

    /// The DSN of a key on a server that is reached under `url` (`https://errors.example.com/prefix`).
    pub fn for_url(url: &str, key: &str, project: ProjectId) -> String {
        let url = url.trim_end_matches('/');
        match url.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{key}@{rest}/{project}"),
            None => format!("http://{key}@{url}/{project}"),
        }
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}@{}{}/{}",
            self.scheme, self.key, self.host, self.path, self.project
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dsn_with_every_part() {
        let key = "0123456789abcdef0123456789abcdef";
        for text in [
            format!("https://{key}@host:9000/a/b/42"),
            format!("http://{key}@host/1"),
        ] {
            assert_eq!(Dsn::parse(&text).unwrap().to_string(), text);
        }
        let old = Dsn::parse(&format!("https://{key}:secret@host/2")).unwrap();
        assert_eq!(old.to_string(), format!("https://{key}@host/2"));
        assert_eq!(
            Dsn::for_url("https://h/p/", key, ProjectId(3)),
            format!("https://{key}@h/p/3")
        );
        assert!(Dsn::parse("https://host/1").is_err());
        assert!(Dsn::parse(&format!("https://{key}@host/shop")).is_err());
        assert!(Dsn::parse(&format!("ftp://{key}@host/1")).is_err());
    }
}

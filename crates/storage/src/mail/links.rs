//! Addresses that stand in mails.

use std::sync::Arc;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::compose::Cause;

/// Makes addresses under the server's own.
#[derive(Clone)]
pub struct Links {
    url: Arc<str>,
    secret: Arc<str>,
}

impl Links {
    /// Addresses below `url`, without a slash at its end; signed with a secret where nobody else may make them.
    pub fn new(url: Arc<str>, secret: Arc<str>) -> Links {
        Links { url, secret }
    }

    /// The page of an issue.
    pub fn issue(&self, organization: &str, short_id: &str) -> String {
        format!("{}/organizations/{organization}/issues/{short_id}/", self.url)
    }

    /// The issues of a project.
    pub fn issues(&self, organization: &str, project: i64) -> String {
        format!(
            "{}/organizations/{organization}/issues/?project={project}",
            self.url
        )
    }

    /// Where a new password is chosen.
    pub fn reset(&self, token: &str) -> String {
        format!("{}/reset-password/{token}/", self.url)
    }

    /// Where an address is confirmed.
    pub fn verification(&self, token: &str) -> String {
        format!("{}/verify-email/{token}/", self.url)
    }

    /// Where somebody sees how they sign in.
    pub fn security(&self) -> String {
        format!("{}/settings/account/security/", self.url)
    }

    /// Where mails of a kind about a project are stopped: whoever has the address may, as it came to them.
    pub fn stop(&self, user: i64, project: i64, cause: Cause) -> String {
        let name = cause.name();
        let signature = self.signature(user, project, name);
        format!(
            "{}/api/0/unsubscribe/{user}/{project}/{name}/{signature}/",
            self.url
        )
    }

    /// Whether an address to stop mails was made here.
    pub fn may_stop(&self, user: i64, project: i64, cause: Cause, signature: &str) -> bool {
        let want = self.signature(user, project, cause.name());
        // All of it is compared, so that the time does not tell how much fits.
        want.len() == signature.len()
            && want
                .bytes()
                .zip(signature.bytes())
                .fold(0, |all, (a, b)| all | (a ^ b))
                == 0
    }

    fn signature(&self, user: i64, project: i64, kind: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()) else {
            // HMAC takes keys of every length.
            return String::new();
        };
        mac.update(format!("unsubscribe {user} {project} {kind}").as_bytes());
        let bytes = mac.finalize().into_bytes();
        bytes[..16].iter().map(|b| format!("{b:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stops_its_own_mails_alone() {
        let links = Links::new("https://e.example.com".into(), "secret".into());
        let url = links.stop(3, 5, Cause::New);
        let signature = url.rsplit('/').nth(1).unwrap();
        assert!(links.may_stop(3, 5, Cause::New, signature));
        for (user, project, cause) in [(4, 5, Cause::New), (3, 6, Cause::New), (3, 5, Cause::Regression)] {
            assert!(!links.may_stop(user, project, cause, signature));
        }
        assert!(
            !Links::new("https://e.example.com".into(), "other".into()).may_stop(3, 5, Cause::New, signature)
        );
        assert!(!links.may_stop(3, 5, Cause::New, ""));
    }
}

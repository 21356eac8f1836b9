//! Buckets of Google Cloud Storage: a service account signs for a token (RFC 7523), with which the files of a bucket
//! are asked for.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

use super::fetch::{Fetch, Unfetched, Why};
use super::s3::strict;

/// Who gives tokens.
pub(super) const TOKENS: &str = "https://oauth2.googleapis.com/token";
/// What a token is asked for.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_only";
/// How long a token is asked to be valid, s.
const VALID: i64 = 3600;
/// A token is not used so long before it ends, s.
const SPARE: i64 = 60;

/// A bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) client_email: String,
    pub(super) private_key: String,
}

/// A token, and how long it may be used, s.
pub(super) struct Token {
    pub(super) value: String,
    pub(super) seconds: i64,
}

/// The key in the text of a file that Google makes: PEM with PKCS #8 in it. JSON's `\n` may still stand for lines.
///
/// # Errors
/// A sentence.
pub(super) fn key(pem: &str) -> Result<KeyPair, String> {
    let text = pem.replace("\\n", "\n");
    let inner = text
        .split_once("-----BEGIN PRIVATE KEY-----")
        .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"))
        .ok_or("Expected a private key in PEM form, with the line -----BEGIN PRIVATE KEY-----.")?
        .0;
    let inner: String = inner.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let der = BASE64_STANDARD.decode(inner).ok();
    der.and_then(|der| KeyPair::from_pkcs8(&der).ok())
        .ok_or_else(|| "This is no RSA key of 2048 to 4096 bits.".into())
}

impl Bucket {
    /// The address of a key, which is encoded as in an address.
    pub(super) fn address(&self, key: &str) -> String {
        format!("https://storage.googleapis.com/{}/{}", self.name, strict(key))
    }

    /// The form with which a token is asked for at a time, s.
    fn form(&self, now: i64) -> Result<String, String> {
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({
            "iss": self.client_email, "scope": SCOPE, "aud": TOKENS, "iat": now, "exp": now + VALID,
        });
        let text = format!(
            "{}.{}",
            part(json!({ "alg": "RS256", "typ": "JWT" })),
            part(claims)
        );
        let key = key(&self.private_key)?;
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            text.as_bytes(),
            &mut signature,
        )
        .map_err(|_| "The private key does not sign.")?;
        Ok(format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={text}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        ))
    }

    /// Asks for a token at a time, µs.
    pub(super) fn token(&self, fetch: &Fetch<'_>, now: i64) -> Result<Token, Unfetched> {
        let wrong = |why, what: &str| {
            let what = format!("there is no token for the service account: {what}");
            Unfetched::new(why, TOKENS, what)
        };
        let form = self
            .form(now / 1_000_000)
            .map_err(|e| wrong(Why::Forbidden, &e))?;
        let answer = fetch.send(TOKENS, form).map_err(|e| wrong(e.why, &e.details))?;
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let value = answer["access_token"].as_str().filter(|t| {
            let fits = |b: u8| b.is_ascii_graphic();
            !t.is_empty() && t.bytes().all(fits)
        });
        Ok(Token {
            value: value
                .ok_or_else(|| wrong(Why::Odd, "the answer holds none"))?
                .to_owned(),
            seconds: answer["expires_in"].as_i64().unwrap_or(VALID).min(VALID) - SPARE,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::process::Command;
    use std::sync::LazyLock;
    use std::time::Duration;

    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::super::fetch::fake::Network;
    use super::*;

    /// A key as Google makes them, by openssl.
    pub fn pem() -> &'static str {
        static KEY: LazyLock<String> = LazyLock::new(|| {
            let made = Command::new("openssl")
                .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
                .output()
                .expect("openssl runs");
            String::from_utf8(made.stdout).expect("PEM")
        });
        &KEY
    }

    pub fn bucket() -> Bucket {
        Bucket {
            name: "symbols".into(),
            client_email: "reader@acme.iam.gserviceaccount.com".into(),
            private_key: pem().into(),
        }
    }

    fn asked(bucket: &Bucket, network: &Network) -> Result<Token, Unfetched> {
        let fetch = Fetch {
            outgoing: network,
            most: 1 << 20,
            patience: Duration::from_secs(1),
            headers: &|_| Vec::new(),
            turn: &|| Ok(()),
        };
        bucket.token(&fetch, 1_800_000_000_000_000)
    }

    #[test]
    fn a_token_is_asked_for_with_a_signature() {
        let answer = br#"{"access_token":"ya29.abc","expires_in":3599,"token_type":"Bearer"}"#;
        let network = Network::default().with(TOKENS, 200, &[], answer);
        let token = asked(&bucket(), &network).unwrap();
        assert_eq!((&*token.value, token.seconds), ("ya29.abc", 3539));
        let asked = network.asked.lock();
        assert!(asked[0].private && asked[0].method == "POST");
        let form = String::from_utf8(asked[0].body.clone()).unwrap();
        let jwt = form.split_once("assertion=").unwrap().1;
        let (text, signature) = jwt.rsplit_once('.').unwrap();
        let key = key(pem()).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public())
            .verify(
                text.as_bytes(),
                &BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap(),
            )
            .unwrap();
        let claims = BASE64_URL_SAFE_NO_PAD
            .decode(text.split_once('.').unwrap().1)
            .unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["iss"], bucket().client_email);
        assert_eq!(
            (&claims["iat"], &claims["exp"]),
            (&json!(1_800_000_000), &json!(1_800_003_600))
        );
    }

    #[test]
    fn no_token_is_said_as_what_it_is() {
        for (status, body, why) in [
            (400, &b"{\"error\":\"invalid_grant\"}"[..], Why::Forbidden),
            (500, b"", Why::Odd),
            (200, b"{}", Why::Odd),
            (200, b"{\"access_token\":\"a\\r\\nHost: b\"}", Why::Odd),
        ] {
            let network = Network::default().with(TOKENS, status, &[], body);
            let e = asked(&bucket(), &network).err().unwrap();
            assert_eq!(e.why, why);
            assert!(e.details.contains("no token"), "{}", e.details);
        }
        let broken = Bucket {
            private_key: "x".into(),
            ..bucket()
        };
        let network = Network::default();
        assert!(asked(&broken, &network).is_err() && network.asked.lock().is_empty());
    }

    #[test]
    fn keys_as_files_and_json_have_them() {
        assert!(key(pem()).is_ok() && key(&pem().replace('\n', "\\n")).is_ok());
        for (bad, what) in [
            ("hunter2", "BEGIN PRIVATE KEY"),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
                "RSA",
            ),
        ] {
            assert!(key(bad).err().unwrap().contains(what));
        }
    }
}

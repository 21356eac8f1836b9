//! Secrets that must be read again (of an app that shows codes) are kept sealed with the installation's secret key,
//! so that whoever has the database alone has nothing: ChaCha20-Poly1305 (RFC 8439), the nonce before the text.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};

use crate::password::new_secret;

/// Seals and opens.
#[derive(Clone)]
pub struct Seal(LessSafeKey);

impl Seal {
    /// With a key that is made of the installation's secret key.
    ///
    /// # Errors
    /// If the library takes no key of 32 bytes.
    pub fn new(secret: &str) -> Result<Seal, String> {
        let key = Sha256::digest(format!("vedette seal 1\0{secret}"));
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key).map_err(|e| e.to_string())?;
        Ok(Seal(LessSafeKey::new(key)))
    }

    /// Seals a text for a purpose; what was sealed for another does not open.
    pub fn close(&self, purpose: &str, text: &[u8]) -> Result<String, String> {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&Sha256::digest(new_secret())[..NONCE_LEN]);
        let mut sealed = text.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut sealed,
            )
            .map_err(|e| e.to_string())?;
        Ok(BASE64.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed here; `None` if it was not, or for another purpose.
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<Vec<u8>> {
        let bytes = BASE64.decode(sealed).ok()?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut rest = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let text = self
            .0
            .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut rest)
            .ok()?;
        Some(text.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_for_the_same_purpose() {
        let seal = Seal::new("a").unwrap();
        let sealed = seal.close("code", b"secret").unwrap();
        assert_ne!(sealed, seal.close("code", b"secret").unwrap());
        assert_eq!(seal.open("code", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(seal.open("other", &sealed), None);
        assert_eq!(Seal::new("b").unwrap().open("code", &sealed), None);
        assert_eq!(seal.open("code", "AAAA"), None);
    }
}

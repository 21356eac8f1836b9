//! Passwords, tokens and keys: made here, kept as hashes.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use parking_lot::{Condvar, Mutex};
use sha2::{Digest, Sha256};

/// Hashes a password with Argon2id at the library's defaults (19 MiB, 2 passes: OWASP's choice).
///
/// # Errors
/// What the library says.
pub fn hash_password(password: &str) -> Result<String, String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|h| h.to_string())
        .map_err(|e| e.to_string())
}

/// Passwords that are compared at the same time; each takes 19 MiB.
const AT_ONCE: usize = 4;
static TURNS: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// One of the [`AT_ONCE`] turns.
struct Turn;

impl Turn {
    fn take() -> Turn {
        let mut taken = TURNS.0.lock();
        while *taken >= AT_ONCE {
            TURNS.1.wait(&mut taken);
        }
        *taken += 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TURNS.0.lock() -= 1;
        TURNS.1.notify_one();
    }
}

/// Whether a password is the one that was hashed.
pub fn verify_password(password: &str, hash: &str) -> bool {
    let _turn = Turn::take();
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

/// Why a password is too easy, if it is.
pub fn weak_password(password: &str) -> Option<&'static str> {
    if password.chars().count() < 8 {
        return Some("use at least 8 characters");
    }
    if password.len() > 256 {
        return Some("use at most 256 bytes");
    }
    let first = password.chars().next();
    if password.chars().all(|c| Some(c) == first) {
        return Some("use more than one character");
    }
    None
}

/// A key of a project: 32 hex digits.
pub fn new_key() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Whether a text can be the key of a project.
pub fn is_key(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// 256 random bits in hex.
pub fn new_secret() -> String {
    format!(
        "{}{}",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    )
}

/// What is kept of a token or session: its SHA-256 in hex.
pub fn token_hash(token: &str) -> String {
    Sha256::digest(token.as_bytes())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_verified() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_password("correct horse", &hash));
        assert!(!verify_password("correct hors", &hash));
        assert!(!verify_password("", "not a hash"));
        assert!(weak_password("short").is_some());
        assert!(weak_password("aaaaaaaaaa").is_some());
        assert!(weak_password("long enough").is_none());
    }
}

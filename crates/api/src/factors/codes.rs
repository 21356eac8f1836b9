//! Codes of an app (TOTP, RFC 6238: SHA-1, six digits, 30 seconds, one step of leeway) and recovery codes.

use qrcodegen::{QrCode, QrCodeEcc};
use sha2::{Digest as _, Sha256};
use totp_rs::{Builder, Secret, Totp};

use crate::password::{new_secret, token_hash};

/// Seconds of a step.
const STEP: u64 = 30;
/// Recovery codes of a user.
pub const RECOVERY: usize = 10;

/// A new secret of an app, 160 bits.
pub fn secret() -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(&Sha256::digest(new_secret())[..20]);
    out
}

fn totp(secret: &[u8]) -> Option<Totp> {
    let secret = Secret::new(secret.into());
    let totp = Builder::new()
        .with_secret(secret)
        .with_skew(1)
        .with_step_duration(STEP);
    totp.build().ok()
}

/// The step of a code, if it is one of now; `time` in seconds.
pub fn step(secret: &[u8], code: &str, time: u64) -> Option<i64> {
    i64::try_from(totp(secret)?.check(code, time)?).ok()
}

/// A secret as people type it.
pub fn spelled(secret: &[u8]) -> String {
    Secret::new(secret.into()).to_base32()
}

/// The address that apps read (Key Uri Format), for a user of an installation.
pub fn uri(secret: &[u8], installation: &str, user: &str) -> String {
    let encode = |text: &str| {
        let mut out = String::new();
        for b in text.bytes() {
            match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(b.into()),
                _ => out.push_str(&format!("%{b:02X}")),
            }
        }
        out
    };
    let (issuer, user) = (encode(installation), encode(user));
    format!(
        "otpauth://totp/{issuer}:{user}?secret={}&issuer={issuer}",
        spelled(secret)
    )
}

/// A text as a QR code: rows of dark and light.
pub fn picture(text: &str) -> Vec<Vec<u8>> {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else {
        return vec![];
    };
    let row = |y| {
        (0..code.size())
            .map(|x| u8::from(code.get_module(x, y)))
            .collect()
    };
    (0..code.size()).map(row).collect()
}

/// New recovery codes: four times four hex digits each.
pub fn recovery() -> Vec<String> {
    let one = || {
        let secret = new_secret();
        let part = |i: usize| secret.get(i * 4..i * 4 + 4).unwrap_or("").to_owned();
        [part(0), part(4), part(8), part(12)].join("-")
    };
    (0..RECOVERY).map(|_| one()).collect()
}

/// What is kept of a user's recovery code; however it was typed.
pub fn recovery_hash(user: i64, code: &str) -> String {
    let code: String = code.chars().filter(char::is_ascii_hexdigit).collect();
    token_hash(&format!("recovery {user} {}", code.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, of which the last six digits are taken.
        let secret = b"12345678901234567890";
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            let expected = i64::try_from(time / STEP).unwrap();
            assert_eq!(step(secret, code, time), Some(expected), "{time}");
            assert_eq!(step(secret, code, time + STEP), Some(expected), "one step late");
            assert_eq!(step(secret, code, time + 3 * STEP), None);
        }
        assert_eq!(step(secret, "", 59), None);
        assert_eq!(step(secret, "28708", 59), None);
    }

    #[test]
    fn apps_read_the_address() {
        let uri = uri(b"12345678901234567890", "errors.example", "ann+x@example.com");
        assert_eq!(
            uri,
            "otpauth://totp/errors.example:ann%2Bx%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=errors.example"
        );
        let picture = picture(&uri);
        assert!(picture.len() > 20 && picture.iter().all(|row| row.len() == picture.len()));
    }

    #[test]
    fn recovery_codes_are_read_however_they_are_typed() {
        let codes = recovery();
        assert_eq!(codes.len(), RECOVERY);
        assert_eq!(codes[0].len(), 19);
        assert_ne!(codes[0], codes[1]);
        let typed = codes[0].replace('-', " ").to_uppercase();
        assert_eq!(recovery_hash(1, &codes[0]), recovery_hash(1, &typed));
        assert_ne!(recovery_hash(1, &codes[0]), recovery_hash(2, &codes[0]));
    }
}

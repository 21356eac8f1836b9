//! Identifiers: newtypes that parse and print one way.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of an event: 128 bits, printed as 32 lower-case hex digits without dashes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct EventId(pub [u8; 16]);

/// The text was not 32 hex digits (dashes allowed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected 32 hex digits, dashes allowed")
    }
}

impl std::error::Error for InvalidId {}

impl EventId {
    /// All zeroes; SDKs never send it and the server never keeps it.
    pub const NIL: EventId = EventId([0; 16]);

    /// Whether this is the nil id.
    pub fn is_nil(self) -> bool {
        self == Self::NIL
    }
}

/// Reads 32 hex digits with dashes anywhere into bytes.
fn parse_hex16(text: &str) -> Result<[u8; 16], InvalidId> {
    let mut out = [0u8; 16];
    let mut n = 0;
    for b in text.trim().bytes() {
        let digit = match b {
            b'0'..=b'9' => b - b'0',
            b'a'..=b'f' => b - b'a' + 10,
            b'A'..=b'F' => b - b'A' + 10,
            b'-' => continue,
            _ => return Err(InvalidId),
        };
        if n == 32 {
            return Err(InvalidId);
        }
        out[n / 2] = (out[n / 2] << 4) | digit;
        n += 1;
    }
    if n == 32 { Ok(out) } else { Err(InvalidId) }
}

/// Writes up to 32 bytes as lower-case hex.
fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    let mut n = 0;
    for (place, b) in text.chunks_exact_mut(2).zip(bytes) {
        place[0] = DIGITS[usize::from(b >> 4)];
        place[1] = DIGITS[usize::from(b & 15)];
        n += 2;
    }
    f.write_str(std::str::from_utf8(&text[..n]).unwrap_or_default())
}

impl FromStr for EventId {
    type Err = InvalidId;
    fn from_str(s: &str) -> Result<Self, InvalidId> {
        parse_hex16(s).map(EventId)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A grouping hash: 128 bits (MD5 of the contributing values), printed as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupHash(pub [u8; 16]);

impl FromStr for GroupHash {
    type Err = InvalidId;
    fn from_str(s: &str) -> Result<Self, InvalidId> {
        parse_hex16(s).map(GroupHash)
    }
}

impl fmt::Display for GroupHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for GroupHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// A project's number, as in the DSN's path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectId(pub u64);

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_with_and_without_dashes() {
        let id: EventId = "9ec79c33-ec99-42ab-8353-589fcb2e04dc".parse().unwrap();
        assert_eq!(id.to_string(), "9ec79c33ec9942ab8353589fcb2e04dc");
        assert_eq!("9EC79C33EC9942AB8353589FCB2E04DC".parse(), Ok(id));
        assert_eq!("9ec79c33".parse::<EventId>(), Err(InvalidId));
        assert_eq!(
            "9ec79c33ec9942ab8353589fcb2e04dcff".parse::<EventId>(),
            Err(InvalidId)
        );
        assert_eq!(
            "zec79c33ec9942ab8353589fcb2e04dc".parse::<EventId>(),
            Err(InvalidId)
        );
    }
}

//! Envelopes: `header \n { item header \n payload \n }*` (protocol.md 3.4; `data-model/envelopes.mdx`).
//!
//! Splitting copies no payload. Only the routing facts are read: types, sizes, the event id. The payloads stay
//! bytes until a worker reads them.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ids::EventId;
use crate::time::parse_time;

/// Why the bytes are not an envelope, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeError {
    /// Bytes from the start.
    pub at: usize,
    /// What is wrong, in a sentence.
    pub what: String,
    /// It may be an envelope, but is larger than any should be.
    pub large: bool,
}

/// Items of an envelope at most. All types together may have far fewer that are kept.
pub const MAX_ITEMS: usize = 10_000;
/// Bytes of a header's line, that of the envelope or of an item.
pub const MAX_HEADER: usize = 1 << 20;

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid envelope at byte {}: {}", self.at, self.what)
    }
}

impl std::error::Error for EnvelopeError {}

/// The facts of the first line that the server acts on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The id of the event that the envelope carries.
    pub event_id: Option<EventId>,
    /// The DSN, for tunnels.
    pub dsn: Option<String>,
    /// The client's clock when it sent, µs.
    pub sent_at: Option<i64>,
    /// `name/version` of the SDK.
    pub sdk: Option<String>,
    /// The dynamic sampling context, as JSON text.
    pub trace: Option<String>,
}

/// One item; it borrows from the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// The item's type as written: `event`.
    pub kind: String,
    /// The item header's line.
    pub header: &'a [u8],
    /// `content_type` of the header.
    pub content_type: Option<String>,
    /// `filename` of an attachment.
    pub filename: Option<String>,
    /// `attachment_type` of an attachment.
    pub attachment_type: Option<String>,
    /// The payload.
    pub payload: &'a [u8],
}

/// An envelope split into its items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The first line.
    pub header: Header,
    /// The items in order.
    pub items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct WireHeader<'a> {
    #[serde(default, borrow)]
    event_id: Option<&'a RawValue>,
    #[serde(default)]
    dsn: Option<String>,
    #[serde(default)]
    sent_at: Option<serde_json::Value>,
    #[serde(default)]
    sdk: Option<serde_json::Value>,
    #[serde(default, borrow)]
    trace: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireItem {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    length: Option<serde_json::Value>,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    filename: Option<String>,
    #[serde(default)]
    attachment_type: Option<String>,
}

impl<'a> Envelope<'a> {
    /// Splits an envelope.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the header is not a JSON object on one line, an item header is not one with a type,
    /// or a length points past the end.
    pub fn parse(bytes: &'a [u8]) -> Result<Envelope<'a>, EnvelopeError> {
        let (line, mut at) = line_at(bytes, 0);
        if line.iter().all(u8::is_ascii_whitespace) {
            return Err(error(0, "it is empty; expected a JSON object as the first line"));
        }
        bounded(0, line)?;
        let header = parse_header(line)?;
        let mut items = Vec::new();
        while at < bytes.len() {
            let start = at;
            let (line, after) = line_at(bytes, at);
            if line.iter().all(u8::is_ascii_whitespace) {
                at = after;
                continue;
            }
            bounded(start, line)?;
            if items.len() == MAX_ITEMS {
                let what = format!("it has more than {MAX_ITEMS} items");
                return Err(EnvelopeError {
                    large: true,
                    ..error(start, what)
                });
            }
            let wire: WireItem = read_json(line).map_err(|e| error(start, format!("item header: {e}")))?;
            let length = match wire.length {
                None | Some(serde_json::Value::Null) => None,
                Some(value) => Some(
                    value
                        .as_u64()
                        .or_else(|| value.as_str().and_then(|s| s.parse().ok()))
                        .and_then(|n| usize::try_from(n).ok())
                        .ok_or_else(|| error(start, "item header: length is not a number of bytes"))?,
                ),
            };
            let payload = match length {
                Some(length) => {
                    let end = after
                        .checked_add(length)
                        .filter(|end| *end <= bytes.len())
                        .ok_or_else(|| {
                            error(
                                after,
                                format!("item of {length} bytes, but only {} follow", bytes.len() - after),
                            )
                        })?;
                    match bytes.get(end) {
                        None => at = end,
                        Some(b'\n') => at = end + 1,
                        Some(b'\r') if bytes.get(end + 1) == Some(&b'\n') => at = end + 2,
                        Some(_) => return Err(error(end, "expected a newline after the item's payload")),
                    }
                    &bytes[after..end]
                }
                None => {
                    let (line, next) = line_at(bytes, after);
                    at = next;
                    line
                }
            };
            items.push(Item {
                kind: wire.kind,
                header: line,
                content_type: wire.content_type,
                filename: wire.filename,
                attachment_type: wire.attachment_type,
                payload,
            });
        }
        Ok(Envelope { header, items })
    }
}

/// Appends an item with a length to an envelope under construction.
pub fn write_item(out: &mut Vec<u8>, header: &serde_json::Value, payload: &[u8]) {
    let mut header = header.clone();
    header["length"] = payload.len().into();
    out.extend_from_slice(header.to_string().as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload);
    out.push(b'\n');
}

fn error(at: usize, what: impl Into<String>) -> EnvelopeError {
    EnvelopeError {
        at,
        what: what.into(),
        large: false,
    }
}

fn bounded(at: usize, line: &[u8]) -> Result<(), EnvelopeError> {
    if line.len() <= MAX_HEADER {
        return Ok(());
    }
    let what = format!("a header has more than {} KiB", MAX_HEADER >> 10);
    Err(EnvelopeError {
        large: true,
        ..error(at, what)
    })
}

/// The line from `at` without its newline (and `\r`), and where the next one starts.
fn line_at(bytes: &[u8], at: usize) -> (&[u8], usize) {
    let rest = &bytes[at.min(bytes.len())..];
    match memchr::memchr(b'\n', rest) {
        Some(n) => (rest[..n].strip_suffix(b"\r").unwrap_or(&rest[..n]), at + n + 1),
        None => (rest, bytes.len()),
    }
}

/// Reads JSON; what serde refuses (lone surrogates, duplicate keys) is read leniently and written anew.
fn read_json<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Result<T, String> {
    serde_json::from_slice(line).or_else(|first| {
        let repaired = repair(line).ok_or_else(|| first.to_string())?;
        serde_json::from_slice(&repaired).map_err(|_| first.to_string())
    })
}

fn repair(line: &[u8]) -> Option<Vec<u8>> {
    let (value, _) = crate::json::parse(line).ok()?;
    let mut out = Vec::with_capacity(line.len());
    value.write(&mut out);
    Some(out)
}

fn parse_header(line: &[u8]) -> Result<Header, EnvelopeError> {
    if line.windows(9).filter(|w| w == b"\"sent_at\"").count() > 1 {
        let twice = serde_json::from_slice::<WireHeader<'_>>(line)
            .is_err_and(|e| e.to_string().contains("duplicate field `sent_at`"));
        if twice {
            return Err(error(0, "header: sent_at is given twice"));
        }
    }
    let repaired;
    let wire: WireHeader<'_> = match serde_json::from_slice(line) {
        Ok(wire) => wire,
        Err(first) => {
            repaired = repair(line).ok_or_else(|| error(0, format!("header: {first}")))?;
            serde_json::from_slice(&repaired).map_err(|_| error(0, format!("header: {first}")))?
        }
    };
    let event_id = match wire.event_id.map(RawValue::get) {
        None | Some("null") => None,
        Some(raw) => {
            let text: String =
                serde_json::from_str(raw).map_err(|_| error(0, "header: event_id is not a text"))?;
            Some(
                text.parse()
                    .map_err(|e| error(0, format!("header: event_id: {e}")))?,
            )
        }
    };
    let sent_at = match &wire.sent_at {
        Some(serde_json::Value::String(s)) => parse_time(s),
        Some(serde_json::Value::Number(n)) => n.as_f64().and_then(crate::time::from_seconds),
        _ => None,
    };
    let sdk = wire.sdk.as_ref().and_then(|sdk| {
        let name = sdk.get("name")?.as_str()?;
        Some(match sdk.get("version").and_then(|v| v.as_str()) {
            Some(version) => format!("{name}/{version}"),
            None => name.to_owned(),
        })
    });
    Ok(Header {
        event_id: event_id.filter(|id: &EventId| !id.is_nil()),
        dsn: wire.dsn,
        sent_at,
        sdk,
        trace: wire.trace.map(|t| t.get().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_with_and_without_length() {
        let bytes = b"{\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\",\"sent_at\":\"2023-11-14T22:13:20Z\"}\n\
            {\"type\":\"event\"}\n{\"message\":\"hi\"}\n\
            {\"type\":\"attachment\",\"length\":5,\"filename\":\"a.txt\"}\nab\ncd\n\
            {\"type\":\"attachment\",\"length\":0,\"filename\":\"empty\"}\n\n{\"type\":\"x\",\"length\":2}\n{}";
        let e = Envelope::parse(bytes).unwrap();
        assert_eq!(e.header.sent_at, Some(1_700_000_000_000_000));
        let got: Vec<_> = e.items.iter().map(|i| (i.kind.as_str(), i.payload)).collect();
        let want: Vec<(&str, &[u8])> = vec![
            ("event", b"{\"message\":\"hi\"}"),
            ("attachment", b"ab\ncd"),
            ("attachment", b""),
            ("x", b"{}"),
        ];
        assert_eq!(got, want);
        assert!(Envelope::parse(b"{}").unwrap().items.is_empty());
        assert!(Envelope::parse(b"{}\n\n").unwrap().items.is_empty());
    }

    #[test]
    fn errors_say_where() {
        let e = Envelope::parse(b"").unwrap_err();
        assert_eq!(e.at, 0);
        let e = Envelope::parse(b"{}\n{\"type\":\"event\",\"length\":10}\n{}").unwrap_err();
        assert_eq!(
            e.to_string(),
            "invalid envelope at byte 32: item of 10 bytes, but only 2 follow"
        );
        let e = Envelope::parse(b"{}\n{\"length\":1}\nx").unwrap_err();
        assert_eq!(e.at, 3);
        assert!(Envelope::parse(b"nope\n").is_err());
        assert!(Envelope::parse(b"{\"event_id\":\"zz\"}\n").is_err());
        assert!(Envelope::parse(b"{}\n{\"type\":\"event\",\"length\":1}\nab\n").is_err());
    }

    #[test]
    fn what_is_larger_than_any_envelope_is_said_to_be() {
        let items = |n| format!("{{}}\n{}", "{\"type\":\"a\"}\n\n".repeat(n));
        assert_eq!(
            Envelope::parse(items(MAX_ITEMS).as_bytes()).unwrap().items.len(),
            MAX_ITEMS
        );
        assert!(
            Envelope::parse(items(MAX_ITEMS + 1).as_bytes())
                .unwrap_err()
                .large
        );
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_HEADER));
        assert!(Envelope::parse(long.as_bytes()).unwrap_err().large);
        let e = Envelope::parse(format!("{{}}\n{long}\n").as_bytes()).unwrap_err();
        assert_eq!((e.at, e.large), (3, true));
    }

    #[test]
    fn a_lone_surrogate_in_the_header_is_survived() {
        let e = Envelope::parse(b"{\"trace\":{\"transaction\":\"a\\ud800b\"}}\n").unwrap();
        assert!(e.header.trace.is_some());
    }
}

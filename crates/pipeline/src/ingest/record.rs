//! A record of the queue: what the server knows of a request, then its body as it came, decompressed.

use serde::{Deserialize, Serialize};

/// What the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// An envelope.
    Envelope,
    /// One JSON event.
    Store,
    /// A security report.
    Security,
}

/// What the server knows of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// When it was received, µs.
    pub received: i64,
    /// The project.
    pub project: u64,
    /// What the body is.
    pub form: Form,
    /// The id that the client was told, if the body holds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// When the client sent it, µs, if the body does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<i64>,
    /// The body's MIME type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// What the client calls itself: `sentry.python/2.75.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The client's `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// `sentry_release` of the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// `sentry_environment` of the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The key's limit was used up: events of the envelope are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub limited: bool,
}

impl Meta {
    /// The record's bytes.
    pub fn write(&self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(body.len() + 320);
        out.extend_from_slice(&[0; 4]);
        serde_json::to_writer(&mut out, self).expect("plain data is JSON");
        let length = u32::try_from(out.len() - 4).unwrap_or(u32::MAX);
        out[..4].copy_from_slice(&length.to_le_bytes());
        out.extend_from_slice(body);
        out
    }

    /// As it stands in a record.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data is JSON")
    }

    /// Reads a record.
    pub fn read(bytes: &[u8]) -> Option<(Meta, &[u8])> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (meta, body) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        Some((serde_json::from_slice(meta).ok()?, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back() {
        let meta = Meta {
            received: 5,
            project: 9,
            form: Form::Security,
            event_id: None,
            sent_at: None,
            content_type: Some("application/csp-report".into()),
            client: None,
            address: Some("::1".into()),
            user_agent: None,
            release: Some("a@1".into()),
            environment: None,
            limited: true,
        };
        let bytes = meta.write(b"body");
        assert_eq!(Meta::read(&bytes), Some((meta, &b"body"[..])));
        assert_eq!(Meta::read(&bytes[..7]), None);
    }
}

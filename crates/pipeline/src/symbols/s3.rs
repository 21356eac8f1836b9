//! Buckets of Amazon S3 and of servers that speak its protocol: where a file of a bucket is, and how a request for it
//! is signed (AWS Signature Version 4).

use protocol::time::format_rfc3339;
use ring::{digest, hmac};

use super::fetch::Headers;

/// The SHA-256 of nothing, in hex: requests have no body.
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// The server, if it is not Amazon's, without a slash at its end.
    pub(super) endpoint: Option<String>,
    pub(super) name: String,
    pub(super) region: String,
    pub(super) access_key: String,
    pub(super) secret_key: String,
}

/// Whether a name can stand in front of a host: a dot in it would not fit the certificate.
fn is_label(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (3..=63).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// A path with everything encoded that signatures want encoded; what is encoded already stays so.
pub(super) fn strict(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for b in path.bytes() {
        if b.is_ascii_alphanumeric() || b"/-._~%".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

impl Bucket {
    /// The address of a key, which is encoded as in an address.
    pub(super) fn address(&self, key: &str) -> String {
        let (name, region, key) = (&self.name, &self.region, strict(key));
        let end = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/{name}/{key}"),
            None if is_label(name) => format!("https://{name}.s3.{region}.{end}/{key}"),
            None => format!("https://s3.{region}.{end}/{name}/{key}"),
        }
    }

    /// The headers that sign a request for an address at a time, µs.
    pub(super) fn signed(&self, url: &str, now: i64) -> Headers {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, rest) = rest.split_at(at);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut query: Vec<String> = query
            .split('&')
            .filter(|q| !q.is_empty())
            .map(|q| {
                if q.contains('=') {
                    q.to_owned()
                } else {
                    format!("{q}=")
                }
            })
            .collect();
        query.sort();
        let time: String = format_rfc3339(now - now.rem_euclid(1_000_000))
            .chars()
            .filter(|c| !matches!(c, '-' | ':'))
            .collect();
        let day = time.get(..8).unwrap_or_default();
        let region = &self.region;
        let names = "host;x-amz-content-sha256;x-amz-date";
        let request = format!(
            "GET\n{}\n{}\nhost:{host}\nx-amz-content-sha256:{NOTHING}\nx-amz-date:{time}\n\n{names}\n{NOTHING}",
            if path.is_empty() { "/" } else { path },
            query.join("&"),
        );
        let scope = format!("{day}/{region}/s3/aws4_request");
        let digest = hex(digest::digest(&digest::SHA256, request.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let first = mac(format!("AWS4{}", self.secret_key).as_bytes(), day);
        let key = [region, "s3", "aws4_request"]
            .iter()
            .fold(first, |key, part| mac(key.as_ref(), part));
        let signature = hex(mac(key.as_ref(), &text));
        let login = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key
        );
        vec![
            ("Authorization".into(), login),
            ("x-amz-content-sha256".into(), NOTHING.into()),
            ("x-amz-date".into(), time),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(endpoint: Option<&str>, name: &str, region: &str) -> Bucket {
        Bucket {
            endpoint: endpoint.map(str::to_owned),
            name: name.into(),
            region: region.into(),
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
        }
    }

    #[test]
    fn addresses_of_keys() {
        for (endpoint, name, region, expected) in [
            (
                None,
                "symbols",
                "us-east-1",
                "https://symbols.s3.us-east-1.amazonaws.com/a%2B/b%20c",
            ),
            (
                None,
                "symbols.acme",
                "cn-north-1",
                "https://s3.cn-north-1.amazonaws.com.cn/symbols.acme/a%2B/b%20c",
            ),
            (
                Some("http://minio:9000"),
                "symbols",
                "us-east-1",
                "http://minio:9000/symbols/a%2B/b%20c",
            ),
        ] {
            assert_eq!(bucket(endpoint, name, region).address("a+/b%20c"), expected);
        }
    }

    /// The values come from botocore 1.44.8 (`S3SigV4Auth`), with the keys of Amazon's examples.
    #[test]
    fn signatures_are_those_of_other_clients() {
        let bucket = bucket(None, "examplebucket", "us-east-1");
        let now = 1_369_353_600_123_456;
        for (url, signature) in [
            (
                "https://examplebucket.s3.us-east-1.amazonaws.com/test.txt",
                "2e46714501b0d9bc603dc14b792d5c58689e101d7de843b268d12fa638eb4bda",
            ),
            (
                "http://127.0.0.1:9000/examplebucket/a%2B/b%20c?x-id=GetObject&b",
                "2f83aaaca18476abdefbf49f8736c2b102586060a3fa503110cdf5f943930eb4",
            ),
        ] {
            let headers = bucket.signed(url, now);
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
            );
            assert_eq!(headers[0].1, expected, "{url}");
            assert_eq!(headers[2].1, "20130524T000000Z");
        }
    }
}

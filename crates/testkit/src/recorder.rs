//! A proxy between a client and the server, which keeps what went over the wire.
//!
//! Bytes are passed on as they came; for the test they are decoded and cut into items. That is done here anew and
//! not with the server's own reader, so that a mistake of the server's is not made twice.

use std::io::Read as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// The largest body that is passed on; the server's own limit is the same.
const MAX_BODY: usize = 200 << 20;

/// One request and the status of its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as the client meant it: decoded.
    pub body: Vec<u8>,
    /// What the server answered.
    pub status: u16,
}

/// An item of an envelope.
#[derive(Clone, Debug)]
pub struct Item {
    /// The header of its envelope.
    pub envelope: Value,
    /// Its own header.
    pub header: Value,
    /// Its payload.
    pub payload: Vec<u8>,
}

impl Item {
    /// `event`, `attachment`, ...
    pub fn kind(&self) -> &str {
        self.header["type"].as_str().unwrap_or_default()
    }

    /// The payload as JSON; null if it is none. Half a surrogate pair, which JavaScript writes and no text in Rust
    /// can hold, is read as U+FFFD.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload)
            .or_else(|_| serde_json::from_str(&without_halves(&String::from_utf8_lossy(&self.payload))))
            .unwrap_or_default()
    }
}

impl Exchange {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// The items, if it is an envelope.
    ///
    /// # Panics
    /// If the envelope is torn: no client may send such.
    pub fn items(&self) -> Vec<Item> {
        if !self.target.contains("/envelope/") || self.method != "POST" {
            return vec![];
        }
        let (envelope, mut rest) = line(&self.body);
        let mut items = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(b"\n") {
                rest = after;
                continue;
            }
            let (header, after) = line(rest);
            let (payload, after) = match header["length"].as_u64() {
                Some(length) => after.split_at(usize::try_from(length).expect("a length")),
                None => {
                    let end = after.iter().position(|b| *b == b'\n').unwrap_or(after.len());
                    after.split_at(end)
                }
            };
            rest = after;
            items.push(Item {
                envelope: envelope.clone(),
                header,
                payload: payload.to_vec(),
            });
        }
        items
    }
}

fn without_halves(json: &str) -> String {
    let unit = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut out = String::with_capacity(json.len());
    let mut at = 0;
    while let Some(found) = json[at..].find('\\').map(|i| at + i) {
        out.push_str(&json[at..found]);
        let (text, length) = match (unit(found), unit(found + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (&json[found..found + 12], 12),
            (Some(0xD800..=0xDFFF), _) => ("\\ufffd", 6),
            _ => (&json[found..found + 2], 2),
        };
        out.push_str(text);
        at = found + length;
    }
    out + &json[at..]
}

fn line(bytes: &[u8]) -> (Value, &[u8]) {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let json = serde_json::from_slice(&bytes[..end])
        .unwrap_or_else(|e| panic!("{e} in {}", String::from_utf8_lossy(&bytes[..end])));
    (json, bytes.get(end + 1..).unwrap_or_default())
}

struct Shared {
    upstream: u16,
    client: Client<HttpConnector, Full<Bytes>>,
    seen: Mutex<Vec<Exchange>>,
}

/// The proxy, which runs until it is dropped.
pub struct Recorder {
    /// Its port.
    pub port: u16,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

impl Recorder {
    /// Starts the proxy on a free port, before the server on the port `upstream`.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn start(upstream: u16) -> Recorder {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let shared = Arc::new(Shared {
            upstream,
            client: Client::builder(TokioExecutor::new()).build_http(),
            seen: Mutex::new(Vec::new()),
        });
        let app = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        runtime.spawn(async move { axum::serve(listener, app).await });
        Recorder {
            port,
            shared,
            _runtime: runtime,
        }
    }

    /// What went through until now.
    ///
    /// # Panics
    /// If a request failed in a way that is the proxy's own fault.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.seen.lock().expect("no request panicked").clone()
    }

    /// The items that went through until now.
    ///
    /// # Panics
    /// As [`Exchange::items`].
    pub fn items(&self) -> Vec<Item> {
        self.exchanges().iter().flat_map(Exchange::items).collect()
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let bytes = to_bytes(body, MAX_BODY).await.expect("a body within the limit");
    let target = head.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(n, v)| {
            (
                n.as_str().to_owned(),
                String::from_utf8_lossy(v.as_bytes()).into_owned(),
            )
        })
        .collect();
    let method = head.method.to_string();
    let encoding = head
        .headers
        .get("content-encoding")
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    let decoded = decode(encoding, &bytes);
    // These are about the connection to the client, not about the request.
    for name in ["connection", "transfer-encoding", "content-length", "expect"] {
        head.headers.remove(name);
    }
    head.uri = format!("http://127.0.0.1:{}{target}", shared.upstream)
        .parse()
        .expect("an address");
    let answer = shared
        .client
        .request(Request::from_parts(head, Full::new(bytes)))
        .await
        .expect("the server answers");
    let (mut head, body) = answer.into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    for name in ["connection", "transfer-encoding"] {
        head.headers.remove(name);
    }
    shared.seen.lock().expect("no request panicked").push(Exchange {
        method,
        target,
        headers,
        body: decoded,
        status: head.status.as_u16(),
    });
    Response::from_parts(head, Body::from(body))
}

/// # Panics
/// If the body is not what its header says.
fn decode(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let read = match encoding {
        "" | "identity" => return bytes.to_vec(),
        "gzip" => flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out),
        "deflate" => flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut out),
        "br" => brotli_decompressor::Decompressor::new(bytes, 4096).read_to_end(&mut out),
        "zstd" => zstd::stream::read::Decoder::new(bytes).and_then(|mut d| d.read_to_end(&mut out)),
        other => panic!("a client sent Content-Encoding: {other}"),
    };
    read.unwrap_or_else(|e| panic!("{encoding}: {e}"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_with_and_without_length() {
        let exchange = Exchange {
            method: "POST".into(),
            target: "/api/1/envelope/?sentry_key=a".into(),
            headers: vec![],
            body: b"{\"event_id\":\"x\"}\n{\"type\":\"event\"}\n{\"a\":1}\n{\"type\":\"attachment\",\"length\":3}\n\
                    a\nb\n{\"type\":\"attachment\",\"length\":0}\n\n"
                .to_vec(),
            status: 200,
        };
        let items = exchange.items();
        let payloads: Vec<_> = items.iter().map(|i| (i.kind(), &i.payload[..])).collect();
        assert_eq!(
            payloads,
            [
                ("event", &b"{\"a\":1}"[..]),
                ("attachment", b"a\nb"),
                ("attachment", b"")
            ]
        );
        assert_eq!(items[0].json()["a"], 1);
        assert_eq!(items[1].envelope["event_id"], "x");
    }

    #[test]
    fn half_a_pair_is_replaced() {
        let text = r#"{"a":"\ud83c\udf51 \ud83c \\ud83c \n"}"#;
        assert_eq!(without_halves(text), r#"{"a":"\ud83c\udf51 \ufffd \\ud83c \n"}"#);
    }

    #[test]
    fn bodies_are_decoded() {
        use std::io::Write as _;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"hello").unwrap();
        assert_eq!(decode("gzip", &gzip.finish().unwrap()), b"hello");
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(b"hello").unwrap();
        assert_eq!(decode("deflate", &zlib.finish().unwrap()), b"hello");
        assert_eq!(
            decode("zstd", &zstd::encode_all(&b"hello"[..], 1).unwrap()),
            b"hello"
        );
        assert_eq!(decode("", b"hello"), b"hello");
    }
}

//! Reading a request's body: bounded while it arrives and while it is decompressed.

use std::io::Read;
use std::sync::Arc;

use axum::body::{Body, BodyDataStream, HttpBody as _};
use base64::Engine as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::StatusCode;
use parking_lot::Mutex;
use tokio::time::{Duration, Instant, timeout};

use super::answer::Refusal;

/// The most bytes of a body on the wire and after decompression (Relay's `max_envelope_size`).
pub const MAX_ENVELOPE: usize = 200 << 20;

fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!(
            "the request body is larger than {} MiB, also when decompressed",
            limit >> 20
        ),
    )
}

/// Bytes of a request that cost it nothing of the [`Bodies`] that all share: what nearly every request is.
const FREE: usize = 1 << 20;
/// Bytes to which a body is decompressed at once; what is larger is measured before it is kept.
const AT_ONCE: usize = 1 << 20;
/// Encodings that may lie over each other.
const LAYERS: usize = 4;

/// Memory for large bodies, in all: requests beyond it are told to come back.
#[derive(Debug)]
pub struct Bodies {
    limit: usize,
    held: Mutex<usize>,
}

impl Bodies {
    /// Room for so many bytes.
    pub fn new(limit: usize) -> Bodies {
        Bodies {
            limit,
            held: Mutex::new(0),
        }
    }

    /// The part of a request that holds nothing yet.
    pub fn enter(self: &Arc<Bodies>) -> Share {
        Share {
            bodies: self.clone(),
            size: 0,
        }
    }
}

/// What one request holds, given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    bodies: Arc<Bodies>,
    size: usize,
}

impl Share {
    fn counted(size: usize) -> usize {
        size.saturating_sub(FREE)
    }

    /// Takes more. Who is alone may take what one request can need.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        let (before, after) = (
            Share::counted(self.size),
            Share::counted(self.size.saturating_add(bytes)),
        );
        if after > before {
            let mut held = self.bodies.held.lock();
            let others = *held - before;
            if others > 0 && others + after > self.bodies.limit {
                let mut full = Refusal::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "too many large requests are being read",
                );
                full.retry_after = Some(1);
                return Err(full);
            }
            *held = others + after;
        }
        self.size = self.size.saturating_add(bytes);
        Ok(())
    }

    /// Gives some back.
    fn shrink(&mut self, bytes: usize) {
        let after = self.size.saturating_sub(bytes);
        *self.bodies.held.lock() -= Share::counted(self.size) - Share::counted(after);
        self.size = after;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(self.size);
    }
}

/// How long a client may be silent within a body.
const SILENCE: Duration = Duration::from_secs(30);
/// The slowest a body may come once [`SILENCE`] has passed since it began, bytes a second.
const SLOWEST: u64 = 1024;

/// The next piece of a body. A request holds a place among those that are answered, so it may not be slow for ever.
async fn next(stream: &mut BodyDataStream, begun: Instant, length: usize) -> Result<Option<Bytes>, Refusal> {
    let earned = Duration::from_secs(u64::try_from(length).unwrap_or(u64::MAX) / SLOWEST);
    let left = (begun + SILENCE + earned).saturating_duration_since(Instant::now());
    match timeout(left.min(SILENCE), stream.next()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
        Ok(Some(Err(e))) => Err(Refusal::bad("the request body could not be read", e)),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the request body came too slowly: at most {} s of silence, and at least {SLOWEST} bytes a second",
                SILENCE.as_secs()
            ),
        )),
    }
}

/// Reads the bytes as they come. What is too large is read to its end all the same, and forgotten: a client that
/// is still sending would not see the answer.
pub async fn receive(body: Body, limit: usize, share: &mut Share) -> Result<Bytes, Refusal> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut stream = body.into_data_stream();
    let mut first: Option<Bytes> = None;
    let mut rest: Vec<u8> = Vec::new();
    let mut length = 0usize;
    let begun = Instant::now();
    let mut refused = (announced > limit).then(|| too_large(limit));
    while let Some(chunk) = next(&mut stream, begun, length).await? {
        length = length.saturating_add(chunk.len());
        if length > limit && refused.is_none() {
            refused = Some(too_large(limit));
        }
        if refused.is_none()
            && let Err(full) = share.grow(chunk.len())
        {
            refused = Some(full);
        }
        if refused.is_some() {
            (first, rest) = (None, Vec::new());
            share.shrink(share.size);
            if length > MAX_ENVELOPE {
                break;
            }
            continue;
        }
        match &first {
            None => first = Some(chunk),
            Some(f) => {
                if rest.is_empty() {
                    rest.reserve_exact((f.len() + chunk.len()).max(announced.min(FREE)));
                    rest.extend_from_slice(f);
                } else if rest.len() + chunk.len() > rest.capacity() && rest.len() >= FREE {
                    // It came so far: the rest will come too, and is not moved again.
                    rest.reserve_exact(chunk.len().max(announced.saturating_sub(rest.len())));
                }
                rest.extend_from_slice(&chunk);
            }
        }
    }
    if let Some(refusal) = refused {
        return Err(refusal);
    }
    Ok(if rest.is_empty() {
        first.unwrap_or_default()
    } else {
        rest.into()
    })
}

/// A coder over bytes.
fn open<'a>(coder: Coder, bytes: &'a [u8]) -> Result<Box<dyn Read + 'a>, Refusal> {
    Ok(match coder {
        Coder::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        Coder::Zlib => Box::new(flate2::read::ZlibDecoder::new(bytes)),
        Coder::Deflate => Box::new(flate2::read::DeflateDecoder::new(bytes)),
        Coder::Brotli => Box::new(brotli_decompressor::Decompressor::new(bytes, 4096)),
        Coder::Zstd => {
            let mut reader = zstd::stream::read::Decoder::with_buffer(bytes)
                .map_err(|e| Refusal::bad("the body is not valid zstd", e))?;
            // A frame may ask for more memory than it has bytes.
            reader
                .window_log_max(ZSTD_WINDOW)
                .map_err(|e| Refusal::bad("the body is not valid zstd", e))?;
            Box::new(reader)
        }
    })
}

/// The largest window of zstd, as a power of two: 8 MiB, more is not allowed as a content encoding (RFC 9659).
const ZSTD_WINDOW: u32 = 23;

#[derive(Debug, Clone, Copy)]
enum Coder {
    Gzip,
    Zlib,
    Deflate,
    Brotli,
    Zstd,
}

impl Coder {
    fn name(self) -> &'static str {
        match self {
            Coder::Gzip => "gzip",
            Coder::Zlib => "deflate (zlib)",
            Coder::Deflate => "deflate",
            Coder::Brotli => "brotli",
            Coder::Zstd => "zstd",
        }
    }
}

/// Decompresses. What is larger than [`AT_ONCE`] is measured first, so that a bomb costs no memory and what is good
/// has its bytes in one piece that never moves.
fn read_all(coder: Coder, bytes: &[u8], limit: usize, share: &mut Share) -> Result<Vec<u8>, Refusal> {
    let bad = |e| Refusal::bad(format!("the body is not valid {}", coder.name()), e);
    let bound = |n: usize| u64::try_from(n).unwrap_or(u64::MAX).saturating_add(1);
    let begin = AT_ONCE.min(limit);
    let mut out = Vec::new();
    let mut reader = open(coder, bytes)?;
    let read = Read::take(&mut reader, bound(begin)).read_to_end(&mut out);
    if out.len() > limit {
        return Err(too_large(limit));
    }
    read.map_err(bad)?;
    if out.len() <= begin {
        share.grow(out.len())?;
        return Ok(out);
    }
    let begun = out.len();
    out = Vec::new();
    let more = std::io::copy(
        &mut Read::take(&mut reader, bound(limit - begun)),
        &mut std::io::sink(),
    );
    let length = begun.saturating_add(usize::try_from(more.map_err(bad)?).unwrap_or(usize::MAX));
    if length > limit {
        return Err(too_large(limit));
    }
    drop(reader);
    share.grow(length)?;
    out.reserve_exact(length);
    open(coder, bytes)?.read_to_end(&mut out).map_err(bad)?;
    Ok(out)
}

/// Undoes the encodings of a `Content-Encoding` header, the last applied first; unknown words mean identity, as
/// Relay takes them.
pub fn decode(bytes: Bytes, encodings: &str, limit: usize, share: &mut Share) -> Result<Bytes, Refusal> {
    if encodings.split(',').count() > LAYERS {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the body has more than {LAYERS} encodings"),
        ));
    }
    let mut bytes = bytes;
    for encoding in encodings.rsplit(',').map(str::trim) {
        let before = bytes.len();
        let read = |coder, share: &mut Share| read_all(coder, &bytes, limit, share);
        let decoded = match encoding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => read(Coder::Gzip, share)?,
            "deflate" => match read(Coder::Zlib, share) {
                Err(e) if e.status == StatusCode::BAD_REQUEST => {
                    read(Coder::Deflate, share).map_err(|other| match other.status {
                        StatusCode::BAD_REQUEST => e,
                        _ => other,
                    })?
                }
                other => other?,
            },
            "br" => read(Coder::Brotli, share)?,
            "zstd" => read(Coder::Zstd, share)?,
            _ => continue,
        };
        bytes = decoded.into();
        share.shrink(before);
    }
    Ok(bytes)
}

/// Undoes what old clients do to a store body without saying so: base64, then zlib.
pub fn decode_store(bytes: Bytes, limit: usize, share: &mut Share) -> Result<Bytes, Refusal> {
    let start = bytes
        .iter()
        .position(|b| !b.is_ascii_whitespace())
        .unwrap_or(bytes.len());
    match bytes.get(start) {
        None | Some(b'{' | 0xEF) => return Ok(bytes),
        Some(0x78)
            if bytes
                .get(start + 1)
                .is_some_and(|b| matches!(b, 0x01 | 0x5e | 0x9c | 0xda)) =>
        {
            return decode(bytes.slice(start..), "deflate", limit, share);
        }
        _ => {}
    }
    let compact: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    let trimmed: &[u8] = compact
        .strip_suffix(b"==")
        .or(compact.strip_suffix(b"="))
        .unwrap_or(&compact);
    match engine.decode(trimmed) {
        Ok(raw) if raw.first() == Some(&0x78) => decode(raw.into(), "deflate", limit, share),
        Ok(raw) if raw.first() == Some(&b'{') => Ok(raw.into()),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn decode(bytes: Bytes, encodings: &str, limit: usize) -> Result<Bytes, Refusal> {
        super::decode(
            bytes,
            encodings,
            limit,
            &mut Arc::new(Bodies::new(1 << 30)).enter(),
        )
    }

    /// A body of pieces, each a while after the one before.
    fn dripping(pieces: usize, bytes: usize, pause: Duration) -> Body {
        let piece = move |n: usize| async move {
            if n == pieces {
                return None;
            }
            tokio::time::sleep(pause).await;
            Some((Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; bytes])), n + 1))
        };
        Body::from_stream(futures_util::stream::unfold(0, piece))
    }

    async fn received(body: Body) -> Result<usize, StatusCode> {
        let mut share = Arc::new(Bodies::new(1 << 30)).enter();
        let read = receive(body, 1 << 20, &mut share).await;
        read.map(|b| b.len()).map_err(|r| r.status)
    }

    #[tokio::test(start_paused = true)]
    async fn slow_bodies_end() {
        let second = Duration::from_secs(1);
        // A slow line is fine, a pause too.
        assert_eq!(received(dripping(100, 2048, second)).await, Ok(204_800));
        assert_eq!(received(dripping(2, 10, 14 * second)).await, Ok(20));
        // Silence is not, and neither is a byte now and then.
        let late = Err(StatusCode::REQUEST_TIMEOUT);
        assert_eq!(received(dripping(1, 10, 31 * second)).await, late);
        assert_eq!(received(dripping(1000, 1, second)).await, late);
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut e = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    }

    #[test]
    fn encodings_are_undone_in_turn() {
        let text = b"{\"message\":\"hello\"}".repeat(50);
        assert_eq!(
            &decode(gzip(&text).into(), "gzip", 1 << 20).unwrap()[..],
            &text[..]
        );
        assert_eq!(
            &decode(gzip(&zlib(&text)).into(), "deflate, gzip", 1 << 20).unwrap()[..],
            &text[..]
        );
        assert_eq!(
            &decode(text.clone().into(), "identity", 1 << 20).unwrap()[..],
            &text[..]
        );
        assert_eq!(&decode(text.clone().into(), "", 1 << 20).unwrap()[..], &text[..]);
        let z = zstd::stream::encode_all(&text[..], 3).unwrap();
        assert_eq!(&decode(z.into(), "ZSTD", 1 << 20).unwrap()[..], &text[..]);
        assert_eq!(
            decode(Bytes::from_static(b"no"), "gzip", 10).unwrap_err().status,
            StatusCode::BAD_REQUEST
        );
    }

    #[test]
    fn what_is_large_comes_whole() {
        let text = b"{\"message\":\"hello\"}".repeat(AT_ONCE / 10);
        for (coded, name) in [
            (gzip(&text), "gzip"),
            (zlib(&text), "deflate"),
            (zstd::stream::encode_all(&text[..], 3).unwrap(), "zstd"),
        ] {
            let coded = Bytes::from(coded);
            assert_eq!(&decode(coded.clone(), name, text.len()).unwrap()[..], &text[..]);
            let e = decode(coded.clone(), name, text.len() - 1).unwrap_err();
            assert_eq!(e.status, StatusCode::PAYLOAD_TOO_LARGE);
            let e = decode(coded.slice(..coded.len() - 9), name, text.len()).unwrap_err();
            assert_eq!(e.status, StatusCode::BAD_REQUEST, "{name}");
        }
    }

    #[test]
    fn large_bodies_share_a_room() {
        let bodies = Arc::new(Bodies::new(10 << 20));
        let (mut a, mut b) = (bodies.enter(), bodies.enter());
        a.grow(FREE).unwrap();
        b.grow(FREE).unwrap();
        assert_eq!(*bodies.held.lock(), 0, "what is small is free");
        // Who is alone may take more than the room; others wait until it is done.
        a.grow(20 << 20).unwrap();
        let full = b.grow(1).unwrap_err();
        assert_eq!((full.status.as_u16(), full.retry_after), (503, Some(1)));
        a.shrink(15 << 20);
        b.grow(5 << 20).unwrap();
        assert!(b.grow(1).is_err());
        assert!(a.grow(1).is_err());
        drop(a);
        drop(b);
        assert_eq!(*bodies.held.lock(), 0);
    }

    #[test]
    fn layers_are_counted() {
        let text = Bytes::from_static(b"text");
        assert!(decode(text.clone(), "identity,identity, identity,identity", 10).is_ok());
        let e = decode(text, &["gzip"; 5].join(","), 10).unwrap_err();
        assert_eq!(e.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[test]
    fn a_bomb_is_stopped() {
        let bomb = gzip(&vec![b' '; 5 << 20]);
        let e = decode(bomb.into(), "gzip", 1 << 20).unwrap_err();
        assert_eq!(e.status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[test]
    fn store_bodies_of_old_clients() {
        let text = b"{\"message\":\"hello\"}".to_vec();
        let coded = base64::engine::general_purpose::STANDARD.encode(zlib(&text));
        for body in [text.clone(), zlib(&text), coded.into_bytes()] {
            assert_eq!(
                &decode_store(body.into(), 1 << 20, &mut Arc::new(Bodies::new(0)).enter()).unwrap()[..],
                &text[..]
            );
        }
    }
}

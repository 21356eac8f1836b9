//! Reading a request's body: bounded while it arrives and while it is decompressed.

use std::io::Read;

use axum::body::Body;
use base64::Engine as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::StatusCode;

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

/// Reads the bytes as they come.
pub async fn receive(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let mut stream = body.into_data_stream();
    let mut first: Option<Bytes> = None;
    let mut rest: Vec<u8> = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|e| Refusal::bad("the request body could not be read", e))?;
        match &first {
            None => first = Some(chunk),
            Some(f) if rest.is_empty() => {
                rest.reserve(f.len() + chunk.len());
                rest.extend_from_slice(f);
                rest.extend_from_slice(&chunk);
            }
            Some(_) => rest.extend_from_slice(&chunk),
        }
        if rest.len().max(first.as_ref().map_or(0, Bytes::len)) > limit {
            return Err(too_large(limit));
        }
    }
    Ok(if rest.is_empty() {
        first.unwrap_or_default()
    } else {
        rest.into()
    })
}

fn read_all(mut reader: impl Read, limit: usize, name: &str) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = Read::take(&mut reader, bound).read_to_end(&mut out);
    if out.len() > limit {
        return Err(too_large(limit));
    }
    read.map_err(|e| Refusal::bad(format!("the body is not valid {name}"), e))?;
    Ok(out)
}

/// Undoes the encodings of a `Content-Encoding` header, the last applied first; unknown words mean identity, as
/// Relay takes them.
pub fn decode(bytes: Bytes, encodings: &str, limit: usize) -> Result<Bytes, Refusal> {
    let mut bytes = bytes;
    for encoding in encodings.rsplit(',').map(str::trim) {
        bytes = match encoding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => {
                read_all(flate2::read::MultiGzDecoder::new(&bytes[..]), limit, "gzip")?.into()
            }
            "deflate" => read_all(
                flate2::read::ZlibDecoder::new(&bytes[..]),
                limit,
                "deflate (zlib)",
            )
            .or_else(|e| {
                if e.status == StatusCode::PAYLOAD_TOO_LARGE {
                    return Err(e);
                }
                read_all(flate2::read::DeflateDecoder::new(&bytes[..]), limit, "deflate").map_err(|_| e)
            })?
            .into(),
            "br" => read_all(
                brotli_decompressor::Decompressor::new(&bytes[..], 4096),
                limit,
                "brotli",
            )?
            .into(),
            "zstd" => {
                let reader = zstd::stream::read::Decoder::with_buffer(&bytes[..])
                    .map_err(|e| Refusal::bad("the body is not valid zstd", e))?;
                read_all(reader, limit, "zstd")?.into()
            }
            _ => bytes,
        };
    }
    Ok(bytes)
}

/// Undoes what old clients do to a store body without saying so: base64, then zlib.
pub fn decode_store(bytes: Bytes, limit: usize) -> Result<Bytes, Refusal> {
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
            return decode(bytes.slice(start..), "deflate", limit);
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
        Ok(raw) if raw.first() == Some(&0x78) => decode(raw.into(), "deflate", limit),
        Ok(raw) if raw.first() == Some(&b'{') => Ok(raw.into()),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

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
            assert_eq!(&decode_store(body.into(), 1 << 20).unwrap()[..], &text[..]);
        }
    }
}

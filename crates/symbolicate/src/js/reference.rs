//! Where a script says its source map is.

use base64::Engine as _;
use memchr::memmem;

/// How far from the end of a script the comment is looked for, bytes; the format wants it in the last lines.
const TAIL: usize = 64 << 10;

/// What `sourceMappingURL` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reference<'a> {
    /// An address, seen from the script.
    Url(&'a str),
    /// The map itself, as a `data:` address.
    Inline(&'a str),
}

/// The map of a script: what its upload's header says, else its last `//# sourceMappingURL=` comment.
pub fn of<'a>(script: &'a [u8], header: Option<&'a str>) -> Option<Reference<'a>> {
    let url = header.filter(|h| !h.is_empty()).or_else(|| comment(script))?;
    Some(if url.starts_with("data:") {
        Reference::Inline(url)
    } else {
        Reference::Url(url)
    })
}

fn comment(script: &[u8]) -> Option<&str> {
    // An inline map is the last line and may be long, so lines are read from the end whole.
    let (mut seen, mut rest) = (0, Some(script));
    while let Some(text) = rest {
        let end = memchr::memrchr(b'\n', text);
        let line = text.get(end.map_or(0, |at| at + 1)..)?.trim_ascii();
        rest = end.and_then(|at| text.get(..at));
        for mark in [
            "//# sourceMappingURL=",
            "//@ sourceMappingURL=",
            "/*# sourceMappingURL=",
        ] {
            let Some(at) = memmem::rfind(line, mark.as_bytes()) else {
                continue;
            };
            let url = std::str::from_utf8(line.get(at + mark.len()..)?).unwrap_or_default();
            let url = match mark.starts_with("/*") {
                true => url.split("*/").next().unwrap_or_default().trim(),
                false => url.split_whitespace().next().unwrap_or_default(),
            };
            if !url.is_empty() {
                return Some(url);
            }
        }
        seen += line.len();
        if seen > TAIL {
            return None;
        }
    }
    None
}

/// The bytes of a `data:` address.
///
/// # Errors
/// What is wrong with it.
pub fn decode(url: &str) -> Result<Vec<u8>, String> {
    let rest = url.strip_prefix("data:").ok_or("it is no data: address")?;
    let (kind, data) = rest.split_once(',').ok_or("the data: address has no comma")?;
    if kind.ends_with(";base64") {
        let engine = base64::engine::GeneralPurpose::new(
            &base64::alphabet::STANDARD,
            base64::engine::GeneralPurposeConfig::new()
                .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
        );
        return engine
            .decode(data.trim())
            .map_err(|e| format!("the inline map is not base64: {e}"));
    }
    let mut out = Vec::with_capacity(data.len());
    let mut bytes = data.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match (digit(bytes.next()), digit(bytes.next())) {
            (Some(high), Some(low)) => out.push(u8::try_from(high * 16 + low).unwrap_or(b'?')),
            _ => return Err("the inline map has a broken escape".to_owned()),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_comment_counts() {
        let of = |script: &'static str, header| of(script.as_bytes(), header);
        let script = "//# sourceMappingURL=old.map\nx()\n//# sourceMappingURL=new.map\n\n//# debugId=1\n";
        assert_eq!(of(script, None), Some(Reference::Url("new.map")));
        assert_eq!(of(script, Some("header.map")), Some(Reference::Url("header.map")));
        assert_eq!(
            of("a()//@ sourceMappingURL=a.map", None),
            Some(Reference::Url("a.map"))
        );
        assert_eq!(
            of("/*# sourceMappingURL=a.map */", None),
            Some(Reference::Url("a.map"))
        );
        assert_eq!(of("a()", None), None);
        assert_eq!(of("//# sourceMappingURL=\n", None), None);
    }

    #[test]
    fn inline_maps() {
        assert_eq!(
            decode("data:application/json;charset=utf-8;base64,e30=").unwrap(),
            b"{}"
        );
        assert_eq!(decode("data:application/json;base64,e30").unwrap(), b"{}");
        assert_eq!(decode("data:application/json,%7B%7d").unwrap(), b"{}");
        assert!(decode("data:application/json;base64,*").is_err());
        assert!(decode("data:application/json,%7").is_err());
        assert!(decode("data:x").is_err());
    }
}

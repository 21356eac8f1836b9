//! Forms with files (`multipart/form-data`), read from a file: where each part begins and ends, so that a part can be
//! read as often as needed and none is held.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Take};

use crate::answer::ApiError;

/// The most parts of a form.
const PARTS: usize = 1_000;
/// The most bytes of the headers of a part.
const HEADERS: usize = 8 << 10;
/// The longest boundary, by RFC 2046.
const BOUNDARY: usize = 70;
const BLOCK: usize = 256 << 10;

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The name of its field.
    pub name: String,
    /// The name of its file, if it is one.
    pub file_name: Option<String>,
    /// Its MIME type.
    pub content_type: Option<String>,
    start: u64,
    end: u64,
}

impl Part {
    /// Bytes.
    pub fn size(&self) -> u64 {
        self.end - self.start
    }

    /// Reads it.
    pub fn reader<'a>(&self, file: &'a mut File) -> Result<Take<&'a mut File>, ApiError> {
        file.seek(SeekFrom::Start(self.start)).map_err(unreadable)?;
        Ok(file.take(self.size()))
    }

    /// Its text, at most so many bytes.
    pub fn text(&self, file: &mut File, most: u64) -> Result<String, ApiError> {
        if self.size() > most {
            return Err(ApiError::field(&self.name, format!("At most {most} bytes.")));
        }
        let mut out = String::new();
        let read = self.reader(file)?.read_to_string(&mut out);
        read.map_err(|_| ApiError::field(&self.name, "Not a valid string."))?;
        Ok(out)
    }
}

fn unreadable(e: std::io::Error) -> ApiError {
    ApiError::Unavailable(format!("an upload cannot be read: {e}"))
}

fn bad(what: &str) -> ApiError {
    ApiError::Bad(format!("The body is no multipart form: {what}."))
}

/// The parameters of a header value, as `name="value"` or `name=value`.
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, behind) = rest.split_once('=')?;
        let name = name.trim().trim_start_matches(';').trim();
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => {
                let mut value = String::new();
                let mut letters = quoted.char_indices();
                let end = loop {
                    match letters.next()? {
                        (i, '"') => break i + 1,
                        // Only what needs it is escaped; browsers send paths of Windows as they are.
                        (_, '\\') if letters.as_str().starts_with(['"', '\\']) => {
                            value.push(letters.next()?.1)
                        }
                        (_, c) => value.push(c),
                    }
                };
                (value, &quoted[end..])
            }
            None => {
                let end = behind.find(';').unwrap_or(behind.len());
                (behind[..end].trim().to_owned(), &behind[end..])
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = behind;
    }
}

/// The boundary that a content type names.
pub fn boundary(content_type: &str) -> Result<String, ApiError> {
    let kind = content_type.split(';').next().unwrap_or("").trim();
    if !kind.eq_ignore_ascii_case("multipart/form-data") {
        return Err(bad("its Content-Type is not multipart/form-data"));
    }
    let boundary = parameter(content_type, "boundary").filter(|b| !b.is_empty() && b.len() <= BOUNDARY);
    boundary.ok_or_else(|| bad("its Content-Type names no boundary"))
}

/// A file that is searched from front to back.
struct Scan<'a> {
    file: &'a mut File,
    block: Vec<u8>,
    /// Where the block begins in the file.
    at: u64,
    ended: bool,
}

impl Scan<'_> {
    /// Makes at least so many bytes available, unless the file ends.
    fn fill(&mut self, wanted: usize) -> Result<(), ApiError> {
        while self.block.len() < wanted && !self.ended {
            let more = BLOCK.max(wanted - self.block.len()) as u64;
            let read = self.file.by_ref().take(more).read_to_end(&mut self.block);
            self.ended = (read.map_err(unreadable)? as u64) < more;
        }
        Ok(())
    }

    fn skip(&mut self, n: usize) {
        let n = n.min(self.block.len());
        self.block.drain(..n);
        self.at += n as u64;
    }

    /// Goes behind the next place of some bytes; answers where it began.
    fn find(&mut self, wanted: &[u8]) -> Result<u64, ApiError> {
        loop {
            self.fill(wanted.len().max(BLOCK))?;
            if let Some(i) = memchr::memmem::find(&self.block, wanted) {
                let found = self.at + i as u64;
                self.skip(i + wanted.len());
                return Ok(found);
            }
            if self.ended {
                return Err(bad("its last boundary is missing"));
            }
            // What may be the beginning of it stays.
            self.skip(self.block.len() + 1 - wanted.len());
        }
    }
}

/// Reads where the parts of a form are.
pub fn parts(file: &mut File, boundary: &str) -> Result<Vec<Part>, ApiError> {
    file.rewind().map_err(unreadable)?;
    let mut scan = Scan {
        file,
        block: Vec::new(),
        at: 0,
        ended: false,
    };
    let first = format!("--{boundary}");
    scan.fill(first.len())?;
    if scan.block.starts_with(first.as_bytes()) {
        scan.skip(first.len());
    } else {
        scan.find(format!("\r\n{first}").as_bytes())?;
    }
    let mut parts = Vec::new();
    loop {
        scan.fill(2)?;
        if scan.block.starts_with(b"--") {
            return Ok(parts);
        }
        if parts.len() == PARTS {
            return Err(bad(&format!("it has more than {PARTS} parts")));
        }
        // Spaces may follow the boundary.
        scan.fill(HEADERS)?;
        let spaces = scan
            .block
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        scan.skip(spaces);
        if !scan.block.starts_with(b"\r\n") {
            return Err(bad("something follows a boundary"));
        }
        let head = &scan.block[..scan.block.len().min(HEADERS)];
        let end =
            memchr::memmem::find(head, b"\r\n\r\n").ok_or_else(|| bad("the headers of a part do not end"))?;
        let head = String::from_utf8_lossy(&head[..end]).into_owned();
        scan.skip(end + 4);
        let start = scan.at;
        let end = scan.find(format!("\r\n{first}").as_bytes())?;
        let header = |wanted: &str| {
            head.split("\r\n").find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
            })
        };
        let disposition = header("content-disposition").unwrap_or("");
        let name = parameter(disposition, "name").ok_or_else(|| bad("a part has no name"))?;
        parts.push(Part {
            name,
            file_name: parameter(disposition, "filename"),
            content_type: header("content-type").map(str::to_owned),
            start,
            end,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read(body: &[u8]) -> Result<(File, Vec<Part>), ApiError> {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("vedette-multipart-{}-{n}", std::process::id()));
        File::create(&path).unwrap().write_all(body).unwrap();
        let mut file = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let parts = parts(&mut file, "x-y")?;
        Ok((file, parts))
    }

    #[test]
    fn a_form_is_read_part_by_part() {
        // A part that lies across blocks and holds what looks like a boundary.
        let large = [b"\r\n--x-".repeat(100_000), b"\r\n-".to_vec()].concat();
        let body = [
            b"preamble\r\n--x-y\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n~/a.js\r\n--x-y  \r\n",
            &b"content-type: text/plain\r\nContent-Disposition: form-data; filename=\"a\\\"b;c.js\"; name=file\r\n\r\n"[..],
            &large,
            b"\r\n--x-y\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--x-y--\r\nepilogue",
        ]
        .concat();
        let (mut file, parts) = read(&body).expect("a form");
        let names: Vec<&str> = parts.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["name", "file", "empty"]);
        assert_eq!(parts[0].text(&mut file, 100).unwrap(), "~/a.js");
        assert_eq!(parts[0].file_name, None);
        assert_eq!(parts[1].file_name.as_deref(), Some("a\"b;c.js"));
        assert_eq!(parts[1].content_type.as_deref(), Some("text/plain"));
        let mut bytes = Vec::new();
        parts[1]
            .reader(&mut file)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        assert!(bytes == large);
        assert_eq!(parts[2].size(), 0);
        assert!(parts[1].text(&mut file, 100).is_err());
    }

    #[test]
    fn broken_forms_are_refused() {
        for body in [
            &b""[..],
            b"no form",
            b"--x-y",
            b"--x-y\r\n",
            b"--x-yz\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--x-y--",
            b"--x-y\r\nContent-Disposition: form-data; name=a\r\n\r\ntext",
            b"--x-y\r\nContent-Disposition: form-data\r\n\r\ntext\r\n--x-y--",
            b"--x-y\r\nContent-Disposition: form-data; name=\"a\r\n\r\ntext\r\n--x-y--",
        ] {
            assert!(read(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        assert!(read(b"--x-y--").expect("a form without parts").1.is_empty());
        let part = b"\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--x-y".repeat(1001);
        assert!(read(&[b"--x-y", &part[..], b"--"].concat()).is_err());
    }

    #[test]
    fn boundaries_are_found() {
        let of = |text: &str| boundary(text).ok();
        assert_eq!(of("multipart/form-data; boundary=abc").as_deref(), Some("abc"));
        assert_eq!(
            of("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"").as_deref(),
            Some("a b")
        );
        for wrong in [
            "",
            "multipart/form-data",
            "application/json; boundary=a",
            "multipart/form-data; boundary=",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}

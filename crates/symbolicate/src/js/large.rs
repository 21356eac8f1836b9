//! Source maps of tens of megabytes: their text is kept as it is, with an index of places in it. Making that takes no
//! memory to speak of, where reading all mappings takes ten times the size of the map.
//!
//! The form is: magic, the length of the map's text, the text, then (all numbers little endian) for every 512th mapping
//! its place in the script, the state of the decoder and its offset in the text; where the mappings are; and for
//! sources, their texts and names where each stands in the text.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::map::Original;
use crate::convert::ConvertError;

/// The first bytes of the form.
pub const MAGIC: &[u8; 8] = b"vdtmap1\n";
/// Mappings between two places of the index.
const STEP: usize = 512;
/// Numbers of a place: line and column in the script, source, line, column, name, offset.
const WIDTH: usize = 7;

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    mappings: &'a RawValue,
    #[serde(borrow)]
    sources: Vec<Option<&'a RawValue>>,
    #[serde(borrow, default, rename = "sourcesContent")]
    contents: Vec<Option<&'a RawValue>>,
    #[serde(borrow, default)]
    names: Vec<Option<&'a RawValue>>,
    #[serde(borrow, default, rename = "sourceRoot")]
    root: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    sections: Option<&'a RawValue>,
}

fn malformed(what: impl ToString) -> ConvertError {
    ConvertError::Malformed(what.to_string())
}

/// One mapping; what is absent is `None`.
#[derive(Clone, Copy, Default)]
struct State {
    line: u32,
    column: i64,
    source: i64,
    original_line: i64,
    original_column: i64,
    name: i64,
}

/// What a segment says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// Nothing: the place is of no source.
    Nothing,
    /// A place in a source.
    Place,
    /// A place with a name.
    Name,
}

/// Reads mappings one after another.
struct Segments<'a> {
    text: &'a [u8],
    at: usize,
    state: State,
}

impl Segments<'_> {
    fn number(&mut self) -> Result<Option<i64>, ConvertError> {
        let (mut value, mut shift) = (0_i64, 0_u32);
        loop {
            let digit = match self.text.get(self.at) {
                Some(b @ b'A'..=b'Z') => b - b'A',
                Some(b @ b'a'..=b'z') => b - b'a' + 26,
                Some(b @ b'0'..=b'9') => b - b'0' + 52,
                Some(b'+') => 62,
                Some(b'/') => 63,
                Some(b',' | b';') | None if shift == 0 => return Ok(None),
                _ => {
                    return Err(malformed(
                        "it cannot be read as a source map: its mappings are broken",
                    ));
                }
            };
            self.at += 1;
            if shift > 40 {
                return Err(malformed(
                    "it cannot be read as a source map: a number of its mappings is too large",
                ));
            }
            value |= i64::from(digit & 31) << shift;
            shift += 5;
            if digit & 32 == 0 {
                break;
            }
        }
        Ok(Some(if value & 1 == 1 { -(value >> 1) } else { value >> 1 }))
    }

    /// The next mapping: what it says; `None` at the end.
    fn next(&mut self) -> Result<Option<Says>, ConvertError> {
        loop {
            match self.text.get(self.at) {
                None => return Ok(None),
                Some(b';') => {
                    self.state.line = self.state.line.saturating_add(1);
                    self.state.column = 0;
                    self.at += 1;
                }
                Some(b',') => self.at += 1,
                Some(_) => break,
            }
        }
        let mut read = [None; 5];
        for slot in &mut read {
            *slot = self.number()?;
            if slot.is_none() {
                break;
            }
        }
        if !matches!(self.text.get(self.at), None | Some(b',' | b';')) {
            return Err(malformed(
                "it cannot be read as a source map: a mapping has more than five numbers",
            ));
        }
        let state = &mut self.state;
        state.column += read[0].unwrap_or(0);
        let [_, Some(source), Some(line), Some(column), name] = read else {
            return Ok(Some(Says::Nothing));
        };
        state.source += source;
        state.original_line += line;
        state.original_column += column;
        Ok(Some(match name {
            Some(name) => {
                state.name += name;
                Says::Name
            }
            None => Says::Place,
        }))
    }
}

/// Makes the form of a map that is one object; `None` of one in sections.
///
/// # Errors
/// If the map cannot be read.
pub fn convert(text: &[u8], out: &mut dyn std::io::Write) -> Result<Option<()>, ConvertError> {
    let text = std::str::from_utf8(text).map_err(|e| malformed(format!("it is not UTF-8: {e}")))?;
    let start = text.find('{').unwrap_or(0);
    let raw: Raw<'_> = match serde_json::from_str(&text[start..]) {
        Ok(raw) => raw,
        Err(_) => return Ok(None),
    };
    if raw.sections.is_some() {
        return Ok(None);
    }
    let offset = |part: &str| -> u64 { (part.as_ptr() as usize - text.as_ptr() as usize) as u64 };
    let mappings = raw.mappings.get();
    let plain = mappings
        .strip_prefix('"')
        .and_then(|m| m.strip_suffix('"'))
        .filter(|m| !m.contains('\\'));
    let Some(plain) = plain else {
        return Ok(None);
    };
    let write = |out: &mut dyn std::io::Write, bytes: &[u8]| out.write_all(bytes).map_err(malformed);
    write(out, MAGIC)?;
    write(out, &(text.len() as u64).to_le_bytes())?;
    write(out, text.as_bytes())?;
    let mut segments = Segments {
        text: plain.as_bytes(),
        at: 0,
        state: State::default(),
    };
    let mut index: Vec<u8> = Vec::new();
    let mut count = 0_usize;
    loop {
        let (before, at) = (segments.state, segments.at);
        if segments.next()?.is_none() {
            break;
        }
        if count.is_multiple_of(STEP) {
            let now = segments.state;
            let numbers = [
                u64::from(now.line),
                now.column as u64,
                // The state before it, from which it is read again; its line is that of the text before.
                before.source as u64,
                before.original_line as u64,
                before.original_column as u64,
                before.name as u64,
                at as u64,
            ];
            index.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
            index.extend(u64::from(before.line).to_le_bytes());
            index.extend((before.column as u64).to_le_bytes());
        }
        count += 1;
    }
    let lists = [&raw.sources, &raw.contents, &raw.names];
    let mut tail: Vec<u8> = Vec::new();
    tail.extend(((index.len() / (8 * (WIDTH + 2))) as u64).to_le_bytes());
    tail.extend(index);
    tail.extend(offset(plain).to_le_bytes());
    tail.extend((plain.len() as u64).to_le_bytes());
    let root = raw.root.as_deref().unwrap_or_default();
    tail.extend((root.len() as u64).to_le_bytes());
    tail.extend(root.as_bytes());
    for list in lists {
        tail.extend((list.len() as u64).to_le_bytes());
        for entry in list {
            let (at, length) = entry.map_or((0, 0), |raw| (offset(raw.get()), raw.get().len() as u64));
            tail.extend(at.to_le_bytes());
            tail.extend(length.to_le_bytes());
        }
    }
    write(out, &tail)?;
    Ok(Some(()))
}

/// The form, read.
pub struct Large<'a> {
    text: &'a [u8],
    index: &'a [u8],
    mappings: &'a [u8],
    root: &'a str,
    lists: [&'a [u8]; 3],
}

fn u64_at(bytes: &[u8], n: usize) -> Option<u64> {
    let at = n.checked_mul(8)?;
    Some(u64::from_le_bytes(
        bytes.get(at..at.checked_add(8)?)?.try_into().ok()?,
    ))
}

/// Takes so many bytes from the front.
fn take<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = tail;
    Some(head)
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    u64_at(take(rest, 8)?, 0)
}

const ENTRY: usize = WIDTH + 2;

impl<'a> Large<'a> {
    /// Reads what [`convert`] made.
    pub fn read(bytes: &'a [u8]) -> Option<Large<'a>> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let length = take_number(&mut rest)?;
        let text = take(&mut rest, length)?;
        let places = take_number(&mut rest)?;
        let index = take(&mut rest, places.checked_mul(8 * ENTRY as u64)?)?;
        let (at, length) = (take_number(&mut rest)?, take_number(&mut rest)?);
        let mappings = part(text, at, length)?;
        let length = take_number(&mut rest)?;
        let root = std::str::from_utf8(take(&mut rest, length)?).ok()?;
        let mut list = || -> Option<&'a [u8]> {
            let count = take_number(&mut rest)?;
            take(&mut rest, count.checked_mul(16)?)
        };
        let lists = [list()?, list()?, list()?];
        Some(Large {
            text,
            index,
            mappings,
            root,
            lists,
        })
    }

    fn entry(&self, n: usize) -> Option<[u64; ENTRY]> {
        let mut out = [0; ENTRY];
        for (i, slot) in out.iter_mut().enumerate() {
            *slot = u64_at(self.index, n * ENTRY + i)?;
        }
        Some(out)
    }

    fn string(&self, list: usize, n: i64) -> Option<Cow<'a, str>> {
        let n = usize::try_from(n).ok()?;
        let (at, length) = (
            u64_at(self.lists[list], 2 * n)?,
            u64_at(self.lists[list], 2 * n + 1)?,
        );
        let json = part(self.text, at, length).filter(|p| !p.is_empty())?;
        serde_json::from_slice::<Option<String>>(json)
            .ok()?
            .map(Cow::Owned)
    }

    /// Where a place was written; line and column from 0.
    pub fn find(&self, line: u32, column: u32) -> Option<Original<'a>> {
        let count = self.index.len() / (8 * ENTRY);
        let place = |n: usize| self.entry(n).map(|e| (e[0], e[1] as i64));
        let wanted = (u64::from(line), i64::from(column));
        let places: Range<usize> = 0..count;
        let (mut low, mut high) = (places.start, places.end);
        while low < high {
            let middle = low.midpoint(high);
            if place(middle)? <= wanted {
                low = middle + 1
            } else {
                high = middle
            }
        }
        let from = self.entry(low.checked_sub(1)?)?;
        let mut segments = Segments {
            text: self.mappings,
            at: usize::try_from(from[6]).ok()?,
            state: State {
                line: u32::try_from(from[7]).ok()?,
                column: from[8] as i64,
                source: from[2] as i64,
                original_line: from[3] as i64,
                original_column: from[4] as i64,
                name: from[5] as i64,
            },
        };
        let mut best = None;
        for _ in 0..=STEP {
            match segments.next().ok()? {
                Some(says) if (u64::from(segments.state.line), segments.state.column) <= wanted => {
                    best = Some((says, segments.state));
                }
                _ => break,
            }
        }
        let (says, state) = best?;
        if state.line != line || says == Says::Nothing {
            return None;
        }
        let source = self.string(0, state.source).map(|name| match self.root {
            "" => name,
            root => Cow::Owned(format!("{}/{name}", root.trim_end_matches('/'))),
        });
        Some(Original {
            source,
            text: self.string(1, state.source),
            line: u32::try_from(state.original_line).ok()?,
            column: u32::try_from(state.original_column).ok()?,
            name: if says == Says::Name {
                self.string(2, state.name)
            } else {
                None
            },
            scope: Cow::Borrowed(""),
        })
    }
}

fn part(text: &[u8], at: u64, length: u64) -> Option<&[u8]> {
    let at = usize::try_from(at).ok()?;
    text.get(at..at.checked_add(usize::try_from(length).ok()?)?)
}

#[cfg(test)]
mod tests {
    use super::super::map;
    use super::*;

    fn sample(segments: u32) -> Vec<u8> {
        let mut builder = sourcemap::SourceMapBuilder::new(Some("app.js"));
        let mut seed = 7_u32;
        let mut random = |n: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % n
        };
        let mut column = 0;
        for i in 0..segments {
            let line = i / 700;
            column = if i % 700 == 0 { 0 } else { column + 1 + random(9) };
            let source = format!("src/\u{e9}{}.js", random(5));
            let name = format!("name{}", random(20));
            let name = (random(3) == 0).then_some(name.as_str());
            let token = builder.add(line, column, random(90), random(40), Some(&source), name, false);
            builder.set_source_contents(token.src_id, Some("one\n\"two\"\n"));
        }
        let mut out = Vec::new();
        builder.into_sourcemap().to_writer(&mut out).unwrap();
        out
    }

    #[test]
    fn it_finds_what_the_other_form_finds() {
        let text = sample(5_000);
        let small = map::convert(None, &text).unwrap();
        let small = map::Map::read(&small).unwrap();
        let mut form = Vec::new();
        convert(&text, &mut form).unwrap().unwrap();
        let large = Large::read(&form).unwrap();
        for line in 0..9 {
            for column in (0..4_000).step_by(3) {
                assert_eq!(
                    large.find(line, column),
                    small.find(line, column),
                    "{line}:{column}"
                );
            }
        }
        let found = large.find(0, 0).unwrap();
        assert_eq!(found.text.as_deref(), Some("one\n\"two\"\n"));
        assert!(found.source.unwrap().starts_with("src/\u{e9}"));
    }

    #[test]
    fn what_is_broken_is_said_or_left_to_the_other_form() {
        let of = |text: &str| convert(text.as_bytes(), &mut Vec::new());
        assert!(of(r#"{"version":3,"sources":[],"mappings":"A*"}"#).is_err());
        assert!(of(r#"{"version":3,"sources":[],"mappings":"AAAAAA"}"#).is_err());
        assert!(of(r#"{"version":3,"sources":[],"mappings":"gggggggggggggggA"}"#).is_err());
        assert_eq!(of(r#"{"version":3,"sections":[]}"#).unwrap(), None);
        assert_eq!(of("[").unwrap(), None);
        assert!(Large::read(b"vdtmap1\n").is_none());
        let mut form = Vec::new();
        convert(&sample(2_000), &mut form).unwrap().unwrap();
        for cut in (0..form.len()).step_by(97) {
            if let Some(large) = Large::read(&form[..cut]) {
                large.find(1, 50);
            }
        }
        // Bytes that are not ours must not make it panic.
        for at in (0..form.len()).step_by(31) {
            let mut changed = form.clone();
            changed[at] = changed[at].wrapping_add(113);
            if let Some(large) = Large::read(&changed) {
                large.find(1, 50);
            }
        }
    }
}

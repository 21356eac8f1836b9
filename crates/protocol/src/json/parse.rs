//! The reader: one pass, lenient where real clients need it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use super::{Json, Map, Number};

/// How deep lists and objects may lie in each other; what is deeper becomes null. Other readers of what is stored
/// give up at 128, and notes may repeat a value some levels down.
pub const MAX_DEPTH: usize = 100;

/// The text is not JSON, even read leniently.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JsonError {
    /// Where, as a byte offset.
    pub offset: usize,
    /// What would have been right there.
    pub expected: &'static str,
    /// What was found: a character, or the end.
    pub found: Option<char>,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}, found ", self.expected, self.offset)?;
        match self.found {
            Some(c) => write!(f, "{c:?}"),
            None => f.write_str("the end"),
        }
    }
}

impl std::error::Error for JsonError {}

/// A kind of repair.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Repair {
    /// A byte order mark was skipped.
    ByteOrderMark,
    /// Bytes that are not UTF-8 became U+FFFD.
    InvalidUtf8,
    /// Half of a surrogate pair became U+FFFD.
    LoneSurrogate,
    /// `NaN`, `Infinity` or a number out of range became null.
    NotFinite,
    /// A key stood twice in one object; the last value was kept.
    DuplicateKey,
    /// A value deeper than [`MAX_DEPTH`] became null.
    TooDeep,
}

impl Repair {
    /// One line for people.
    pub fn explain(self) -> &'static str {
        match self {
            Repair::ByteOrderMark => "a byte order mark was skipped",
            Repair::InvalidUtf8 => "bytes that are not UTF-8 were replaced by U+FFFD",
            Repair::LoneSurrogate => "a lone surrogate was replaced by U+FFFD",
            Repair::NotFinite => "a number that is not finite was replaced by null",
            Repair::DuplicateKey => "a key stood twice in one object, its last value was kept",
            Repair::TooDeep => "a value nested too deeply was replaced by null",
        }
    }
}

/// What was changed to read a text: per kind how often, and where first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Repairs {
    list: Vec<(Repair, u32, usize)>,
}

impl Repairs {
    /// Whether the text was read as it stands.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Kind, count and the offset of the first, in the order in which they were met.
    pub fn iter(&self) -> impl Iterator<Item = (Repair, u32, usize)> + '_ {
        self.list.iter().copied()
    }

    /// How often a kind of repair was made.
    pub fn count(&self, kind: Repair) -> u32 {
        self.list
            .iter()
            .find(|(k, ..)| *k == kind)
            .map_or(0, |(_, n, _)| *n)
    }

    fn note(&mut self, kind: Repair, at: usize) {
        match self.list.iter_mut().find(|(k, ..)| *k == kind) {
            Some((_, n, _)) => *n = n.saturating_add(1),
            None => self.list.push((kind, 1, at)),
        }
    }
}

/// Reads one value and nothing behind it.
///
/// # Errors
/// [`JsonError`] says where the text stops being JSON and what was expected there.
pub fn parse(bytes: &[u8]) -> Result<(Json<'_>, Repairs), JsonError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse_str(text),
        Err(bad) => {
            let text = String::from_utf8_lossy(bytes);
            let (value, mut repairs) = parse_str(&text)?;
            repairs.note(Repair::InvalidUtf8, bad.valid_up_to());
            Ok((value.into_owned(), repairs))
        }
    }
}

/// [`parse`] on text.
///
/// # Errors
/// As [`parse`].
pub fn parse_str(text: &str) -> Result<(Json<'_>, Repairs), JsonError> {
    let mut p = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
        members: [8; MAX_DEPTH + 1],
        repairs: Repairs::default(),
    };
    if text.starts_with('\u{feff}') {
        p.at = 3;
        p.repairs.note(Repair::ByteOrderMark, 0);
    }
    let value = p.value()?;
    p.space();
    if p.at < p.bytes.len() {
        return Err(p.error("the end"));
    }
    Ok((value, p.repairs))
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    /// How many members the last object of each depth had: the next one has as many, mostly.
    members: [u8; MAX_DEPTH + 1],
    repairs: Repairs,
}

impl<'a> Parser<'a> {
    fn error(&self, expected: &'static str) -> JsonError {
        let found = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        JsonError {
            offset: self.at,
            expected,
            found,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, JsonError> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.error("a value"))
        }
    }

    fn value(&mut self) -> Result<Json<'a>, JsonError> {
        self.space();
        match self.peek() {
            Some(b'"') => self.string().map(Json::Str),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(b'N') => {
                let at = self.at;
                let value = self.word("NaN", Json::Null)?;
                self.repairs.note(Repair::NotFinite, at);
                Ok(value)
            }
            Some(b'I') => {
                let at = self.at;
                let value = self.word("Infinity", Json::Null)?;
                self.repairs.note(Repair::NotFinite, at);
                Ok(value)
            }
            _ => Err(self.error("a value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json<'a>, JsonError>) -> Result<Json<'a>, JsonError> {
        if self.depth == MAX_DEPTH {
            self.repairs.note(Repair::TooDeep, self.at);
            return self.skip();
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// Steps over a list or object of any depth by counting brackets outside of texts.
    fn skip(&mut self) -> Result<Json<'a>, JsonError> {
        let mut open = 0usize;
        while let Some(b) = self.peek() {
            match b {
                b'{' | b'[' => open += 1,
                b'}' | b']' => {
                    open -= 1;
                    if open == 0 {
                        self.at += 1;
                        return Ok(Json::Null);
                    }
                }
                b'"' => {
                    self.string()?;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        Err(self.error("a closing bracket"))
    }

    fn array(&mut self) -> Result<Json<'a>, JsonError> {
        self.at += 1;
        let mut list = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(list));
        }
        loop {
            list.push(self.value()?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::Array(list));
                }
                _ => return Err(self.error("`,` or `]`")),
            }
        }
    }

    fn object(&mut self) -> Result<Json<'a>, JsonError> {
        let start = self.at;
        self.at += 1;
        let mut members = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(Map(members)));
        }
        members.reserve(usize::from(self.members[self.depth]).max(4));
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.error("a key in quotes"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.error("`:`"));
            }
            self.at += 1;
            members.push((key, self.value()?));
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                _ => return Err(self.error("`,` or `}`")),
            }
        }
        self.members[self.depth] = u8::try_from(members.len()).unwrap_or(u8::MAX);
        self.keep_last(&mut members, start);
        Ok(Json::Object(Map(members)))
    }

    /// Of members with equal keys only the last stays, at the place of the first.
    fn keep_last(&mut self, members: &mut Vec<(Cow<'a, str>, Json<'a>)>, start: usize) {
        let n = members.len();
        let twice = if n <= 24 {
            (1..n).any(|i| members[..i].iter().any(|(k, _)| *k == members[i].0))
        } else {
            let mut seen = std::collections::HashSet::with_capacity(n);
            !members.iter().all(|(k, _)| seen.insert(&**k))
        };
        if !twice {
            return;
        }
        let mut place: HashMap<Cow<'a, str>, usize> = HashMap::with_capacity(n);
        let mut kept: Vec<(Cow<'a, str>, Json<'a>)> = Vec::with_capacity(n);
        for (key, value) in members.drain(..) {
            if let Some(&i) = place.get(&key) {
                kept[i].1 = value;
                self.repairs.note(Repair::DuplicateKey, start);
            } else {
                place.insert(key.clone(), kept.len());
                kept.push((key, value));
            }
        }
        *members = kept;
    }

    fn number(&mut self) -> Result<Json<'a>, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
            if self.peek() == Some(b'I') {
                self.word("Infinity", Json::Null)?;
                self.repairs.note(Repair::NotFinite, start);
                return Ok(Json::Null);
            }
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.error("a digit")),
        }
        let mut exponent = false;
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.error("a digit"));
            }
            self.digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            exponent = true;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.error("a digit"));
            }
            self.digits();
        }
        let text = &self.text[start..self.at];
        if (exponent || text.len() > 300) && !text.parse::<f64>().is_ok_and(f64::is_finite) {
            self.repairs.note(Repair::NotFinite, start);
            return Ok(Json::Null);
        }
        Ok(Json::Number(Number(Cow::Borrowed(text))))
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    /// The offset of the next quote or backslash.
    fn next_mark(&self) -> Option<usize> {
        let rest = &self.bytes[self.at..];
        let near = rest.len().min(24);
        rest[..near]
            .iter()
            .position(|b| matches!(b, b'"' | b'\\'))
            .or_else(|| memchr::memchr2(b'"', b'\\', &rest[near..]).map(|i| i + near))
            .map(|i| i + self.at)
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.at += 1;
        let start = self.at;
        let Some(mark) = self.next_mark() else {
            self.at = self.bytes.len();
            return Err(self.error("a closing quote"));
        };
        if self.bytes[mark] == b'"' {
            self.at = mark + 1;
            return Ok(Cow::Borrowed(&self.text[start..mark]));
        }
        let mut out = String::with_capacity(mark - start + 32);
        loop {
            let Some(mark) = self.next_mark() else {
                self.at = self.bytes.len();
                return Err(self.error("a closing quote"));
            };
            out.push_str(&self.text[self.at..mark]);
            self.at = mark + 1;
            if self.bytes[mark] == b'"' {
                return Ok(Cow::Owned(out));
            }
            self.escape(&mut out)?;
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), JsonError> {
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(out),
            _ => return Err(self.error("an escape character")),
        };
        self.at += 1;
        out.push(c);
        Ok(())
    }

    fn hex4(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 4)?;
        digits
            .iter()
            .try_fold(0, |n, b| Some(n * 16 + char::from(*b).to_digit(16)?))
    }

    fn unicode(&mut self, out: &mut String) -> Result<(), JsonError> {
        let at = self.at - 1;
        self.at += 1;
        let Some(first) = self.hex4(self.at) else {
            return Err(self.error("four hex digits"));
        };
        self.at += 4;
        let mut code = first;
        if (0xD800..0xDC00).contains(&first)
            && self.bytes[self.at..].starts_with(b"\\u")
            && let Some(second) = self.hex4(self.at + 2).filter(|n| (0xDC00..0xE000).contains(n))
        {
            self.at += 6;
            code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        }
        out.push(char::from_u32(code).unwrap_or_else(|| {
            self.repairs.note(Repair::LoneSurrogate, at);
            char::REPLACEMENT_CHARACTER
        }));
        Ok(())
    }
}

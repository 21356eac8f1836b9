//! Crashes of Unreal Engine: one compressed container with a dump or crash report, the engine's account of the
//! crash, its log and whatever else its reporter adds.
//!
//! [`split`] takes the container apart, [`event`] makes the parts of an event of the account and the log. The dump or
//! report among the files is for [`crate::minidump`] or [`crate::apple`].

mod account;
mod xml;

use std::io::Read;

use flate2::read::ZlibDecoder;
use protocol::json::{Json, Map};

use crate::crash;

/// Files of one container.
const MAX_FILES: usize = 1_000;

/// Lines of the log that become breadcrumbs: the last ones.
const MAX_LINES: usize = 100;

/// The longest line of a log that is kept, characters.
const MAX_LINE: usize = 2_000;

/// Why a container cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnrealError {
    /// It is not compressed as such containers are.
    #[error("this is not a crash of Unreal Engine: {0}")]
    Compression(String),
    /// It is larger than the caller allows.
    #[error("the crash is larger than {0} bytes once it is decompressed")]
    TooLarge(usize),
    /// It is compressed, and not made up of files.
    #[error("the files of the crash cannot be told apart")]
    Malformed,
}

/// What a file of a container is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A minidump.
    Minidump,
    /// The text of an Apple crash report.
    AppleCrashReport,
    /// The engine's account of the crash, XML.
    Context,
    /// A log.
    Log,
    /// Anything else.
    Other,
}

/// A file of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its name, without folders.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What is in it.
    pub data: Vec<u8>,
}

/// Decompresses a container to at most `limit` bytes and takes it apart.
///
/// # Errors
/// [`UnrealError`].
pub fn split(bytes: &[u8], limit: usize) -> Result<Vec<File>, UnrealError> {
    let mut plain = Vec::new();
    ZlibDecoder::new(bytes)
        .take(limit as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|e| UnrealError::Compression(e.to_string()))?;
    if plain.len() > limit {
        return Err(UnrealError::TooLarge(limit));
    }
    let start = Cursor(&plain).header().ok_or(UnrealError::Malformed)?;
    // The header in front is often a placeholder, and the one behind the files counts; newer ones have no second.
    let behind = plain
        .len()
        .checked_sub(4)
        .and_then(|at| Cursor(&plain[at..]).number());
    [behind, Some(start.files)]
        .into_iter()
        .flatten()
        .filter(|n| (1..=MAX_FILES).contains(n))
        .find_map(|count| files(start.rest, count))
        .ok_or(UnrealError::Malformed)
}

fn files(rest: &[u8], count: usize) -> Option<Vec<File>> {
    let mut cursor = Cursor(rest);
    let files = (0..count).map(|_| cursor.file()).collect::<Option<Vec<_>>>()?;
    let complete = cursor.0.is_empty() || cursor.header().is_some_and(|h| h.rest.is_empty());
    complete.then_some(files)
}

/// What is left to read.
struct Cursor<'b>(&'b [u8]);

/// What stands in front of the files.
struct Header<'b> {
    files: usize,
    rest: &'b [u8],
}

impl<'b> Cursor<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (piece, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(piece)
    }

    fn number(&mut self) -> Option<usize> {
        let bytes: [u8; 4] = self.take(4)?.try_into().ok()?;
        usize::try_from(i32::from_le_bytes(bytes)).ok()
    }

    /// A text of a written length, filled up with zeros.
    fn text(&mut self) -> Option<String> {
        let length = self.number()?;
        let text = String::from_utf8_lossy(self.take(length)?);
        Some(text.trim_end_matches('\0').to_owned())
    }

    /// Names of a folder and a file, the size of all files, and their number.
    fn header(&mut self) -> Option<Header<'b>> {
        if self.0.starts_with(b"CR1") {
            self.take(3);
        }
        self.text()?;
        self.text()?;
        self.number()?;
        let files = self.number()?;
        Some(Header { files, rest: self.0 })
    }

    fn file(&mut self) -> Option<File> {
        self.number()?;
        let name = self.text()?;
        let name = name.rsplit(['/', '\\']).next().unwrap_or(&name).to_owned();
        let length = self.number()?;
        let data = self.take(length)?.to_vec();
        Some(File {
            kind: kind(&name, &data),
            name,
            data,
        })
    }
}

fn kind(name: &str, data: &[u8]) -> Kind {
    if crate::minidump::is_minidump(data) {
        Kind::Minidump
    } else if data.starts_with(b"Incident Identifier:") {
        Kind::AppleCrashReport
    } else if name.eq_ignore_ascii_case("CrashContext.runtime-xml") {
        Kind::Context
    } else if name.to_ascii_lowercase().ends_with(".log") {
        Kind::Log
    } else {
        Kind::Other
    }
}

/// What the account and the log of a crash say, as parts of an event.
///
/// `user` is how the reporter's request names the person: id, Epic's account and the machine, with strokes between.
pub fn event(files: &[File], user: Option<&str>) -> Map<'static> {
    let account = files.iter().find(|f| f.kind == Kind::Context);
    let mut event = account
        .map(|file| account::read(&String::from_utf8_lossy(&file.data)))
        .unwrap_or_default();
    if let Some(user) = user {
        account::add_user(&mut event, user);
    }
    let lines: Vec<Json<'_>> = files
        .iter()
        .filter(|f| f.kind == Kind::Log)
        .flat_map(|f| breadcrumbs(&String::from_utf8_lossy(&f.data)))
        .take(MAX_LINES)
        .collect();
    if !lines.is_empty() && !event.contains("breadcrumbs") {
        event.set("breadcrumbs", crash::values(lines));
    }
    event
}

/// The last lines of a log. The clock of a line is that of the machine, taken for UTC, as logs do not say more.
fn breadcrumbs(log: &str) -> Vec<Json<'static>> {
    let opened = log
        .lines()
        .next()
        .and_then(|line| {
            line.trim_start_matches('\u{feff}')
                .strip_prefix("Log file open, ")
        })
        .and_then(opening_time);
    let mut lines: Vec<&str> = log
        .lines()
        .rev()
        .filter(|l| !l.trim().is_empty() && !l.contains("Log file open, "))
        .take(MAX_LINES)
        .collect();
    lines.reverse();
    let mut last = opened;
    lines
        .into_iter()
        .map(|line| {
            let (time, line) = line_time(line);
            last = time.or(last);
            let (category, message) = match line.split_once(": ") {
                Some((category, message)) if category.starts_with("Log") && !category.contains(' ') => {
                    (Some(category), message)
                }
                _ => (None, line),
            };
            let mut crumb = Map::new();
            if let Some(time) = last {
                crumb.set("timestamp", time as f64 / 1e6);
            }
            if let Some(category) = category {
                crumb.set("category", category.to_owned());
            }
            let end = message
                .char_indices()
                .nth(MAX_LINE)
                .map_or(message.len(), |(i, _)| i);
            crumb.set("message", message[..end].to_owned());
            crumb.set("type", "default");
            Json::Object(crumb)
        })
        .collect()
}

/// `12/13/18 15:54:53`: month, day, year.
fn opening_time(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(' ')?;
    let mut parts = date.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    protocol::time::parse_time(&format!("20{year}-{month}-{day}T{time}Z"))
}

/// `[2018.10.29-16.56.38:332][  0]LogInit: …`: the time and what follows.
fn line_time(line: &str) -> (Option<i64>, &str) {
    let inner = |line: &'_ str| -> Option<(i64, usize)> {
        let (time, rest) = line.strip_prefix('[')?.split_once(']')?;
        let (date, clock) = time.split_once('-')?;
        let (clock, millis) = clock.split_once(':')?;
        let text = format!("{}T{}.{millis}Z", date.replace('.', "-"), clock.replace('.', ":"));
        let time = protocol::time::parse_time(&text)?;
        // The number of the frame that was drawn stands behind it.
        let rest = rest
            .strip_prefix('[')
            .and_then(|r| r.split_once(']'))
            .map_or(rest, |(_, rest)| rest);
        Some((time, line.len() - rest.len()))
    };
    match inner(line) {
        Some((time, at)) => (Some(time), line.get(at..).unwrap_or(line)),
        None => (None, line),
    }
}

#[cfg(test)]
mod tests;

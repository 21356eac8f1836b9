//! The lines around a line, out of a bundle of sources.

use std::collections::HashMap;

use protocol::json::{Json, Map};
use symbolic::debuginfo::ParseObjectOptions;
use symbolic::debuginfo::sourcebundle::{SourceBundle, SourceBundleDebugSession};

use crate::convert::MAX_SOURCE;

/// Lines before and after.
const CONTEXT: usize = 5;

/// Longer lines are cut, characters.
const MAX_LINE: usize = 1_000;

/// Files of one bundle that are read for one event, and their bytes.
const MAX_FILES: usize = 500;
const MAX_BYTES: usize = 64 << 20;

/// An open bundle and the files that were asked for.
pub(crate) struct Bundle<'a> {
    session: SourceBundleDebugSession<'a>,
    files: HashMap<String, Option<Text>>,
    left: usize,
}

/// A text with the beginnings of its lines.
struct Text {
    text: String,
    starts: Vec<usize>,
}

impl Text {
    fn new(text: String) -> Text {
        let starts = std::iter::once(0)
            .chain(
                text.bytes()
                    .enumerate()
                    .filter(|(_, b)| *b == b'\n')
                    .map(|(i, _)| i + 1),
            )
            .collect();
        Text { text, starts }
    }

    /// A line by its number, from 1.
    fn line(&self, number: usize) -> Option<&str> {
        let from = *self.starts.get(number.checked_sub(1)?)?;
        let to = self.starts.get(number).map_or(self.text.len(), |next| next - 1);
        let line = self.text.get(from..to)?;
        // What follows the last line break is a line only if there is something.
        if line.is_empty() && number == self.starts.len() {
            return None;
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        Some(
            line.char_indices()
                .nth(MAX_LINE)
                .map_or(line, |(end, _)| &line[..end]),
        )
    }
}

impl<'a> Bundle<'a> {
    /// Opens a bundle; `None` if it cannot be read.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Bundle<'a>> {
        let mut options = ParseObjectOptions::default();
        options.max_decompressed_embedded_source_size = Some(MAX_SOURCE);
        let bundle = SourceBundle::parse_with_opts(bytes, options).ok()?;
        Some(Bundle {
            session: bundle.debug_session().ok()?,
            files: HashMap::new(),
            left: MAX_BYTES,
        })
    }

    /// Sets `pre_context`, `context_line` and `post_context` of a frame; false if the file or the line is not
    /// there.
    pub(crate) fn set_context(&mut self, frame: &mut Map<'_>, key: &Key<'_>, line: u64) -> bool {
        let Some(text) = self.file(key) else {
            return false;
        };
        let Ok(line) = usize::try_from(line) else {
            return false;
        };
        let Some(at) = text.line(line).map(str::to_owned) else {
            return false;
        };
        let list = |from: usize, to: usize| -> Json<'static> {
            (from..to)
                .map_while(|n| text.line(n))
                .map(|l| Json::from(l.to_owned()))
                .collect::<Vec<_>>()
                .into()
        };
        let before = list(line.saturating_sub(CONTEXT).max(1), line);
        let after = list(line + 1, line + 1 + CONTEXT);
        frame.set("pre_context", before);
        frame.set("context_line", at);
        frame.set("post_context", after);
        true
    }

    fn file(&mut self, key: &Key<'_>) -> Option<&Text> {
        let name = match key {
            Key::Path(path) => (*path).to_owned(),
            Key::Url(url) => (*url).to_owned(),
        };
        if !self.files.contains_key(&name) {
            let found = if self.files.len() < MAX_FILES && self.left > 0 {
                self.read(key)
            } else {
                None
            };
            self.left -= self.left.min(found.as_ref().map_or(0, |t| t.text.len()));
            self.files.insert(name.clone(), found);
        }
        self.files.get(&name)?.as_ref()
    }

    fn read(&self, key: &Key<'_>) -> Option<Text> {
        let file = match key {
            Key::Path(path) => self.session.source_by_path(path),
            Key::Url(url) => self.session.source_by_url(url),
        };
        let text = file.ok()??.into_contents()?.into_owned();
        Some(Text::new(text))
    }
}

/// What a file of a bundle is looked up by.
pub(crate) enum Key<'k> {
    /// The path at which the compiler saw it.
    Path(&'k str),
    /// The address under which JavaScript and the JVM know it.
    Url(&'k str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text = Text::new("a\r\nb\n\nd".into());
        let lines: Vec<_> = (0..7).map(|n| text.line(n)).collect();
        assert_eq!(
            lines,
            [None, Some("a"), Some("b"), Some(""), Some("d"), None, None]
        );
        assert_eq!(Text::new("a\n".into()).line(2), None);
        assert_eq!(Text::new("x".repeat(5_000)).line(1).map(str::len), Some(MAX_LINE));
    }
}

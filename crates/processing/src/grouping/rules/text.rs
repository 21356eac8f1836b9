//! Reading the line syntax that stack-trace rules and fingerprint rules share.

use std::fmt;

/// A rule text that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RulesError {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, character {}: {}",
            self.line, self.column, self.message
        )
    }
}

impl std::error::Error for RulesError {}

/// A position in one line of rules.
pub(crate) struct Cursor<'a> {
    line: &'a str,
    number: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The lines that hold a rule.
    pub(crate) fn lines(text: &'a str) -> impl Iterator<Item = Cursor<'a>> {
        text.lines()
            .enumerate()
            .map(|(i, line)| Cursor {
                line,
                number: i + 1,
                at: 0,
            })
            .filter_map(|mut c| {
                c.space();
                (!c.end()).then_some(c)
            })
    }

    pub(crate) fn error<T>(&self, message: impl Into<String>) -> Result<T, RulesError> {
        let column = self.line[..self.at].chars().count() + 1;
        Err(RulesError {
            line: self.number,
            column,
            message: message.into(),
        })
    }

    pub(crate) fn text(&self) -> &'a str {
        self.line.trim()
    }

    pub(crate) fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    pub(crate) fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Whether nothing is left but a comment.
    pub(crate) fn end(&self) -> bool {
        let rest = self.rest();
        rest.is_empty() || rest.starts_with('#')
    }

    pub(crate) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn back_to(&mut self, position: usize) {
        self.at = position;
    }

    /// A key in front of `:` or `=`: letters, digits, `_`, `.`, `-`, or quoted.
    pub(crate) fn key(&mut self) -> Option<String> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let rest = self.rest();
        let n = rest
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
            .count();
        self.at += n;
        (n > 0).then(|| rest[..n].to_owned())
    }

    /// A text in quotes, with its escapes resolved.
    pub(crate) fn quoted(&mut self) -> Option<String> {
        let rest = self.rest();
        let inner = rest.strip_prefix('"')?;
        let mut escaped = false;
        for (i, c) in inner.char_indices() {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == '"' {
                self.at += i + 2;
                return Some(unescape(&inner[..i]));
            }
        }
        None
    }

    /// A text in quotes, or all up to the next blank.
    pub(crate) fn value(&mut self) -> Option<String> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let rest = self.rest();
        let n = rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.at += n;
        (n > 0).then(|| rest[..n].to_owned())
    }
}

/// Resolves `\"`, `\\`, `\n`, `\r`, `\t`, `\xHH` and `\uHHHH`; other backslashes stay, as patterns use them.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let code = |n: usize| -> Option<char> {
            let digits = rest.get(1..=n)?;
            digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
        };
        let (c, used) = match rest.chars().next() {
            Some('"') => ('"', 1),
            Some('\\') => ('\\', 1),
            Some('n') => ('\n', 1),
            Some('r') => ('\r', 1),
            Some('t') => ('\t', 1),
            Some('x') => code(2).map_or(('\\', 0), |c| (c, 3)),
            Some('u') => code(4).map_or(('\\', 0), |c| (c, 5)),
            _ => ('\\', 0),
        };
        out.push(c);
        rest = &rest[used..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(unescape(r#"a\"b"#), "a\"b");
        assert_eq!(unescape(r"\x\xff"), "\\xÿ");
        assert_eq!(unescape(r"-\[NS*"), r"-\[NS*");
        assert_eq!(unescape(r"*::\\{dtor\\}"), r"*::\{dtor\}");
    }
}

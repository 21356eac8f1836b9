//! Lines of source around a place.

/// Lines before and after that are shown.
pub const AROUND: usize = 5;
/// Lines up to this many characters are shown whole.
const WHOLE: usize = 150;
/// Characters that are shown of longer ones.
const SHOWN: usize = 140;
/// How many of them stand before the place.
const BEFORE: usize = 60;

/// Source around a line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Context {
    /// The lines before.
    pub before: Vec<String>,
    /// The line.
    pub line: String,
    /// The lines after.
    pub after: Vec<String>,
}

/// The lines of a source around `line` (from 0), cut around `column` (from 0, in characters) where they are long.
/// None if the source has no such line. A script of a megabyte in one line is gone over once, up to the column.
pub fn around(source: &[u8], line: usize, column: usize) -> Option<Context> {
    let first = line.saturating_sub(AROUND);
    let mut lines = Lines(Some(source)).skip(first);
    let before = lines
        .by_ref()
        .take(line - first)
        .map(|l| cut(l, 0))
        .collect::<Vec<_>>();
    let line = cut(lines.next()?, column);
    Some(Context {
        before,
        line,
        after: lines.take(AROUND).map(|l| cut(l, 0)).collect(),
    })
}

/// What stands between line feeds, without the carriage return before them.
struct Lines<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0?;
        let line = match memchr::memchr(b'\n', text) {
            Some(end) => {
                self.0 = text.get(end + 1..);
                text.get(..end)?
            }
            None => {
                self.0 = None;
                text
            }
        };
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// A line of readable length around a column.
fn cut(line: &[u8], column: usize) -> String {
    let text = |part: Option<&[u8]>| String::from_utf8_lossy(part.unwrap_or_default()).into_owned();
    if end_of(line, WHOLE + 1).is_none() {
        return text(Some(line));
    }
    let mut start = column.saturating_sub(BEFORE);
    if start < 5 {
        start = 0;
    }
    let shown = end_of(line, start).and_then(|from| {
        let rest = line.get(from..)?;
        // Where next to nothing would be left out at the end, nothing is.
        end_of(rest, SHOWN + 5)?;
        Some((from, from + end_of(rest, SHOWN)?))
    });
    match shown {
        Some((from, to)) => {
            let head = if start > 0 { "{snip} " } else { "" };
            format!("{head}{} {{snip}}", text(line.get(from..to)))
        }
        None => format!("{{snip}} {}", text(line.get(last(line, SHOWN)..))),
    }
}

/// Whether a byte of UTF-8 begins a character.
fn begins(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// Where so many characters end; `None` if there are fewer.
fn end_of(text: &[u8], characters: usize) -> Option<usize> {
    let (mut left, mut at) = (characters, 0);
    for chunk in text.chunks_exact(64) {
        let here = chunk.iter().map(|b| u8::from(begins(*b))).sum::<u8>();
        if usize::from(here) > left {
            break;
        }
        left -= usize::from(here);
        at += chunk.len();
    }
    for byte in text.get(at..).unwrap_or_default() {
        if begins(*byte) {
            if left == 0 {
                return Some(at);
            }
            left -= 1;
        }
        at += 1;
    }
    (left == 0).then_some(at)
}

/// Where the last so many characters begin.
fn last(text: &[u8], characters: usize) -> usize {
    let begin = text.iter().enumerate().rev().filter(|(_, b)| begins(**b));
    begin.take(characters).last().map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_around_a_place() {
        let source = "a\r\nb\nc\nd\ne\nf\ng\nh\n";
        let around = |line, column| around(source.as_bytes(), line, column);
        let context = around(6, 0).unwrap();
        assert_eq!(context.before, ["b", "c", "d", "e", "f"]);
        assert_eq!(context.line, "g");
        assert_eq!(context.after, ["h", ""]);
        assert_eq!(around(0, 0).unwrap().line, "a");
        assert_eq!(around(9, 0), None);
    }

    #[test]
    fn long_lines_are_cut_around_the_column() {
        let line = "ä".repeat(1000);
        let at = |column| around(line.as_bytes(), 0, column).unwrap().line;
        assert!(at(0).starts_with("ää") && at(0).ends_with(" {snip}"));
        assert!(at(500).starts_with("{snip} ") && at(500).ends_with(" {snip}"));
        assert!(at(5000).starts_with("{snip} ") && at(5000).ends_with('ä'));
        assert_eq!(at(500).chars().filter(|c| *c == 'ä').count(), 140);
    }

    /// What is cut where, said the long way.
    fn plainly(line: &str, column: usize) -> String {
        let length = line.chars().count();
        if length <= WHOLE {
            return line.to_owned();
        }
        let mut start = column.min(length).saturating_sub(BEFORE);
        if start < 5 {
            start = 0;
        }
        let mut end = (start + SHOWN).min(length);
        if end + 5 > length {
            end = length;
            start = end - SHOWN;
        }
        let middle: String = line.chars().skip(start).take(end - start).collect();
        let head = if start > 0 { "{snip} " } else { "" };
        let tail = if end < length { " {snip}" } else { "" };
        format!("{head}{middle}{tail}")
    }

    #[test]
    fn lines_of_every_length_are_cut_alike() {
        for length in (0..140).step_by(20).chain(140..300) {
            for letters in ["a", "ä", "a€", "😀bc"] {
                let line: String = letters.chars().cycle().take(length).collect();
                for column in (0..320).step_by(3) {
                    assert_eq!(
                        cut(line.as_bytes(), column),
                        plainly(&line, column),
                        "{length} {column}"
                    );
                }
            }
        }
    }
}

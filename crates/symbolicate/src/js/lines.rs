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
/// None if the source has no such line.
pub fn around(source: &str, line: usize, column: usize) -> Option<Context> {
    let first = line.saturating_sub(AROUND);
    let mut lines = source
        .split('\n')
        .map(|l| l.strip_suffix('\r').unwrap_or(l))
        .skip(first);
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

/// A line of readable length around a column.
fn cut(line: &str, column: usize) -> String {
    // Longer than this many bytes it may be; else it is short in characters as well.
    if line.len() <= WHOLE {
        return line.to_owned();
    }
    let length = line.chars().count();
    if length <= WHOLE {
        return line.to_owned();
    }
    let column = column.min(length);
    let mut start = column.saturating_sub(BEFORE);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_around_a_place() {
        let source = "a\r\nb\nc\nd\ne\nf\ng\nh\n";
        let context = around(source, 6, 0).unwrap();
        assert_eq!(context.before, ["b", "c", "d", "e", "f"]);
        assert_eq!(context.line, "g");
        assert_eq!(context.after, ["h", ""]);
        assert_eq!(around(source, 0, 0).unwrap().line, "a");
        assert_eq!(around(source, 9, 0), None);
    }

    #[test]
    fn long_lines_are_cut_around_the_column() {
        let line = "ä".repeat(1000);
        let at = |column| around(&line, 0, column).unwrap().line;
        assert!(at(0).starts_with("ää") && at(0).ends_with(" {snip}"));
        assert!(at(500).starts_with("{snip} ") && at(500).ends_with(" {snip}"));
        assert!(at(5000).starts_with("{snip} ") && at(5000).ends_with('ä'));
        assert_eq!(at(500).chars().filter(|c| *c == 'ä').count(), 140);
    }
}

//! What a [`Filter`] means, on a row: the definition that every store's own way of finding is compared with.

use protocol::table::{Row, Table, Type, Value};

use super::select::{Field, Filter, Test};

/// Splits text into lower-case words: runs of letters and digits, at most 64 characters each.
pub fn tokens(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(|w| w.chars().take(64).flat_map(char::to_lowercase).collect())
}

/// The longest part of a value that tests look at, bytes; a longer value is found by its first part.
pub const TESTED_BYTES: usize = 1024;

/// Cuts a value to what tests look at.
pub fn tested(value: &str) -> &str {
    &value[..value.floor_char_boundary(TESTED_BYTES)]
}

/// A pattern of [`Test::Like`]: pieces between stars, matched in any case.
#[derive(Debug, Clone)]
pub struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    /// Reads a pattern: `*` is any run, `\*` a star, `\\` a backslash.
    pub fn new(text: &str) -> Pattern {
        let mut pieces = vec![String::new()];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '*' => pieces.push(String::new()),
                '\\' if matches!(chars.peek(), Some('*' | '\\')) => {
                    let next = chars.next().unwrap_or('\\');
                    pieces.last_mut().expect("never empty").push(next);
                }
                c => pieces.last_mut().expect("never empty").extend(c.to_lowercase()),
            }
        }
        Pattern { pieces }
    }

    /// Whether the whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let (first, rest) = self.pieces.split_first().expect("never empty");
        let Some(mut text) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return text.is_empty();
        };
        for piece in middle {
            match text.find(piece.as_str()) {
                Some(at) => text = &text[at + piece.len()..],
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }
}

fn text_test(test: &Test, text: &str) -> bool {
    match test {
        Test::Present => true,
        Test::Is(list) => list.iter().any(|x| tested(x) == tested(text)),
        Test::Like(pattern) => Pattern::new(pattern).fits(tested(text)),
        Test::Words(words) => has_words(words, tested(text)),
        Test::Between(..) => text.parse().is_ok_and(|n| number_test(test, n)),
    }
}

fn has_words(words: &str, text: &str) -> bool {
    let have: Vec<_> = tokens(text).collect();
    tokens(words).all(|w| have.iter().any(|h| h.contains(&w)))
}

/// A column of words keeps its words only: any test of its text is a test of words.
fn words_test(test: &Test, text: &str) -> bool {
    match test {
        Test::Present => true,
        Test::Words(words) => has_words(words, text),
        Test::Like(pattern) => has_words(&pattern.replace('*', " "), text),
        Test::Is(list) => list.iter().any(|words| has_words(words, text)),
        Test::Between(..) => false,
    }
}

fn number_test(test: &Test, n: f64) -> bool {
    match test {
        Test::Between(min, max) => min.is_none_or(|m| n >= m) && max.is_none_or(|m| n <= m),
        Test::Present => true,
        Test::Is(list) => list.iter().any(|x| x.parse() == Ok(n)),
        Test::Like(_) | Test::Words(_) => false,
    }
}

fn value_test(test: &Test, value: &Value) -> bool {
    match value {
        Value::Str(s) => text_test(test, s),
        Value::List(l) => l.iter().any(|s| text_test(test, s)),
        Value::Int(i) => number_test(test, *i as f64),
        Value::Float(x) => number_test(test, *x),
        Value::Bool(b) => number_test(test, f64::from(u8::from(*b))),
    }
}

fn hex(bytes: [u8; 16]) -> String {
    protocol::ids::EventId(bytes).to_string()
}

/// Whether a row passes a filter.
pub fn matches(filter: &Filter, table: &Table, row: &Row) -> bool {
    match filter {
        Filter::All => true,
        Filter::None => false,
        Filter::And(list) => list.iter().all(|f| matches(f, table, row)),
        Filter::Or(list) => list.iter().any(|f| matches(f, table, row)),
        Filter::Not(f) => !matches(f, table, row),
        Filter::Field(field, test) => match field {
            Field::Project => number_test(test, row.project as f64),
            Field::Time => number_test(test, row.time as f64),
            Field::Received => number_test(test, row.received as f64),
            Field::Id => text_test(test, &hex(row.id)),
            Field::Hash => text_test(test, &hex(row.hash)),
            Field::Tag(key) => row.tag(key).is_some_and(|v| text_test(test, v)),
            Field::Column(i) => row.get(*i).is_some_and(|v| match (v, table.columns.get(*i)) {
                (Value::Str(s), Some(column)) if column.kind == Type::Words => words_test(test, s),
                _ => value_test(test, v),
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, want) in [
            ("a*", "Abc", true),
            ("*c", "abC", true),
            ("a*c", "ac", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b", "abc", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("*", "", true),
            ("ab*ba", "aba", false),
            ("1\\*2", "1*2", true),
            ("1\\*2", "1x2", false),
        ] {
            assert_eq!(Pattern::new(pattern).fits(text), want, "{pattern} on {text}");
        }
    }

    #[test]
    fn words_are_found_inside_words() {
        let test = |q: &str, t: &str| text_test(&Test::Words(q.into()), t);
        assert!(test("read prop", "Cannot READ property 'x' of undefined"));
        assert!(test("nonetype", "'NoneType' object"));
        assert!(!test("nothing", "'NoneType' object"));
    }
}

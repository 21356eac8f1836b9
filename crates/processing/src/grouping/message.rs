//! Messages as they take part in grouping.

use std::borrow::Cow;

use super::parameterize::parameterize;

/// The first two lines that hold something, then [`parameterize`]d.
pub fn normalized(text: &str) -> Cow<'_, str> {
    match two_lines(text) {
        Cow::Borrowed(t) => parameterize(t),
        Cow::Owned(t) => Cow::Owned(parameterize(&t).into_owned()),
    }
}

/// The first two lines that are not blank; `...` says that something was cut.
fn two_lines(text: &str) -> Cow<'_, str> {
    let mut lines = text.lines().filter(|l| !l.trim().is_empty());
    let (first, second) = (lines.next(), lines.next());
    match (first, second) {
        (Some(first), None) if first == text => Cow::Borrowed(text),
        (Some(first), second) => {
            let mut out = first.to_owned();
            if let Some(second) = second {
                out.push('\n');
                out.push_str(second);
            }
            if out != text {
                out.push_str("...");
            }
            Cow::Owned(out)
        }
        (None, _) => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_are_kept() {
        for (text, expected) in [
            ("one", "one"),
            ("one\n", "one..."),
            ("one\ntwo", "one\ntwo"),
            ("one\n\ntwo\nthree", "one\ntwo..."),
            ("", ""),
            ("\n 5 x", " <int> x..."),
        ] {
            assert_eq!(normalized(text), expected);
        }
    }
}

//! What secrets look like.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::meta::{Notes, Remark};

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|e| panic!("a pattern in the program is wrong: {e}"))
}

/// Words that make a key a secret.
static SECRET_KEY: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?i-u:password|secret|passwd|api[-_]?key|auth|credentials|mysql_pwd|private[-_]?key|token|bearer|^otp$|two[-_]factor)",
    )
});

/// Words that make a text one that holds a secret. A token must be said to have a value, as parsers complain of
/// tokens all the time.
static SECRET_TEXT: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?i-u:password|secret|passwd|api[-_]?key|auth|credentials|mysql_pwd|private[-_]?key|token[!-9;<>-~]*[:=]|^otp$|^two[-_]factor$)",
    )
});

/// Whether a key names a secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    key.len() >= 3 && SECRET_KEY.is_match(key)
}

/// Whether a text names a secret; then it is hidden as a whole, as the secret will stand beside its name.
pub(super) fn names_secret(text: &str) -> bool {
    text.len() >= 3 && SECRET_TEXT.is_match(text)
}

/// Whether a text is an address.
pub(super) fn is_ip(text: &str) -> bool {
    text.trim().parse::<IpAddr>().is_ok()
}

/// Names that a project calls sensitive; a key or text matches if it contains one.
#[derive(Debug)]
pub(super) struct Keys(Vec<String>);

impl Keys {
    pub(super) fn of(names: &[String]) -> Keys {
        Keys(names.to_vec())
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        self.0.iter().any(|name| lower.contains(name.as_str()))
    }
}

/// A kind of secret with a shape of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    CreditCard,
    Iban,
    UsSsn,
    PemKey,
    UrlAuth,
    Bearer,
    Email,
}

/// A shape, the name of its rule, and what stands in its place.
type ShapeRule = (Shape, &'static str, &'static str);

/// What is taken out of values.
pub(super) const FILTERS: [ShapeRule; 6] = [
    (Shape::CreditCard, "@creditcard:filter", super::FILTERED),
    (Shape::Iban, "@iban:filter", super::FILTERED),
    (Shape::UsSsn, "@usssn:filter", super::FILTERED),
    (Shape::PemKey, "@pemkey:filter", super::FILTERED),
    (Shape::UrlAuth, "@urlauth:legacy", super::FILTERED),
    (Shape::Bearer, "@bearer:filter", super::FILTERED),
];

/// What is taken out of messages.
pub(super) const REPLACEMENTS: [ShapeRule; 5] = [
    (Shape::Email, "@email:replace", "[email]"),
    (Shape::CreditCard, "@creditcard:replace", "[creditcard]"),
    (Shape::Iban, "@iban:replace", "[iban]"),
    (Shape::UsSsn, "@usssn:replace", "[us-ssn]"),
    (Shape::Bearer, "@bearer:replace", "Bearer [token]"),
];

static CREDIT_CARD: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"\b(?:3[47][0-9]|4[0-9]{3}|5[1-5][0-9]{2}|65[0-9]{2}|6011)(?:[-\s]?[0-9]){12}\b")
});
static IBAN: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(?:AD|AE|AL|AT|AZ|BA|BE|BG|BH|BR|BY|CH|CR|CY|CZ|DE|DJ|DK|DO|EE|EG|ES|FI|FO|FR|GB|GE|GI|GL|GR|GT|HR|HU|IE|IL|IQ|IS|IT|JO|KW|KZ|LB|LC|LI|LT|LU|LV|LY|MC|MD|ME|MK|MR|MT|MU|NL|NO|PK|PL|PS|PT|QA|RO|RS|RU|SA|SC|SD|SE|SI|SK|SM|SO|ST|SV|TL|TN|TR|UA|VA|VG|XK)[0-9]{2}[A-Z0-9]{11,29}\b",
    )
});
static US_SSN: LazyLock<Regex> = LazyLock::new(|| compile(r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"));
static PEM_KEY: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?s)-----BEGIN[A-Z ]+(?:PRIVATE|PUBLIC) KEY-----[\r\n]+(.+?)[\r\n]+-----END"));
static URL_AUTH: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?i)\b[a-z][a-z0-9+.-]*://[^/\s:@]*:([^@/\s]+)@"));
static BEARER: LazyLock<Regex> = LazyLock::new(|| compile(r"(?i)\bBearer\s+[^\s]+"));
static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| compile(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+"));
static IP: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3})?",
    )
});

/// What a look over a text says about what can be in it.
struct Traits {
    digits: usize,
    dashes: bool,
    at: bool,
    colon: bool,
    dot: bool,
    upper: usize,
}

impl Traits {
    fn of(text: &str) -> Traits {
        let mut t = Traits {
            digits: 0,
            dashes: false,
            at: false,
            colon: false,
            dot: false,
            upper: 0,
        };
        for b in text.bytes() {
            match b {
                b'0'..=b'9' => t.digits += 1,
                b'-' => t.dashes = true,
                b'@' => t.at = true,
                b':' => t.colon = true,
                b'.' => t.dot = true,
                b'A'..=b'Z' => t.upper += 1,
                _ => {}
            }
        }
        t
    }
}

impl Shape {
    /// Where it stands in a text.
    fn find(self, text: &str, t: &Traits) -> Vec<Range<usize>> {
        let all = |regex: &Regex| regex.find_iter(text).map(|m| m.range()).collect();
        let group = |regex: &Regex| {
            regex
                .captures_iter(text)
                .filter_map(|c| c.get(1))
                .map(|m| m.range())
                .collect::<Vec<_>>()
        };
        match self {
            Shape::CreditCard if t.digits >= 15 => all(&CREDIT_CARD),
            Shape::Iban if t.digits >= 2 && t.upper >= 2 && text.len() >= 15 => all(&IBAN),
            Shape::UsSsn if t.digits >= 9 && t.dashes => all(&US_SSN),
            Shape::PemKey if t.dashes && text.len() > 40 && text.contains("-----BEGIN") => group(&PEM_KEY),
            Shape::UrlAuth if t.at && t.colon => group(&URL_AUTH),
            Shape::Bearer if text.len() > 7 => all(&BEARER),
            Shape::Email if t.at && t.dot => all(&EMAIL),
            _ => Vec::new(),
        }
    }
}

/// A text in pieces, of which some were replaced.
pub(super) struct Chunks(Vec<(String, Option<&'static str>)>);

impl Chunks {
    /// A text that was replaced as a whole.
    pub(super) fn whole(text: &str, rule: &'static str) -> Chunks {
        Chunks(vec![(text.to_owned(), Some(rule))])
    }

    /// Replaces what `find` finds in the pieces that are still original.
    fn replace(&mut self, rule: &'static str, by: &str, find: impl Fn(&str) -> Vec<Range<usize>>) {
        if !self
            .0
            .iter()
            .any(|(text, done)| done.is_none() && !find(text).is_empty())
        {
            return;
        }
        let mut out = Vec::with_capacity(self.0.len() + 2);
        for (text, done) in self.0.drain(..) {
            let ranges = if done.is_none() { find(&text) } else { Vec::new() };
            let mut at = 0;
            for range in ranges {
                if range.start > at {
                    out.push((text[at..range.start].to_owned(), None));
                }
                out.push((by.to_owned(), Some(rule)));
                at = range.end;
            }
            if at < text.len() {
                out.push((text[at..].to_owned(), done));
            }
        }
        self.0 = out;
    }

    fn is_changed(&self) -> bool {
        self.0.iter().any(|(_, rule)| rule.is_some())
    }

    /// The new text; notes the replacements, and how long the text was.
    pub(super) fn write(self, len: usize, notes: &mut Notes) -> String {
        let mut out = String::new();
        let mut chars = 0;
        for (text, rule) in self.0 {
            let end = chars + text.chars().count();
            if let Some(rule) = rule {
                let remark = Remark {
                    rule: rule.into(),
                    how: "s",
                    range: Some((chars, end)),
                };
                notes.remark(&remark, Some(len));
            }
            chars = end;
            out.push_str(&text);
        }
        out
    }
}

/// Takes shapes, and addresses if asked for, out of a text; none if there is nothing.
pub(super) fn redact(text: &str, rules: Option<&[ShapeRule]>, addresses: bool) -> Option<Chunks> {
    let t = Traits::of(text);
    let possible = t.digits >= 4 || t.at || t.dashes || (t.colon && t.digits > 0) || has_bearer(text);
    if !possible {
        return None;
    }
    let mut chunks = Chunks(vec![(text.to_owned(), None)]);
    for (shape, rule, by) in rules.unwrap_or_default() {
        if *shape == Shape::Bearer && !has_bearer(text) {
            continue;
        }
        chunks.replace(rule, by, |piece| shape.find(piece, &t));
    }
    if addresses && (t.dot || t.colon) && t.digits > 0 {
        chunks.replace("@ip:replace", "[ip]", addresses_in);
    }
    chunks.is_changed().then_some(chunks)
}

fn has_bearer(text: &str) -> bool {
    text.len() > 7
        && memchr::memchr2_iter(b'b', b'B', text.as_bytes()).any(|i| {
            text.as_bytes()[i..]
                .get(..6)
                .is_some_and(|w| w.eq_ignore_ascii_case(b"bearer"))
        })
}

fn addresses_in(text: &str) -> Vec<Range<usize>> {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric());
    IP.find_iter(text)
        .filter(|m| {
            m.as_str().parse::<IpAddr>().is_ok()
                && m.as_str() != "::"
                && !word(text[..m.start()].chars().next_back())
                && !word(text[m.end()..].chars().next())
        })
        .map(|m| m.range())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for key in [
            "password",
            "Authorization",
            "x-api-key",
            "apiKey",
            "csrftoken",
            "otp",
            "client_secret",
            "author",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in ["session", "jwt", "keyboard", "pin", "name", "laptop", "passport"] {
            assert!(!is_secret_key(key), "{key}");
        }
    }

    #[test]
    fn texts() {
        for text in [
            "login password=x",
            "x?token=abc",
            "accessTokenFoo: 1",
            "otp",
            "Authorized",
        ] {
            assert!(names_secret(text), "{text}");
        }
        for text in [
            "Unexpected token < in JSON",
            "laptop",
            "otp sent",
            "a bearer of news",
        ] {
            assert!(!names_secret(text), "{text}");
        }
    }

    #[test]
    fn shapes() {
        let filtered = |text: &str| {
            redact(text, Some(&FILTERS), true)
                .map(|c| c.write(0, &mut Notes::default()))
                .unwrap_or_else(|| text.to_owned())
        };
        for (text, expected) in [
            (
                "paid with 4571 2345 6789 0111 today",
                "paid with [Filtered] today",
            ),
            ("1234567890123456", "1234567890123456"),
            ("DE89370400440532013000", "[Filtered]"),
            ("https://user:pw@x.y/", "https://user:[Filtered]@x.y/"),
            ("Bearer abc", "[Filtered]"),
            ("from 203.0.113.9:80 ok", "from [ip]:80 ok"),
            ("at 2001:db8::1", "at [ip]"),
            ("12:30:45", "12:30:45"),
            ("1.2.3", "1.2.3"),
        ] {
            assert_eq!(filtered(text), expected);
        }
    }
}

//! Messages with their variable parts replaced: `user 17 not found` becomes `user <int> not found`.
//!
//! One pass from left to right; at each position the first [`Kind`] that matches wins.

mod kinds;

use std::borrow::Cow;

use self::kinds::Found;
pub use self::kinds::Kind;

/// Longer texts are left alone, bytes.
const MAX: usize = 8192;

/// Replaces the variable parts of a text by the names of their kinds.
pub fn parameterize(text: &str) -> Cow<'_, str> {
    if text.chars().nth(MAX).is_some() {
        return Cow::Borrowed(text);
    }
    let hints = Hints::of(text);
    if hints.nothing {
        return Cow::Borrowed(text);
    }
    match pass(text, &Kind::ALL, &hints) {
        Ok(out) => out,
        // Something looked like an address and was none: kind by kind from the top.
        Err(NotAnAddress) => {
            let mut text = text.to_owned();
            for kind in Kind::ALL {
                let hints = Hints::of(&text);
                if let Ok(Cow::Owned(out)) = pass(&text, &[kind], &hints) {
                    text = out;
                }
            }
            Cow::Owned(text)
        }
    }
}

/// What a look over the whole text says about what can be in it.
struct Hints {
    nothing: bool,
    at: bool,
    scheme: bool,
    dot: bool,
}

impl Hints {
    fn of(text: &str) -> Hints {
        let bytes = text.as_bytes();
        let mut hints = Hints {
            nothing: true,
            at: false,
            scheme: false,
            dot: false,
        };
        for (i, b) in bytes.iter().enumerate() {
            match b {
                b'@' => hints.at = true,
                b'.' => hints.dot = true,
                b':' => {
                    hints.scheme |= bytes[i + 1..].starts_with(b"//");
                    hints.nothing = false;
                }
                b'0'..=b'9' | b'=' => hints.nothing = false,
                _ => continue,
            }
        }
        hints.nothing &= !hints.at && !hints.scheme && !hints.dot && !has_hex_run(bytes);
        hints
    }
}

/// Whether eight hex digits follow each other.
fn has_hex_run(bytes: &[u8]) -> bool {
    let mut n = 0;
    bytes.iter().any(|b| {
        n = if b.is_ascii_hexdigit() { n + 1 } else { 0 };
        n >= 8
    })
}

struct NotAnAddress;

fn pass<'a>(text: &'a str, kinds: &[Kind], hints: &Hints) -> Result<Cow<'a, str>, NotAnAddress> {
    let bytes = text.as_bytes();
    let alone = kinds.len() == 1;
    let mut wanted = kinds.iter().fold(0, |set, kind| set | kind.bit());
    for (kind, here) in [
        (Kind::Email, hints.at),
        (Kind::Url, hints.scheme),
        (Kind::Hostname, hints.dot),
    ] {
        if !here {
            wanted &= !kind.bit();
        }
    }
    let mut out = String::new();
    let mut done = 0;
    let mut i = 0;
    // Up to here no address of e-mail can start, as what could be its name is not followed by `@`.
    let mut no_email = 0;
    'next: while i < bytes.len() {
        let b = bytes[i];
        let inside = i > 0 && bytes[i - 1].is_ascii_alphabetic() && b.is_ascii_lowercase();
        // Within a word of letters nothing can start but an address of e-mail or host.
        if inside && !hints.at {
            i += 1;
            continue;
        }
        {
            let possible = kinds::STARTS[usize::from(b)] & wanted;
            let mut left = possible;
            if left & Kind::Email.bit() != 0 {
                if i >= no_email && !kinds::is_email(bytes, i) {
                    no_email = kinds::end_of_name(bytes, i).max(i + 1);
                }
                if i < no_email {
                    left &= !Kind::Email.bit();
                }
            }
            while left != 0 {
                let kind = Kind::ALL[left.trailing_zeros() as usize];
                left &= left - 1;
                match kind.find(text, i) {
                    Found::Yes(len) => {
                        if out.is_empty() {
                            out.reserve(text.len());
                        }
                        out.push_str(&text[done..i]);
                        out.push('<');
                        out.push_str(kind.name());
                        out.push('>');
                        i += len;
                        done = i;
                        continue 'next;
                    }
                    Found::Broken if !alone => return Err(NotAnAddress),
                    _ => {}
                }
            }
        }
        i += 1;
        while !text.is_char_boundary(i) {
            i += 1;
        }
    }
    if done == 0 && out.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    out.push_str(&text[done..]);
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_parts_are_replaced() {
        for (text, expected) in [
            ("user 17 not found", "user <int> not found"),
            ("nothing here", "nothing here"),
            ("mail to a.b@example.com failed", "mail to <email> failed"),
            ("GET https://example.com/x?y=1 failed", "GET <url> failed"),
            ("host db.example.com:5432", "host <hostname>:<int>"),
            ("at 2024-02-20T22:16:36Z in 12ms", "at <date> in <duration>"),
            ("from 10.0.0.1 and fe80::1%eth0", "from <ip> and <ip>"),
            ("id 7c1811ed-e98f-4c9c-a9f9-58c757ff494f", "id <uuid>"),
            ("0xdeadBEEF and deadbeef", "<hex> and <hex>"),
            ("commit a1b2c3d", "commit <git_sha>"),
            ("mac 00:1a:2b:3c:4d:5e", "mac <mac>"),
            ("a='x' b=true", "a=<quoted_str> b=<bool>"),
            ("ratio 0.5, -3", "ratio <float>, <int>"),
            ("ünï 5 ✓", "ünï <int> ✓"),
            ("Fee::add()", "<ip>()"),
            ("at 2024-02-20 22:16 UTC", "at <date> UTC"),
            ("Jan 02, 1999 and Jan 2, 1999", "<date> and Jan <int>, <int>"),
            ("Mon Jan  2 15:04:05 2006", "<date>"),
            ("x=''", "x=''"),
            ("2024-02-20T22:16:36+02:00", "<date>"),
        ] {
            assert_eq!(parameterize(text), expected);
        }
    }

    #[test]
    fn long_texts_are_left_alone() {
        let text = "1 ".repeat(MAX);
        assert_eq!(parameterize(&text), text);
    }
}

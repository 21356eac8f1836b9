//! Function names of native code and C#, cut down to what stays the same between builds and compilers.

use std::borrow::Cow;

/// The form of a function name that takes part in grouping. `platform` is the frame's own or the event's.
pub fn trim_function<'a>(function: &'a str, platform: &str) -> Cow<'a, str> {
    match platform {
        "csharp" => Cow::Borrowed(function.find(" (").map_or(function, |i| &function[..i])),
        _ if super::Family::of(platform) == super::Family::Native => trim_native(function),
        _ => Cow::Borrowed(function),
    }
}

// Characters that stand in for texts which would confuse the search for brackets.
const SHIFT: char = '\u{e000}';
const LESS: char = '\u{e001}';
const CALL: char = '\u{e002}';
const MEMBER: char = '\u{e003}';
const ARROW: &str = " \u{e004} ";
const ANONYMOUS: char = '\u{e005}';

fn trim_native(function: &str) -> Cow<'_, str> {
    let text = function.trim();
    if text == "<redacted>"
        || text == "<unknown>"
        || text.starts_with(['['])
        || text.starts_with("+[")
        || text.starts_with("-[")
    {
        return Cow::Borrowed(function);
    }
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut text = drop_clones(text);
    loop {
        let cut = text.trim_end();
        let cut = cut
            .strip_suffix(" const")
            .or_else(|| cut.strip_suffix(")const").map(|_| &cut[..cut.len() - 5]));
        let cut = cut.or_else(|| text.trim_end().strip_suffix('&'));
        match cut {
            Some(cut) => text = cut.trim_end().to_owned(),
            None => break,
        }
    }
    let text = text
        .replace("operator<<", &format!("operator{SHIFT}"))
        .replace("operator<", &format!("operator{LESS}"))
        .replace("operator()", &format!("operator{CALL}"))
        .replace("operator->", &format!("operator{MEMBER}"))
        .replace(" -> ", ARROW)
        .replace("`anonymous namespace'", &ANONYMOUS.to_string());
    let text = name_lambdas(&text);
    let text = name_anonymous(&text);
    let text = swift(&text).unwrap_or_else(|| last_name(&text));
    let text = text
        .replace(SHIFT, "<<")
        .replace(LESS, "<")
        .replace(CALL, "()")
        .replace(MEMBER, "->")
        .replace(ARROW, " -> ")
        .replace(ANONYMOUS, "`anonymous namespace'");
    Cow::Owned(drop_suffixes(&text).to_owned())
}

/// Names of letters, digits, `_`, `:` and `.` need no work.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
        && !text.contains("lambda_")
        || text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':'))
            && !text.contains("lambda_")
            && rust_hash(text) == text
}

/// Removes `[clone .x]`.
fn drop_clones(text: &str) -> String {
    let mut out = text.to_owned();
    while let Some(start) = out.find("[clone ") {
        let Some(end) = out[start..].find(']') else { break };
        out.replace_range(start..=start + end, "");
        out = out.trim_end().to_owned();
    }
    out
}

/// The index behind the bracket that closes the one at `open`.
fn closing(text: &str, open: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (a, b) = match bytes[open] {
        b'(' => (b'(', b')'),
        b'<' => (b'<', b'>'),
        b'{' => (b'{', b'}'),
        _ => return None,
    };
    let mut depth = 0;
    for (i, &c) in bytes.iter().enumerate().skip(open) {
        if c == a {
            depth += 1;
        } else if c == b {
            depth -= 1;
            if depth == 0 {
                return Some(i + 1);
            }
        }
    }
    None
}

/// The names of lambdas of three compilers become `lambda`.
fn name_lambdas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < text.len() {
        let rest = &text[i..];
        if rest.starts_with("{lambda(")
            && let Some(end) = closing(text, i)
        {
            out.push_str("lambda");
            i = end;
            continue;
        }
        if let Some(after) = rest
            .strip_prefix("<lambda_")
            .or_else(|| rest.strip_prefix("lambda_"))
        {
            let hex = after.bytes().take_while(u8::is_ascii_hexdigit).count();
            let bracket = rest.starts_with('<');
            if hex == 32 && (!bracket || after[hex..].starts_with('>')) {
                out.push_str("lambda");
                i = text.len() - after.len() + hex + usize::from(bracket);
                continue;
            }
        }
        if let Some(after) = rest.strip_prefix("$_") {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                out.push_str("lambda");
                i += 2 + digits;
                continue;
            }
        }
        let c = rest.chars().next().unwrap_or(' ');
        out.push(c);
        i += c.len_utf8();
    }
    out.replace("<lambda>", "lambda")
}

/// `?A0x1234abcd::` is MSVC's anonymous namespace.
fn name_anonymous(text: &str) -> String {
    let mut out = text.to_owned();
    let mut from = 0;
    while let Some(at) = out[from..].find("?A0x").map(|i| i + from) {
        let tail = &out[at + 4..];
        let hex = tail.bytes().take_while(u8::is_ascii_hexdigit).count();
        if hex == 8 && tail[8..].starts_with("::") {
            out.replace_range(at..at + 12, &ANONYMOUS.to_string());
        }
        from = at + 1;
        while !out.is_char_boundary(from) {
            from += 1;
        }
    }
    out
}

/// Swift's descriptions of closures, thunks and initializers.
fn swift(text: &str) -> Option<String> {
    const OF: &str = "initialization expression of ";
    if let Some(at) = text.find(OF) {
        let rest = &text[at + OF.len()..];
        let rest = rest.split(" : ").next().unwrap_or(rest);
        let rest = rest.rsplit_once("):").map_or(rest, |(_, name)| name);
        let name = last_name(rest);
        let closure = if text[..at].contains("closure #") {
            "closure in "
        } else {
            ""
        };
        return Some(format!("{closure}initializer expression of {name}"));
    }
    if let Some((_, what)) = text.split_once("thunk for ")
        && what.starts_with(['@', '('])
    {
        return Some("thunk for closure".to_owned());
    }
    if text.contains("closure #") {
        let at = split_points(text, " in ").pop()?;
        return Some(format!("closure in {}", last_name(&text[at..])));
    }
    if text.starts_with('@') && text.contains("@callee_guaranteed (") {
        return Some("closure".to_owned());
    }
    None
}

/// Where `needle` ends outside of brackets.
fn split_points(text: &str, needle: &str) -> Vec<usize> {
    let mut depth = 0i32;
    let mut out = Vec::new();
    for (i, c) in text.char_indices() {
        match c {
            '(' | '<' | '{' | '[' => depth += 1,
            ')' | '>' | '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth <= 0 && text[i..].starts_with(needle) {
            out.push(i + needle.len());
        }
    }
    out
}

/// The name in a declaration: arguments, type arguments and what stands before it are dropped.
fn last_name(text: &str) -> String {
    let text = drop_arguments(text);
    let text = shorten_generics(&text);
    let words = words(&text);
    let arrow = ARROW.trim();
    if let Some(at) = words.iter().position(|w| *w == arrow) {
        let mut before = words[..at].iter().rev().filter(|w| **w != "throws");
        if let Some(word) = before.next() {
            return (*word).to_owned();
        }
    }
    words.last().map_or(text.trim(), |w| w).to_owned()
}

fn drop_arguments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < text.len() {
        let c = text[i..].chars().next().unwrap_or(' ');
        if c == '(' {
            match closing(text, i) {
                Some(end) => {
                    let inner = &text[i + 1..end - 1];
                    if inner == "anonymous namespace" || inner == "operator" {
                        out.push_str(&text[i..end]);
                    }
                    i = end;
                }
                None => return out,
            }
            continue;
        }
        out.push(c);
        i += c.len_utf8();
    }
    out
}

fn shorten_generics(text: &str) -> String {
    let text = text.trim_start();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < text.len() {
        let c = text[i..].chars().next().unwrap_or(' ');
        // The `>` of an arrow closes nothing.
        if c == '<'
            && let Some(end) = closing(text, i)
        {
            let inner = &text[i + 1..end - 1];
            if i > 0 || end == text.len() && !inner.contains("::") {
                if i > 0 {
                    out.push_str("<T>");
                } else {
                    out.push_str(&text[i..end]);
                }
            } else {
                out.push_str(&shorten_generics(self_type(inner)));
            }
            i = end;
            continue;
        }
        out.push(c);
        i += c.len_utf8();
    }
    if out.starts_with('<') && !out.contains("::") {
        return out.trim_start_matches('<').trim_end_matches('>').to_owned();
    }
    out
}

/// Of Rust's `A as B` the type, or the trait where the type is only a letter.
fn self_type(inner: &str) -> &str {
    match split_points(inner, " as ").first() {
        Some(&at) => {
            let kind = inner[..at - 4].trim();
            if kind.chars().count() == 1 {
                inner[at..].trim()
            } else {
                kind
            }
        }
        None => inner,
    }
}

/// Splits on blanks outside of brackets.
fn words(text: &str) -> Vec<&str> {
    let mut depth = 0i32;
    let mut out = Vec::new();
    let mut start = 0;
    for (i, c) in text.char_indices() {
        match c {
            '(' | '<' | '{' | '[' => depth += 1,
            ')' | '>' | '}' | ']' => depth -= 1,
            ' ' if depth <= 0 => {
                if start < i {
                    out.push(&text[start..i]);
                }
                start = i + 1;
            }
            _ => {}
        }
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

/// Drops Rust's `::h<16 hex>`.
fn rust_hash(text: &str) -> &str {
    if let Some((head, tail)) = text.rsplit_once("::h")
        && tail.len() == 16
        && tail.bytes().all(|b| b.is_ascii_hexdigit())
    {
        return head;
    }
    text
}

fn drop_suffixes(text: &str) -> &str {
    let mut text = rust_hash(text);
    if let Some(at) = text.find("@@GLIBC_").or_else(|| text.find("@GLIBC_")) {
        text = &text[..at];
    }
    if let Some((head, tail)) = text.rsplit_once('@')
        && !tail.is_empty()
        && tail.bytes().all(|b| b.is_ascii_digit())
    {
        text = head.strip_prefix('@').unwrap_or(head);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_down() {
        for (platform, name, expected) in [
            (
                "native",
                "int ns::Class::run(int, char const*) const",
                "ns::Class::run",
            ),
            ("native", "bool ns::operator<<(int)", "ns::operator<<"),
            (
                "native",
                "app::start::{lambda(int)#2}::operator()(int) const",
                "app::start::lambda::operator()",
            ),
            ("native", "app::main::h0123456789abcdef", "app::main"),
            ("native", "<app::Thing<A> as app::Run>::run", "app::Thing<T>::run"),
            ("native", "<T as app::Run>::run", "app::Run::run"),
            ("native", "?A0x1234abcd::start", "`anonymous namespace'::start"),
            ("native", "_call@12", "_call"),
            ("native", "work [clone .part.3]", "work"),
            (
                "native",
                "std::vector<int, std::allocator<int>>::push_back(int&&)",
                "std::vector<T>::push_back",
            ),
            ("cocoa", "-[View draw:]", "-[View draw:]"),
            (
                "cocoa",
                "closure #2 (Int) in static Shop.pay(for: Cart)",
                "closure in Shop.pay",
            ),
            ("csharp", "Shop.Cart.Pay (System.String s)", "Shop.Cart.Pay"),
            ("python", "a (b)", "a (b)"),
        ] {
            assert_eq!(trim_function(name, platform), expected);
        }
    }
}

//! Patterns of stack-trace and fingerprint rules.
//!
//! `*` is any run, `?` one character, `[abc]` and `[!a-z]` classes, `{a,b}` alternatives, a backslash makes the
//! next character literal. In path patterns (paths, packages, releases) case does not matter, `\` is `/`, `*` and
//! `?` stop at `/`, and `**` crosses it where it is a whole segment.

use memchr::memmem;

/// How many alternatives a pattern's braces may make.
const MAX_ALTERNATIVES: usize = 64;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    forms: Vec<Form>,
}

/// One alternative of a pattern, in the cheapest form that decides it.
#[derive(Clone, Debug)]
enum Form {
    Any,
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(Box<memmem::Finder<'static>>),
    Tokens(Vec<Token>, Option<Box<memmem::Finder<'static>>>),
}

fn finder(text: &str) -> Box<memmem::Finder<'static>> {
    Box::new(memmem::Finder::new(text).into_owned())
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Literal(char),
    /// `?`
    One,
    /// `*` within a segment.
    Run,
    /// Any run, also across `/`.
    Across,
    /// `**/` at the start or `/**/` inside: nothing, or whole segments. Stands for the part after a `/`.
    Segments,
    /// A class and whether it is negated.
    Class(bool, Vec<(char, char)>),
}

impl Glob {
    /// A pattern for names: case counts and `/` is a character like others.
    pub fn name(pattern: &str) -> Glob {
        Self::compile(pattern, false)
    }

    /// A pattern for names in which case does not matter; match it against lower-case text.
    pub fn lower(pattern: &str) -> Glob {
        Self::compile(&pattern.to_lowercase(), false)
    }

    /// A pattern for paths; match it against text from [`path_key`].
    pub fn path(pattern: &str) -> Glob {
        Self::compile(&pattern.to_lowercase(), true)
    }

    fn compile(pattern: &str, path: bool) -> Glob {
        let mut texts = Vec::new();
        expand(pattern, &mut texts);
        Glob {
            forms: texts.iter().map(|t| form(tokens(t, path), path)).collect(),
        }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.forms.iter().any(|form| match form {
            Form::Any => true,
            Form::Exact(s) => text == s,
            Form::Prefix(s) => text.starts_with(s.as_str()),
            Form::Suffix(s) => text.ends_with(s.as_str()),
            Form::Contains(f) => f.find(text.as_bytes()).is_some(),
            Form::Tokens(t, f) => {
                f.as_ref().is_none_or(|f| f.find(text.as_bytes()).is_some())
                    && if wild(t) > 2 { steps(t, text) } else { run(t, text) }
            }
        })
    }

    /// Whether a path matches as it is, or with a `/` in front if it has none.
    pub fn matches_path(&self, key: &PathKey) -> bool {
        self.matches(&key.rooted[1..]) && !key.absolute || self.matches(&key.rooted)
    }
}

/// A path prepared for [`Glob::matches_path`]: lower case, `/` for `\`, and with a `/` in front.
#[derive(Clone, Debug)]
pub struct PathKey {
    rooted: String,
    absolute: bool,
}

/// Prepares a path.
pub fn path_key(path: &str) -> PathKey {
    let absolute = path.starts_with(['/', '\\']);
    let mut rooted = String::with_capacity(path.len() + 1);
    if !absolute {
        rooted.push('/');
    }
    if path.is_ascii() {
        rooted.extend(path.bytes().map(|b| {
            if b == b'\\' {
                '/'
            } else {
                b.to_ascii_lowercase().into()
            }
        }));
    } else {
        rooted.push_str(&path.to_lowercase().replace('\\', "/"));
    }
    PathKey { rooted, absolute }
}

/// Expands the first pair of braces, and so on.
fn expand(pattern: &str, out: &mut Vec<String>) {
    let mut escaped = false;
    let mut class = false;
    let mut depth = 0;
    let mut start = 0;
    let mut cuts = Vec::new();
    for (i, c) in pattern.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match c {
            '\\' => escaped = true,
            '[' if depth == 0 => class = true,
            ']' if depth == 0 => class = false,
            '{' if !class => {
                depth += 1;
                if depth == 1 {
                    start = i;
                    cuts = vec![i];
                }
            }
            ',' if depth == 1 => cuts.push(i),
            '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    cuts.push(i);
                    for pair in cuts.windows(2) {
                        if out.len() < MAX_ALTERNATIVES {
                            let middle = &pattern[pair[0] + 1..pair[1]];
                            expand(
                                &format!("{}{middle}{}", &pattern[..start], &pattern[i + 1..]),
                                out,
                            );
                        }
                    }
                    return;
                }
            }
            _ => {}
        }
    }
    out.push(pattern.to_owned());
}

fn tokens(pattern: &str, path: bool) -> Vec<Token> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        match chars[i] {
            '\\' if i + 1 < chars.len() => {
                out.push(Token::Literal(chars[i + 1]));
                i += 1;
            }
            '?' if path => out.push(Token::Class(true, vec![('/', '/')])),
            '?' => out.push(Token::One),
            '*' => {
                let mut stars = 1;
                while chars.get(i + stars) == Some(&'*') {
                    stars += 1;
                }
                let after = chars.get(i + stars);
                let whole =
                    stars == 2 && (i == 0 || chars[i - 1] == '/') && (after.is_none() || after == Some(&'/'));
                i += stars - 1;
                if !path || (whole && after.is_none()) {
                    out.push(Token::Across);
                } else if whole {
                    out.push(Token::Segments);
                    i += 1;
                } else {
                    out.push(Token::Run);
                }
            }
            '[' => match class(&chars[i + 1..]) {
                Some((token, used)) => {
                    out.push(token);
                    i += used;
                }
                None => out.push(Token::Literal('[')),
            },
            c => out.push(Token::Literal(c)),
        }
        i += 1;
    }
    out
}

/// Reads a class after its `[`; also says how many characters it took.
fn class(chars: &[char]) -> Option<(Token, usize)> {
    let mut i = 0;
    let negated = matches!(chars.first(), Some('!' | '^'));
    if negated {
        i += 1;
    }
    let mut ranges = Vec::new();
    let mut first = true;
    loop {
        let c = *chars.get(i)?;
        if c == ']' && !first {
            return Some((Token::Class(negated, ranges), i + 1));
        }
        first = false;
        if chars.get(i + 1) == Some(&'-') && chars.get(i + 2).is_some_and(|end| *end != ']') {
            ranges.push((c, chars[i + 2]));
            i += 3;
        } else {
            ranges.push((c, c));
            i += 1;
        }
    }
}

fn form(tokens: Vec<Token>, path: bool) -> Form {
    let literal = |tokens: &[Token]| -> Option<String> {
        tokens
            .iter()
            .map(|t| if let Token::Literal(c) = t { Some(*c) } else { None })
            .collect()
    };
    if let Some(text) = literal(&tokens) {
        return Form::Exact(text);
    }
    match tokens.as_slice() {
        [Token::Across] => return Form::Any,
        [Token::Across, middle @ .., Token::Across] => {
            if let Some(text) = literal(middle) {
                return Form::Contains(finder(&text));
            }
        }
        [Token::Across, rest @ ..] => {
            if let Some(text) = literal(rest) {
                return Form::Suffix(text);
            }
        }
        [rest @ .., Token::Across] => {
            if let Some(text) = literal(rest) {
                return Form::Prefix(text);
            }
        }
        _ => {}
    }
    // `**/x/**` on a path that starts with `/` is the same as containing `/x/`; the matcher tries that form.
    if path
        && let [Token::Segments, middle @ .., Token::Across] = tokens.as_slice()
        && let Some(text) = literal(middle)
        && text.ends_with('/')
    {
        return Form::Contains(finder(&format!("/{text}")));
    }
    // Likewise `**/x` is the same as ending in `/x`.
    if path
        && let [Token::Segments, rest @ ..] = tokens.as_slice()
        && let Some(text) = literal(rest)
    {
        return Form::Suffix(format!("/{text}"));
    }
    let longest = tokens
        .split(|t| !matches!(t, Token::Literal(_)))
        .filter_map(literal)
        .max_by_key(String::len)
        .filter(|t| t.len() > 1)
        .map(|t| finder(&t));
    Form::Tokens(tokens, longest)
}

/// How many tokens stand for runs of any length.
fn wild(tokens: &[Token]) -> usize {
    tokens
        .iter()
        .filter(|t| matches!(t, Token::Run | Token::Across | Token::Segments))
        .count()
}

/// Matches by keeping all places of the pattern that the text may have reached: slower than [`run`] on short
/// patterns, but its time does not explode with the number of wildcards.
fn steps(tokens: &[Token], text: &str) -> bool {
    // Per place: reached, and reached within a segment that `**/` has begun to pass over.
    let mut now = vec![(false, false); tokens.len() + 1];
    now[0].0 = true;
    let skip = |places: &mut [(bool, bool)]| {
        for (i, token) in tokens.iter().enumerate() {
            if places[i].0 && matches!(token, Token::Run | Token::Across | Token::Segments) {
                places[i + 1].0 = true;
            }
        }
    };
    skip(&mut now);
    for c in text.chars() {
        let mut next = vec![(false, false); tokens.len() + 1];
        let mut any = false;
        for (i, token) in tokens.iter().enumerate() {
            let (here, within) = now[i];
            if !here && !within {
                continue;
            }
            any = true;
            match token {
                Token::Literal(l) => next[i + 1].0 |= *l == c,
                Token::One => next[i + 1].0 = true,
                Token::Class(negated, ranges) => {
                    next[i + 1].0 |= ranges.iter().any(|(a, b)| *a <= c && c <= *b) != *negated;
                }
                Token::Run => next[i].0 |= c != '/',
                Token::Across => next[i].0 = true,
                Token::Segments if c == '/' => next[i].0 = true,
                Token::Segments => next[i].1 = true,
            }
        }
        if !any {
            return false;
        }
        skip(&mut next);
        now = next;
    }
    now[tokens.len()].0
}

/// Matches with backtracking, for patterns with few wildcards.
fn run(tokens: &[Token], text: &str) -> bool {
    let Some((token, rest)) = tokens.split_first() else {
        return text.is_empty();
    };
    let mut chars = text.chars();
    match token {
        Token::Literal(c) => chars.next() == Some(*c) && run(rest, chars.as_str()),
        Token::One => chars.next().is_some() && run(rest, chars.as_str()),
        Token::Class(negated, ranges) => {
            chars
                .next()
                .is_some_and(|c| ranges.iter().any(|(a, b)| *a <= c && c <= *b) != *negated)
                && run(rest, chars.as_str())
        }
        Token::Run => {
            let mut tail = text;
            loop {
                if run(rest, tail) {
                    return true;
                }
                match tail.chars().next() {
                    Some(c) if c != '/' => tail = &tail[c.len_utf8()..],
                    _ => return false,
                }
            }
        }
        Token::Across => {
            if rest.is_empty() {
                return true;
            }
            let mut tail = text;
            loop {
                if run(rest, tail) {
                    return true;
                }
                match tail.chars().next() {
                    Some(c) => tail = &tail[c.len_utf8()..],
                    None => return false,
                }
            }
        }
        Token::Segments => {
            if run(rest, text) {
                return true;
            }
            memchr::memchr_iter(b'/', text.as_bytes()).any(|i| run(rest, &text[i + 1..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (pattern, text, expected) in [
            ("foo", "foo", true),
            ("foo", "Foo", false),
            ("f*", "foo", true),
            ("*o", "foo", true),
            ("*o*", "zoz", true),
            ("f?o", "f/o", true),
            ("[fb]oo", "boo", true),
            ("[!fb]oo", "boo", false),
            ("[a-c]x", "bx", true),
            ("{a,b}c", "bc", true),
            ("{a,b}c", "cc", false),
            ("a{b,c{d,e}}", "ace", true),
            (r"\*x", "*x", true),
            (r"\*x", "ax", false),
            (r"-\[NSISEngine*", "-[NSISEngine foo]", true),
            ("a*b*c", "a/x/b/y/c", true),
            ("a*b*c", "acb", false),
            ("[", "[", true),
        ] {
            assert_eq!(Glob::name(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_wildcards_cost_no_time_and_match_alike() {
        let text = "a".repeat(5000);
        assert!(!Glob::name("*a*a*a*a*a*a*a*b").matches(&text));
        assert!(Glob::name("*a*a*a*a*a*a*a*").matches(&text));
        for (pattern, text) in [
            ("**/a/*/b/**/c*", "/x/a/y/b/z/q/cc"),
            ("**/a/*/b/**/c*", "/x/a/y/y/b/c"),
            ("*.a.*.b.*", "x.a.y.b.z"),
            ("/a/**/*/[bc]?/*", "/a/x/b1/d"),
            ("**/**/**/x", "x"),
        ] {
            let parsed = tokens(pattern, pattern.contains('/'));
            assert_eq!(steps(&parsed, text), run(&parsed, text), "{pattern} on {text}");
        }
    }

    #[test]
    fn paths() {
        for (pattern, text, expected) in [
            ("**/test.js", "/foo/test.js", true),
            ("**/test.js", "test.js", true),
            ("**/test.js", "http://example.com/foo/TEST.js", true),
            ("**/test.js", "C:\\x\\Test.js", true),
            ("**/test.js", "/foo/test.jsx", false),
            ("*.py", "/a/b/c.py", false),
            ("*.py", "c.py", true),
            ("*.py", "a/c.py", false),
            ("**.py", "a/c.py", false),
            ("/a/*/c.py", "/a/b/c.py", true),
            ("/a/*/c.py", "/a/b/d/c.py", false),
            ("/a/*/c.py", "a/b/c.py", true),
            ("?:/Windows/**", "d:\\windows\\System32\\kernel32.dll", true),
            ("/var/**/Frameworks/**", "/VAR/x/y/frameworks/z", true),
            ("/var/**/Frameworks/**", "/var/frameworks/z", true),
            ("/var/**/Frameworks/**", "/var2/x/Frameworks/z", false),
            ("**/vendor/**", "vendor/x", true),
            ("**/vendor/**", "/a/vendor/x", true),
            ("**/vendor/**", "/a/vendors/x", false),
            ("/lib/**", "/lib/x/y", true),
            ("/lib/**", "/libx", false),
            ("**https://unpkg.com/**", "https://unpkg.com/x", true),
            ("linux-gate.so*", "linux-gate.so.1", true),
            ("linux-gate.so*", "/usr/lib/linux-gate.so", false),
        ] {
            assert_eq!(
                Glob::path(pattern).matches_path(&path_key(text)),
                expected,
                "{pattern} on {text}"
            );
        }
    }
}

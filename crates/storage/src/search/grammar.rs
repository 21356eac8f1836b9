//! Reading a query: terms `[!]key:[op]value`, lists `[a, b]`, quotes, `AND`, `OR`, parentheses, free text.
//!
//! Errors carry the place in the text, in characters, so that it can be underlined.

use std::fmt;

/// What is wrong with a query, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// The first character.
    pub start: usize,
    /// The character after the last.
    pub end: usize,
    /// A sentence that says what to do.
    pub message: String,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at character {})", self.message, self.start + 1)
    }
}

impl std::error::Error for QueryError {}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Equal, or fits a wildcard.
    Is,
    /// Greater.
    Greater,
    /// Greater or equal.
    AtLeast,
    /// Less.
    Less,
    /// Less or equal.
    AtMost,
}

/// One value, with where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text without its quotes; `\*` is still a literal star.
    pub text: String,
    /// It stood in quotes.
    pub quoted: bool,
    /// The first character and the one after the last.
    pub span: (usize, usize),
}

impl Text {
    /// Whether it holds a star that is not escaped.
    pub fn is_pattern(&self) -> bool {
        let mut escaped = false;
        self.text.chars().any(|c| {
            let star = c == '*' && !escaped;
            escaped = c == '\\' && !escaped;
            star
        })
    }

    /// The text with `\*` as a star.
    pub fn plain(&self) -> String {
        self.text.replace("\\*", "*")
    }
}

/// A condition on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The key as written, without `tags[…]`.
    pub key: String,
    /// It was written `tags[key]`: a tag, whatever else has that name.
    pub is_tag: bool,
    /// Where the key stands.
    pub span: (usize, usize),
    /// The comparison.
    pub op: Op,
    /// The values; several if it was a list.
    pub values: Vec<Text>,
    /// It was written as a list.
    pub is_list: bool,
}

/// A query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// Everything.
    All,
    /// All hold.
    And(Vec<Expr>),
    /// Any holds.
    Or(Vec<Expr>),
    /// Does not hold.
    Not(Box<Expr>),
    /// A condition.
    Term(Term),
    /// Words to look for.
    Free(Text),
}

/// How deep parentheses may go.
const DEPTH: usize = 32;
/// How long a query may be, characters.
const LENGTH: usize = 8 * 1024;

/// Reads a query.
///
/// # Errors
/// [`QueryError`] at the first place that cannot be read.
pub fn parse(query: &str) -> Result<Expr, QueryError> {
    let chars: Vec<char> = query.chars().collect();
    if chars.len() > LENGTH {
        return Err(QueryError {
            start: LENGTH,
            end: chars.len(),
            message: format!("the query is longer than {LENGTH} characters"),
        });
    }
    let mut p = Parser { chars, at: 0 };
    let expr = p.or(0)?;
    p.space();
    if p.at < p.chars.len() {
        return Err(p.error(p.at, p.at + 1, "unexpected ')': no '(' is open here"));
    }
    Ok(expr)
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn error(&self, start: usize, end: usize, message: impl Into<String>) -> QueryError {
        QueryError {
            start,
            end: end.min(self.chars.len()).max(start),
            message: message.into(),
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Whether a word operator stands here; takes it if so.
    fn word(&mut self, word: &str) -> bool {
        let end = self.at + word.len();
        let fits = self
            .chars
            .get(self.at..end)
            .is_some_and(|c| c.iter().collect::<String>().eq_ignore_ascii_case(word))
            && self.chars.get(end).is_none_or(|c| c.is_whitespace() || *c == '(');
        if fits {
            self.at = end;
        }
        fits
    }

    fn or(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let mut parts = vec![self.and(depth)?];
        loop {
            self.space();
            let at = self.at;
            if !self.word("OR") {
                break;
            }
            let right = self.and(depth)?;
            if right == Expr::All || parts.last() == Some(&Expr::All) {
                return Err(self.error(at, at + 2, "OR needs a term on both sides"));
            }
            parts.push(right);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expr::Or(parts)
        })
    }

    fn and(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let mut parts = Vec::new();
        loop {
            self.space();
            let at = self.at;
            match self.peek() {
                None | Some(')') => break,
                _ => {}
            }
            let ahead = self.at;
            if self.word("OR") {
                self.at = ahead;
                if parts.is_empty() {
                    return Err(self.error(ahead, ahead + 2, "OR needs a term on both sides"));
                }
                break;
            }
            if self.word("AND") {
                self.space();
                let dangling = parts.is_empty() || matches!(self.peek(), None | Some(')')) || {
                    let a = self.at;
                    let w = self.word("OR") || self.word("AND");
                    self.at = a;
                    w
                };
                if dangling {
                    return Err(self.error(at, at + 3, "AND needs a term on both sides"));
                }
                continue;
            }
            parts.push(self.unary(depth)?);
        }
        Ok(match parts.len() {
            0 => Expr::All,
            1 => parts.remove(0),
            _ => Expr::And(parts),
        })
    }

    fn unary(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let start = self.at;
        if self.peek() == Some('!') {
            self.at += 1;
            if self.peek().is_none_or(char::is_whitespace) {
                return Err(self.error(start, start + 1, "'!' needs a term right behind it"));
            }
            return Ok(Expr::Not(Box::new(self.unary_positive(depth)?)));
        }
        self.unary_positive(depth)
    }

    fn unary_positive(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let start = self.at;
        if self.peek() == Some('(') {
            if depth >= DEPTH {
                return Err(self.error(start, start + 1, "too many parentheses"));
            }
            self.at += 1;
            let inner = self.or(depth + 1)?;
            self.space();
            if self.peek() != Some(')') {
                return Err(self.error(start, start + 1, "this '(' has no ')'"));
            }
            self.at += 1;
            return Ok(inner);
        }
        match self.key()? {
            Some((key, is_tag)) => {
                let span = (start, self.at - 1);
                self.term(key, is_tag, span)
            }
            None => self.free(),
        }
    }

    /// Reads `key:`, `"key":` or `tags[key]:`; stays where it is if no key stands here.
    fn key(&mut self) -> Result<Option<(String, bool)>, QueryError> {
        let start = self.at;
        let mut key = String::new();
        let mut is_tag = false;
        if self.peek() == Some('"') {
            let text = self.quoted()?;
            if self.peek() != Some(':') {
                self.at = start;
                return Ok(None);
            }
            key = text;
        } else {
            while let Some(c) = self.peek() {
                if c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '$' | '@') {
                    key.push(c);
                    self.at += 1;
                } else if c == '[' && (key == "tags" || key == "flags") {
                    self.at += 1;
                    let open = self.at;
                    let inner = if self.peek() == Some('"') {
                        self.quoted()?
                    } else {
                        let mut inner = String::new();
                        while let Some(c) = self.peek().filter(|c| !matches!(c, ']' | ',')) {
                            inner.push(c);
                            self.at += 1;
                        }
                        inner
                    };
                    while self.peek().is_some_and(|c| c != ']') {
                        self.at += 1;
                    }
                    if self.peek() != Some(']') || inner.is_empty() {
                        return Err(self.error(open - 1, self.at, "expected tags[key]"));
                    }
                    self.at += 1;
                    key = inner.trim().to_owned();
                    is_tag = true;
                    break;
                } else {
                    break;
                }
            }
        }
        if self.peek() == Some(':') && !key.is_empty() && !self.is_url() {
            self.at += 1;
            return Ok(Some((key, is_tag)));
        }
        self.at = start;
        Ok(None)
    }

    /// `https://…` in free text is no key.
    fn is_url(&self) -> bool {
        self.chars.get(self.at + 1..self.at + 3) == Some(&['/', '/'])
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => return Ok(out),
                '\\' if self.peek() == Some('"') => {
                    out.push('"');
                    self.at += 1;
                }
                c => out.push(c),
            }
        }
        Err(self.error(
            start,
            self.chars.len(),
            "this quote is not closed: add '\"' at its end",
        ))
    }

    fn value(&mut self, in_list: bool) -> Result<Text, QueryError> {
        let start = self.at;
        if self.peek() == Some('"') {
            let text = self.quoted()?;
            return Ok(Text {
                text,
                quoted: true,
                span: (start, self.at),
            });
        }
        let mut text = String::new();
        let mut open = 0usize;
        while let Some(c) = self.peek() {
            let ends = if in_list {
                matches!(c, ',' | ']')
            } else {
                c.is_whitespace() || (c == ')' && open == 0)
            };
            if ends {
                break;
            }
            match c {
                '(' => open += 1,
                ')' => open = open.saturating_sub(1),
                _ => {}
            }
            text.push(c);
            self.at += 1;
        }
        let text = if in_list { text.trim_end().to_owned() } else { text };
        Ok(Text {
            span: (start, self.at),
            text,
            quoted: false,
        })
    }

    fn term(&mut self, key: String, is_tag: bool, span: (usize, usize)) -> Result<Expr, QueryError> {
        let mut negate = false;
        let op = match (self.peek(), self.chars.get(self.at + 1)) {
            (Some('>'), Some('=')) => (Op::AtLeast, 2),
            (Some('<'), Some('=')) => (Op::AtMost, 2),
            (Some('!'), Some('=')) => {
                negate = true;
                (Op::Is, 2)
            }
            (Some('>'), _) => (Op::Greater, 1),
            (Some('<'), _) => (Op::Less, 1),
            (Some('='), _) => (Op::Is, 1),
            _ => (Op::Is, 0),
        };
        self.at += op.1;
        let op = op.0;
        let start = self.at;
        let (values, is_list) = if self.peek() == Some('[') && op == Op::Is {
            (self.list()?, true)
        } else {
            let value = self.value(false)?;
            if value.text.is_empty() && !value.quoted {
                let message = format!("'{key}:' needs a value, or \"\" for an empty one");
                return Err(self.error(span.0, start, message));
            }
            (vec![value], false)
        };
        let term = Expr::Term(Term {
            key,
            is_tag,
            span,
            op,
            values,
            is_list,
        });
        Ok(if negate { Expr::Not(Box::new(term)) } else { term })
    }

    fn list(&mut self) -> Result<Vec<Text>, QueryError> {
        let start = self.at;
        self.at += 1;
        let mut values = Vec::new();
        loop {
            self.space();
            match self.peek() {
                None => {
                    return Err(self.error(
                        start,
                        self.chars.len(),
                        "this list is not closed: add ']' at its end",
                    ));
                }
                Some(']') if values.is_empty() => {
                    return Err(self.error(start, self.at + 1, "the list is empty"));
                }
                _ => {}
            }
            let value = self.value(true)?;
            if value.text.is_empty() && !value.quoted {
                return Err(self.error(self.at, self.at + 1, "expected a value in the list"));
            }
            values.push(value);
            self.space();
            match self.peek() {
                Some(',') => self.at += 1,
                Some(']') => {
                    self.at += 1;
                    return Ok(values);
                }
                None => {
                    return Err(self.error(
                        start,
                        self.chars.len(),
                        "this list is not closed: add ']' at its end",
                    ));
                }
                Some(_) => return Err(self.error(self.at, self.at + 1, "expected ',' or ']'")),
            }
        }
    }

    fn free(&mut self) -> Result<Expr, QueryError> {
        let start = self.at;
        if self.peek() == Some('"') {
            let text = self.quoted()?;
            return Ok(Expr::Free(Text {
                text,
                quoted: true,
                span: (start, self.at),
            }));
        }
        let text = self.value(false)?;
        if text.text.is_empty() {
            return Err(self.error(start, start + 1, "unexpected character"));
        }
        Ok(Expr::Free(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(e: &Expr) -> String {
        let list = |v: &[Expr]| v.iter().map(show).collect::<Vec<_>>().join(" ");
        match e {
            Expr::All => "all".into(),
            Expr::And(v) => format!("(and {})", list(v)),
            Expr::Or(v) => format!("(or {})", list(v)),
            Expr::Not(e) => format!("(not {})", show(e)),
            Expr::Free(t) => format!("~{}", t.text),
            Expr::Term(t) => {
                let values: Vec<_> = t.values.iter().map(|v| v.text.as_str()).collect();
                let tag = if t.is_tag { "#" } else { "" };
                format!(
                    "{tag}{}{}{}",
                    t.key,
                    match t.op {
                        Op::Is => "=",
                        Op::Greater => ">",
                        Op::AtLeast => ">=",
                        Op::Less => "<",
                        Op::AtMost => "<=",
                    },
                    values.join("|")
                )
            }
        }
    }

    #[test]
    fn queries_read() {
        for (query, want) in [
            ("", "all"),
            ("is:unresolved", "is=unresolved"),
            ("is:unresolved boom bang", "(and is=unresolved ~boom ~bang)"),
            ("!level:error", "(not level=error)"),
            ("level:!=error", "(not level=error)"),
            ("level:[error, \"fa tal\"]", "level=error|fa tal"),
            ("timesSeen:>=10 age:-24h", "(and timesSeen>=10 age=-24h)"),
            ("a:1 OR b:2 c:3", "(or a=1 (and b=2 c=3))"),
            ("(a:1 or b:2) AND c:3", "(and (or a=1 b=2) c=3)"),
            ("tags[level]:x tags[\"a b\",number]:>3", "(and #level=x #a b>3)"),
            ("\"two words\" has:user", "(and ~two words has=user)"),
            ("user.email:\"a@b.c\"", "user.email=a@b.c"),
            ("https://x.y/z?a=b", "~https://x.y/z?a=b"),
            ("http.url:https://x.y/z", "http.url=https://x.y/z"),
            ("!(a:1 b:2)", "(not (and a=1 b=2))"),
            ("f(x):1", "~f(x):1"),
            ("key:\"\"", "key="),
            ("ordinary", "~ordinary"),
        ] {
            assert_eq!(parse(query).map(|e| show(&e)).as_deref(), Ok(want), "{query}");
        }
    }

    #[test]
    fn errors_point_at_the_character() {
        for (query, start, end) in [
            ("is:", 0, 3),
            ("a:1 OR", 4, 6),
            ("a:1 AND OR b:1", 4, 7),
            ("(a:1", 0, 1),
            ("a:1)", 3, 4),
            ("x \"open", 2, 7),
            ("a:[1, 2", 2, 7),
            ("a:[]", 2, 4),
            ("! a", 0, 1),
        ] {
            let e = parse(query).expect_err(query);
            assert_eq!((e.start, e.end), (start, end), "{query}: {e}");
        }
    }
}

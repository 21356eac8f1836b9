//! Whose an event is: rules of a project (`path:src/* dev@example.com`), and files of the form CODEOWNERS. Pure.
//!
//! A rule is a matcher and the owners of what it matches; the last rule that matches wins. Matchers are `path:`,
//! `module:`, `url:` and `tags.<key>:`; a pattern alone is a path. `*` stands for any text, `?` for one character.

use serde_json::{Value, json};

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// `path`, `module`, `url`, `tags.<key>` or `codeowners`.
    pub kind: String,
    /// What it matches.
    pub pattern: String,
    /// Whose it is.
    pub owners: Vec<Owner>,
}

/// Somebody a rule names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// An e-mail address.
    User(String),
    /// The slug of a team.
    Team(String),
    /// A name of another system: `@ann`, `@acme/backend`.
    External(String),
}

impl Owner {
    fn read(text: &str) -> Option<Owner> {
        if let Some(team) = text.strip_prefix('#') {
            return Some(Owner::Team(team.to_owned())).filter(|_| !team.is_empty());
        }
        if text.starts_with('@') && text.len() > 1 {
            return Some(Owner::External(text.to_owned()));
        }
        let (name, host) = text.split_once('@')?;
        (!name.is_empty() && !host.is_empty()).then(|| Owner::User(text.to_lowercase()))
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// Reads the rules of a project, line by line.
///
/// # Errors
/// Every line that is none.
pub fn parse(text: &str) -> Result<Vec<Rule>, Vec<BadLine>> {
    read(text, |pattern| {
        let Some((kind, rest)) = pattern.split_once(':') else {
            return Ok(("path".to_owned(), pattern.to_owned()));
        };
        let known = matches!(kind, "path" | "module" | "url") || kind.starts_with("tags.") && kind.len() > 5;
        match (known, rest.is_empty()) {
            (true, false) => Ok((kind.to_owned(), unquoted(rest))),
            (true, true) => Err(format!("{kind}: has no pattern")),
            _ => Err(format!(
                "'{kind}' is no matcher: write path, module, url or tags.<key>"
            )),
        }
    })
}

/// Reads a CODEOWNERS file. A pattern without owners says that nobody owns what it matches.
///
/// # Errors
/// Every line that cannot be read.
pub fn parse_codeowners(text: &str) -> Result<Vec<Rule>, Vec<BadLine>> {
    let mut rules = Vec::new();
    let mut wrong = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or("").trim();
        if line.is_empty() || line.starts_with(['#', '[', '^']) {
            continue;
        }
        let mut words = words(line);
        let pattern = words.remove(0);
        let (owners, bad): (Vec<_>, Vec<_>) = words
            .iter()
            .map(|w| (w, Owner::read(w)))
            .partition(|o| o.1.is_some());
        wrong.extend(bad.iter().map(|(word, _)| BadLine {
            line: n + 1,
            what: format!("'{word}' is no owner: write an address, @name or @organization/team"),
        }));
        rules.push(Rule {
            kind: "codeowners".into(),
            pattern,
            owners: owners.into_iter().filter_map(|o| o.1).collect(),
        });
    }
    if wrong.is_empty() { Ok(rules) } else { Err(wrong) }
}

fn read(
    text: &str,
    matcher: impl Fn(&str) -> Result<(String, String), String>,
) -> Result<Vec<Rule>, Vec<BadLine>> {
    let (mut rules, mut wrong) = (Vec::new(), Vec::new());
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words = words(line);
        let mut bad = |what: String| wrong.push(BadLine { line: n + 1, what });
        let (kind, pattern) = match matcher(&words[0]) {
            Ok(found) => found,
            Err(what) => {
                bad(what);
                continue;
            }
        };
        if words.len() < 2 {
            bad(format!("'{line}' names no owner"));
            continue;
        }
        let mut owners = Vec::with_capacity(words.len() - 1);
        for word in &words[1..] {
            match Owner::read(word) {
                Some(owner) => owners.push(owner),
                None => bad(format!("'{word}' is no owner: write an address or #team")),
            }
        }
        rules.push(Rule {
            kind,
            pattern,
            owners,
        });
    }
    if wrong.is_empty() { Ok(rules) } else { Err(wrong) }
}

/// Words of a line; blanks in quotes or behind a backslash part nothing.
fn words(line: &str) -> Vec<String> {
    let (mut out, mut word, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            _ if escaped => {
                word.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    out.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() || out.is_empty() {
        out.push(word);
    }
    out
}

fn unquoted(text: &str) -> String {
    text.trim_matches('"').to_owned()
}

/// What rules are asked about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subject {
    /// Paths of frames, as they are and as they lie in a repository.
    pub paths: Vec<String>,
    /// Modules of frames.
    pub modules: Vec<String>,
    /// The URL of the request.
    pub url: Option<String>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

impl Subject {
    /// What the JSON of a stored event gives.
    pub fn of_event(event: &Value) -> Subject {
        let mut subject = Subject {
            url: event
                .pointer("/request/url")
                .and_then(Value::as_str)
                .map(str::to_owned),
            ..Subject::default()
        };
        for frame in frames(event) {
            let text = |key: &str| frame[key].as_str().map(|s| s.replace('\\', "/"));
            subject
                .paths
                .extend([text("filename"), text("abs_path")].into_iter().flatten());
            subject.modules.extend(text("module"));
        }
        // The same file has many frames.
        for list in [&mut subject.paths, &mut subject.modules] {
            let mut seen = std::collections::HashSet::new();
            list.retain(|v| seen.insert(v.clone()));
        }
        let pair = |k: &Value, v: &Value| Some((k.as_str()?.to_owned(), v.as_str()?.to_owned()));
        match &event["tags"] {
            Value::Array(list) => subject
                .tags
                .extend(list.iter().filter_map(|t| pair(&t[0], &t[1]))),
            Value::Object(map) => {
                subject.tags.extend(
                    map.iter()
                        .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))),
                );
            }
            _ => {}
        }
        subject
    }
}

/// The frames of an event's exceptions, or of its own stack, the innermost first.
pub fn frames(event: &Value) -> Vec<&Value> {
    let exceptions = event["exception"]["values"]
        .as_array()
        .into_iter()
        .flatten()
        .rev();
    let all: Vec<&Value> = exceptions.flat_map(of_stack).collect();
    if all.is_empty() {
        of_stack(event).collect()
    } else {
        all
    }
}

fn of_stack(holder: &Value) -> impl Iterator<Item = &Value> {
    holder["stacktrace"]["frames"]
        .as_array()
        .into_iter()
        .flatten()
        .rev()
}

impl Rule {
    /// Whether the rule is about a subject.
    pub fn matches(&self, subject: &Subject) -> bool {
        let any = |values: &[String]| values.iter().any(|v| glob(&self.pattern, v));
        match self.kind.as_str() {
            "path" => any(&subject.paths),
            "module" => any(&subject.modules),
            "url" => subject.url.as_deref().is_some_and(|u| glob(&self.pattern, u)),
            "codeowners" => subject.paths.iter().any(|p| path_fits(&self.pattern, p)),
            kind => kind.strip_prefix("tags.").is_some_and(|key| {
                subject
                    .tags
                    .iter()
                    .any(|(k, v)| k == key && glob(&self.pattern, v))
            }),
        }
    }

    /// As the API shows it.
    pub fn to_json(&self) -> Value {
        let owners: Vec<Value> = self
            .owners
            .iter()
            .map(|o| match o {
                Owner::User(name) | Owner::External(name) => {
                    json!({ "type": "user", "name": name, "identifier": name })
                }
                Owner::Team(name) => json!({ "type": "team", "name": name, "identifier": name }),
            })
            .collect();
        json!({ "matcher": { "type": self.kind, "pattern": self.pattern }, "owners": owners })
    }
}

/// The last rule that is about a subject.
pub fn winner<'a>(rules: &'a [Rule], subject: &Subject) -> Option<&'a Rule> {
    rules.iter().rev().find(|r| r.matches(subject))
}

/// `*` stands for any text, `?` for one character; case does not matter.
fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// As git reads patterns: `/` at the start ties to the root, at the end means a folder, `**` goes over folders.
fn path_fits(pattern: &str, path: &str) -> bool {
    let path: Vec<&str> = path.split('/').filter(|s| !s.is_empty() && *s != ".").collect();
    let tied = pattern.trim_end_matches('/').contains('/');
    let mut parts: Vec<&str> = pattern.split('/').filter(|s| !s.is_empty()).collect();
    if !tied {
        parts.insert(0, "**");
    }
    // What is in a folder that fits, fits.
    if pattern.ends_with('/') || !matches!(parts.last(), Some(last) if last.contains('*')) {
        parts.push("**");
    }
    parts_fit(&parts, &path)
}

/// Goes through the pattern once: which numbers of segments it can have taken so far.
fn parts_fit(parts: &[&str], path: &[&str]) -> bool {
    let mut taken = vec![false; path.len() + 1];
    taken[0] = true;
    for part in parts {
        if *part == "**" {
            let first = taken.iter().position(|t| *t).unwrap_or(taken.len());
            taken.iter_mut().skip(first).for_each(|t| *t = true);
            continue;
        }
        for n in (0..path.len()).rev() {
            taken[n + 1] = taken[n] && glob(part, path[n]);
        }
        taken[0] = false;
    }
    taken[path.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_bad_lines_named() {
        let rules = parse("# who\npath:src/* ann@example.com #backend\nurl:*/cart* #shop\ntags.region:eu b@x.y\nlib/* c@x.y").unwrap();
        assert_eq!(rules.len(), 4);
        assert_eq!(
            rules[0].owners,
            [
                Owner::User("ann@example.com".into()),
                Owner::Team("backend".into())
            ]
        );
        assert_eq!(
            (rules[3].kind.as_str(), rules[3].pattern.as_str()),
            ("path", "lib/*")
        );
        let wrong =
            parse("path:a ann@example.com\nfoo:b ann@example.com\n\nmodule:c\nurl:d nobody").unwrap_err();
        assert_eq!(wrong.iter().map(|w| w.line).collect::<Vec<_>>(), [2, 4, 5]);
        let files = parse_codeowners("* @acme/all\n/docs/ ann@example.com # texts\nsrc/free\n").unwrap();
        assert_eq!((files.len(), files[2].owners.len()), (3, 0));
        assert_eq!(parse_codeowners("a b").unwrap_err()[0].line, 1);
        assert_eq!(words(r#""a b" c\ d"#), ["a b", "c d"]);
    }

    #[test]
    fn the_last_rule_that_matches_wins() {
        let rules =
            parse("path:* a@x.y\npath:*/cart/*.py b@x.y\nmodule:shop.* c@x.y\ntags.k:v? d@x.y").unwrap();
        let subject = |path: &str| Subject {
            paths: vec![path.into()],
            ..Subject::default()
        };
        let of = |s: &Subject| winner(&rules, s).map(|r| r.pattern.clone());
        assert_eq!(of(&subject("app/main.py")).as_deref(), Some("*"));
        assert_eq!(of(&subject("app/cart/Views.PY")).as_deref(), Some("*/cart/*.py"));
        let module = Subject {
            modules: vec!["shop.views".into()],
            ..subject("app/cart/a.py")
        };
        assert_eq!(of(&module).as_deref(), Some("shop.*"));
        let tag = Subject {
            tags: vec![("k".into(), "v1".into())],
            ..Subject::default()
        };
        assert_eq!(of(&tag).as_deref(), Some("v?"));
        assert_eq!(of(&Subject::default()), None);
    }

    #[test]
    fn paths_fit_as_git_reads_them() {
        for (pattern, path, fits) in [
            ("*.py", "a/b/c.py", true),
            ("/a/*.py", "a/b/c.py", false),
            ("/a/**/*.py", "a/b/c.py", true),
            ("docs/", "x/docs/y.md", true),
            ("/docs/", "x/docs/y.md", false),
            ("src/app", "src/app/x.rs", true),
            ("src/app", "lib/src/app/x.rs", false),
            ("*", "a/b", true),
            ("/a/**", "a/b/c", true),
            ("/a/**/c/", "a/b/c/d", true),
            ("/a/**/c/", "a/b/c", true),
        ] {
            assert_eq!(path_fits(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn an_event_is_a_subject() {
        let event = json!({
            "exception": { "values": [{ "stacktrace": { "frames": [{ "filename": "a.py", "module": "m" }, { "abs_path": "C:\\b" }] } }] },
            "request": { "url": "http://x/" }, "tags": [["k", "v"]],
        });
        let subject = Subject::of_event(&event);
        assert_eq!(subject.paths, ["C:/b", "a.py"]);
        assert_eq!(
            (subject.modules.len(), subject.tags.len(), subject.url.is_some()),
            (1, 1, true)
        );
    }
}

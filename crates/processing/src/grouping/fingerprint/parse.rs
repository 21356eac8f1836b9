//! The text of fingerprint rules: `matcher... -> entry, entry title="..."`.

use super::{FingerprintMatcher, FingerprintRule};
use crate::grouping::rules::RulesError;
use crate::grouping::rules::text::Cursor;

/// Reads rules, one a line.
///
/// # Errors
/// The first line that cannot be read, and what is wrong with it.
pub fn parse(text: &str) -> Result<Vec<FingerprintRule>, RulesError> {
    Cursor::lines(text).map(|mut line| rule(&mut line)).collect()
}

fn rule(c: &mut Cursor<'_>) -> Result<FingerprintRule, RulesError> {
    let mut rule = FingerprintRule {
        matchers: Vec::new(),
        fingerprint: Vec::new(),
        attributes: Vec::new(),
        text: c.text().to_owned(),
    };
    loop {
        c.space();
        if c.take("->") {
            break;
        }
        rule.matchers.push(matcher(c)?);
    }
    if rule.matchers.is_empty() {
        return c.error("expected a matcher such as `type:Name`");
    }
    loop {
        c.space();
        if c.take(",") {
            continue;
        }
        if c.end() {
            break;
        }
        let start = c.position();
        if let Some(key) = c.key()
            && c.take("=")
        {
            let Some(value) = c.value() else {
                return c.error(format!("expected a value for `{key}`"));
            };
            if key != "title" {
                c.back_to(start);
                return c.error(format!("unknown attribute `{key}`"));
            }
            rule.attributes.push((key, value));
            continue;
        }
        c.back_to(start);
        entry(c, &mut rule.fingerprint)?;
    }
    if rule.fingerprint.is_empty() {
        return c.error("expected an entry such as `\"name\"` or `{{ default }}` after `->`");
    }
    Ok(rule)
}

fn matcher(c: &mut Cursor<'_>) -> Result<FingerprintMatcher, RulesError> {
    let start = c.position();
    let negated = c.take("!");
    let Some(key) = c.key().filter(|_| c.take(":")) else {
        c.back_to(start);
        return c.error("expected a matcher such as `type:Name`, or `->`");
    };
    let canonical = match key.as_str() {
        "type" | "error.type" => "type",
        "value" | "error.value" => "value",
        "stack.module" | "module" => "module",
        "stack.abs_path" | "path" => "path",
        "stack.package" | "package" => "package",
        "stack.function" | "function" => "function",
        "message" | "logger" | "level" | "family" | "app" | "sdk" | "release" => key.as_str(),
        tag if tag.starts_with("tags.") => tag,
        _ => {
            c.back_to(start);
            return c.error(format!("unknown matcher `{key}`"));
        }
    };
    let Some(pattern) = c.value() else {
        return c.error(format!("expected a value for `{key}`"));
    };
    Ok(FingerprintMatcher::new(canonical, pattern, negated))
}

/// One entry; texts and variables that stand together become entries of their own.
fn entry(c: &mut Cursor<'_>, out: &mut Vec<String>) -> Result<(), RulesError> {
    if c.rest().starts_with('"') {
        let Some(text) = c.quoted() else {
            return c.error("expected a closing quote");
        };
        split(&text, out);
        return Ok(());
    }
    let rest = c.rest();
    let mut end = rest.len();
    let mut inside = false;
    for (i, ch) in rest.char_indices() {
        if rest[i..].starts_with("{{") {
            inside = true;
        } else if rest[i..].starts_with("}}") {
            inside = false;
        } else if !inside && (ch == ',' || ch.is_whitespace()) {
            end = i;
            break;
        }
    }
    if inside {
        return c.error("expected `}}`");
    }
    split(&rest[..end], out);
    c.back_to(c.position() + end);
    Ok(())
}

fn split(text: &str, out: &mut Vec<String>) {
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(end) = rest[start..].find("}}").map(|i| start + i + 2) else {
            break;
        };
        if start > 0 {
            out.push(rest[..start].to_owned());
        }
        let name = rest[start + 2..end - 2].trim();
        out.push(format!("{{{{ {name} }}}}"));
        rest = &rest[end..];
    }
    if !rest.is_empty() || text.is_empty() {
        out.push(rest.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_attributes() {
        let rules = parse(
            "# comment\n\nlogger:a.* level:error -> \"a b\", x-{{logger}}, {{ default }} title=\"T {{ type }}\"",
        )
        .unwrap();
        assert_eq!(
            rules[0].fingerprint,
            ["a b", "x-", "{{ logger }}", "{{ default }}"]
        );
        assert_eq!(
            rules[0].attributes,
            [("title".to_owned(), "T {{ type }}".to_owned())]
        );
        assert_eq!(rules[0].matchers.len(), 2);
    }

    #[test]
    fn errors_name_the_place() {
        for (text, message) in [
            (
                "type:a -> b\ncolour:red -> x",
                "line 2, character 1: unknown matcher `colour`",
            ),
            (
                "type:a",
                "line 1, character 7: expected a matcher such as `type:Name`, or `->`",
            ),
            (
                "-> x",
                "line 1, character 3: expected a matcher such as `type:Name`",
            ),
            (
                "type:a -> ",
                "line 1, character 11: expected an entry such as `\"name\"` or `{{ default }}` after `->`",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }
}

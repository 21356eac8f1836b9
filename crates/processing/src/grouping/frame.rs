//! A frame and its part in grouping.

use std::borrow::Cow;

use protocol::json::{Json, Map};

use super::Family;
use super::component::Component;
use super::rules::RuleFrame;
use super::trim::trim_function;
use crate::memo;

/// The fields of a frame that grouping looks at.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    pub(super) function: Option<&'a str>,
    raw_function: Option<&'a str>,
    module: Option<&'a str>,
    filename: Option<&'a str>,
    pub(super) abs_path: Option<&'a str>,
    package: Option<&'a str>,
    line: Option<u64>,
    column: Option<u64>,
    context: Option<&'a str>,
    platform: &'a str,
    pub(super) family: Family,
    pub(super) in_app: Option<bool>,
    category: Option<&'a str>,
    has_source_map: bool,
}

impl<'a> Frame<'a> {
    /// Reads a frame of an event of `platform`.
    pub fn read(frame: &'a Map<'_>, platform: &'a str) -> Frame<'a> {
        let mut f = Frame {
            function: None,
            raw_function: None,
            module: None,
            filename: None,
            abs_path: None,
            package: None,
            line: None,
            column: None,
            context: None,
            platform,
            family: Family::Other,
            in_app: None,
            category: None,
            has_source_map: false,
        };
        for (key, value) in frame.iter() {
            let text = || value.as_str().filter(|s| !s.is_empty());
            match key {
                "function" => f.function = text(),
                "raw_function" => f.raw_function = text(),
                "module" => f.module = text(),
                "filename" => f.filename = text(),
                "abs_path" => f.abs_path = text(),
                "package" => f.package = text(),
                "lineno" => f.line = value.as_u64(),
                "colno" => f.column = value.as_u64(),
                "context_line" => f.context = text(),
                "platform" => f.platform = text().unwrap_or(platform),
                "in_app" => f.in_app = value.as_bool(),
                "data" => {
                    f.category = value.get("category").and_then(Json::as_str);
                    f.has_source_map = value.get("sourcemap").is_some_and(|v| !v.is_null());
                }
                _ => {}
            }
        }
        f.family = Family::of(f.platform);
        f
    }

    /// The frame as stack-trace rules see it.
    pub fn for_rules(&self) -> RuleFrame<'a> {
        let mut frame = RuleFrame::new(
            self.function,
            self.module,
            self.abs_path.or(self.filename),
            self.package,
            self.family,
            self.in_app,
        );
        frame.category = self.category;
        frame
    }

    /// Appends everything of it that grouping may look at.
    pub(super) fn write_key(&self, key: &mut Vec<u8>) {
        for part in [
            self.function,
            self.raw_function,
            self.module,
            self.filename,
            self.abs_path,
            self.package,
            self.context,
            Some(self.platform),
            self.category,
        ] {
            memo::text(key, part);
        }
        for number in [self.line, self.column] {
            key.push(u8::from(number.is_some()));
            key.extend_from_slice(&number.unwrap_or(0).to_le_bytes());
        }
        key.push(self.in_app.map_or(2, u8::from));
        key.push(u8::from(self.has_source_map));
    }

    /// Whether this frame repeats the one before it.
    pub fn repeats(&self, before: &Frame<'_>) -> bool {
        self.abs_path == before.abs_path
            && self.package == before.package
            && self.module == before.module
            && self.filename == before.filename
            && self.function == before.function
            && self.line == before.line
            && self.column == before.column
    }

    /// Whether `abs_path` is a URL. `file:` counts where `with_files`.
    pub(super) fn at_url(&self, with_files: bool) -> bool {
        self.abs_path.is_some_and(|p| {
            ["http:", "https:", "applewebdata:", "blob:"]
                .iter()
                .any(|s| p.starts_with(s))
                || with_files && p.starts_with("file:")
        })
    }

    /// Its component, before rules and variants.
    pub fn component(&self) -> Component<'a> {
        let mut parts = Vec::with_capacity(4);
        let module = self.module_part();
        let module_counts = module.as_ref().is_some_and(|m| m.contributes);
        parts.extend(module);
        parts.extend(self.filename_part(module_counts));
        let context = self.context_part();
        parts.extend(self.function_part(context.as_ref().is_some_and(|c| c.contributes)));
        parts.extend(context);
        let mut out = Component::list("frame", parts);
        if self.family == Family::JavaScript {
            let last = self.function.map(|f| f.rsplit('.').next().unwrap_or(f));
            if last == Some("eval")
                || matches!(
                    self.abs_path,
                    Some("[native code]" | "native code" | "eval code" | "<anonymous>")
                )
            {
                out.ignore("ignored as it has no place in a file");
            }
        }
        out
    }

    fn module_part(&self) -> Option<Component<'a>> {
        let module = self.module?;
        let mut part = Component::text("module", module);
        if self.platform == "javascript"
            && module.contains('/')
            && self.abs_path.is_some_and(|p| p.ends_with(module))
        {
            part.ignore("ignored as it is part of the path");
        } else if self.platform == "java" {
            if module.contains("$$Lambda$") {
                part.ignore("ignored as it names a lambda");
            } else if let Some(name) = without_generated_parts(module) {
                part = Component::text("module", name).because("generated parts were removed");
            }
        }
        Some(part)
    }

    fn filename_part(&self, module_counts: bool) -> Option<Component<'a>> {
        let filename = self.filename?;
        let last = filename.rsplit(['/', '\\']).next().unwrap_or(filename);
        let mut part = if last.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii()) {
            Component::text("filename", last.to_lowercase())
        } else {
            Component::text("filename", last)
        };
        if self.platform == "java"
            && let Some(name) = without_javassist(last)
        {
            part = Component::text("filename", name.to_lowercase());
        }
        if self.at_url(false) {
            part.ignore("ignored because the frame's path is a URL");
        } else if matches!(filename, "<anonymous>" | "[native code]") {
            part.ignore("ignored as it names no file");
        } else if module_counts {
            part.ignore("the module takes precedence");
        }
        Some(part)
    }

    fn function_part(&self, context_counts: bool) -> Option<Component<'a>> {
        let chosen = match self.platform {
            "csharp" => self.raw_function.or(self.function),
            _ => self.function.or(self.raw_function),
        }?;
        let name: Cow<'a, str> = if self.raw_function.is_none() {
            trim_function(chosen, self.platform)
        } else {
            Cow::Borrowed(chosen)
        };
        let mut part = Component::text("function", name.clone());
        match self.platform {
            "ruby" => {
                if let Some(short) = ruby_name(chosen) {
                    part = Component::text("function", short);
                }
            }
            "php" => {
                let method = chosen
                    .strip_prefix("class@anonymous")
                    .and_then(|c| c.rsplit_once("::"));
                if let Some((_, method)) = method {
                    part = Component::text("function", method);
                } else if chosen.starts_with("[Anonymous") || chosen.starts_with("class@anonymous\0") {
                    part.ignore("ignored as it has no name");
                }
            }
            "java" if name.starts_with("lambda$") => part.ignore("ignored as it names a lambda"),
            _ => {}
        }
        if self.family == Family::Native && matches!(&*name, "<redacted>" | "<unknown>") {
            part.ignore("ignored as it says nothing");
        }
        if self.family == Family::JavaScript {
            let last = name.rsplit('.').next().unwrap_or(&name).to_owned();
            let nameless = matches!(
                last.as_str(),
                "" | "?" | "<anonymous function>" | "<anonymous>" | "Anonymous function"
            ) || last.ends_with("/<");
            part = Component::text("function", last);
            if nameless {
                part.ignore("ignored as it has no name");
            } else if self.has_source_map && context_counts {
                part.ignore("the line of source takes precedence");
            }
        }
        Some(part)
    }

    fn context_part(&self) -> Option<Component<'a>> {
        if !matches!(self.platform, "javascript" | "node" | "python" | "php" | "ruby") {
            return None;
        }
        let raw = self.context?;
        let line = one_spaced(raw);
        if line.is_empty() {
            return None;
        }
        let mut part = Component::text("context-line", line);
        if raw.chars().nth(120).is_some() {
            part.ignore("ignored because the line is too long");
        } else if self.family == Family::JavaScript && self.function.is_none() && self.at_url(true) {
            part.ignore("ignored as it may be any part of a bundle");
        } else if self.platform == "python" && raw.contains("from multiprocessing.spawn import spawn_main") {
            part = Component::text("context-line", without_spawn_numbers(&one_spaced(raw)));
        }
        Some(part)
    }
}

/// Runs of white space become one blank, those at the ends go.
pub(super) fn one_spaced(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let clean = !text.contains("  ") && !text.chars().any(|c| c != ' ' && c.is_whitespace());
    if clean {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn without_spawn_numbers(line: &str) -> String {
    let mut out = line.to_owned();
    for key in ["tracker_fd=", "pipe_handle=", "parent_pid="] {
        if let Some(at) = out.find(key).map(|i| i + key.len()) {
            let n = out[at..].bytes().take_while(u8::is_ascii_digit).count();
            if n > 0 {
                out.replace_range(at..at + n, "<int>");
            }
        }
    }
    out
}

fn ruby_name(name: &str) -> Option<&str> {
    if name == "block" || name.starts_with("block ") {
        return Some("block");
    }
    let digits = |s: &str| s.len() >= 4 && s.bytes().all(|b| b.is_ascii_digit());
    let (head, tail) = name.rsplit_once('_')?;
    let (head, middle) = head.rsplit_once('_')?;
    (digits(tail) && digits(middle))
        .then(|| head.strip_suffix('_'))
        .flatten()
}

/// `x$$_javassist_seam_12` becomes `x$$_javassist<auto>`.
fn without_javassist(name: &str) -> Option<String> {
    const MARK: &str = "$$_javassist";
    let at = name.find(MARK)? + MARK.len();
    let rest = &name[at..];
    let rest = rest.strip_prefix("_seam").unwrap_or(rest);
    let rest = match rest.strip_prefix('_') {
        Some(tail) => tail.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    Some(format!("{}<auto>{rest}", &name[..at]))
}

/// Removes the numbers that the JVM and its libraries put into the names of generated classes.
fn without_generated_parts(module: &str) -> Option<String> {
    for (prefix, name) in [
        (
            "sun.reflect.GeneratedMethodAccessor",
            "sun.reflect.GeneratedMethodAccessor",
        ),
        (
            "jdk.internal.reflect.GeneratedMethodAccessor",
            "jdk.internal.reflect.GeneratedMethodAccessor",
        ),
    ] {
        if module.starts_with(prefix) {
            return Some(name.to_owned());
        }
    }
    if !module.contains('$') && !module.starts_with("sun.reflect.Generated") {
        return None;
    }
    let mut out = module.to_owned();
    let mut changed = false;
    for mark in [
        "sun.reflect.GeneratedSerializationConstructorAccessor",
        "sun.reflect.GeneratedConstructorAccessor",
        "$fn__",
    ] {
        changed |= replace_number(&mut out, mark, |c| c.is_ascii_hexdigit());
    }
    if let Some(new) = without_javassist(&out) {
        out = new;
        changed = true;
    }
    for mark in ["CGLIB$$", "$HibernateProxy$"] {
        changed |= replace_number(&mut out, mark, |c| c.is_ascii_hexdigit());
    }
    for word in ["EnhancerBy", "FastClassBy", "HibernateProxy"] {
        let mut from = 0;
        while let Some(at) = out[from..].find(word).map(|i| i + from) {
            from = at + word.len();
            if at == 0 || out.as_bytes()[at - 1] != b'$' {
                continue;
            }
            let rest = &out[from..];
            let name = rest
                .bytes()
                .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                .count();
            let dollars = rest[name..].bytes().take_while(|b| *b == b'$').count();
            if dollars == 0 || (word == "HibernateProxy" && name > 0) {
                continue;
            }
            let start = from + name + dollars;
            let hex = out[start..].bytes().take_while(u8::is_ascii_hexdigit).count();
            if hex > 0 {
                out.replace_range(start..start + hex, "<auto>");
                changed = true;
            }
        }
    }
    changed.then_some(out)
}

fn replace_number(text: &mut String, mark: &str, digit: impl Fn(char) -> bool) -> bool {
    let mut from = 0;
    let mut changed = false;
    while let Some(at) = text[from..].find(mark).map(|i| i + from + mark.len()) {
        let n = text[at..].chars().take_while(|c| digit(*c)).count();
        if n > 0 {
            text.replace_range(at..at + n, "<auto>");
            changed = true;
        }
        from = at;
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names() {
        for (name, expected) in [
            (
                "sun.reflect.GeneratedMethodAccessor123",
                Some("sun.reflect.GeneratedMethodAccessor"),
            ),
            (
                "sun.reflect.GeneratedConstructorAccessor9",
                Some("sun.reflect.GeneratedConstructorAccessor<auto>"),
            ),
            (
                "a.B$$EnhancerBySpringCGLIB$$1ebdddb0",
                Some("a.B$$EnhancerBySpringCGLIB$$<auto>"),
            ),
            (
                "a.B$$FastClassByCGLIB$$a0bf",
                Some("a.B$$FastClassByCGLIB$$<auto>"),
            ),
            (
                "a.B$HibernateProxy$7oUNwJZX",
                Some("a.B$HibernateProxy$<auto>oUNwJZX"),
            ),
            ("a.b$fn__123", Some("a.b$fn__<auto>")),
            ("a.B_$$_javassist_seam_4", Some("a.B_$$_javassist<auto>")),
            ("a.B", None),
            ("a.B$C", None),
        ] {
            assert_eq!(without_generated_parts(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn ruby() {
        assert_eq!(ruby_name("block in foo"), Some("block"));
        assert_eq!(
            ruby_name("_app_views_x_erb__1234_56789"),
            Some("_app_views_x_erb")
        );
        assert_eq!(ruby_name("call"), None);
        assert_eq!(ruby_name("a_12_1234"), None);
    }
}

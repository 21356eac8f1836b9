//! Stack-trace rules: which frames are the application's, which category they are of, and which take part in
//! grouping.
//!
//! A rule names frames by matchers and says what to do with them. It first finds all frames it matches, then
//! changes them; rules act in their order, so that later ones see and override earlier ones. Two passes: the
//! first settles `in_app` and the category of each frame once, the second settles for each variant which frames
//! contribute.

pub mod glob;
mod memo;
mod parse;
pub(crate) mod text;

use std::cell::OnceCell;
use std::sync::{Arc, LazyLock};

use self::glob::{Glob, PathKey, path_key};
use self::memo::{Hits, Kind};
pub use self::parse::parse;
pub use self::text::RulesError;
use super::Family;

/// The rules that apply to every project.
pub static BUILT_IN: LazyLock<Arc<[Rule]>> = LazyLock::new(|| {
    let mut rules = read_built_in(include_str!("rules/builtin.txt"));
    memo::number(&mut rules);
    rules.into()
});

/// The rules of Sentry's configuration of January 2023, for data that was grouped with them.
pub static RULES_2023: LazyLock<Arc<[Rule]>> =
    LazyLock::new(|| read_built_in(include_str!("rules/builtin-2023-01-11.txt")).into());

/// Whether a built-in rule asks about the exception's value.
pub(super) static BUILT_IN_ASKS_VALUE: LazyLock<bool> = LazyLock::new(|| asks_value(&BUILT_IN));

/// Whether a rule asks about the exception's value.
pub(super) fn asks_value(rules: &[Rule]) -> bool {
    rules
        .iter()
        .flat_map(|r| r.matchers.iter().chain(&r.caller).chain(&r.callee))
        .any(|m| matches!(m.test, Test::Error(Field::Value, _)))
}

fn read_built_in(text: &str) -> Vec<Rule> {
    parse(text).unwrap_or_else(|e| panic!("the rules in the program are wrong: {e}"))
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// A matcher on the frame before (that which called).
    pub caller: Option<Matcher>,
    /// Matchers on the frame itself; all must hold.
    pub matchers: Vec<Matcher>,
    /// A matcher on the frame after (that which was called).
    pub callee: Option<Matcher>,
    /// What to do with the frames.
    pub actions: Vec<Action>,
    /// The line it was written as.
    pub text: Box<str>,
}

/// A condition on one frame.
#[derive(Debug)]
pub struct Matcher {
    /// Whether it holds when the test does not.
    pub negated: bool,
    /// What is tested.
    pub test: Test,
    /// The number of a built-in pattern, under which its matches are remembered.
    number: Option<(Kind, u16)>,
}

/// A field that is compared by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// The frame's function.
    Function,
    /// The frame's module.
    Module,
    /// The exception's type.
    Type,
    /// The exception's value.
    Value,
    /// The type of the exception's mechanism.
    Mechanism,
}

/// What a matcher tests.
#[derive(Debug)]
pub enum Test {
    /// Function or module.
    Name(Field, Glob),
    /// The category that earlier rules gave.
    Category(Glob),
    /// `abs_path`, else `filename`.
    Path(Glob),
    /// The package (library file).
    Package(Glob),
    /// The platform's family.
    Family(Families),
    /// Whether the frame is in app; a value that is neither matches nothing.
    App(Option<bool>),
    /// Type, value or mechanism of the exception.
    Error(Field, Glob),
}

/// A set of platform families.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Families(u8);

impl Families {
    /// All of them.
    pub const ALL: Families = Families(7);

    fn add(&mut self, family: Family) {
        self.0 |= 1 << family as u8;
    }

    fn has(self, family: Family) -> bool {
        self.0 & (1 << family as u8) != 0
    }
}

/// The frames an action changes, seen from the matched one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// The matched frame.
    This,
    /// All frames after it, towards the crash (`^`).
    Callees,
    /// All frames before it (`v`).
    Callers,
}

/// What a rule does.
#[derive(Debug)]
pub enum Action {
    /// Sets `in_app`.
    App(Span, bool),
    /// Sets whether frames contribute.
    Group(Span, bool),
    /// Names the category.
    Category(Box<str>),
    /// Keeps the contributing frames nearest the crash.
    MaxFrames(usize),
    /// With fewer contributing frames the stack does not count.
    MinFrames(usize),
}

/// A frame as the rules see it.
#[derive(Debug)]
pub struct RuleFrame<'a> {
    function: &'a str,
    module: Option<&'a str>,
    path: Option<&'a str>,
    path_key: OnceCell<PathKey>,
    package: Option<&'a str>,
    package_key: OnceCell<PathKey>,
    hits: [Hits; 4],
    family: Family,
    /// In app: set by the client, then by rules.
    pub in_app: Option<bool>,
    /// The category that rules gave.
    pub category: Option<&'a str>,
    /// The line of the rule that set `in_app` last.
    pub app_rule: Option<&'a str>,
}

impl<'a> RuleFrame<'a> {
    /// Prepares a frame.
    pub fn new(
        function: Option<&'a str>,
        module: Option<&'a str>,
        path: Option<&'a str>,
        package: Option<&'a str>,
        family: Family,
        in_app: Option<bool>,
    ) -> RuleFrame<'a> {
        let function = function.filter(|f| !f.is_empty()).unwrap_or("<unknown>");
        RuleFrame {
            function,
            module,
            path,
            path_key: OnceCell::new(),
            package,
            package_key: OnceCell::new(),
            hits: memo::hits([Some(function), module, path, package]),
            family,
            in_app,
            category: None,
            app_rule: None,
        }
    }
}

/// What rules may ask about the exception that a stack belongs to.
#[derive(Clone, Copy, Default, Debug)]
pub struct RuleError<'a> {
    /// Its type.
    pub kind: Option<&'a str>,
    /// Its value.
    pub value: Option<&'a str>,
    /// Its mechanism's type.
    pub mechanism: Option<&'a str>,
}

/// What the frames of a stack have at all, by which rules can be passed over.
#[derive(Default)]
struct Facts<'a> {
    families: Families,
    modules: bool,
    paths: bool,
    packages: bool,
    hits: [Hits; 4],
    categories: Vec<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(frames: &[RuleFrame<'a>]) -> Facts<'a> {
        let mut facts = Facts::default();
        for f in frames {
            facts.families.add(f.family);
            facts.modules |= f.module.is_some();
            facts.paths |= f.path.is_some();
            facts.packages |= f.package.is_some();
            for (all, own) in facts.hits.iter_mut().zip(&f.hits) {
                all.join(own);
            }
            if let Some(category) = f.category {
                facts.add(category);
            }
        }
        facts
    }

    fn add(&mut self, category: &'a str) {
        if !self.categories.contains(&category) {
            self.categories.push(category);
        }
    }

    /// Whether no frame can satisfy a matcher.
    fn exclude(&self, m: &Matcher) -> bool {
        if let Some((kind, number)) = m.number {
            return !m.negated && !self.hits[kind as usize].has(number);
        }
        !m.negated
            && match &m.test {
                Test::Family(set) => set.0 & self.families.0 == 0,
                Test::Name(Field::Module, _) => !self.modules,
                Test::Path(_) => !self.paths,
                Test::Package(_) => !self.packages,
                Test::Category(glob) => !self.categories.iter().any(|c| glob.matches(c)),
                _ => false,
            }
    }
}

/// Whether a frame contributes, and which rule said so.
#[derive(Clone, Copy, Debug)]
pub struct Share<'a> {
    /// Whether it does.
    pub contributes: bool,
    /// The line of the rule that decided last.
    pub rule: Option<&'a str>,
}

impl Matcher {
    fn holds(&self, frame: &RuleFrame<'_>, error: &RuleError<'_>) -> bool {
        if let Some((kind, number)) = self.number {
            return frame.hits[kind as usize].has(number) != self.negated;
        }
        let held = match &self.test {
            Test::Name(Field::Module, glob) => frame.module.is_some_and(|m| glob.matches(m)),
            Test::Name(_, glob) => glob.matches(frame.function),
            Test::Category(glob) => frame.category.is_some_and(|c| glob.matches(c)),
            Test::Path(glob) => frame
                .path
                .is_some_and(|p| glob.matches_path(frame.path_key.get_or_init(|| path_key(p)))),
            Test::Package(glob) => frame
                .package
                .is_some_and(|p| glob.matches_path(frame.package_key.get_or_init(|| path_key(p)))),
            Test::Family(set) => set.has(frame.family),
            Test::App(wanted) => *wanted == Some(frame.in_app.unwrap_or(false)),
            Test::Error(field, glob) => {
                let text = match field {
                    Field::Type => error.kind,
                    Field::Value => error.value,
                    _ => error.mechanism,
                };
                glob.matches(text.unwrap_or("<unknown>"))
            }
        };
        held != self.negated
    }

    /// Whether the test does not look at the frame.
    fn is_about_error(&self) -> bool {
        matches!(self.test, Test::Error(..))
    }
}

impl Rule {
    fn matches(&self, frames: &[RuleFrame<'_>], i: usize, error: &RuleError<'_>) -> bool {
        self.matchers
            .iter()
            .all(|m| m.is_about_error() || m.holds(&frames[i], error))
            && self
                .caller
                .as_ref()
                .is_none_or(|m| i > 0 && m.holds(&frames[i - 1], error))
            && self
                .callee
                .as_ref()
                .is_none_or(|m| i + 1 < frames.len() && m.holds(&frames[i + 1], error))
    }

    fn found(
        &self,
        frames: &[RuleFrame<'_>],
        facts: &Facts<'_>,
        error: &RuleError<'_>,
        out: &mut Vec<usize>,
    ) {
        out.clear();
        let neighbours = self.caller.iter().chain(&self.callee);
        if self.matchers.iter().chain(neighbours).any(|m| facts.exclude(m))
            || self
                .matchers
                .iter()
                .any(|m| m.is_about_error() && frames.first().is_none_or(|f| !m.holds(f, error)))
        {
            return;
        }
        out.extend((0..frames.len()).filter(|&i| self.matches(frames, i, error)));
    }
}

fn span(of: Span, i: usize, len: usize) -> std::ops::Range<usize> {
    match of {
        Span::This => i..i + 1,
        Span::Callees => i + 1..len,
        Span::Callers => 0..i,
    }
}

/// The first pass: settles `in_app` and category.
pub fn classify<'a>(rules: &[&'a [Rule]], frames: &mut [RuleFrame<'a>], error: &RuleError<'_>) {
    let mut facts = Facts::of(frames);
    let len = frames.len();
    let mut found = Vec::new();
    for rule in rules.iter().flat_map(|r| r.iter()) {
        if !rule
            .actions
            .iter()
            .any(|a| matches!(a, Action::App(..) | Action::Category(_)))
        {
            continue;
        }
        rule.found(frames, &facts, error, &mut found);
        for &i in &found {
            for action in &rule.actions {
                match action {
                    Action::App(of, flag) => {
                        for f in &mut frames[span(*of, i, len)] {
                            f.in_app = Some(*flag);
                            f.app_rule = Some(&rule.text);
                        }
                    }
                    Action::Category(name) => {
                        frames[i].category = Some(name);
                        facts.add(name);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The second pass: settles which frames contribute, from what `shares` says so far. `only_app` is the variant
/// in which frames that are not in app never do. The answer says whether the stack as a whole may count, and
/// by which rule not.
pub fn contribute<'a>(
    rules: &[&'a [Rule]],
    frames: &[RuleFrame<'a>],
    error: &RuleError<'_>,
    only_app: bool,
    shares: &mut [Share<'a>],
) -> Result<(), &'a str> {
    let facts = Facts::of(frames);
    let mut found = Vec::new();
    let mut most: Option<(usize, &'a str)> = None;
    let mut least: Option<(usize, &'a str)> = None;
    for rule in rules.iter().flat_map(|r| r.iter()) {
        if rule
            .actions
            .iter()
            .all(|a| matches!(a, Action::App(..) | Action::Category(_)))
        {
            continue;
        }
        rule.found(frames, &facts, error, &mut found);
        for &i in &found {
            for action in &rule.actions {
                match action {
                    Action::Group(of, flag) => {
                        for share in &mut shares[span(*of, i, frames.len())] {
                            *share = Share {
                                contributes: *flag,
                                rule: Some(&rule.text),
                            };
                        }
                    }
                    Action::MaxFrames(n) => most = Some((*n, &rule.text)),
                    Action::MinFrames(n) => least = Some((*n, &rule.text)),
                    _ => {}
                }
            }
        }
    }
    if only_app {
        for (share, frame) in shares.iter_mut().zip(frames) {
            if frame.in_app != Some(true) {
                share.contributes = false;
            }
        }
    }
    if let Some((n, rule)) = most.filter(|(n, _)| *n > 0) {
        let mut left = n;
        for share in shares.iter_mut().rev().filter(|s| s.contributes) {
            if left == 0 {
                *share = Share {
                    contributes: false,
                    rule: Some(rule),
                };
            }
            left = left.saturating_sub(1);
        }
    }
    match least {
        Some((n, rule)) if shares.iter().filter(|s| s.contributes).count() < n => Err(rule),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(names: &[&'static str]) -> Vec<RuleFrame<'static>> {
        names
            .iter()
            .map(|n| RuleFrame::new(Some(n), None, None, None, Family::Other, None))
            .collect()
    }

    fn apply(text: &str, names: &[&'static str]) -> (Vec<Option<bool>>, Vec<bool>) {
        let rules: &'static [Rule] = Vec::leak(parse(text).unwrap());
        let mut frames = frames(names);
        classify(&[rules], &mut frames, &RuleError::default());
        let mut shares = vec![
            Share {
                contributes: true,
                rule: None
            };
            frames.len()
        ];
        let _ = contribute(&[rules], &frames, &RuleError::default(), false, &mut shares);
        (
            frames.iter().map(|f| f.in_app).collect(),
            shares.iter().map(|s| s.contributes).collect(),
        )
    }

    #[test]
    fn the_built_in_rules_are_readable() {
        assert!(BUILT_IN.len() > 250);
        assert!(RULES_2023.len() > 250);
    }

    #[test]
    fn spans_leave_the_matched_frame_alone() {
        let (_, shares) = apply("function:b ^-group", &["a", "b", "c"]);
        assert_eq!(shares, [true, true, false]);
        let (_, shares) = apply("function:b v-group -group", &["a", "b", "c"]);
        assert_eq!(shares, [false, false, true]);
    }

    #[test]
    fn neighbours() {
        let (app, _) = apply("[ function:a ] | function:b +app", &["a", "b", "b"]);
        assert_eq!(app, [None, Some(true), None]);
        let (app, _) = apply("function:b | [ !function:b ] +app", &["a", "b", "b"]);
        assert_eq!(app, [None, None, None]);
    }

    #[test]
    fn errors_name_the_place() {
        for (text, message) in [
            (
                "function:a +app\n-app",
                "line 2, character 1: expected a matcher such as `function:name`",
            ),
            ("colour:red +app", "line 1, character 1: unknown matcher `colour`"),
            (
                "function:a +nothing",
                "line 1, character 12: expected `app` or `group` after the sign",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }
}

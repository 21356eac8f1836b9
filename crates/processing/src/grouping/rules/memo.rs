//! Which built-in patterns match a function, module, path or package: looked up once for each text and thread, as
//! the frames of an application repeat all day.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::glob::{Glob, path_key};
use super::{BUILT_IN, Field, Matcher, Rule, Test};

/// Texts of one kind that a thread remembers.
const REMEMBERED: usize = 8192;

/// Longer texts are not remembered, bytes.
const MAX_LENGTH: usize = 512;

/// Words of a set of patterns; one kind may have 64 times as many patterns.
const WORDS: usize = 5;

/// What a pattern is matched against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Function,
    Module,
    Path,
    Package,
}

const KINDS: [Kind; 4] = [Kind::Function, Kind::Module, Kind::Path, Kind::Package];

/// The patterns of one kind that match a text.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Hits([u64; WORDS]);

impl Hits {
    pub(super) fn has(&self, number: u16) -> bool {
        self.0[usize::from(number / 64)] & (1 << (number % 64)) != 0
    }

    pub(super) fn join(&mut self, other: &Hits) {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a |= b;
        }
    }

    fn add(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }
}

fn pattern(test: &Test) -> Option<(Kind, &Glob)> {
    match test {
        Test::Name(Field::Function, glob) => Some((Kind::Function, glob)),
        Test::Name(Field::Module, glob) => Some((Kind::Module, glob)),
        Test::Path(glob) => Some((Kind::Path, glob)),
        Test::Package(glob) => Some((Kind::Package, glob)),
        _ => None,
    }
}

fn matchers(rule: &Rule) -> impl Iterator<Item = &Matcher> {
    rule.matchers.iter().chain(&rule.caller).chain(&rule.callee)
}

/// Numbers the patterns of the built-in rules within their kinds.
pub(super) fn number(rules: &mut [Rule]) {
    let mut next = [0u16; 4];
    for rule in rules {
        for m in rule
            .matchers
            .iter_mut()
            .chain(&mut rule.caller)
            .chain(&mut rule.callee)
        {
            m.number = pattern(&m.test).map(|(kind, _)| {
                let number = next[kind as usize];
                next[kind as usize] += 1;
                (kind, number)
            });
        }
    }
    assert!(
        next.iter().all(|n| usize::from(*n) <= WORDS * 64),
        "too many built-in patterns for a set"
    );
}

/// The built-in patterns by kind, in the order of their numbers.
static PATTERNS: LazyLock<[Vec<Glob>; 4]> = LazyLock::new(|| {
    let mut out: [Vec<Glob>; 4] = Default::default();
    for (kind, glob) in BUILT_IN
        .iter()
        .flat_map(matchers)
        .filter_map(|m| pattern(&m.test))
    {
        out[kind as usize].push(glob.clone());
    }
    out
});

thread_local! {
    static KNOWN: RefCell<[HashMap<Box<str>, Hits>; 4]> = RefCell::default();
}

/// The built-in patterns that match function, module, path and package of a frame.
pub(super) fn hits(texts: [Option<&str>; 4]) -> [Hits; 4] {
    KNOWN.with_borrow_mut(|known| {
        KINDS.map(|kind| {
            let Some(text) = texts[kind as usize] else {
                return Hits::default();
            };
            let known = &mut known[kind as usize];
            if let Some(hits) = known.get(text) {
                return *hits;
            }
            let hits = look(kind, text);
            if known.len() >= REMEMBERED {
                known.clear();
            }
            if text.len() <= MAX_LENGTH {
                known.insert(text.into(), hits);
            }
            hits
        })
    })
}

fn look(kind: Kind, text: &str) -> Hits {
    let mut hits = Hits::default();
    let patterns = PATTERNS[kind as usize].iter().enumerate();
    if matches!(kind, Kind::Path | Kind::Package) {
        let key = path_key(text);
        patterns
            .filter(|(_, g)| g.matches_path(&key))
            .for_each(|(i, _)| hits.add(i));
    } else {
        patterns
            .filter(|(_, g)| g.matches(text))
            .for_each(|(i, _)| hits.add(i));
    }
    hits
}

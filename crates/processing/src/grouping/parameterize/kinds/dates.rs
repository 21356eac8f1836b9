//! Dates and times in all the forms that logs hold.

use std::sync::LazyLock;

use regex::Regex;

use super::Scan;

const WEEKDAYS: [&[u8]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];
const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

const DAY: &str = "(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat)";
const LONG_DAY: &str = "(?:Sunday|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday)";
const MONTH: &str = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const ZONE: &str = "(?:[+-][0-9]{2}[0-5][0-9]|UT|GMT|UTC|[ECMP][SD]T|[A-IK-Z])";

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|e| panic!("a pattern in the program is wrong: {e}"))
}

/// Dates that begin with the name of a day or month.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    let clock = "[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2})?";
    compile(&format!(
        "^(?:(?:{DAY}|{LONG_DAY}), [0-9]{{1,2}}[ -]{MONTH}[ -][0-9]{{2,4}} {clock} {ZONE}\
         |{DAY} {MONTH} [0-9]{{1,2}} [0-9]{{4}} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}} GMT[+-][0-9]{{4}}(?: \\([A-Za-z0-9 +-]{{1,60}}\\))?\
         |(?:{DAY} +)?{MONTH} +[0-9]{{1,2}} +[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?: {ZONE})? +[0-9]{{4}}\
         |(?:{DAY} )?{MONTH} [0-3][0-9], [0-9]{{2,4}})"
    ))
});

/// Dates and times that begin with a digit.
static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    let date = "[0-9]{4}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12][0-9]|3[01])";
    let zone = "(?:Z?[+-]?[0-9]{2}:[0-9]{2}|Z| ?[+-][0-9]{4}| [+-][0-9]{2}:[0-9]{2})?";
    let hour24 = "(?:2[0-3]|[01]?[0-9])";
    let hour12 = "(?:1[0-2]|0?[1-9])";
    compile(&format!(
        "^(?:[0-9]{{1,2}} {MONTH} [0-9]{{2,4}} [0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}})? {ZONE}\
         |{date}[ T](?:2[0-3]|[01][0-9]):?[0-5][0-9](?::?[0-5][0-9](?:[.,][0-9]+)?)?{zone}\
         |[0-9]{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])\
         |{hour12}:[0-5][0-9](?::[0-5][0-9])? ?[aApP][mM]\
         |{hour24}:[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?)"
    ))
});

/// What Python prints for a date.
static OBJECT: LazyLock<Regex> =
    LazyLock::new(|| compile(r"^datetime\.datetime\([^()]*(?:\([^()]*\))?[^()]*\)"));

impl Scan<'_> {
    /// A date, a time or both.
    pub(super) fn date(&self, text: &str) -> Option<usize> {
        let b = self.first();
        let before = self.before();
        if !(b.is_ascii_digit() || b.is_ascii_uppercase() || b == b'd') || before.is_ascii_alphanumeric() {
            return None;
        }
        let rest = text.get(self.i..)?;
        let found = if b.is_ascii_digit() {
            // What a date or a time begins with: `2`, `02` or `2006`, then a mark; or eight digits.
            let n = self.digits(self.i);
            let mark = self.at(self.i + n);
            let plausible = match n {
                1 | 2 => mark == b':' || mark == b' ',
                4 => mark == b'-',
                8 => matches!(mark, b' ' | b'T'),
                _ => false,
            };
            if !plausible || matches!(before, b':') {
                return None;
            }
            DIGITS.find(rest)?
        } else if b == b'd' {
            rest.starts_with("datetime.datetime(")
                .then(|| OBJECT.find(rest))??
        } else {
            let name = rest.as_bytes().get(..3)?;
            (WEEKDAYS.contains(&name) || MONTHS.contains(&name)).then(|| NAMES.find(rest))??
        };
        let end = self.i + found.end();
        let next = self.at(end);
        if next.is_ascii_digit() || next == b':' && self.at(end + 1).is_ascii_digit() {
            return None;
        }
        (b == b'd' || !next.is_ascii_alphanumeric()).then_some(found.end())
    }
}

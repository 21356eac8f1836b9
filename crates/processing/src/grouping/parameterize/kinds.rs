//! The kinds of variable parts, each with a scanner that looks at one position of a text.

mod dates;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

/// A kind of variable part. The order is that in which they are tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An e-mail address.
    Email,
    /// A URL up to the next white space.
    Url,
    /// A host name under a well-known top-level domain.
    Hostname,
    /// A trace header of W3C or AWS.
    Traceparent,
    /// A UUID.
    Uuid,
    /// 40 hex digits.
    Sha1,
    /// 32 hex digits.
    Md5,
    /// A date, a time or both.
    Date,
    /// `12ms`, `1.5s`.
    Duration,
    /// A hardware address.
    Mac,
    /// An address of IP version 4 or 6.
    Ip,
    /// A transaction id of OpenStack Swift.
    SwiftTxnId,
    /// A hexadecimal number.
    Hex,
    /// The seven digits of an abbreviated Git commit.
    GitSha,
    /// Letters and digits in wild mixture.
    RandomId,
    /// A number with a decimal point.
    Float,
    /// A whole number.
    Int,
    /// A text in quotes after `=`.
    QuotedStr,
    /// True or false after `=`.
    Bool,
}

/// What a scanner says about a position.
pub(super) enum Found {
    /// A match of this many bytes.
    Yes(usize),
    /// No match.
    No,
    /// It looks like an address and is none.
    Broken,
}

impl From<Option<usize>> for Found {
    fn from(len: Option<usize>) -> Self {
        len.map_or(Found::No, Found::Yes)
    }
}

impl Kind {
    /// All kinds in their order.
    pub const ALL: [Kind; 19] = [
        Kind::Email,
        Kind::Url,
        Kind::Hostname,
        Kind::Traceparent,
        Kind::Uuid,
        Kind::Sha1,
        Kind::Md5,
        Kind::Date,
        Kind::Duration,
        Kind::Mac,
        Kind::Ip,
        Kind::SwiftTxnId,
        Kind::Hex,
        Kind::GitSha,
        Kind::RandomId,
        Kind::Float,
        Kind::Int,
        Kind::QuotedStr,
        Kind::Bool,
    ];

    /// Its bit in a set of kinds.
    pub(super) const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The name that stands for a match.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Email => "email",
            Kind::Url => "url",
            Kind::Hostname => "hostname",
            Kind::Traceparent => "traceparent",
            Kind::Uuid => "uuid",
            Kind::Sha1 => "sha1",
            Kind::Md5 => "md5",
            Kind::Date => "date",
            Kind::Duration => "duration",
            Kind::Mac => "mac",
            Kind::Ip => "ip",
            Kind::SwiftTxnId => "swift_txn_id",
            Kind::Hex => "hex",
            Kind::GitSha => "git_sha",
            Kind::RandomId => "random_id",
            Kind::Float => "float",
            Kind::Int => "int",
            Kind::QuotedStr => "quoted_str",
            Kind::Bool => "bool",
        }
    }

    /// Looks whether a part of this kind starts at `i`.
    pub(super) fn find(self, text: &str, i: usize) -> Found {
        let t = Scan {
            bytes: text.as_bytes(),
            i,
        };
        match self {
            Kind::Email => t.email().into(),
            Kind::Url => t.url().into(),
            Kind::Hostname => t.hostname().into(),
            Kind::Traceparent => t.traceparent().into(),
            Kind::Uuid => t.uuid().into(),
            Kind::Sha1 => t.hex_of(40).into(),
            Kind::Md5 => t.hex_of(32).into(),
            Kind::Date => t.date(text).into(),
            Kind::Duration => t.duration().into(),
            Kind::Mac => t.mac().into(),
            Kind::Ip => t.ip(text),
            Kind::SwiftTxnId => t.swift().into(),
            Kind::Hex => t.hex().into(),
            Kind::GitSha => t.git_sha().into(),
            Kind::RandomId => t.random_id().into(),
            Kind::Float => t.float().into(),
            Kind::Int => t.int().into(),
            Kind::QuotedStr => t.quoted().into(),
            Kind::Bool => t.boolean().into(),
        }
    }
}

/// Which kinds a byte can start.
pub(super) static STARTS: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 128 {
        table[i] = starts(i as u8);
        i += 1;
    }
    table
};

const fn starts(b: u8) -> u32 {
    let words = Kind::Email.bit() | Kind::Hostname.bit() | Kind::RandomId.bit();
    let hex = Kind::Uuid.bit()
        | Kind::Sha1.bit()
        | Kind::Md5.bit()
        | Kind::Mac.bit()
        | Kind::Ip.bit()
        | Kind::Hex.bit()
        | Kind::GitSha.bit();
    let named = match b {
        b'A'..=b'Z' | b'd' => Kind::Date.bit(),
        _ => 0,
    } | match b {
        b't' => Kind::SwiftTxnId.bit() | Kind::Bool.bit(),
        b'T' | b'F' | b'f' => Kind::Bool.bit(),
        _ => 0,
    } | match b {
        b'h' | b'w' | b'f' => Kind::Url.bit(),
        _ => 0,
    };
    match b {
        b'0'..=b'9' => {
            words
                | hex
                | Kind::Traceparent.bit()
                | Kind::Date.bit()
                | Kind::Duration.bit()
                | Kind::Float.bit()
                | Kind::Int.bit()
        }
        b'a'..=b'f' | b'A'..=b'F' => words | hex | named,
        b'g'..=b'z' | b'G'..=b'Z' => words | named,
        b'-' => Kind::Email.bit() | Kind::Hex.bit() | Kind::Float.bit() | Kind::Int.bit(),
        b':' => Kind::Ip.bit(),
        b'\'' => Kind::Email.bit() | Kind::QuotedStr.bit(),
        b'"' => Kind::QuotedStr.bit(),
        b'!'..=b'~' => Kind::Email.bit(),
        _ => 0,
    }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

/// Longest host name, bytes.
const MAX_HOST: usize = 253;

/// Top-level domains by which host names are recognised.
const DOMAINS: &str = " com net org jp de uk fr br it ru es me gov pl ca au cn co in nl edu info eu ch id at kr cz \
    mx be tv se tr tw al ua ir vn cl sk ly cc to no fi us pt dk ar hu tk gr il news ro my biz ie za nz sg ee th io \
    xyz pe bg hk rs lt link ph club si site mobi by cat wiki la ga xxx cf hr ng jobs online kz ug gq ae is lv pro \
    fm tips ms sa app ";

/// Whether an e-mail address starts at `i`. If none does, none starts later in the same name.
pub(super) fn is_email(bytes: &[u8], i: usize) -> bool {
    Scan { bytes, i }.email().is_some()
}

/// Where the name of an e-mail address that starts at `i` ends.
pub(super) fn end_of_name(bytes: &[u8], i: usize) -> usize {
    let name = |b: &&u8| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(b);
    i + bytes[i..].iter().take_while(name).count()
}

struct Scan<'a> {
    bytes: &'a [u8],
    i: usize,
}

impl Scan<'_> {
    fn at(&self, i: usize) -> u8 {
        self.bytes.get(i).copied().unwrap_or(0)
    }

    fn first(&self) -> u8 {
        self.at(self.i)
    }

    fn before(&self) -> u8 {
        if self.i == 0 { 0 } else { self.at(self.i - 1) }
    }

    /// How many bytes from `i` satisfy a test.
    fn count(&self, i: usize, test: impl Fn(u8) -> bool) -> usize {
        self.bytes[i.min(self.bytes.len())..]
            .iter()
            .take_while(|b| test(**b))
            .count()
    }

    fn digits(&self, i: usize) -> usize {
        self.count(i, |b| b.is_ascii_digit())
    }

    /// A word boundary in front of the position (`_` belongs to words).
    fn starts(&self) -> bool {
        !is_word(self.before())
    }

    /// A boundary in front of the position where `_` parts as well.
    fn starts_loosely(&self) -> bool {
        !is_word(self.before()) || self.before() == b'_'
    }

    fn ends(&self, i: usize) -> bool {
        !is_word(self.at(i))
    }

    fn ends_loosely(&self, i: usize) -> bool {
        self.ends(i) || self.at(i) == b'_'
    }

    fn email(&self) -> Option<usize> {
        let at = end_of_name(self.bytes, self.i);
        if at == self.i || self.at(at) != b'@' {
            return None;
        }
        let label = |i| self.count(i, |b| b.is_ascii_alphanumeric() || b == b'-');
        let mut end = at + 1 + label(at + 1);
        if end == at + 1 {
            return None;
        }
        while self.at(end) == b'.' {
            let n = label(end + 1);
            if n == 0 {
                break;
            }
            end += 1 + n;
        }
        Some(end - self.i)
    }

    fn url(&self) -> Option<usize> {
        if !self.starts() {
            return None;
        }
        let rest = &self.bytes[self.i..];
        let scheme: &[u8] = [&b"https://"[..], b"http://", b"wss://", b"ws://", b"ftp://"]
            .into_iter()
            .find(|s| rest.starts_with(s))?;
        let tail = &rest[scheme.len()..];
        if tail
            .first()
            .is_none_or(|b| b.is_ascii_whitespace() || b"/$.?#".contains(b))
        {
            return None;
        }
        let n = tail.iter().take_while(|b| !b.is_ascii_whitespace()).count();
        (n > 1).then_some(scheme.len() + n)
    }

    fn hostname(&self) -> Option<usize> {
        if !self.starts() || !self.first().is_ascii_alphanumeric() {
            return None;
        }
        let label = |i: usize| {
            let rest = self.bytes[i.min(self.bytes.len())..].iter().take(64);
            rest.take_while(|b| b.is_ascii_alphanumeric() || **b == b'-')
                .count()
        };
        let mut i = self.i;
        let mut first = true;
        loop {
            let n = label(i);
            if n == 0 || n > 63 || i - self.i > MAX_HOST {
                return None;
            }
            let word = &self.bytes[i..i + n];
            let letters = word.iter().take_while(|b| b.is_ascii_alphabetic()).count();
            if !first && letters == n && self.ends(i + n) && is_domain(word) {
                return Some(i + n - self.i);
            }
            // A known ending may be followed by a dash: `example.com-x`.
            if !first && letters < n && word[letters] == b'-' && is_domain(&word[..letters]) {
                return Some(i + letters - self.i);
            }
            first = false;
            i += n;
            if self.at(i) != b'.' {
                return None;
            }
            i += 1;
        }
    }

    /// Hex digits and dashes in groups of the given lengths.
    fn groups(&self, from: usize, lengths: &[usize], lower: bool) -> Option<usize> {
        let mut i = from;
        for (k, n) in lengths.iter().enumerate() {
            if k > 0 {
                if self.at(i) != b'-' {
                    return None;
                }
                i += 1;
            }
            let digits = self.count(i, |b| b.is_ascii_hexdigit() && !(lower && b.is_ascii_uppercase()));
            if digits < *n {
                return None;
            }
            i += n;
        }
        Some(i)
    }

    fn traceparent(&self) -> Option<usize> {
        if !self.starts() {
            return None;
        }
        let rest = &self.bytes[self.i..];
        let end = if rest.starts_with(b"00-") {
            let end = self.groups(self.i + 3, &[32, 16, 2], true)?;
            matches!(&self.bytes[end - 2..end], b"00" | b"01").then_some(end)?
        } else if rest.starts_with(b"1-") {
            self.groups(self.i + 2, &[8, 24], true)?
        } else {
            return None;
        };
        self.ends(end).then_some(end - self.i)
    }

    fn uuid(&self) -> Option<usize> {
        if !self.starts() || !self.first().is_ascii_hexdigit() {
            return None;
        }
        let end = self.groups(self.i, &[8, 4, 4, 4, 12], false)?;
        self.ends(end).then_some(end - self.i)
    }

    fn hex_of(&self, n: usize) -> Option<usize> {
        (self.starts() && self.count(self.i, |b| b.is_ascii_hexdigit()) == n && self.ends(self.i + n))
            .then_some(n)
    }

    fn duration(&self) -> Option<usize> {
        if !self.starts() || !self.first().is_ascii_digit() {
            return None;
        }
        let mut i = self.i + self.digits(self.i);
        let whole = i;
        if self.at(i) == b'.' {
            let n = self.digits(i + 1);
            if n > 0 {
                i += 1 + n;
            }
        }
        let end = if self.at(i) == b's' {
            i + 1
        } else if i == whole && self.at(i) == b'm' && self.at(i + 1) == b's' {
            i + 2
        } else {
            return None;
        };
        self.ends(end).then_some(end - self.i)
    }

    fn mac(&self) -> Option<usize> {
        if !self.starts() || !self.first().is_ascii_hexdigit() {
            return None;
        }
        let hex = |i: usize, n: usize| self.count(i, |b| b.is_ascii_hexdigit()) == n;
        let i = self.i;
        let mark = self.at(i + 2);
        let end = if hex(i, 2) && matches!(mark, b':' | b'-' | b' ') {
            (1..6)
                .all(|k| self.at(i + 3 * k - 1) == mark && hex(i + 3 * k, 2))
                .then_some(i + 17)?
        } else if hex(i, 4) && self.at(i + 4) == b'.' {
            (1..3)
                .all(|k| self.at(i + 5 * k - 1) == b'.' && hex(i + 5 * k, 4))
                .then_some(i + 14)?
        } else {
            return None;
        };
        (self.ends(end) && self.at(end) != mark).then_some(end - i)
    }

    fn ip(&self, text: &str) -> Found {
        let first = self.first();
        if !(first.is_ascii_hexdigit() || first == b':') || is_word(self.before()) {
            return Found::No;
        }
        self.ip6(text).unwrap_or_else(|| self.ip4(text))
    }

    fn ip4(&self, text: &str) -> Found {
        let mut i = self.i;
        for part in 0..4 {
            let n = self.digits(i);
            if n == 0 || n > 3 {
                return Found::No;
            }
            i += n;
            if part < 3 {
                if self.at(i) != b'.' {
                    return Found::No;
                }
                i += 1;
            }
        }
        if !self.ends(i) {
            return Found::No;
        }
        let valid = text[self.i..i]
            .split('.')
            .all(|p| p.parse::<u16>().is_ok_and(|n| n < 256));
        if valid || text[self.i..i].parse::<Ipv4Addr>().is_ok() {
            Found::Yes(i - self.i)
        } else {
            Found::Broken
        }
    }

    fn ip6(&self, text: &str) -> Option<Found> {
        if self.before() == b':' {
            return None;
        }
        let n = self.count(self.i, |b| b.is_ascii_hexdigit() || b == b':');
        let colons = self.bytes[self.i..self.i + n]
            .iter()
            .filter(|b| **b == b':')
            .count();
        if colons < 2 {
            return None;
        }
        let mut end = self.i + n;
        // A tail of version 4: the digits behind the last colon belong to it.
        if self.at(end) == b'.' {
            let tail = self.count(end, |b| b.is_ascii_digit() || b == b'.');
            end += tail;
        }
        let mut address = &text[self.i..end];
        // A colon that only ends the address.
        while address.ends_with(':') && !address.ends_with("::") {
            end -= 1;
            address = &text[self.i..end];
        }
        address.parse::<Ipv6Addr>().ok()?;
        if self.at(end) == b'%' {
            let zone = self.count(end + 1, |b| b.is_ascii_alphanumeric());
            if zone > 0 {
                end += 1 + zone;
            }
        }
        if self.at(end) == b'/' {
            let prefix = self.digits(end + 1);
            if (1..=3).contains(&prefix) {
                end += 1 + prefix;
            }
        }
        (!self.at(end).is_ascii_alphanumeric()).then_some(Found::Yes(end - self.i))
    }

    fn swift(&self) -> Option<usize> {
        if !self.starts() || !self.bytes[self.i..].starts_with(b"tx") {
            return None;
        }
        let end = self.groups(self.i + 2, &[21, 10], true)?;
        let suffix = if self.at(end) == b'-' {
            self.count(end, |b| is_word(b) || b == b'-')
        } else {
            0
        };
        let end = end + suffix;
        self.ends(end).then_some(end - self.i)
    }

    /// Steps over a minus sign that no word character precedes.
    fn after_minus(&self) -> Option<usize> {
        if self.first() == b'-' {
            return self.starts().then_some(self.i + 1);
        }
        self.starts_loosely().then_some(self.i)
    }

    fn hex(&self) -> Option<usize> {
        let start = self.after_minus()?;
        if self.at(start) == b'0' && matches!(self.at(start + 1), b'x' | b'X') {
            let n = self.count(start + 2, |b| b.is_ascii_hexdigit());
            let end = start + 2 + n;
            return (n > 0 && self.ends_loosely(end)).then_some(end - self.i);
        }
        let n = self.count(start, |b| b.is_ascii_hexdigit());
        let run = &self.bytes[start..start + n];
        let upper = run.iter().any(u8::is_ascii_uppercase);
        let lower = run.iter().any(u8::is_ascii_lowercase);
        let digit = run.iter().any(u8::is_ascii_digit);
        let fits = match n {
            4..=6 => digit && (upper || lower),
            8..=128 => true,
            _ => false,
        };
        (fits && !(upper && lower) && self.ends_loosely(start + n)).then_some(start + n - self.i)
    }

    fn git_sha(&self) -> Option<usize> {
        let n = self.count(self.i, |b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        if n != 7 || !self.starts_loosely() || !self.ends_loosely(self.i + 7) {
            return None;
        }
        let run = &self.bytes[self.i..self.i + 7];
        (run.iter().any(u8::is_ascii_digit) && run.iter().any(u8::is_ascii_lowercase)).then_some(7)
    }

    fn random_id(&self) -> Option<usize> {
        if !self.starts_loosely() || !self.first().is_ascii_alphanumeric() {
            return None;
        }
        let n = self.count(self.i, |b| b.is_ascii_alphanumeric());
        let run = &self.bytes[self.i..self.i + n];
        let switches = run
            .windows(2)
            .filter(|w| w[0].is_ascii_digit() != w[1].is_ascii_digit())
            .count();
        if n < 4 || switches < 3 || !self.ends_loosely(self.i + n) {
            return None;
        }
        let mixed = run.iter().any(u8::is_ascii_uppercase) && run.iter().any(u8::is_ascii_lowercase);
        (n > 5 || mixed).then_some(n)
    }

    fn float(&self) -> Option<usize> {
        let start = if self.first() == b'-' { self.i + 1 } else { self.i };
        if !self.starts() {
            return None;
        }
        let whole = self.digits(start);
        if whole == 0 || self.at(start + whole) != b'.' {
            return None;
        }
        let fraction = self.digits(start + whole + 1);
        let end = start + whole + 1 + fraction;
        (fraction > 0 && self.ends(end)).then_some(end - self.i)
    }

    fn int(&self) -> Option<usize> {
        let start = self.after_minus()?;
        let n = self.digits(start);
        ((1..=7).contains(&n) && self.ends_loosely(start + n)).then_some(start + n - self.i)
    }

    fn quoted(&self) -> Option<usize> {
        let quote = self.first();
        if self.before() != b'=' || !matches!(quote, b'\'' | b'"') {
            return None;
        }
        let n = self.count(self.i + 1, |b| b != quote);
        (n > 0 && self.at(self.i + 1 + n) == quote).then_some(n + 2)
    }

    fn boolean(&self) -> Option<usize> {
        if self.before() != b'=' {
            return None;
        }
        let rest = &self.bytes[self.i..];
        let word = [&b"True"[..], b"true", b"False", b"false"]
            .into_iter()
            .find(|w| rest.starts_with(w))?;
        Some(word.len())
    }
}

fn is_domain(word: &[u8]) -> bool {
    static SORTED: LazyLock<Vec<&'static [u8]>> = LazyLock::new(|| {
        let mut all: Vec<_> = DOMAINS.split_whitespace().map(str::as_bytes).collect();
        all.sort_unstable();
        all
    });
    if !(2..=8).contains(&word.len()) {
        return false;
    }
    let mut lower = [0; 8];
    let lower = &mut lower[..word.len()];
    lower.copy_from_slice(word);
    let one_case = word.iter().all(u8::is_ascii_uppercase) || word.iter().all(u8::is_ascii_lowercase);
    lower.make_ascii_lowercase();
    one_case && SORTED.binary_search(&&*lower).is_ok()
}

//! Timestamps in microseconds since the Unix epoch, and the clock that gives them.

use std::sync::atomic::{AtomicI64, Ordering};

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds in an hour.
pub const HOUR: i64 = 3600 * SECOND;
/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// Where time comes from. Production reads the system's clock; tests set and advance their own.
pub trait Clock: Send + Sync {
    /// Microseconds since the Unix epoch.
    fn now(&self) -> i64;
}

/// The system's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    fn now(&self) -> i64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock that shows `now` (µs).
    pub fn at(now: i64) -> Self {
        TestClock(AtomicI64::new(now))
    }

    /// Moves the clock forward by `by` µs.
    pub fn advance(&self, by: i64) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The hour of a time, hours since the epoch.
pub fn hour_of(time: i64) -> i64 {
    time.div_euclid(HOUR)
}

/// The number of the day (since 1970-01-01, UTC) of a time.
pub fn day_of(time: i64) -> i32 {
    i32::try_from(time.div_euclid(DAY)).unwrap_or(0)
}

/// Year, month and day of a day number (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub fn civil_from_day(day: i64) -> (i64, u32, u32) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(m <= 2), m as u32, d as u32)
}

/// The day number of a date (same source as [`civil_from_day`]).
pub fn day_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = year - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let m = i64::from(month);
    let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// `2026-11-26T06:35:58.123456Z`; the fraction is left out when it is zero.
pub fn format_rfc3339(time: i64) -> String {
    let (y, m, d) = civil_from_day(time.div_euclid(DAY));
    let within = time.rem_euclid(DAY);
    let (h, min, s, us) = (
        within / HOUR,
        within / MINUTE % 60,
        within / SECOND % 60,
        within % SECOND,
    );
    if us == 0 {
        format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}Z")
    } else {
        format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}.{us:06}Z")
    }
}

/// `2026-11-26` of a day number.
pub fn format_day(day: i32) -> String {
    let (y, m, d) = civil_from_day(i64::from(day));
    format!("{y:04}-{m:02}-{d:02}")
}

/// The day number of `2026-11-26`.
pub fn parse_day(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    let (y, m, d) = (y.parse().ok()?, m.parse().ok()?, d.parse().ok()?);
    valid_date(y, m, d)
        .then(|| i32::try_from(day_from_civil(y, m, d)).ok())
        .flatten()
}

fn valid_date(y: i64, m: u32, d: u32) -> bool {
    if !(1..=12).contains(&m) || d == 0 || !(0..=9999).contains(&y) {
        return false;
    }
    civil_from_day(day_from_civil(y, m, d)) == (y, m, d)
}

/// Reads a time as SDKs write it: RFC 3339 with any offset, a date and time without zone (UTC), a space for
/// the `T`, a date alone, or seconds since the epoch as text. Answers µs.
pub fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-' {
        return parse_iso(text);
    }
    let seconds: f64 = text.parse().ok()?;
    from_seconds(seconds)
}

/// µs of seconds since the epoch; refuses what lies outside the years 0 to 9999. Values above 10^11 are taken
/// as milliseconds, as some clients send them.
pub fn from_seconds(seconds: f64) -> Option<i64> {
    let seconds = if seconds.abs() > 1e11 {
        seconds / 1000.0
    } else {
        seconds
    };
    let us = (seconds * 1e6).round();
    (us.is_finite() && us.abs() < 2.53e17).then_some(us as i64)
}

fn parse_iso(text: &str) -> Option<i64> {
    let num = |s: &str| -> Option<i64> {
        (!s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()))
            .then(|| s.parse().ok())
            .flatten()
    };
    let y = num(text.get(0..4)?)?;
    let m = u32::try_from(num(text.get(5..7)?)?).ok()?;
    let d = u32::try_from(num(text.get(8..10)?)?).ok()?;
    if !valid_date(y, m, d) {
        return None;
    }
    let mut us = day_from_civil(y, m, d) * DAY;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(us);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let h = num(rest.get(0..2)?)?;
    let min = num(rest.get(2..)?.strip_prefix(':')?.get(0..2)?)?;
    let mut rest = rest.get(5..)?;
    let mut s = 0;
    if let Some(after) = rest.strip_prefix(':') {
        s = num(after.get(0..2)?)?;
        rest = after.get(2..)?;
    }
    if h > 23 || min > 59 || s > 60 {
        return None;
    }
    us += h * HOUR + min * MINUTE + s * SECOND;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        let mut scale = 100_000;
        for b in fraction.bytes().take(digits.min(6)) {
            us += i64::from(b - b'0') * scale;
            scale /= 10;
        }
        rest = &fraction[digits..];
    }
    match rest.trim() {
        "" | "Z" | "z" | "UTC" => Some(us),
        offset => {
            let (sign, digits) = match offset.as_bytes()[0] {
                b'+' => (1, &offset[1..]),
                b'-' => (-1, &offset[1..]),
                _ => return None,
            };
            let digits = digits.replace(':', "");
            let (oh, om) = match digits.len() {
                2 => (num(&digits)?, 0),
                4 => (num(&digits[..2])?, num(&digits[2..])?),
                _ => return None,
            };
            Some(us - sign * (oh * HOUR + om * MINUTE))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_in_every_form_that_sdks_send() {
        let t = 1_700_000_000 * SECOND;
        assert_eq!(parse_time("2023-11-14T22:13:20Z"), Some(t));
        assert_eq!(parse_time("2023-11-14T22:13:20"), Some(t));
        assert_eq!(parse_time("2023-11-14 22:13:20+00:00"), Some(t));
        assert_eq!(parse_time("2023-11-14T23:13:20+0100"), Some(t));
        assert_eq!(parse_time("2023-11-14T22:13:20.5Z"), Some(t + 500_000));
        assert_eq!(parse_time("2023-11-14T22:13:20.123456789Z"), Some(t + 123_456));
        assert_eq!(parse_time("1700000000.25"), Some(t + 250_000));
        assert_eq!(parse_time("1700000000250"), Some(t + 250_000));
        assert_eq!(parse_time("2023-02-30T00:00:00Z"), None);
        assert_eq!(parse_time("2023-11-14T25:00:00Z"), None);
        assert_eq!(parse_time("soon"), None);
        assert_eq!(parse_time("NaN"), None);
    }

    #[test]
    fn dates_survive_both_ways() {
        for day in (-800_000..800_000).step_by(997) {
            let (y, m, d) = civil_from_day(day);
            assert_eq!(day_from_civil(y, m, d), day);
        }
        assert_eq!(format_rfc3339(1_700_000_000 * SECOND), "2023-11-14T22:13:20Z");
        assert_eq!(
            parse_day("2023-11-14").map(format_day),
            Some("2023-11-14".to_owned())
        );
    }
}

//! How much one caller may ask: so many requests in a window of time, and so many at once.
//!
//! Callers are counted in a table of bounded size; those for whom there is no room share one count. Strangers have a
//! table of their own, so that they take no room from those who are known.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use parking_lot::Mutex;

use crate::answer::ApiError;

/// The length of the window, µs; windows begin at multiples of it.
const WINDOW: i64 = 10_000_000;
/// Callers that are counted apart, in each table.
const CALLERS: usize = 10_000;

/// What one caller may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests in ten seconds.
    pub requests: u32,
    /// Requests at the same time.
    pub at_once: u32,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    /// A user with a session.
    User(i64),
    /// A token, by its hash.
    Token([u8; 16]),
    /// Nobody who is known, from this address; of IPv6 the first half, which one holder has.
    Address(Option<IpAddr>),
    /// All for whom there was no room.
    Others,
}

impl Caller {
    pub(crate) fn token(token: &str) -> Caller {
        let hash = crate::token_hash(token);
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        Caller::Token(key)
    }

    pub(crate) fn address(address: Option<IpAddr>) -> Caller {
        Caller::Address(address.map(|a| match a {
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
            v4 => v4,
        }))
    }
}

#[derive(Debug, Default)]
struct Count {
    /// The number of the window.
    window: i64,
    requests: u32,
    at_once: u32,
}

#[derive(Debug, Default)]
struct Table {
    counts: HashMap<Caller, Count>,
    /// The window in which it was last cleared of callers who ask no more.
    cleared: Option<i64>,
}

impl Table {
    /// The caller under whom a request is counted.
    fn place(&mut self, caller: Caller, window: i64) -> Caller {
        if self.counts.len() < CALLERS || self.counts.contains_key(&caller) {
            return caller;
        }
        if self.cleared != Some(window) {
            self.cleared = Some(window);
            self.counts.retain(|_, c| c.window == window || c.at_once > 0);
        }
        if self.counts.len() < CALLERS {
            caller
        } else {
            Caller::Others
        }
    }
}

/// The counts of all callers.
#[derive(Debug, Default)]
pub struct Rates {
    allowance: Option<Allowance>,
    known: Mutex<Table>,
    strangers: Mutex<Table>,
}

impl Rates {
    /// With what each caller may; nothing means everything.
    pub fn new(allowance: Option<Allowance>) -> Rates {
        Rates {
            allowance,
            ..Rates::default()
        }
    }

    fn table(&self, stranger: bool) -> &Mutex<Table> {
        if stranger { &self.strangers } else { &self.known }
    }

    /// Counts a request from now until the answer is dropped.
    pub(crate) fn begin(self: &Arc<Rates>, caller: Caller, now: i64) -> Turn {
        let Some(allowance) = self.allowance else {
            return Turn::default();
        };
        let stranger = matches!(caller, Caller::Address(_));
        let window = now.div_euclid(WINDOW);
        let mut table = self.table(stranger).lock();
        let caller = table.place(caller, window);
        let count = table.counts.entry(caller).or_default();
        if count.window != window {
            (count.window, count.requests) = (window, 0);
        }
        let crowded = count.at_once >= allowance.at_once;
        let spent = count.requests >= allowance.requests;
        if !spent {
            count.requests += 1;
        }
        let admitted = !crowded && !spent;
        if admitted {
            count.at_once += 1;
        }
        let end = (window + 1) * WINDOW;
        let said = Said {
            allowance,
            remaining: allowance.requests - count.requests,
            free: allowance.at_once - count.at_once,
            reset: end / 1_000_000,
        };
        let refused = if spent {
            let wait = u64::try_from((end - now).div_euclid(1_000_000) + 1).unwrap_or(1);
            let what = format!(
                "Too many requests: one caller may send {} in {} seconds. Wait {wait} s.",
                allowance.requests,
                WINDOW / 1_000_000
            );
            Some((what, wait))
        } else if crowded {
            let what = format!(
                "Too many requests at the same time: one caller may have {} under way.",
                allowance.at_once
            );
            Some((what, 1))
        } else {
            None
        };
        let under_way = admitted.then(|| UnderWay {
            rates: self.clone(),
            caller,
            stranger,
        });
        Turn {
            said: Some(said),
            refused,
            _under_way: under_way,
        }
    }
}

/// A request that is under way.
#[derive(Debug)]
struct UnderWay {
    rates: Arc<Rates>,
    caller: Caller,
    stranger: bool,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut table = self.rates.table(self.stranger).lock();
        if let Some(count) = table.counts.get_mut(&self.caller) {
            count.at_once = count.at_once.saturating_sub(1);
        }
    }
}

#[derive(Debug)]
struct Said {
    allowance: Allowance,
    remaining: u32,
    free: u32,
    reset: i64,
}

/// What became of a request; it counts as under way until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    said: Option<Said>,
    refused: Option<(String, u64)>,
    _under_way: Option<UnderWay>,
}

impl Turn {
    /// Whether it may be done.
    ///
    /// # Errors
    /// 429.
    pub(crate) fn granted(&self) -> Result<(), ApiError> {
        match &self.refused {
            None => Ok(()),
            Some((what, wait)) => Err(ApiError::TooMany(what.clone(), *wait)),
        }
    }

    /// The headers of the answer.
    pub(crate) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let Some(said) = &self.said else { return vec![] };
        [
            ("x-sentry-rate-limit-limit", i64::from(said.allowance.requests)),
            ("x-sentry-rate-limit-remaining", i64::from(said.remaining)),
            ("x-sentry-rate-limit-reset", said.reset),
            (
                "x-sentry-rate-limit-concurrentlimit",
                i64::from(said.allowance.at_once),
            ),
            ("x-sentry-rate-limit-concurrentremaining", i64::from(said.free)),
        ]
        .map(|(name, n)| (HeaderName::from_static(name), HeaderValue::from(n)))
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(requests: u32, at_once: u32) -> Arc<Rates> {
        Arc::new(Rates::new(Some(Allowance { requests, at_once })))
    }

    fn wait(turn: &Turn) -> Option<u64> {
        turn.refused.as_ref().map(|r| r.1)
    }

    fn header(turn: &Turn, name: &str) -> String {
        let all = turn.headers();
        let found = all.iter().find(|(n, _)| n == name).unwrap();
        found.1.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_window_has_so_many_requests() {
        let rates = rates(2, 9);
        let (ann, bob) = (Caller::User(1), Caller::token("sntryu_b"));
        let first = rates.begin(ann, 21_500_000);
        assert_eq!(header(&first, "x-sentry-rate-limit-remaining"), "1");
        assert_eq!(header(&first, "x-sentry-rate-limit-reset"), "30");
        drop(first);
        assert_eq!(wait(&rates.begin(ann, 22_000_000)), None);
        assert_eq!(wait(&rates.begin(ann, 22_500_000)), Some(8));
        assert_eq!(wait(&rates.begin(bob, 22_500_000)), None);
        assert_eq!(wait(&rates.begin(ann, 30_000_000)), None);
    }

    #[test]
    fn what_ended_makes_room() {
        let rates = rates(100, 2);
        let ann = Caller::User(1);
        let first = rates.begin(ann, 0);
        let second = rates.begin(ann, 0);
        assert_eq!(header(&second, "x-sentry-rate-limit-concurrentremaining"), "0");
        let third = rates.begin(ann, 0);
        assert!(matches!(third.granted(), Err(ApiError::TooMany(_, 1))));
        // What was refused holds no place.
        drop((third, first));
        assert_eq!(wait(&rates.begin(ann, 0)), None);
    }

    #[test]
    fn callers_beyond_the_table_share_a_count() {
        let rates = rates(1, 9);
        let address = |n: u32| Caller::address(Some(IpAddr::V4(n.into())));
        for n in 0..CALLERS as u32 {
            assert_eq!(wait(&rates.begin(address(n), 0)), None);
        }
        assert_eq!(wait(&rates.begin(address(1 << 20), 0)), None);
        assert_eq!(wait(&rates.begin(address(1 << 21), 0)), Some(11));
        assert_eq!(rates.strangers.lock().counts.len(), CALLERS + 1);
        // Who is known has a table of their own.
        assert_eq!(wait(&rates.begin(Caller::User(1), 0)), None);
        assert_eq!(wait(&rates.begin(address(1 << 21), WINDOW)), None);
        assert_eq!(rates.strangers.lock().counts.len(), 1);
    }

    #[test]
    fn a_network_is_one_stranger() {
        let of = |text: &str| Caller::address(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }

    #[test]
    fn without_an_allowance_nothing_is_said() {
        let rates = Arc::new(Rates::new(None));
        assert!(rates.begin(Caller::User(1), 0).headers().is_empty());
    }
}

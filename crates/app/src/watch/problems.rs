//! What is wrong with a running server, and what to do about it.

use serde_json::{Value, json};

/// What problems are told from.
pub struct Facts {
    /// Seconds that the oldest record has waited.
    pub delay: f64,
    /// Bytes free on the data folder's disk.
    pub free: u64,
    /// Below it nothing is taken.
    pub min_free: u64,
    /// Below it retention drops the oldest days; 0 if it never does.
    pub keep_free: u64,
    /// Days until the disk is full.
    pub full_in_days: Option<u32>,
    /// Items that are kept aside.
    pub set_aside: i64,
    /// The last failure of the worker, and when, µs.
    pub last_error: Option<(i64, String)>,
    /// The time, µs.
    pub now: i64,
    /// A peer that is no trusted proxy and speaks for others.
    pub untrusted_proxy: Option<String>,
    /// The last request of a browser came without https, as far as is known.
    pub plain_http: bool,
    /// The public address starts with https.
    pub url_is_https: bool,
    /// The day of the newest pack.
    pub newest_pack_day: Option<i32>,
}

/// A lag that people should know of, seconds.
const LAG: f64 = 10.0;
/// A failure is told for so long, µs.
const FRESH: i64 = 600_000_000;

/// The problems, the worst first: `level` (`error` or `warning`), `text`, and `advice`.
pub fn problems(f: &Facts) -> Vec<Value> {
    let mut out = Vec::new();
    let mut say = |level: &str, text: String, advice: &str| {
        out.push(json!({ "level": level, "text": text, "advice": advice }));
    };
    if f.free < f.min_free {
        say(
            "error",
            format!("Nothing is taken: the disk has {} MB left.", f.free >> 20),
            "Make room on the disk, or drop old events with `vedette cleanup --days N`. Taking events goes on by itself.",
        );
    } else if f.free < f.keep_free {
        say(
            "error",
            format!(
                "The disk has {} MB left: the oldest days are dropped before their retention is over.",
                f.free >> 20
            ),
            "Make room or a larger disk, or lower event-retention-days.",
        );
    }
    if let Some((when, error)) = f.last_error.as_ref().filter(|(when, _)| f.now - when < FRESH) {
        let seconds = (f.now - when) / 1_000_000;
        say(
            "error",
            format!("Events could not be written {seconds} s ago: {error}"),
            "They wait in the queue and are tried again. Look at the database and the disk.",
        );
    }
    if f.delay > LAG {
        say(
            "error",
            format!("Events appear {:.0} s after they came.", f.delay),
            "More comes than this machine processes, or a store is slow. If it lasts, limit the keys of loud projects.",
        );
    }
    if let Some(days) = f.full_in_days.filter(|d| *d < 14 && f.free >= f.min_free) {
        say(
            "warning",
            format!("The disk is full in {days} days at this rate."),
            "Enlarge it, lower event-retention-days, or limit the keys of loud projects.",
        );
    }
    if f.set_aside > 0 {
        say(
            "warning",
            format!(
                "{} items are kept aside because processing them failed.",
                f.set_aside
            ),
            "Update Vedette and try them again; please report what they say.",
        );
    }
    if let Some(peer) = &f.untrusted_proxy {
        say(
            "warning",
            format!("{peer} passes on requests of others (X-Forwarded-For), but is no trusted proxy."),
            "If it is your proxy, add it to trusted-proxies. Until then everybody has its address.",
        );
    }
    if f.url_is_https && f.plain_http {
        say(
            "warning",
            "The address of the server starts with https, but the last browser came over http.".into(),
            "Let the proxy send X-Forwarded-Proto: https, and be one of trusted-proxies.",
        );
    }
    let today = protocol::time::day_of(f.now);
    if let Some(day) = f.newest_pack_day.filter(|d| *d > today) {
        say(
            "error",
            format!(
                "The clock is behind: events were stored {} days ahead of it.",
                day - today
            ),
            "Set the machine's clock; retention and graphs go by it.",
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Facts {
        Facts {
            delay: 0.2,
            free: 10 << 30,
            min_free: 256 << 20,
            keep_free: 1 << 30,
            full_in_days: None,
            set_aside: 0,
            last_error: None,
            now: 1_000 * 86_400_000_000,
            untrusted_proxy: None,
            plain_http: true,
            url_is_https: false,
            newest_pack_day: Some(1_000),
        }
    }

    #[test]
    fn a_well_server_has_none() {
        assert_eq!(problems(&well()), Vec::<Value>::new());
    }

    #[test]
    fn each_problem_is_told_with_advice() {
        let now = well().now;
        let sick: Vec<(Facts, &str)> = vec![
            (
                Facts {
                    free: 1 << 20,
                    ..well()
                },
                "Nothing is taken",
            ),
            (
                Facts {
                    free: 300 << 20,
                    ..well()
                },
                "oldest days are dropped",
            ),
            (
                Facts {
                    delay: 11.0,
                    ..well()
                },
                "11 s after",
            ),
            (
                Facts {
                    full_in_days: Some(3),
                    ..well()
                },
                "full in 3 days",
            ),
            (
                Facts {
                    set_aside: 2,
                    ..well()
                },
                "2 items",
            ),
            (
                Facts {
                    last_error: Some((now - 5_000_000, "disk".into())),
                    ..well()
                },
                "5 s ago: disk",
            ),
            (
                Facts {
                    untrusted_proxy: Some("10.0.0.9".into()),
                    ..well()
                },
                "10.0.0.9",
            ),
            (
                Facts {
                    url_is_https: true,
                    ..well()
                },
                "over http",
            ),
            (
                Facts {
                    newest_pack_day: Some(1_002),
                    ..well()
                },
                "2 days ahead",
            ),
        ];
        for (facts, text) in sick {
            let all = problems(&facts);
            assert_eq!(all.len(), 1, "{text}: {all:?}");
            assert!(all[0]["text"].as_str().unwrap().contains(text), "{all:?}");
            assert!(!all[0]["advice"].as_str().unwrap().is_empty());
        }
    }
}

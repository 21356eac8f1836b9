//! The life of an issue: how events and people move it between its states. Pure; the worker and the API call it.
//!
//! | state | substatus | leaves it when |
//! |---|---|---|
//! | unresolved | new (7 days), then ongoing; regressed and escalating (7 days), then ongoing | somebody acts |
//! | resolved | | an event comes that the resolution does not cover: regressed |
//! | ignored ("archived") | until escalating | an hour has more events than its [`Forecast`]: escalating |
//! | | until a condition is met | the time is over, or so many events or users more were seen: ongoing |
//! | | forever | somebody acts |

mod forecast;

use serde::{Deserialize, Serialize};

pub use self::forecast::{Forecast, HORIZON, WEEK};

/// An issue is new, regressed or escalating for so long, µs; then ongoing.
pub const FRESH: i64 = 7 * 86_400_000_000;
const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant),* }
        impl $name {
            /// The name in the API and the database.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
            /// Reads a name.
            pub fn parse(text: &str) -> Option<$name> {
                match text { $($text => Some($name::$variant),)* _ => None }
            }
        }
    };
}

names!(
    /// Where an issue stands.
    Status {
        /// Waits for somebody.
        Unresolved = "unresolved",
        /// Done.
        Resolved = "resolved",
        /// Archived: not to be shown for now.
        Ignored = "ignored",
    }
);

names!(
    /// How it came to stand there.
    Substatus {
        /// First seen less than a week ago.
        New = "new",
        /// Known.
        Ongoing = "ongoing",
        /// Was resolved and came again.
        Regressed = "regressed",
        /// Comes much more often than it did.
        Escalating = "escalating",
        /// Archived until it escalates.
        UntilEscalating = "archived_until_escalating",
        /// Archived until a time or a count.
        UntilCondition = "archived_until_condition_met",
        /// Archived for good.
        Forever = "archived_forever",
        /// A resolved issue has none.
        None = "",
    }
);

names!(
    /// How much it matters.
    Priority {
        /// Debug and info.
        Low = "low",
        /// Warnings, and errors that the program handled.
        Medium = "medium",
        /// Errors that nobody handled, fatal ones, and what escalates.
        High = "high",
    }
);

/// What a resolution or an archive waits for. Kept as JSON in `issues.status_details`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Details {
    /// Resolved in the release after this one: the newest when it was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_release: Option<String>,
    /// Resolved in this release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_release: Option<String>,
    /// Archived until then, µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Archived until the issue has so many events in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_count: Option<i64>,
    /// Archived until the issue has so many users in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_users: Option<i64>,
    /// Archived until an hour has more events than it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// What version 0.1.0 wrote in place of a forecast: the same ceiling for every hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<i64>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<i64>,
}

impl Details {
    /// How many events an hour may have, if the issue waits for more.
    pub fn ceiling_at(&self, hour: i64) -> Option<i64> {
        match &self.forecast {
            Some(forecast) => forecast.at(hour),
            None => self.ceiling,
        }
    }

    /// Whether the issue waits for more events than expected.
    pub fn awaits_escalation(&self) -> bool {
        self.forecast.is_some() || self.ceiling.is_some()
    }
}

/// The part of an issue that has a life.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Where it stands.
    pub status: Status,
    /// How it came there.
    pub substatus: Substatus,
    /// What it waits for.
    pub details: Details,
    /// Since when, µs.
    pub changed: i64,
    /// How much it matters.
    pub priority: Priority,
    /// Somebody set the priority: it stays.
    pub priority_locked: bool,
}

/// An event as the life of its issue sees it.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// Now, µs.
    pub now: i64,
    /// The event's release.
    pub release: Option<&'a str>,
    /// Events of the issue, with this one.
    pub events: i64,
    /// Users of the issue, with this event's.
    pub users: i64,
    /// Events of the issue in the hour of this one, with it.
    pub events_this_hour: i64,
}

/// What an event or the clock changed, as the activity list calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A resolved issue came again.
    Regressed,
    /// An archived issue escalated.
    Escalated,
    /// An archived issue's condition was met.
    ConditionMet,
}

impl Change {
    /// The activity's kind.
    pub fn kind(self) -> &'static str {
        match self {
            Change::Regressed => "set_regression",
            Change::Escalated => "set_escalating",
            Change::ConditionMet => "set_unresolved",
        }
    }
}

/// The state of an issue whose first event has this level.
pub fn begin(level: &str, handled: Option<bool>, now: i64) -> State {
    State {
        status: Status::Unresolved,
        substatus: Substatus::New,
        details: Details::default(),
        changed: now,
        priority: first_priority(level, handled),
        priority_locked: false,
    }
}

/// The priority by level and handledness.
pub fn first_priority(level: &str, handled: Option<bool>) -> Priority {
    match level {
        "debug" | "info" | "sample" => Priority::Low,
        "warning" => Priority::Medium,
        "fatal" => Priority::High,
        _ if handled == Some(true) => Priority::Medium,
        _ => Priority::High,
    }
}

/// Moves an issue by an event. `later(a, b)` says whether release `a` came after release `b`.
pub fn on_event(
    state: &mut State,
    seen: &Sighting<'_>,
    later: &mut dyn FnMut(&str, &str) -> bool,
) -> Option<Change> {
    let change = match state.status {
        Status::Unresolved => None,
        Status::Resolved => {
            let covered = match (
                &state.details.after_release,
                &state.details.in_release,
                seen.release,
            ) {
                (Some(newest), _, Some(release)) => !later(release, newest),
                (_, Some(fixed), Some(release)) => release != fixed && !later(release, fixed),
                // Without a release nobody can say that the event is old.
                _ => false,
            };
            (!covered).then_some(Change::Regressed)
        }
        Status::Ignored => {
            let d = &state.details;
            let met = d.until.is_some_and(|t| seen.now >= t)
                || d.until_count.is_some_and(|n| seen.events >= n)
                || d.until_users.is_some_and(|n| seen.users >= n);
            if met {
                Some(Change::ConditionMet)
            } else {
                d.ceiling_at(seen.now.div_euclid(HOUR))
                    .is_some_and(|n| seen.events_this_hour > n)
                    .then_some(Change::Escalated)
            }
        }
    };
    if let Some(change) = change {
        apply(state, change, seen.now);
    }
    change
}

/// Moves an issue by the clock alone.
pub fn on_time(state: &mut State, now: i64) -> Option<Change> {
    let over = state.status == Status::Ignored && state.details.until.is_some_and(|t| now >= t);
    over.then(|| {
        apply(state, Change::ConditionMet, now);
        Change::ConditionMet
    })
}

fn apply(state: &mut State, change: Change, now: i64) {
    state.status = Status::Unresolved;
    state.substatus = match change {
        Change::Regressed => Substatus::Regressed,
        Change::Escalated => Substatus::Escalating,
        Change::ConditionMet => Substatus::Ongoing,
    };
    state.details = Details::default();
    state.changed = now;
    if change == Change::Escalated && !state.priority_locked {
        state.priority = Priority::High;
    }
}

/// The substatus to show: new, regressed and escalating last a week.
pub fn substatus_at(substatus: Substatus, changed: i64, now: i64) -> Substatus {
    match substatus {
        Substatus::New | Substatus::Regressed | Substatus::Escalating if now - changed >= FRESH => {
            Substatus::Ongoing
        }
        other => other,
    }
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// Open it again.
    Unresolve,
    /// It is done.
    Resolve,
    /// It is done in the release after the newest one.
    ResolveInNextRelease(Option<String>),
    /// It is done in this release.
    ResolveInRelease(String),
    /// Not to be shown until it escalates.
    ArchiveUntilEscalating(Forecast),
    /// Not to be shown again.
    ArchiveForever,
    /// Not to be shown until a condition holds.
    ArchiveUntil {
        /// So many minutes.
        minutes: Option<i64>,
        /// So many more events.
        events: Option<i64>,
        /// So many more users.
        users: Option<i64>,
    },
}

/// Moves an issue by somebody's wish. `seen` is (events, users) of the issue so far. Answers the activity's kind,
/// or nothing if the issue stands there already.
pub fn on_wish(
    state: &mut State,
    wish: &Wish,
    seen: (i64, i64),
    actor: Option<i64>,
    now: i64,
) -> Option<&'static str> {
    let before = (state.status, state.substatus, state.details.clone());
    let mut details = Details {
        actor,
        ..Details::default()
    };
    let (status, substatus, kind) = match wish {
        Wish::Unresolve => {
            let stays = state.status == Status::Unresolved;
            details = Details::default();
            (
                Status::Unresolved,
                if stays {
                    state.substatus
                } else {
                    Substatus::Ongoing
                },
                "set_unresolved",
            )
        }
        Wish::Resolve => (Status::Resolved, Substatus::None, "set_resolved"),
        Wish::ResolveInNextRelease(newest) => {
            details.after_release.clone_from(newest);
            (Status::Resolved, Substatus::None, "set_resolved_in_release")
        }
        Wish::ResolveInRelease(release) => {
            details.in_release = Some(release.clone());
            (Status::Resolved, Substatus::None, "set_resolved_in_release")
        }
        Wish::ArchiveUntilEscalating(forecast) => {
            details.forecast = Some(forecast.clone());
            (Status::Ignored, Substatus::UntilEscalating, "set_ignored")
        }
        Wish::ArchiveForever => (Status::Ignored, Substatus::Forever, "set_ignored"),
        Wish::ArchiveUntil {
            minutes,
            events,
            users,
        } => {
            details.until = minutes.map(|m| now.saturating_add(m.saturating_mul(MINUTE)));
            details.until_count = events.map(|n| seen.0.saturating_add(n));
            details.until_users = users.map(|n| seen.1.saturating_add(n));
            (Status::Ignored, Substatus::UntilCondition, "set_ignored")
        }
    };
    if (status, substatus, &details) == (before.0, before.1, &before.2) {
        return None;
    }
    state.status = status;
    state.substatus = substatus;
    state.details = details;
    state.changed = now;
    Some(kind)
}

/// Compares releases: `package@1.2.3-rc.1+build` by semantic version where both are, `None` where they are not.
pub fn compare_releases(a: &str, b: &str) -> Option<std::cmp::Ordering> {
    type Version<'a> = (Vec<u64>, Option<Vec<&'a str>>, Option<&'a str>);
    fn version(release: &str) -> Option<Version<'_>> {
        let text = release.rsplit_once('@').map_or(release, |(_, v)| v);
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = text.split_once('+').map_or((text, None), |(t, b)| (t, Some(b)));
        let (core, pre) = text
            .split_once('-')
            .map_or((text, None), |(c, p)| (c, Some(p.split('.').collect())));
        let parts: Option<Vec<u64>> = core.split('.').map(|p| p.parse().ok()).collect();
        let parts = parts.filter(|p| (2..=4).contains(&p.len()))?;
        Some((parts, pre, build))
    }
    fn piece(a: &str, b: &str) -> std::cmp::Ordering {
        match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(x), Ok(y)) => x.cmp(&y),
            (Ok(_), Err(_)) => std::cmp::Ordering::Less,
            (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
            _ => a.cmp(b),
        }
    }
    fn pieces(a: &[&str], b: &[&str]) -> std::cmp::Ordering {
        a.iter()
            .zip(b)
            .map(|(x, y)| piece(x, y))
            .find(|o| o.is_ne())
            .unwrap_or(a.len().cmp(&b.len()))
    }
    let ((mut ac, ap, ab), (mut bc, bp, bb)) = (version(a)?, version(b)?);
    ac.resize(4, 0);
    bc.resize(4, 0);
    let pre = match (&ap, &bp) {
        (None, None) => std::cmp::Ordering::Equal,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (Some(_), None) => std::cmp::Ordering::Less,
        (Some(x), Some(y)) => pieces(x, y),
    };
    let build = || match (ab, bb) {
        (Some(x), Some(y)) => pieces(
            &x.split('.').collect::<Vec<_>>(),
            &y.split('.').collect::<Vec<_>>(),
        ),
        _ => std::cmp::Ordering::Equal,
    };
    Some(ac.cmp(&bc).then(pre).then_with(build))
}

#[cfg(test)]
mod tests;

//! Hours, releases and wishes walked through the life of an issue.

use super::*;
use std::cmp::Ordering::{Equal, Greater, Less};

fn event(release: Option<&str>) -> Sighting<'_> {
    Sighting {
        now: 100,
        release,
        events: 5,
        users: 2,
        events_this_hour: 3,
    }
}

fn later(a: &str, b: &str) -> bool {
    compare_releases(a, b) == Some(Greater)
}

fn resolved(wish: Wish) -> State {
    let mut state = begin("error", None, 0);
    assert!(on_wish(&mut state, &wish, (4, 2), Some(1), 50).is_some());
    state
}

#[test]
fn a_resolved_issue_regresses() {
    let mut state = resolved(Wish::Resolve);
    assert_eq!(on_wish(&mut state, &Wish::Resolve, (4, 2), Some(1), 60), None);
    assert_eq!(
        on_event(&mut state, &event(None), &mut later),
        Some(Change::Regressed)
    );
    assert_eq!(
        (state.status, state.substatus),
        (Status::Unresolved, Substatus::Regressed)
    );
    assert_eq!(on_event(&mut state, &event(None), &mut later), None);
    assert_eq!(
        substatus_at(state.substatus, state.changed, 100 + FRESH),
        Substatus::Ongoing
    );
}

#[test]
fn a_release_covers_older_ones() {
    let next = || resolved(Wish::ResolveInNextRelease(Some("shop@1.2.0".into())));
    assert_eq!(
        on_event(&mut next(), &event(Some("shop@1.2.0")), &mut later),
        None
    );
    assert_eq!(
        on_event(&mut next(), &event(Some("shop@1.1.9")), &mut later),
        None
    );
    assert_eq!(
        on_event(&mut next(), &event(Some("shop@1.2.1")), &mut later),
        Some(Change::Regressed)
    );
    assert_eq!(
        on_event(&mut next(), &event(None), &mut later),
        Some(Change::Regressed)
    );
    let this = || resolved(Wish::ResolveInRelease("shop@2.0.0".into()));
    assert_eq!(
        on_event(&mut this(), &event(Some("shop@1.9.0")), &mut later),
        None
    );
    assert_eq!(
        on_event(&mut this(), &event(Some("shop@2.0.0")), &mut later),
        Some(Change::Regressed)
    );
}

#[test]
fn an_archived_issue_comes_back_by_its_condition() {
    let until = |minutes, events, users| {
        resolved(Wish::ArchiveUntil {
            minutes,
            events,
            users,
        })
    };
    assert_eq!(
        on_event(&mut until(None, Some(2), None), &event(None), &mut later),
        None
    );
    assert_eq!(
        on_event(&mut until(None, Some(1), None), &event(None), &mut later),
        Some(Change::ConditionMet)
    );
    assert_eq!(
        on_event(&mut until(None, None, Some(1)), &event(None), &mut later),
        None
    );
    let mut timed = until(Some(1), None, None);
    assert_eq!(on_time(&mut timed, 50 + MINUTE - 1), None);
    assert_eq!(on_time(&mut timed, 50 + MINUTE), Some(Change::ConditionMet));
    assert_eq!(timed.status, Status::Unresolved);
    assert_eq!(
        on_event(&mut resolved(Wish::ArchiveForever), &event(None), &mut later),
        None
    );
}

#[test]
fn releases_compare_by_version() {
    for (a, b, want) in [
        ("a@1.10.0", "a@1.9.0", Some(Greater)),
        ("1.0.0-rc.2", "1.0.0-rc.10", Some(Less)),
        ("1.0.0", "1.0.0-rc.1", Some(Greater)),
        ("a@1.0+7", "a@1.0.0+12", Some(Less)),
        ("v2.0", "2.0.0", Some(Equal)),
        ("abc123", "1.0.0", None),
    ] {
        assert_eq!(compare_releases(a, b), want, "{a} {b}");
    }
}

#[test]
fn priority_comes_from_level_and_handling() {
    assert_eq!(first_priority("error", Some(true)), Priority::Medium);
    assert_eq!(first_priority("error", None), Priority::High);
    assert_eq!(first_priority("info", Some(false)), Priority::Low);
}

/// Walks an archived issue hour by hour: `events(hour)` come in each, one after the other. Answers the first change
/// and its hour.
fn walk(
    state: &mut State,
    hours: std::ops::Range<i64>,
    mut seen: (i64, i64),
    events: impl Fn(i64) -> i64,
) -> Option<(i64, Change)> {
    for hour in hours {
        if let Some(change) = on_time(state, hour * HOUR) {
            return Some((hour, change));
        }
        for n in 1..=events(hour) {
            seen.0 += 1;
            // Every tenth event is of somebody new.
            seen.1 += i64::from(seen.0 % 10 == 0);
            let sighting = Sighting {
                now: hour * HOUR + n,
                release: None,
                events: seen.0,
                users: seen.1,
                events_this_hour: n,
            };
            if let Some(change) = on_event(state, &sighting, &mut later) {
                return Some((hour, change));
            }
        }
    }
    None
}

const START: i64 = 500_000;

/// An issue that was archived at `START` after events like these, first seen some hours before.
fn archived(age: i64, events: impl Fn(i64) -> i64) -> State {
    let mut state = begin("warning", None, 0);
    let history: Vec<(i64, i64)> = (START - age.min(WEEK)..START).map(|h| (h, events(h))).collect();
    let forecast = Forecast::of(&history, START - age, START);
    on_wish(
        &mut state,
        &Wish::ArchiveUntilEscalating(forecast),
        (0, 0),
        None,
        START * HOUR,
    );
    state
}

/// Busy by day, quiet by night.
fn office(hour: i64) -> i64 {
    if (8..18).contains(&(hour % 24)) { 60 } else { 3 }
}

#[test]
fn what_happens_every_day_does_not_escalate_for_two_weeks() {
    let mut state = archived(1000, office);
    let more = |h: i64| office(h) * 2;
    assert_eq!(walk(&mut state, START..START + HORIZON, (0, 0), more), None);
    assert_eq!(state.substatus, Substatus::UntilEscalating);
}

#[test]
fn an_hour_above_its_season_escalates() {
    // By day more than twice as many, and the scatter of counts: 2 * 60 + 3 * sqrt(60).
    let mut state = archived(1000, office);
    let day = START + 24 - START % 24 + 12;
    let spike = |h: i64| if h == day + 48 { 145 } else { office(h) };
    assert_eq!(
        walk(&mut state, START..START + HORIZON, (0, 0), spike),
        Some((day + 48, Change::Escalated))
    );
    assert_eq!(
        (state.status, state.substatus, state.priority),
        (Status::Unresolved, Substatus::Escalating, Priority::High)
    );
    // By night already what the busiest hour of the week had.
    let night = START + 24 - START % 24 + 2;
    let mut state = archived(1000, office);
    let spike = |h: i64| if h == night { 61 } else { office(h) };
    assert_eq!(
        walk(&mut state, START..START + HORIZON, (0, 0), spike),
        Some((night, Change::Escalated))
    );
    let mut state = archived(1000, office);
    let spike = |h: i64| if h == night { 60 } else { office(h) };
    assert_eq!(walk(&mut state, START..START + HORIZON, (0, 0), spike), None);
}

#[test]
fn what_happens_once_a_week_is_expected_in_that_hour_and_beside_it() {
    let weekly = |h: i64| {
        if (h - START).rem_euclid(WEEK) == 30 {
            500
        } else {
            1
        }
    };
    let mut state = archived(1000, weekly);
    assert_eq!(walk(&mut state, START..START + HORIZON, (0, 0), weekly), None);
    let forecast = state.details.forecast.unwrap();
    assert_eq!(forecast.at(START + 30), Some(1068));
    assert_eq!(forecast.at(START + 31), Some(1068));
    assert_eq!(forecast.at(START + 32), Some(500));
    assert_eq!(forecast.at(START + 30 + WEEK), Some(1068));
    assert_eq!(forecast.at(START - 1), None);
    assert_eq!(forecast.at(START + HORIZON), None);
    assert!(!forecast.is_stale(START + WEEK - 1) && forecast.is_stale(START + WEEK));
}

#[test]
fn a_young_issue_has_no_habits() {
    let mut state = archived(20, |_| 100);
    assert_eq!(walk(&mut state, START..START + 100, (0, 0), |_| 230), None);
    assert_eq!(
        walk(&mut state, START + 100..START + 200, (0, 0), |h| h - START),
        None
    );
    assert_eq!(
        walk(&mut state, START + 200..START + 300, (0, 0), |h| h - START),
        Some((START + 231, Change::Escalated))
    );
}

#[test]
fn few_events_never_escalate() {
    let mut state = archived(1000, |_| 0);
    assert_eq!(walk(&mut state, START..START + 100, (0, 0), |_| 10), None);
    assert_eq!(
        walk(&mut state, START + 100..START + 101, (0, 0), |_| 11),
        Some((START + 100, Change::Escalated))
    );
}

#[test]
fn a_priority_that_somebody_set_stays_when_it_escalates() {
    let mut state = archived(1000, |_| 0);
    state.priority = Priority::Low;
    state.priority_locked = true;
    assert!(walk(&mut state, START..START + 1, (0, 0), |_| 50).is_some());
    assert_eq!(state.priority, Priority::Low);
}

#[test]
fn an_archive_ends_at_the_hour_its_condition_is_met() {
    let until = |minutes, events, users| {
        let mut state = begin("error", None, 0);
        let wish = Wish::ArchiveUntil {
            minutes,
            events,
            users,
        };
        on_wish(&mut state, &wish, (100, 10), None, START * HOUR);
        state
    };
    let five = |_: i64| 5;
    let hours = START..START + 1000;
    // A day.
    assert_eq!(
        walk(&mut until(Some(1440), None, None), hours.clone(), (100, 10), five),
        Some((START + 24, Change::ConditionMet))
    );
    // 52 events at five an hour: in the eleventh hour.
    assert_eq!(
        walk(&mut until(None, Some(52), None), hours.clone(), (100, 10), five),
        Some((START + 10, Change::ConditionMet))
    );
    // Three users at one for ten events: in the sixth hour.
    assert_eq!(
        walk(&mut until(None, None, Some(3)), hours.clone(), (100, 10), five),
        Some((START + 5, Change::ConditionMet))
    );
    // The first that is met.
    assert_eq!(
        walk(
            &mut until(Some(120), Some(52), Some(3)),
            hours.clone(),
            (100, 10),
            five
        ),
        Some((START + 2, Change::ConditionMet))
    );
    let mut forever = begin("error", None, 0);
    on_wish(&mut forever, &Wish::ArchiveForever, (100, 10), None, START * HOUR);
    assert_eq!(walk(&mut forever, hours, (100, 10), |_| 1000), None);
}

#[test]
fn releases_are_walked_in_their_order() {
    // A release a day, and one that is rolled back; every hour has events of the newest and of an old one.
    let releases = [
        "shop@1.0.0",
        "shop@1.1.0-rc.1",
        "shop@1.1.0",
        "shop@1.0.1",
        "shop@2.0.0",
    ];
    let mut state = begin("error", None, 0);
    let wish = Wish::ResolveInNextRelease(Some("shop@1.1.0-rc.1".into()));
    on_wish(&mut state, &wish, (1, 1), None, START * HOUR);
    let mut came = None;
    'walk: for hour in 0..5 * 24 {
        for release in [releases[(hour / 24) as usize], "shop@0.9.0"] {
            let seen = Sighting {
                now: (START + hour) * HOUR,
                ..event(Some(release))
            };
            if let Some(change) = on_event(&mut state, &seen, &mut later) {
                came = Some((hour, release, change));
                break 'walk;
            }
        }
    }
    assert_eq!(came, Some((48, "shop@1.1.0", Change::Regressed)));
    let days = |d: i64| (START + 48 + d * 24) * HOUR;
    assert_eq!(
        substatus_at(state.substatus, state.changed, days(7) - 1),
        Substatus::Regressed
    );
    assert_eq!(
        substatus_at(state.substatus, state.changed, days(7)),
        Substatus::Ongoing
    );
}

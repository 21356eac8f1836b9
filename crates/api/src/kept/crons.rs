//! Monitors: of jobs that check in, and of addresses that are asked.

use serde_json::{Value, json};

use super::shape::{Field, Shape, may, must, or};
use super::shown::{actor, put};
use super::{Kept, Kind, Naming, Shown};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::Body;
use crate::views;

const CONFIG: &[Field] = &[
    or(
        "schedule_type",
        Shape::OneOf(&["crontab", "interval"]),
        "\"crontab\"",
    ),
    must("schedule", Shape::Any),
    or("checkin_margin", Shape::Whole(1, 40_320), "null"),
    or("max_runtime", Shape::Whole(1, 40_320), "null"),
    or("timezone", Shape::Text(64), "\"UTC\""),
    or("failure_issue_threshold", Shape::Whole(1, 720), "null"),
    or("recovery_threshold", Shape::Whole(1, 720), "null"),
    or("alert_rule_id", Shape::Whole(1, i64::MAX), "null"),
];

/// Monitors of jobs.
pub struct Monitors;

impl Kept for Monitors {
    const KIND: &'static Kind = &Kind {
        name: "monitor",
        noun: "Monitor",
        fields: &[
            must("name", Shape::Text(128)),
            must("config", Shape::Object(CONFIG)),
            or("status", Shape::OneOf(&["active", "disabled"]), "\"active\""),
            or("owner", Shape::Text(64), "null"),
            or("isMuted", Shape::Flag, "false"),
        ],
        naming: Naming::Slug("name"),
        of_project: true,
        check: |_, body| schedule(&body["config"]),
        view: monitor,
        statuses: (201, 200, 202),
        ..Kind::PLAIN
    };
}

/// A crontab has five fields or a name; an interval is a number and a unit.
fn schedule(config: &Value) -> Result<(), ApiError> {
    let schedule = &config["schedule"];
    let fine = match config["schedule_type"].as_str() {
        Some("interval") => {
            let unit = schedule[1].as_str().unwrap_or("");
            let units = ["year", "month", "week", "day", "hour", "minute"];
            schedule[0].as_i64().is_some_and(|n| n > 0) && units.contains(&unit)
        }
        _ => schedule.as_str().is_some_and(|s| {
            let names = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"];
            let parts = || s.split_whitespace();
            let part = |p: &str| {
                p.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"*,-/#L?".contains(&b))
            };
            names.contains(&s.trim()) || parts().count() == 5 && parts().all(part)
        }),
    };
    if fine {
        return Ok(());
    }
    let what = "schedule: write a crontab like '0 4 * * *', or an interval like [2, 'hour'].";
    Err(ApiError::field("config", what))
}

fn monitor(shown: &Shown<'_>, out: &mut Body) {
    let owner = actor(out, "owner");
    let rest = json!({
        "slug": shown.document.slug, "isUpserting": false, "owner": owner, "environments": [],
        "project": shown.project().map(views::project::project),
    });
    put(out, rest);
}

/// Check-ins of a monitor: none are kept.
pub fn check_ins(call: &Call) -> Result<Answer, ApiError> {
    super::find(call, Monitors::KIND)?;
    Ok(crate::links::paged(
        Answer::json(Vec::<Value>::new()),
        call,
        0,
        100,
        false,
    ))
}

/// Check-ins of a monitor over time: none are kept.
pub fn stats(call: &Call) -> Result<Answer, ApiError> {
    super::find(call, Monitors::KIND)?;
    Ok(Answer::json(Vec::<Value>::new()))
}

/// Monitors of addresses.
pub struct Uptime;

impl Kept for Uptime {
    const KIND: &'static Kind = &Kind {
        name: "uptime",
        noun: "Uptime monitor",
        fields: &[
            must("name", Shape::Text(128)),
            must("url", Shape::Address),
            or("status", Shape::OneOf(&["active", "disabled"]), "\"active\""),
            or("owner", Shape::Text(64), "null"),
            or("environment", Shape::Text(64), "null"),
            or("intervalSeconds", Shape::Whole(60, 86_400), "60"),
            or("timeoutMs", Shape::Whole(1_000, 60_000), "5000"),
            or(
                "method",
                Shape::OneOf(&["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]),
                "\"GET\"",
            ),
            or(
                "headers",
                Shape::List(&Shape::List(&Shape::Text(1024), 2), 50),
                "[]",
            ),
            or("body", Shape::Text(10_000), "null"),
            or("traceSampling", Shape::Flag, "false"),
            or("recoveryThreshold", Shape::Whole(1, 100), "1"),
            or("downtimeThreshold", Shape::Whole(1, 100), "3"),
            may("assertion", Shape::Free),
        ],
        of_project: true,
        view: uptime,
        ..Kind::PLAIN
    };
}

fn uptime(shown: &Shown<'_>, out: &mut Body) {
    let owner = actor(out, "owner");
    let rest = json!({
        "projectSlug": shown.project().map(|p| &p.slug), "owner": owner, "mode": 1, "uptimeStatus": 1,
        "detectorId": shown.id(),
    });
    put(out, rest);
}

/// Checks of an address: none are made.
pub fn checks(call: &Call) -> Result<Answer, ApiError> {
    super::find(call, Uptime::KIND)?;
    Ok(crate::links::paged(
        Answer::json(Vec::<Value>::new()),
        call,
        0,
        100,
        false,
    ))
}

//! How items ended, by project, hour, outcome, category and reason.

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result};

/// A count to add.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutcomeKey {
    /// The project.
    pub project: u64,
    /// The start of the hour, hours since the epoch.
    pub hour: i64,
    /// `accepted`, `invalid`…
    pub outcome: &'static str,
    /// `error`, `attachment`…
    pub category: String,
    /// The reason's name; empty for what was accepted.
    pub reason: String,
}

/// Counts by key.
pub type Counts = std::collections::BTreeMap<OutcomeKey, u64>;

/// Adds counts.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, counts: &Counts) -> Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    let rows = counts
        .iter()
        .map(|(k, n)| {
            serde_json::json!({"p": k.project, "h": k.hour, "o": k.outcome, "c": k.category, "r": k.reason, "n": n})
        })
        .collect();
    c.execute(
        "insert into outcomes (project_id, hour, outcome, category, reason, quantity) \
         select p, h, o, c, r, n from {rows $1 p int, h int, o text, c text, r text, n int} x where true \
         on conflict (project_id, hour, outcome, category, reason) \
         do update set quantity = outcomes.quantity + excluded.quantity",
        params![list(rows)],
    )?;
    Ok(())
}

/// One row of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// The project.
    pub project: i64,
    /// Hours since the epoch.
    pub hour: i64,
    /// The outcome.
    pub outcome: String,
    /// The category.
    pub category: String,
    /// The reason.
    pub reason: String,
    /// How many (bytes for attachments).
    pub quantity: i64,
}

/// What was counted for projects in hours `from..to`.
pub fn read(c: &mut dyn Connection, projects: &[i64], from: i64, to: i64) -> Result<Vec<Counted>> {
    let ids = list(projects.iter().map(|p| serde_json::json!({"p": p})).collect());
    let rows = c.query(
        "select o.project_id, o.hour, o.outcome, o.category, o.reason, o.quantity from outcomes o \
         join {rows $1 p int} x on x.p = o.project_id where o.hour >= $2 and o.hour < $3 order by o.hour",
        params![ids, from, to],
    )?;
    all(rows, |r| {
        Ok(Counted {
            project: r.int(0)?,
            hour: r.int(1)?,
            outcome: r.text(2)?,
            category: r.text(3)?,
            reason: r.text(4)?,
            quantity: r.int(5)?,
        })
    })
}

/// Forgets counts before an hour.
pub fn sweep(c: &mut dyn Connection, before: i64) -> Result<u64> {
    c.execute("delete from outcomes where hour < $1", params![before])
}

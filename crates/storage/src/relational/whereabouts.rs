//! Events that were not stored, and why.

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result};

/// Notes event ids that were discarded, with the reason's name.
///
/// # Errors
/// As the database says; so for every function here.
pub fn discard(c: &mut dyn Connection, items: &[(u64, String, &'static str)], now: i64) -> Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let mut last = std::collections::BTreeMap::new();
    for (project, id, reason) in items {
        last.insert((*project, id.as_str()), *reason);
    }
    let rows = last
        .into_iter()
        .map(|((p, e), r)| serde_json::json!({"p": p, "e": e, "r": r}))
        .collect();
    c.execute(
        "insert into discards (project_id, event_id, reason, date_added) \
         select p, e, r, $2 from {rows $1 p int, e text, r text} x where true \
         on conflict (project_id, event_id) do update set reason = excluded.reason, date_added = excluded.date_added",
        params![list(rows), now],
    )?;
    Ok(())
}

/// Where an id was discarded: project, reason, when.
pub fn discarded(c: &mut dyn Connection, event_id: &str) -> Result<Vec<(i64, String, i64)>> {
    let rows = c.query(
        "select project_id, reason, date_added from discards where event_id = $1",
        params![event_id],
    )?;
    all(rows, |r| Ok((r.int(0)?, r.text(1)?, r.int(2)?)))
}

/// Forgets discards before a time.
pub fn sweep(c: &mut dyn Connection, before: i64) -> Result<u64> {
    c.execute("delete from discards where date_added < $1", params![before])
}

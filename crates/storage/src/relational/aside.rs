//! Items whose processing failed, kept aside with their bytes until somebody tries them again or drops them.

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result, Row};

/// An item on its way to be kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAside<'a> {
    /// The project.
    pub project: u64,
    /// The event's id, if known.
    pub event_id: Option<&'a str>,
    /// What happened.
    pub error: &'a str,
    /// The item's bytes.
    pub payload: &'a [u8],
    /// What the queue said of it, as JSON; without it the payload is a JSON event.
    pub meta: Option<&'a str>,
    /// The hour and category its loss is counted under.
    pub counted: Option<(i64, &'a str)>,
}

/// An item that is kept aside; its bytes are read apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Its number.
    pub id: i64,
    /// The project.
    pub project: i64,
    /// The event's id, if known.
    pub event_id: Option<String>,
    /// What happened.
    pub error: String,
    /// How many bytes it has.
    pub size: i64,
    /// As in [`NewAside::meta`].
    pub meta: Option<String>,
    /// As in [`NewAside::counted`].
    pub counted: Option<(i64, String)>,
    /// It is on its way to the queue again.
    pub retrying: bool,
    /// When it was kept aside, µs.
    pub date_added: i64,
}

const COLUMNS: &str =
    "id, project_id, event_id, error, length(payload), meta, hour, category, retrying, date_added";

fn read(r: &Row) -> Result<Aside> {
    Ok(Aside {
        id: r.int(0)?,
        project: r.int(1)?,
        event_id: r.opt_text(2)?,
        error: r.text(3)?,
        size: r.int(4)?,
        meta: r.opt_text(5)?,
        counted: r.opt_int(6)?.zip(r.opt_text(7)?),
        retrying: r.int(8)? != 0,
        date_added: r.int(9)?,
    })
}

/// Keeps an item aside.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, item: &NewAside<'_>, now: i64) -> Result<()> {
    c.execute(
        "insert into poison (project_id, event_id, error, payload, meta, hour, category, date_added) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            item.project,
            item.event_id,
            item.error,
            item.payload,
            item.meta,
            item.counted.map(|c| c.0),
            item.counted.map(|c| c.1),
            now
        ],
    )?;
    Ok(())
}

/// How many items are kept aside.
pub fn count(c: &mut dyn Connection) -> Result<i64> {
    c.query_one("select count(*) from poison", &[])?.int(0)
}

/// The newest items, at most `limit`, older than the one with the number `before`.
pub fn newest(c: &mut dyn Connection, before: Option<i64>, limit: usize) -> Result<Vec<Aside>> {
    let rows = c.query(
        &format!("select {COLUMNS} from poison where id < $1 order by id desc limit $2"),
        params![
            before.unwrap_or(i64::MAX),
            i64::try_from(limit).unwrap_or(i64::MAX)
        ],
    )?;
    all(rows, read)
}

/// An item and its bytes.
pub fn find(c: &mut dyn Connection, id: i64) -> Result<Option<(Aside, Vec<u8>)>> {
    let rows = c.query(
        &format!("select {COLUMNS}, payload from poison where id = $1"),
        params![id],
    )?;
    rows.first().map(|r| Ok((read(r)?, r.blob(10)?))).transpose()
}

/// Takes back what was counted of an item, as it is about to be tried again. Answers false if that was done before:
/// an earlier try was cut off before it reached the queue.
pub fn begin_retry(c: &mut dyn Connection, item: &Aside) -> Result<bool> {
    let first = c.execute(
        "update poison set retrying = 1 where id = $1 and retrying = 0",
        params![item.id],
    )?;
    if first == 0 {
        return Ok(false);
    }
    if let Some((hour, category)) = &item.counted {
        c.execute(
            "update outcomes set quantity = quantity - 1 where project_id = $1 and hour = $2 \
             and outcome = 'invalid' and category = $3 and reason = 'internal' and quantity > 0",
            params![item.project, *hour, category.as_str()],
        )?;
        c.execute(
            "delete from outcomes where project_id = $1 and hour = $2 and outcome = 'invalid' \
             and category = $3 and reason = 'internal' and quantity = 0",
            params![item.project, *hour, category.as_str()],
        )?;
    }
    if let Some(event_id) = &item.event_id {
        c.execute(
            "delete from discards where project_id = $1 and event_id = $2 and reason = 'internal'",
            params![item.project, event_id.as_str()],
        )?;
    }
    Ok(true)
}

/// Drops items; answers how many there were.
pub fn remove(c: &mut dyn Connection, ids: &[i64]) -> Result<u64> {
    let rows = list(ids.iter().map(|i| serde_json::json!({ "i": i })).collect());
    c.execute(
        "delete from poison where id in (select i from {rows $1 i int} x)",
        params![rows],
    )
}

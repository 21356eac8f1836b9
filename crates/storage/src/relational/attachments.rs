//! Attachments of events: what is known of each; the bytes are blobs.

use super::{all, list};
use crate::params;
use crate::payloads::Partition;
use crate::sql::{Connection, Result, Row};

/// An attachment.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// Its number; 0 before it is stored.
    pub id: i64,
    /// The project.
    pub project: i64,
    /// The event, 32 hex digits.
    pub event_id: String,
    /// The file's name.
    pub name: String,
    /// `event.attachment`, `event.minidump`, `event.view_hierarchy`…
    pub kind: String,
    /// Its MIME type.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
    /// The SHA-1 of its bytes, hex.
    pub sha1: String,
    /// The blob's key.
    pub blob: String,
    /// The partition it is kept with.
    pub partition: Partition,
    /// When it came, µs.
    pub date_added: i64,
}

const COLUMNS: &str =
    "id, project_id, event_id, name, kind, content_type, size, sha1, blob, retention, day, date_added";

fn read(r: &Row) -> Result<Attachment> {
    Ok(Attachment {
        id: r.int(0)?,
        project: r.int(1)?,
        event_id: r.text(2)?,
        name: r.text(3)?,
        kind: r.text(4)?,
        content_type: r.text(5)?,
        size: r.int(6)?,
        sha1: r.text(7)?,
        blob: r.text(8)?,
        partition: Partition {
            retention: u16::try_from(r.int(9)?).unwrap_or(u16::MAX),
            day: i32::try_from(r.int(10)?).unwrap_or(0),
        },
        date_added: r.int(11)?,
    })
}

/// Keeps attachments.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, attachments: &[Attachment]) -> Result<()> {
    if attachments.is_empty() {
        return Ok(());
    }
    let rows = attachments
        .iter()
        .map(|a| {
            serde_json::json!({"p": a.project, "e": a.event_id, "n": a.name, "k": a.kind, "c": a.content_type,
                "s": a.size, "h": a.sha1, "b": a.blob, "r": a.partition.retention, "d": a.partition.day,
                "t": a.date_added})
        })
        .collect();
    c.execute(
        "insert into attachments (project_id, event_id, name, kind, content_type, size, sha1, blob, retention, day, \
         date_added) select p, e, n, k, c, s, h, b, r, d, t from \
         {rows $1 p int, e text, n text, k text, c text, s int, h text, b text, r int, d int, t int} x",
        params![list(rows)],
    )?;
    Ok(())
}

/// The attachments of an event, in order of arrival.
pub fn of_event(c: &mut dyn Connection, project: i64, event_id: &str) -> Result<Vec<Attachment>> {
    let sql =
        format!("select {COLUMNS} from attachments where project_id = $1 and event_id = $2 order by id");
    all(c.query(&sql, params![project, event_id])?, read)
}

/// The attachments of several events of a project.
pub fn of_events(c: &mut dyn Connection, project: i64, ids: &[String]) -> Result<Vec<Attachment>> {
    let ids = list(ids.iter().map(|e| serde_json::json!({"e": e})).collect());
    let sql = format!(
        "select {COLUMNS} from attachments where project_id = $1 and event_id in (select e from {{rows $2 e text}} x) \
         order by id"
    );
    all(c.query(&sql, params![project, ids])?, read)
}

/// Forgets an attachment; answers its blob if no other one has the same.
pub fn remove(c: &mut dyn Connection, id: i64) -> Result<Option<String>> {
    let Some(row) = c.query_opt("select blob from attachments where id = $1", params![id])? else {
        return Ok(None);
    };
    let blob = row.text(0)?;
    c.execute("delete from attachments where id = $1", params![id])?;
    let others = c
        .query_one(
            "select count(*) from attachments where blob = $1",
            params![blob.as_str()],
        )?
        .int(0)?;
    Ok((others == 0).then_some(blob))
}

/// Forgets the attachments of a partition that retention drops.
pub fn forget(c: &mut dyn Connection, p: Partition) -> Result<u64> {
    c.execute(
        "delete from attachments where retention = $1 and day = $2",
        params![i64::from(p.retention), i64::from(p.day)],
    )
}

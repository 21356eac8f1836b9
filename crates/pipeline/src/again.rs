//! Events that are stored already, processed again because symbols came later: the same id, a later record, and counts
//! that follow. One issue at a time, from its newest event to its oldest.
//!
//! What a record becomes is written as a batch is (see [`crate::worker::apply`]): the packs, one transaction with the
//! counts and the place reached, then ids and rows. A stop in between leaves the transaction undone, and the step is
//! repeated.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use processing::{Processed, Symbolicate, process_again};
use protocol::ids::{EventId, GroupHash};
use protocol::json::Map;
use protocol::time::hour_of;
use storage::blobs::BlobError;
use storage::columns::{Answer, ColumnsError, Filter, Found, Order, Question, Select};
use storage::payloads::{Partition, PayloadError};
use storage::record::StoredEvent;
use storage::relational::reprocessings::{self, Reprocessing};
use storage::relational::{attachments, discarded, hashes, issues, positions, regroup};
use storage::sql::{Connection, SqlError};
use storage::stores::Stores;

use crate::directory::Directory;
use crate::worker::apply;
use crate::worker::prepare::{Event, is_crash};

/// Events of one step.
const STEP: usize = 50;
/// How often it is looked whether there is something to do.
const EVERY: Duration = Duration::from_millis(500);

/// Why a step could not be taken; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum AgainError {
    /// The packs or ids refused.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The database refused.
    #[error("the database: {0}")]
    Sql(#[from] SqlError),
    /// The event store refused.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// The blob store refused.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

type Result<T> = std::result::Result<T, AgainError>;

/// Processes events again.
pub struct Again {
    /// The stores.
    pub stores: Stores,
    /// The rules of projects.
    pub directory: Arc<Directory>,
    /// What turns frames into source.
    pub symbols: Arc<dyn Symbolicate + Send + Sync>,
    /// Set to end the loop.
    pub stop: Arc<AtomicBool>,
}

/// A stored event and what it becomes.
struct Changed {
    old: StoredEvent,
    new: Event,
}

impl Again {
    /// Runs until it is told to stop.
    pub fn run(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            match self.step() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(e) => {
                    tracing::error!(error = %e, "events could not be processed again yet");
                    std::thread::sleep(Duration::from_secs(5));
                }
            }
            std::thread::sleep(EVERY);
        }
    }

    /// Takes a step; false if there is nothing to do.
    ///
    /// # Errors
    /// [`AgainError`]; then nothing of the step counts.
    pub fn step(&self) -> Result<bool> {
        let Some(mut wish) = self.stores.sql.reading(reprocessings::next)? else {
            return Ok(false);
        };
        let rows = self.rows(&wish)?;
        let left = usize::try_from(wish.most - wish.done).unwrap_or(0);
        if rows.is_empty() || left == 0 {
            self.finish(wish)?;
            return Ok(true);
        }
        let rows = &rows[..rows.len().min(left)];
        let changed = self.changed(&wish, rows)?;
        wish.done += rows.len() as i64;
        wish.changed += changed.len() as i64;
        wish.after = rows
            .last()
            .map(|r| (r.time, i64::try_from(r.seq).unwrap_or(i64::MAX)));
        self.write(&wish, changed)?;
        Ok(true)
    }

    /// The next rows of an issue.
    fn rows(&self, wish: &Reprocessing) -> Result<Vec<Found>> {
        let project = u64::try_from(wish.project).unwrap_or(0);
        let (extent, hidden) = self.stores.sql.reading(|c| {
            Ok((
                hashes::of_issues(c, &[wish.issue])?,
                hashes::hidden(c, &[project])?,
            ))
        })?;
        let select = Select {
            table: self.stores.catalog.errors,
            projects: vec![project],
            time: i64::MIN / 2..i64::MAX / 2,
            hashes: Some(extent.iter().map(|h| h.hash.0).collect()),
            filter: Filter::All,
            hidden: Arc::new(hidden),
            question: Question::Rows {
                order: Order::Newest,
                after: wish
                    .after
                    .map(|(time, seq)| (time, u64::try_from(seq).unwrap_or(0))),
                limit: STEP,
            },
        };
        match self.stores.columns.select(&select)? {
            Answer::Rows { rows, .. } => Ok(rows),
            _ => Ok(Vec::new()),
        }
    }

    /// Those of the rows whose events come out otherwise now.
    fn changed(&self, wish: &Reprocessing, rows: &[Found]) -> Result<Vec<Changed>> {
        let project = u64::try_from(wish.project).unwrap_or(0);
        let Some(entry) = self.directory.project(project) else {
            return Ok(Vec::new());
        };
        let locators: Vec<_> = rows.iter().map(|r| r.locator).collect();
        let mut out = Vec::new();
        for (row, bytes) in rows.iter().zip(self.stores.payloads.get(&locators)) {
            // What came after the wish was processed with what there was then.
            if i64::try_from(row.seq).unwrap_or(i64::MAX) >= wish.first_seq {
                continue;
            }
            let Some(old) = bytes.ok().and_then(|b: Vec<u8>| StoredEvent::decode(&b).ok()) else {
                continue;
            };
            let parts = self.report(wish.project, &old)?;
            let restore = |event: &mut Map<'_>| {
                symbolicate::restore(event);
                if let Some(parts) = &parts {
                    symbolicate::crash::merge(event, parts.clone());
                }
            };
            let place = (project, old.row.received);
            let again = || process_again(&old.json, place, &entry.rules, &restore, &*self.symbols);
            let Ok(done) = catch_unwind(AssertUnwindSafe(again)) else {
                tracing::error!(event = %EventId(old.row.id), "processing an event again panics; it stays as it is");
                continue;
            };
            match done {
                Ok(new) if new.hashes != old.hashes || !same(&new.json, &old.json) => {
                    let new = Event::new(new, row.locator.partition);
                    out.push(Changed { old, new });
                }
                Ok(_) => {}
                Err(reason) => {
                    tracing::warn!(event = %EventId(old.row.id), reason = reason.name(), "an event cannot be processed again; it stays as it is");
                }
            }
        }
        Ok(out)
    }

    /// What the crash report of an event says today, if it came with one.
    fn report(&self, project: i64, old: &StoredEvent) -> Result<Option<Map<'static>>> {
        let id = EventId(old.row.id).to_string();
        let files = self
            .stores
            .sql
            .reading(|c| attachments::of_event(c, project, &id))?;
        let Some(file) = files.into_iter().find(|f| is_crash(&f.kind)) else {
            return Ok(None);
        };
        let bytes = match self.stores.blobs.get(&file.blob) {
            Err(BlobError::Missing) => return Ok(None),
            bytes => bytes?,
        };
        let bytes = crate::worker::unpack::unpack(&bytes);
        let parts = bytes.and_then(|b| {
            self.symbols
                .crash(&file.kind, &b, u64::try_from(project).unwrap_or(0))
        });
        // When it happened and on what was settled when it came.
        Ok(parts.ok().map(|mut parts| {
            parts
                .0
                .retain(|(key, _)| matches!(&**key, "exception" | "threads" | "debug_meta"));
            parts
        }))
    }

    fn write(&self, wish: &Reprocessing, mut changed: Vec<Changed>) -> Result<()> {
        let stores = &self.stores;
        let now = stores.clock.now();
        let _kept = stores.gates.removal.lock();
        let _gate = stores.gates.apply.lock();
        // Retention may have dropped a day meanwhile.
        let packs = positions::packs(&*stores.sql)?;
        changed.retain(|one| packs.iter().any(|(partition, _)| *partition == one.new.partition));
        stores.sql.reading(|c| unwanted(c, &mut changed))?;
        let place = stores.sql.reading(positions::next_place)?;
        for (one, seq) in changed.iter_mut().zip(place..) {
            one.new.place(seq);
        }
        changed.sort_by_key(|one| (one.new.partition, one.new.seq));
        let mut lengths: Vec<(Partition, u64)> = Vec::new();
        let mut locators = Vec::with_capacity(changed.len());
        for of_day in changed.chunk_by_mut(|a, b| a.new.partition == b.new.partition) {
            let partition = of_day[0].new.partition;
            let records: Vec<_> = of_day
                .iter_mut()
                .map(|one| std::mem::take(&mut one.new.record))
                .collect();
            let (places, end) = stores.payloads.append(partition, &records)?;
            locators.extend(places);
            lengths.push((partition, end));
        }
        let next = place + changed.len() as u64;
        let write = |c: &mut dyn Connection| {
            positions::set_next_place(c, next)?;
            let went = self.recount(c, &changed, now)?;
            let mut reached = wish.clone();
            for (issue, n) in went {
                *reached.went_to.entry(issue.to_string()).or_default() += n;
            }
            reprocessings::save(c, &reached)?;
            let applied = positions::applied_seen(c, 0)?;
            positions::advance(c, 0, applied, &lengths)
        };
        let written = catch_unwind(AssertUnwindSafe(|| stores.sql.writing(write)));
        let written = written.unwrap_or_else(|_| Err(SqlError::Row("writing it panics".into())));
        if let Err(e) = written
            && !self.was_committed(wish, &changed, next)?
        {
            for (partition, _) in &lengths {
                let length = packs
                    .iter()
                    .find(|(p, _)| p == partition)
                    .map_or(0, |(_, length)| *length);
                stores.payloads.truncate(*partition, length)?;
            }
            return Err(e.into());
        }
        // From here on it counts: it is made findable until that succeeds, or the next start reads it from the packs.
        let events = changed.into_iter().map(|one| one.new).collect();
        let found = apply::Findable::of(events, &locators, &lengths);
        while let Err(e) = found.publish(stores) {
            tracing::error!(error = %e, "events that were processed again could not be made searchable; trying again");
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        Ok(())
    }

    /// Whether a transaction counts whose commit answered an error: the connection may have been lost behind it. Waits
    /// until the database says.
    fn was_committed(&self, wish: &Reprocessing, changed: &[Changed], next: u64) -> Result<bool> {
        loop {
            let answer = self.stores.sql.reading(|c| {
                let place = positions::next_place(c)?;
                let reached = reprocessings::of_issue(c, wish.issue)?.map(|r| (r.done, r.changed));
                Ok(if changed.is_empty() {
                    reached == Some((wish.done, wish.changed))
                } else {
                    place >= next
                })
            });
            match answer {
                Ok(counts) => return Ok(counts),
                Err(e) if self.stop.load(Ordering::Relaxed) => return Err(e.into()),
                Err(e) => {
                    tracing::error!(error = %e, "the database does not say whether events were processed again; asking again");
                    std::thread::sleep(Duration::from_secs(1));
                }
            }
        }
    }

    /// Lets the counts follow: events whose hash is another one now leave the old one. Answers how many went to which
    /// issue.
    fn recount(
        &self,
        c: &mut dyn Connection,
        changed: &[Changed],
        now: i64,
    ) -> std::result::Result<HashMap<i64, i64>, SqlError> {
        let project = |one: &Changed| one.old.row.project;
        let replaced: Vec<_> = changed
            .iter()
            .map(|one| (project(one), one.old.seq, one.new.partition))
            .collect();
        reprocessings::replace(c, &replaced)?;
        let moved: Vec<&Changed> = changed
            .iter()
            .filter(|one| one.old.row.hash != one.new.processed.row.hash)
            .collect();
        let old: Vec<_> = moved
            .iter()
            .map(|one| (project(one), GroupHash(one.old.row.hash)))
            .collect();
        let ids: HashMap<_, _> = hashes::find(c, &old)?
            .into_iter()
            .map(|h| (h.hash, (h.id, h.issue)))
            .collect();
        let mut counts: HashMap<(i64, i64), i64> = HashMap::new();
        let mut touched = Vec::new();
        for one in &moved {
            if let Some((id, issue)) = ids.get(&GroupHash(one.old.row.hash)) {
                *counts.entry((*id, hour_of(one.old.row.time))).or_default() += 1;
                touched.extend(*issue);
            }
        }
        let counts: Vec<_> = counts.into_iter().map(|((id, hour), n)| (id, hour, n)).collect();
        if !counts.is_empty() {
            reprocessings::take_back(c, &counts)?;
        }
        let mut in_order: Vec<&Event> = moved.iter().map(|one| &one.new).collect();
        in_order.sort_by_key(|e| e.seq);
        apply::recount(c, &in_order, now)?;
        touched.sort_unstable();
        touched.dedup();
        for issue in touched {
            regroup::recount_issue(c, issue)?;
        }
        let new: Vec<_> = in_order
            .iter()
            .map(|e| (e.processed.row.project, GroupHash(e.processed.row.hash)))
            .collect();
        let issue: HashMap<_, _> = hashes::find(c, &new)?
            .into_iter()
            .map(|h| (h.hash, h.issue))
            .collect();
        let mut went: HashMap<i64, i64> = HashMap::new();
        for (_, hash) in &new {
            if let Some(Some(issue)) = issue.get(hash) {
                *went.entry(*issue).or_default() += 1;
            }
        }
        // The newest event of an issue gives it its looks, also where its hash is what it was.
        let stayed = changed
            .iter()
            .filter(|one| one.old.row.hash == one.new.processed.row.hash);
        for one in stayed {
            looks(c, &one.new.processed)?;
        }
        Ok(went)
    }

    /// The wish is fulfilled. An issue all of whose events are another's now goes on as that one, under its own number.
    fn finish(&self, mut wish: Reprocessing) -> Result<()> {
        let now = self.stores.clock.now();
        wish.status = "done".into();
        wish.date_done = Some(now);
        self.stores.sql.writing(|c| {
            let empty = issues::by_ids(c, &[wish.issue])?
                .pop()
                .is_some_and(|i| i.times_seen <= 0);
            let heir = wish
                .went_to
                .iter()
                .filter_map(|(i, n)| Some((*n, i.parse::<i64>().ok()?)))
                .max();
            if empty && let Some((_, heir)) = heir.filter(|(_, heir)| *heir != wish.issue) {
                regroup::merge(c, wish.issue, &[heir])?;
            }
            reprocessings::save(c, &wish)
        })?;
        tracing::info!(
            issue = wish.issue,
            events = wish.done,
            changed = wish.changed,
            "an issue was processed again"
        );
        Ok(())
    }
}

/// Leaves out what somebody deleted or discarded meanwhile.
fn unwanted(c: &mut dyn Connection, changed: &mut Vec<Changed>) -> std::result::Result<(), SqlError> {
    let mut projects: Vec<u64> = changed.iter().map(|one| one.old.row.project).collect();
    projects.sort_unstable();
    projects.dedup();
    let hidden = hashes::hidden(c, &projects)?;
    changed.retain(|one| !hidden.hides(one.old.row.project, one.old.row.hash, one.old.seq));
    let mut asked: Vec<_> = changed
        .iter()
        .flat_map(|one| apply::hashes_of(&one.new))
        .collect();
    asked.sort_unstable();
    asked.dedup();
    let discarded = discarded::find(c, &asked)?;
    changed.retain(|one| !apply::hashes_of(&one.new).any(|h| discarded.contains_key(&h)));
    Ok(())
}

/// Whether two events say the same, in whatever order.
fn same(a: &[u8], b: &[u8]) -> bool {
    let read = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).ok();
    a == b || read(a) == read(b)
}

/// Gives an issue the texts of an event, if that is its newest.
fn looks(c: &mut dyn Connection, p: &Processed) -> std::result::Result<(), SqlError> {
    let hash = (p.row.project, GroupHash(p.row.hash));
    let Some(id) = hashes::find(c, &[hash])?.pop().and_then(|h| h.issue) else {
        return Ok(());
    };
    let Some(mut issue) = issues::by_ids(c, &[id])?.pop() else {
        return Ok(());
    };
    if p.time >= issue.last_seen
        && (issue.title != p.title || issue.culprit != p.culprit || issue.metadata != p.metadata)
    {
        issue.title.clone_from(&p.title);
        issue.culprit.clone_from(&p.culprit);
        issue.metadata.clone_from(&p.metadata);
        issues::save(c, &[&issue])?;
    }
    Ok(())
}

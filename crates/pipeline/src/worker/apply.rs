//! Writing a batch. The order is what makes a crash at any point harmless:
//!
//! 1. attachments as blobs (the same key again is the same bytes)
//! 2. records to the packs, synced
//! 3. one SQL transaction: issues, hashes, counts, facts, outcomes, pack lengths, the applied position
//! 4. event ids and rows, which are visible from here on
//! 5. the queue is acknowledged
//!
//! Before 3 is committed nothing counts: at start, pack bytes behind the committed length are cut off and the
//! records are claimed again. After it, the index and the ids are read from the packs.

mod issues;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use protocol::category::{Category, Discard, Outcome};
use protocol::ids::EventId;
use protocol::time::hour_of;
use storage::columns::{ColumnsError, Placed, RowBatch};
use storage::payloads::{Locator, Partition, PayloadError};
use storage::queue::{Batch, QueueError};
use storage::relational::aside::{self, NewAside};
use storage::relational::attachments::{self, Attachment};
use storage::relational::outcomes::{self, Counts};
use storage::relational::releases::{self, Sighting};
use storage::relational::{discarded, positions, projects, whereabouts};
use storage::sql::{Connection, SqlError};
use storage::stores::Stores;

use self::issues::Hash;
pub(crate) use self::issues::hashes_of;
use super::Worker;
use super::prepare::{Event, Failure, File, Prepared};
use crate::ingest::record::Meta;

/// Why a batch could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The packs or ids refused.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The database refused.
    #[error("the database: {0}")]
    Sql(#[from] SqlError),
    /// The event store refused.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// The queue refused.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The blob store refused.
    #[error(transparent)]
    Blob(#[from] storage::blobs::BlobError),
}

/// Measures the stages of a batch.
pub struct Stage(Instant);

impl Stage {
    /// The first stage begins.
    pub fn begin() -> Stage {
        Stage(Instant::now())
    }

    /// A stage ends, and the next one begins.
    pub fn ends(&mut self, name: &'static str) {
        let now = Instant::now();
        metrics::histogram!("vedette_stage_seconds", "stage" => name)
            .record(now.duration_since(self.0).as_secs_f64());
        self.0 = now;
    }
}

/// A batch without repeats.
#[derive(Default)]
struct Clean {
    events: Vec<Event>,
    files: Vec<(u64, File)>,
    counts: Counts,
    discarded: Vec<(u64, String, &'static str)>,
    /// Events that were left out for the sake of a discarded issue, by that.
    left_out: HashMap<i64, i64>,
    failures: Vec<(u64, Failure)>,
}

/// Applies a batch; answers how many events were stored.
///
/// # Errors
/// [`ApplyError`]; then nothing counts and the batch can be tried again.
pub fn apply(worker: &Worker, batch: &Batch, prepared: Vec<Prepared>) -> Result<u64, ApplyError> {
    let stores = &worker.stores;
    let now = stores.clock.now();
    let mut stage = Stage::begin();
    let place = stores.sql.reading(positions::next_place)?;
    let mut clean = sort_out(worker, prepared)?;
    for (event, seq) in clean.events.iter_mut().zip(place..) {
        event.place(seq);
    }
    let next_place = place + clean.events.len() as u64;
    let files = put_files(worker, std::mem::take(&mut clean.files))?;

    // Records of one project and hash lie next to each other: they compress well together.
    clean
        .events
        .sort_by_key(|e| (e.partition, e.processed.row.project, e.processed.row.hash, e.seq));
    let mut lengths: Vec<(Partition, u64)> = Vec::new();
    let mut locators: Vec<Locator> = Vec::with_capacity(clean.events.len());
    for events in clean.events.chunk_by_mut(|a, b| a.partition == b.partition) {
        let records: Vec<_> = events.iter_mut().map(|e| std::mem::take(&mut e.record)).collect();
        let (places, end) = stores.payloads.append(events[0].partition, &records)?;
        locators.extend(places);
        lengths.push((events[0].partition, end));
    }

    stage.ends("packs");

    let mut order: Vec<usize> = (0..clean.events.len()).collect();
    order.sort_by_key(|i| clean.events[*i].seq);
    let refused = worker.quota.take_refused();
    let written = stores.sql.writing(|c| {
        let in_order: Vec<&Event> = order.iter().map(|i| &clean.events[*i]).collect();
        positions::set_next_place(c, next_place)?;
        transact(c, &in_order, &clean, &files, &refused, now)?;
        positions::advance(c, batch.partition, batch.next, &lengths)
    });
    if let Err(e) = written {
        worker.quota.put_back(refused);
        if !was_committed(worker, batch)? {
            // What was appended does not count; the next try appends it again at the same place.
            for (partition, start) in starts(&clean.events, &locators) {
                stores.payloads.truncate(partition, start)?;
            }
            return Err(e.into());
        }
        // The answer was lost, not the commit.
    }

    stage.ends("database");

    // From here on the batch counts: trying it again as a whole would count it twice.
    let stored = locators.len() as u64;
    for (key, n) in &clean.counts {
        metrics::counter!("vedette_outcomes_total", "outcome" => key.outcome, "category" => key.category.clone(), "reason" => key.reason.clone())
            .increment(*n);
    }
    let found = Findable::of(clean.events, &locators, &lengths);
    let mut pause = Duration::from_millis(100);
    loop {
        let done = found.publish(stores).and_then(|()| {
            stores
                .queue
                .ack(batch.partition, batch.next)
                .map_err(ApplyError::from)
        });
        match done {
            Ok(()) => {
                stage.ends("publish");
                return Ok(stored);
            }
            Err(e) if worker.stop.load(Ordering::Relaxed) => {
                tracing::error!(error = %e, "a batch is stored but not in the index; the next start reads it from the packs");
                return Ok(stored);
            }
            Err(e) => {
                worker.failed(&e.to_string());
                tracing::error!(error = %e, "a stored batch could not be made searchable; trying again");
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_secs(10));
            }
        }
    }
}

/// After a panic: answers true if the batch counts all the same. If not, the packs it may have appended to are cut
/// back to what counts.
///
/// # Errors
/// [`ApplyError`], as the stores say.
pub fn undo(worker: &Worker, batch: &Batch, packs: &BTreeSet<Partition>) -> Result<bool, ApplyError> {
    if was_committed(worker, batch)? {
        return Ok(true);
    }
    let lengths: HashMap<Partition, u64> = positions::packs(&*worker.stores.sql)?.into_iter().collect();
    for partition in packs {
        let length = lengths.get(partition).copied().unwrap_or(0);
        worker.stores.payloads.truncate(*partition, length)?;
    }
    Ok(false)
}

/// Where each partition's pack ended before a batch was appended: at its first record's frame.
fn starts(events: &[Event], locators: &[Locator]) -> BTreeMap<Partition, u64> {
    let mut starts = BTreeMap::new();
    for (event, locator) in events.iter().zip(locators) {
        let start = starts.entry(event.partition).or_insert(locator.frame);
        *start = (*start).min(locator.frame);
    }
    starts
}

/// Whether a batch whose commit answered an error counts all the same: the connection may have been lost behind
/// it. Waits until the database says.
fn was_committed(worker: &Worker, batch: &Batch) -> Result<bool, ApplyError> {
    let mut pause = Duration::from_millis(100);
    loop {
        match positions::applied(&*worker.stores.sql, batch.partition) {
            Ok(position) => return Ok(position >= batch.next),
            // The next start cuts the packs to what is committed.
            Err(e) if worker.stop.load(Ordering::Relaxed) => return Err(e.into()),
            Err(e) => {
                tracing::error!(error = %e, "the database does not say whether a batch was committed; asking again");
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_secs(10));
            }
        }
    }
}

/// Leaves out events that are stored already and attachments whose event is not; counts all of it.
fn sort_out(worker: &Worker, prepared: Vec<Prepared>) -> Result<Clean, ApplyError> {
    let ids = &worker.stores.ids;
    let key = |e: &Event| (e.processed.row.project, e.processed.event_id.0);
    let all: Vec<_> = prepared.iter().flat_map(|p| p.events.iter().map(key)).collect();
    let known: HashSet<_> = all
        .iter()
        .zip(ids.known(&all)?)
        .filter(|(_, known)| *known)
        .map(|(key, _)| *key)
        .collect();
    let unwanted = unwanted(worker, &prepared)?;
    let mut fresh: HashSet<(u64, [u8; 16])> = HashSet::new();
    let mut clean = Clean::default();
    let mut with_repeats = Vec::with_capacity(prepared.len());
    for mut p in prepared {
        let mut repeated = false;
        for event in std::mem::take(&mut p.events) {
            let key = key(&event);
            if known.contains(&key) || fresh.contains(&key) {
                p.discard(event.processed.category, Discard::Duplicate, None);
                repeated = true;
                continue;
            }
            if !unwanted.is_empty()
                && let Some(issue) = hashes_of(&event).find_map(|h| unwanted.get(&h))
            {
                *clean.left_out.entry(*issue).or_default() += 1;
                let id = event.processed.event_id.to_string();
                p.discard(event.processed.category, Discard::DiscardedHash, Some(&id));
                continue;
            }
            fresh.insert(key);
            p.count(Outcome::Accepted, event.processed.category.name(), "", 1);
            clean.events.push(event);
        }
        with_repeats.push((p, repeated));
    }
    // Files after all events: one may come in an envelope before its event's.
    for (mut p, repeated) in with_repeats {
        for file in std::mem::take(&mut p.files) {
            let id = file.event_id.parse::<EventId>().unwrap_or_default();
            let size = file.sent.unwrap_or(file.bytes.len() as u64);
            let key = (p.project, id.0);
            if repeated {
                p.discard_file(Discard::Duplicate, size);
            } else if fresh.contains(&key) || ids.known(&[key])?.first() == Some(&true) {
                p.count(Outcome::Accepted, Category::AttachmentItem.name(), "", 1);
                p.count(Outcome::Accepted, Category::Attachment.name(), "", size);
                clean.files.push((p.project, file));
            } else {
                p.discard_file(Discard::AttachmentWithoutEvent, size);
            }
        }
        for (key, n) in p.counts {
            *clean.counts.entry(key).or_default() += n;
        }
        clean.discarded.extend(
            p.discarded
                .into_iter()
                .map(|(id, reason)| (p.project, id, reason.name())),
        );
        clean
            .failures
            .extend(p.failures.into_iter().map(|f| (p.project, f)));
    }
    Ok(clean)
}

/// The hashes of a batch whose events somebody wants to be left out, with their discarded issue.
fn unwanted(worker: &Worker, prepared: &[Prepared]) -> Result<HashMap<Hash, i64>, SqlError> {
    worker.stores.sql.reading(|c| {
        let projects = discarded::projects(c)?;
        if projects.is_empty() {
            return Ok(HashMap::new());
        }
        let mut asked: Vec<Hash> = prepared
            .iter()
            .flat_map(|p| &p.events)
            .filter(|e| projects.contains(&e.processed.row.project))
            .flat_map(hashes_of)
            .collect();
        asked.sort_unstable();
        asked.dedup();
        discarded::find(c, &asked)
    })
}

fn put_files(worker: &Worker, files: Vec<(u64, File)>) -> Result<Vec<Attachment>, ApplyError> {
    use sha1::Digest as _;
    let now = worker.stores.clock.now();
    let mut out = Vec::with_capacity(files.len());
    for (project, file) in files {
        let (lane, position, item) = file.place;
        let lane = if lane == 0 {
            String::new()
        } else {
            format!("{lane}-")
        };
        let sha1: String = sha1::Sha1::digest(&file.bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let mut blob = format!("attachments/{}/{lane}{position:020}-{item}", file.partition);
        if file.sent.is_some() {
            // Bytes made here are others once more is uploaded, and a key stands for its bytes.
            blob = format!("{blob}-{sha1}");
        }
        worker.stores.blobs.put(&blob, &file.bytes)?;
        out.push(Attachment {
            id: 0,
            project: i64::try_from(project).unwrap_or(0),
            event_id: file.event_id,
            name: file.name,
            kind: file.kind,
            content_type: file.content_type,
            size: i64::try_from(file.bytes.len()).unwrap_or(i64::MAX),
            sha1,
            blob,
            partition: file.partition,
            date_added: now,
        });
    }
    Ok(out)
}

fn transact(
    c: &mut dyn Connection,
    events: &[&Event],
    clean: &Clean,
    files: &[Attachment],
    refused: &Counts,
    now: i64,
) -> Result<(), SqlError> {
    let begun = issues::apply(c, events, now, true)?;
    facts(c, events, &begun, now)?;
    outcomes::add(c, &clean.counts)?;
    outcomes::add(c, refused)?;
    whereabouts::discard(c, &clean.discarded, now)?;
    discarded::count(c, &clean.left_out, now)?;
    attachments::add(c, files)?;
    for (project, failure) in &clean.failures {
        let meta = failure.meta.as_ref().map(Meta::to_json);
        let hour = failure.meta.as_ref().map(|m| hour_of(m.received));
        let item = NewAside {
            project: *project,
            event_id: failure.event_id.as_deref(),
            error: &failure.error,
            payload: &failure.payload,
            meta: meta.as_deref(),
            counted: hour.zip(failure.category.map(Category::name)),
        };
        aside::add(c, &item, now)?;
    }
    Ok(())
}

/// Releases, environments and first events, as the batch names them.
fn facts(
    c: &mut dyn Connection,
    events: &[&Event],
    begun: &HashMap<(u64, String), i64>,
    now: i64,
) -> Result<(), SqlError> {
    let mut sightings: BTreeMap<(u64, &str), (i64, i64)> = BTreeMap::new();
    let mut environments: BTreeMap<(u64, &str), ()> = BTreeMap::new();
    let mut first: BTreeMap<u64, i64> = BTreeMap::new();
    for event in events {
        let p = &event.processed;
        let project = p.row.project;
        let start = first.entry(project).or_insert(p.time);
        *start = (*start).min(p.time);
        if let Some(release) = p.release.as_deref() {
            let span = sightings.entry((project, release)).or_insert((p.time, p.time));
            *span = (span.0.min(p.time), span.1.max(p.time));
        }
        if let Some(environment) = p.environment.as_deref() {
            environments.insert((project, environment), ());
        }
    }
    let sightings: Vec<_> = sightings
        .into_iter()
        .map(|((project, version), span)| Sighting {
            project,
            version: version.to_owned(),
            span,
            new_issues: begun.get(&(project, version.to_owned())).copied().unwrap_or(0),
        })
        .collect();
    releases::saw(c, &sightings, now)?;
    let environments: Vec<_> = environments.into_keys().map(|(p, n)| (p, n.to_owned())).collect();
    releases::saw_environments(c, &environments, now)?;
    for (project, time) in first {
        projects::first_event(c, i64::try_from(project).unwrap_or(0), time)?;
    }
    Ok(())
}

/// Counts events that were counted before, under other hashes: they change no state of an issue.
///
/// # Errors
/// As the database says.
pub(crate) fn recount(c: &mut dyn Connection, events: &[&Event], now: i64) -> Result<(), SqlError> {
    issues::apply(c, events, now, false).map(|_| ())
}

/// A project's event id and where its record lies.
type FoundId = (u64, [u8; 16], Locator);

/// What makes events findable.
pub(crate) struct Findable {
    ids: Vec<(Partition, u64, Vec<FoundId>)>,
    rows: Vec<RowBatch>,
}

impl Findable {
    /// Of events that lie partition by partition.
    pub(crate) fn of(events: Vec<Event>, locators: &[Locator], lengths: &[(Partition, u64)]) -> Findable {
        let mut events = events.into_iter().zip(locators).peekable();
        let mut out = Findable {
            ids: Vec::with_capacity(lengths.len()),
            rows: Vec::with_capacity(lengths.len()),
        };
        for &(partition, end) in lengths {
            let (mut ids, mut rows) = (Vec::new(), Vec::new());
            while let Some((event, locator)) = events.next_if(|(e, _)| e.partition == partition) {
                let row = event.processed.row;
                ids.push((row.project, event.processed.event_id.0, *locator));
                rows.push(Arc::new(Placed {
                    row,
                    seq: event.seq,
                    locator: *locator,
                }));
            }
            out.ids.push((partition, end, ids));
            out.rows.push(RowBatch { partition, end, rows });
        }
        out
    }

    pub(crate) fn publish(&self, stores: &Stores) -> Result<(), ApplyError> {
        for (partition, end, ids) in &self.ids {
            stores.ids.add(*partition, *end, ids)?;
        }
        stores.columns.append(stores.catalog.errors, self.rows.clone())?;
        Ok(())
    }
}

//! What time asks for: retention, deletions, archives that end. One thread, every few seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::{looks, owners, uploads};
use protocol::time::{day_of, hour_of};
use storage::life;
use storage::payloads::Partition;
use storage::relational::{
    accounts, activity, attachments, hashes, instance, issues, outcomes, people, positions, projects,
    reprocessings, sessions, whereabouts,
};
use storage::sql::SqlError;
use storage::stores::Stores;

/// How often the clock is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// How often retention runs, in rounds of [`EVERY`].
const RETENTION_ROUNDS: u64 = 300;
/// Outcomes are kept so long, days.
const OUTCOME_DAYS: i64 = 400;
const DAY: i64 = 86_400_000_000;

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The database refused.
    #[error("the database: {0}")]
    Sql(#[from] SqlError),
    /// Another store refused.
    #[error("{0}")]
    Store(String),
}

pub(crate) fn store(e: impl std::fmt::Display) -> JobError {
    JobError::Store(e.to_string())
}

/// The room on a disk, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Free for this process.
    pub free: u64,
    /// Of the whole disk.
    pub total: u64,
}

/// How much of the disk retention keeps free, by dropping the oldest days before their time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeepFree {
    /// A share of the whole disk, 0 to 1; 0 keeps nothing free.
    pub share: f64,
    /// At least so many bytes, unless the share is 0: what ingest needs to take events.
    pub least: u64,
}

impl KeepFree {
    /// In bytes, of a disk of so many.
    pub fn bytes(&self, total: u64) -> u64 {
        if self.share <= 0.0 {
            return 0;
        }
        // An eighth above what ingest needs, so that room is made before it has to refuse.
        ((total as f64 * self.share) as u64).max(self.least + self.least / 8)
    }
}

/// The name under which the installation remembers the days that were dropped for want of space: a JSON list,
/// newest first, of `partition`, `bytes`, `dateDropped`.
pub const DROPPED_FOR_SPACE: &str = "dropped-for-space";
/// So many are remembered.
const REMEMBERED: usize = 20;

/// What the jobs work with.
pub struct Jobs {
    /// The stores.
    pub stores: Stores,
    /// Days that events are kept.
    pub retention: u16,
    /// Days that uploaded files are kept without serving.
    pub artifact_retention: u16,
    /// What is kept free.
    pub keep_free: KeepFree,
    /// The room on the data folder's disk; `None` if the system does not say.
    pub space: Arc<dyn Fn() -> Option<Space> + Send + Sync>,
}

/// Runs the jobs until it is told to stop.
pub fn run(jobs: &Jobs, stop: &Arc<AtomicBool>) {
    let stores = &jobs.stores;
    let mut round = 0u64;
    // Behind which hash those may be that were not looked at; from the start now and then.
    let mut unseen = 0i64;
    // The newest issue of the round before.
    let mut newest = None;
    while !stop.load(Ordering::Relaxed) {
        if let Err(e) = delete_due(stores) {
            tracing::error!(error = %e, "issues could not be deleted yet");
        }
        if let Err(e) = end_archives(stores) {
            tracing::error!(error = %e, "archived issues could not be looked at");
        }
        if round.is_multiple_of(RETENTION_ROUNDS) {
            match sweep(stores, jobs.retention) {
                Ok(dropped) if dropped > 0 => tracing::info!(dropped, "dropped days past their retention"),
                Ok(_) => {}
                Err(e) => tracing::error!(error = %e, "retention could not run"),
            }
        }
        if round.is_multiple_of(RETENTION_ROUNDS)
            && let Err(e) = sweep_uploads(jobs, round)
        {
            tracing::error!(error = %e, "uploaded files could not be tidied");
        }
        if let Err(e) = make_room(jobs, round) {
            tracing::error!(error = %e, "no room could be made on the disk");
        }
        if round.is_multiple_of(RETENTION_ROUNDS) {
            unseen = 0;
            if let Err(e) = renew_forecasts(stores) {
                tracing::error!(error = %e, "forecasts of archived issues could not be made anew");
            }
        }
        match looks::look(stores, unseen) {
            Ok(Some(last)) => unseen = last,
            Ok(None) => {}
            Err(e) => tracing::error!(error = %e, "what new issues look like could not be read"),
        }
        match owners::assign(stores, newest) {
            Ok(last) => newest = Some(last),
            Err(e) => tracing::error!(error = %e, "owners of new issues could not be found"),
        }
        round += 1;
        for _ in 0..EVERY.as_millis() / 100 {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Removes uploaded files whose time is over, and what a stop left half done.
fn sweep_uploads(jobs: &Jobs, round: u64) -> Result<(), JobError> {
    let stores = &jobs.stores;
    if round == 0 {
        uploads::sweep::strays(stores)?;
    }
    let chunks = uploads::sweep::chunks(stores)?;
    let unused = uploads::sweep::unused(stores, jobs.artifact_retention)?;
    let files = uploads::sweep::unnamed(stores, 0)?;
    if chunks + unused + files > 0 {
        tracing::info!(chunks, unused, files, "removed uploaded files");
    }
    Ok(())
}

/// Drops the oldest days until the disk has as much free as it should. Today stays. Answers what was dropped.
///
/// # Errors
/// As the stores say.
pub fn make_room(jobs: &Jobs, round: u64) -> Result<Vec<Partition>, JobError> {
    let mut dropped = Vec::new();
    loop {
        let Some(space) = (jobs.space)() else {
            return Ok(dropped);
        };
        let wanted = jobs.keep_free.bytes(space.total);
        if space.free >= wanted {
            return Ok(dropped);
        }
        let today = day_of(jobs.stores.clock.now());
        let packs = positions::packs(&*jobs.stores.sql)?;
        let oldest = packs.into_iter().filter(|(p, _)| p.day < today);
        let Some((partition, bytes)) = oldest.min_by_key(|(p, _)| (p.day, p.retention)) else {
            if round.is_multiple_of(30) {
                tracing::error!(
                    free_mb = space.free >> 20,
                    wanted_mb = wanted >> 20,
                    "the disk is short of room, and there is no day before today to drop; make room, or limit the keys of loud projects"
                );
            }
            return Ok(dropped);
        };
        tracing::error!(
            day = %partition, packed_mb = bytes >> 20, free_mb = space.free >> 20, wanted_mb = wanted >> 20,
            "the disk is short of room: dropping the oldest day before its retention is over"
        );
        drop_where(&jobs.stores, |p| p == partition)?;
        remember_dropped(&jobs.stores, partition, bytes)?;
        dropped.push(partition);
    }
}

fn remember_dropped(stores: &Stores, partition: Partition, bytes: u64) -> Result<(), JobError> {
    let now = protocol::time::format_rfc3339(stores.clock.now());
    let entry = serde_json::json!({ "partition": partition.to_string(), "bytes": bytes, "dateDropped": now });
    stores.sql.writing(|c| {
        let known = instance::get(c, DROPPED_FOR_SPACE)?;
        let mut list: Vec<serde_json::Value> = known
            .and_then(|k| serde_json::from_str(&k).ok())
            .unwrap_or_default();
        list.insert(0, entry.clone());
        list.truncate(REMEMBERED);
        instance::set(c, DROPPED_FOR_SPACE, &serde_json::Value::from(list).to_string())
    })?;
    Ok(())
}

/// Deletes the issues whose time to take it back is over, and the projects marked so.
///
/// # Errors
/// As the database says.
pub fn delete_due(stores: &Stores) -> Result<u64, JobError> {
    let now = stores.clock.now();
    // Everything applied so far; what comes later with the same hash opens a new issue.
    let upto = stores.sql.reading(positions::next_place)?.saturating_sub(1);
    let mut deleted = 0;
    loop {
        let due = stores.sql.reading(|c| issues::to_delete(c, now, 100))?;
        if due.is_empty() {
            break;
        }
        stores.sql.writing(|c| {
            for issue in &due {
                hashes::bury(c, issue.id, upto)?;
                issues::remove(c, issue.id)?;
            }
            Ok(())
        })?;
        deleted += due.len() as u64;
    }
    let gone: Vec<_> = stores
        .sql
        .reading(projects::all_projects)?
        .into_iter()
        .filter(|p| p.status == "deleting")
        .collect();
    for project in gone {
        stores.sql.writing(|c| projects::remove(c, project.id))?;
        tracing::info!(project = project.id, "deleted a project");
    }
    for organization in stores.sql.reading(people::retired)? {
        uploads::sweep::organization(stores, organization)?;
        stores
            .sql
            .writing(|c| people::remove_organization(c, organization))?;
        tracing::info!(organization, "deleted an organization");
    }
    Ok(deleted)
}

/// Opens archived issues whose time is over.
///
/// # Errors
/// As the database says.
pub fn end_archives(stores: &Stores) -> Result<(), JobError> {
    let now = stores.clock.now();
    let due = stores.sql.reading(issues::archived)?;
    let over = |i: &issues::Issue| i.state.details.until.is_some_and(|t| t <= now);
    if !due.iter().any(over) {
        return Ok(());
    }
    stores.sql.writing(|c| {
        for mut issue in issues::archived(c)?.into_iter().filter(over) {
            if let Some(change) = life::on_time(&mut issue.state, now) {
                issues::save(c, &[&issue])?;
                activity::add(
                    c,
                    issue.id,
                    issue.project,
                    None,
                    change.kind(),
                    &serde_json::json!({}),
                    now,
                )?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// Makes the forecasts anew that are a week old, of issues that wait for escalating. Answers how many.
///
/// # Errors
/// As the database says.
pub fn renew_forecasts(stores: &Stores) -> Result<usize, JobError> {
    let now = hour_of(stores.clock.now());
    let before = (now - life::WEEK) * 3_600_000_000;
    let stale = |i: &issues::Issue| i.state.details.forecast.as_ref().is_none_or(|f| f.is_stale(now));
    let due = stores.sql.reading(|c| issues::await_escalation(c, before))?;
    let due: Vec<i64> = due.iter().filter(|i| stale(i)).map(|i| i.id).collect();
    for some in due.chunks(100) {
        stores.sql.writing(|c| {
            // A batch may have ended the archive in the meantime.
            positions::hold(c)?;
            let mut all = issues::by_ids(c, some)?;
            all.retain(|i| i.state.details.awaits_escalation());
            for issue in &mut all {
                issue.state.details.forecast = Some(hashes::forecast(c, issue, now)?);
                issue.state.details.ceiling = None;
            }
            issues::save(c, &all.iter().collect::<Vec<_>>())
        })?;
    }
    Ok(due.len())
}

/// Drops the days whose retention is over: rows, ids, packs, attachments, and what SQL counted for them. Answers
/// how many partitions went.
///
/// # Errors
/// As the stores say; what was not dropped is tried again.
pub fn sweep(stores: &Stores, retention: u16) -> Result<u64, JobError> {
    let today = day_of(stores.clock.now());
    sweep_where(stores, retention, |p| p.expired(today))
}

/// Drops everything that was received more than so many days ago, whatever its retention says.
///
/// # Errors
/// As [`sweep`].
pub fn sweep_older(stores: &Stores, days: u16) -> Result<u64, JobError> {
    let today = day_of(stores.clock.now());
    sweep_where(stores, days, |p| {
        p.expired(today) || i64::from(p.day) + i64::from(days) < i64::from(today)
    })
}

fn sweep_where(stores: &Stores, retention: u16, goes: impl Fn(Partition) -> bool) -> Result<u64, JobError> {
    let now = stores.clock.now();
    let dropped = drop_where(stores, goes)?;
    // Counts stay as long as the project with the longest retention keeps its events.
    let longest = stores
        .sql
        .reading(projects::all_projects)?
        .iter()
        .filter_map(|p| p.settings["retentionDays"].as_i64())
        .max();
    let counted = longest.unwrap_or(0).max(i64::from(retention));
    stores.sql.writing(|c| {
        hashes::sweep(c, hour_of(now) - counted * 24)?;
        outcomes::sweep(c, hour_of(now) - OUTCOME_DAYS * 24)?;
        whereabouts::sweep(c, now - i64::from(retention) * DAY)?;
        accounts::sweep(c, now)?;
        sessions::sweep(c, now)
    })?;
    Ok(dropped)
}

/// Drops partitions; answers how many.
fn drop_where(stores: &Stores, goes: impl Fn(Partition) -> bool) -> Result<u64, JobError> {
    let _gate = stores.gates.removal.lock();
    let mut dropped = 0;
    for (partition, _) in positions::packs(&*stores.sql)? {
        if !goes(partition) {
            continue;
        }
        // The list of packs last: what a crash leaves in between is dropped again.
        stores
            .columns
            .drop_partition(stores.catalog.errors, partition)
            .map_err(store)?;
        stores.ids.drop_partition(partition).map_err(store)?;
        stores
            .blobs
            .delete_prefix(&format!("attachments/{partition}/"))
            .map_err(store)?;
        stores.payloads.drop_partition(partition).map_err(store)?;
        stores.sql.writing(|c| {
            attachments::forget(c, partition)?;
            reprocessings::forget(c, partition)?;
            positions::forget_pack(c, partition)
        })?;
        dropped += 1;
    }
    Ok(dropped)
}

//! What becomes of uploaded files with time: chunks that were not put together go after a day, what did not serve for
//! long goes, and then files that nothing names.

use std::collections::HashSet;

use storage::relational::{artifacts, chunks, debug_files, release_files, stored_files};
use storage::stores::Stores;

use crate::jobs::{JobError, store};

const DAY: i64 = 86_400_000_000;
/// Of each kind at once.
const SOME: i64 = 500;

/// Removes chunks that are a day old; how many.
///
/// # Errors
/// As the stores say; so for the functions below.
pub fn chunks(stores: &Stores) -> Result<u64, JobError> {
    let before = stores.clock.now() - DAY;
    let mut removed = 0;
    loop {
        let due = stores.sql.reading(|c| chunks::older(c, before, SOME))?;
        for (org, sha1) in &due {
            let _kept = stores.gates.removal.lock();
            // One that comes again meanwhile stays noted; assembling finds out if its bytes went.
            if stores.sql.writing(|c| chunks::expire(c, *org, sha1, before))? {
                stores.blobs.delete(&chunks::key(*org, sha1)).map_err(store)?;
                removed += 1;
            }
        }
        if due.len() < SOME as usize {
            return Ok(removed);
        }
    }
}

/// Removes bundles, files of releases and debug files that did not serve for so many days, and bundles without
/// projects; how many.
pub fn unused(stores: &Stores, days: u16) -> Result<u64, JobError> {
    let before = stores.clock.now() - i64::from(days) * DAY;
    let mut removed = stores
        .sql
        .writing(|c| Ok(debug_files::sweep(c, before)? + release_files::sweep(c, before)?))?;
    loop {
        match stores.sql.writing(|c| artifacts::sweep(c, before))? {
            0 => return Ok(removed),
            some => removed += some as u64,
        }
    }
}

/// Removes files that nothing names, of an organization or (0) of all; how many.
pub fn unnamed(stores: &Stores, org: i64) -> Result<u64, JobError> {
    let mut removed = 0;
    loop {
        let due = stores.sql.reading(|c| stored_files::unnamed(c, org, SOME))?;
        for file in &due {
            let _kept = stores.gates.removal.lock();
            let _gate = stores.gates.files.lock();
            // Bytes first: a row without them is found again, bytes without a row are not.
            if stores.sql.reading(|c| stored_files::is_unnamed(c, &file.blob))? {
                stores.blobs.delete(&file.blob).map_err(store)?;
                stores.sql.writing(|c| stored_files::forget(c, &file.blob))?;
                removed += 1;
            }
        }
        if due.len() < SOME as usize {
            return Ok(removed);
        }
    }
}

/// Removes bytes that a stop of the process left without being noted: once, at the start.
pub fn strays(stores: &Stores) -> Result<u64, JobError> {
    let mut removed = 0;
    for key in stores.blobs.list("files/").map_err(store)? {
        let _kept = stores.gates.removal.lock();
        let _gate = stores.gates.files.lock();
        // A file that is put together right now brings its bytes again.
        if !stores.sql.reading(|c| stored_files::known(c, &key))? {
            stores.blobs.delete(&key).map_err(store)?;
            removed += 1;
        }
    }
    let there: HashSet<String> = stores.blobs.list("chunks/").map_err(store)?.into_iter().collect();
    if there.is_empty() {
        return Ok(removed);
    }
    let rows = stores.sql.reading(|c| chunks::older(c, i64::MAX, i64::MAX))?;
    let rows: HashSet<String> = rows.iter().map(|(org, sha1)| chunks::key(*org, sha1)).collect();
    for key in there.difference(&rows) {
        let _kept = stores.gates.removal.lock();
        stores.blobs.delete(key).map_err(store)?;
        removed += 1;
    }
    Ok(removed)
}

/// Removes the files of an organization that is about to be removed.
pub fn organization(stores: &Stores, org: i64) -> Result<(), JobError> {
    stores
        .sql
        .writing(|c| release_files::remove_organization(c, org))?;
    // Its projects are gone, so its bundles have none.
    while stores.sql.writing(|c| artifacts::sweep(c, i64::MIN))? > 0 {}
    unnamed(stores, org)?;
    let _kept = stores.gates.removal.lock();
    stores
        .blobs
        .delete_prefix(&format!("chunks/{org}/"))
        .map_err(store)
}

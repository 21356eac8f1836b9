//! Committing: rows in memory become a segment of their partition's index, in one thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use storage::columns::accumulate::store_error;
use storage::columns::{Placed, Result};
use tantivy::indexer::UserOperation;
use tantivy::{IndexWriter, TantivyDocument};

use super::schema::Documents;
use super::{COMMIT_BYTES, Part, Shared};

/// Memory of the writer, bytes: the least that Tantivy takes for one thread.
const WRITER_BYTES: usize = 15_000_000;
/// Rows that are written together.
const GROUP: usize = 1024;
/// Rows are committed at the latest after this time.
const COMMIT_EVERY: Duration = Duration::from_secs(20);

/// After a commit that failed, the next is tried so much later.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The writer of the partition that was committed last stays open, so that its merges can end.
pub(super) struct Open {
    part: Arc<RwLock<Part>>,
    writer: IndexWriter<TantivyDocument>,
}

/// Closes the writer if it is this part's, before the part's folder goes.
pub(super) fn close(open: &mut Option<Open>, part: &Arc<RwLock<Part>>) {
    if open.as_ref().is_some_and(|o| Arc::ptr_eq(&o.part, part)) {
        finish(open);
    }
}

/// Waits for the merges of the writer that is open, and closes it.
fn finish(open: &mut Option<Open>) {
    if let Some(open) = open.take()
        && let Err(e) = open.writer.wait_merging_threads()
    {
        // What is committed stays as it is; only the merge did not end.
        tracing::warn!(error = %e, "segments of the index could not be merged");
    }
}

pub(super) fn commit_loop(shared: &Shared) {
    loop {
        let (stop, asked) = {
            let mut pressure = shared.pressure.lock();
            if !pressure.stop && pressure.flush_asked == pressure.flush_done && pressure.bytes < COMMIT_BYTES
            {
                let timeout = std::time::Instant::now() + COMMIT_EVERY;
                while !pressure.stop
                    && pressure.flush_asked == pressure.flush_done
                    && pressure.bytes < COMMIT_BYTES
                    && !shared.changed.wait_until(&mut pressure, timeout).timed_out()
                {}
            }
            (pressure.stop, pressure.flush_asked)
        };
        let keys: Vec<_> = shared.parts.read().iter().map(|(k, p)| (*k, p.clone())).collect();
        let mut failed = None;
        for (key, part) in keys {
            let mut open = shared.writer.lock();
            // A panic on a row is a failure like others: without this thread nothing would be taken any more.
            let done = catch_unwind(AssertUnwindSafe(|| commit(shared, &part, &mut open)));
            if let Err(e) = done.unwrap_or_else(|_| Err(store_error("writing a row panicked"))) {
                *open = None;
                tracing::error!(table = key.0, partition = %key.1, error = %e, "the index could not be committed; the rows stay in memory");
                failed = Some(e.to_string());
            }
        }
        let retry = failed.is_some();
        let mut pressure = shared.pressure.lock();
        pressure.failed = failed;
        pressure.flush_done = asked;
        shared.changed.notify_all();
        if stop {
            break;
        }
        if retry && !pressure.stop {
            shared.changed.wait_for(&mut pressure, RETRY_AFTER);
        }
    }
    finish(&mut shared.writer.lock());
}

fn commit(shared: &Shared, part: &Arc<RwLock<Part>>, open: &mut Option<Open>) -> Result<()> {
    let (rows, end, index, table, bytes): (Vec<Arc<Placed>>, _, _, _, _) = {
        show_saved(shared, part)?;
        let part = part.read();
        if part.fresh.is_empty() {
            return Ok(());
        }
        (
            part.fresh.clone(),
            part.end,
            part.index.clone(),
            part.table,
            part.bytes,
        )
    };
    if open.as_ref().is_none_or(|o| !Arc::ptr_eq(&o.part, part)) {
        finish(open);
        let writer = index
            .writer_with_num_threads(1, WRITER_BYTES)
            .map_err(store_error)?;
        *open = Some(Open {
            part: part.clone(),
            writer,
        });
    }
    let Some(Open { writer, .. }) = open else {
        return Ok(());
    };
    // What is run together lands in one segment: each has the shared texts of its rows.
    for group in rows.chunks(GROUP) {
        let mut make = Documents::new(&shared.fields, table);
        let mut documents = Vec::with_capacity(group.len() + 64);
        for placed in group {
            let (stack, texts) = make.shared(&placed.row);
            documents.extend(texts.map(UserOperation::Add));
            documents.push(UserOperation::Add(make.row(placed, stack)));
        }
        writer.run(documents).map_err(store_error)?;
    }
    let mut prepared = writer.prepare_commit().map_err(store_error)?;
    prepared.set_payload(&end.to_string());
    prepared.commit().map_err(store_error)?;
    {
        let mut part = part.write();
        part.committed = end;
        part.saved = (rows.len(), bytes);
    }
    show_saved(shared, part)
}

/// Takes rows that a commit holds out of memory, once the reader sees them. If it cannot, they stay visible
/// from memory and are not committed again.
fn show_saved(shared: &Shared, part: &Arc<RwLock<Part>>) -> Result<()> {
    let mut part = part.write();
    let (rows, bytes) = part.saved;
    if rows == 0 {
        return Ok(());
    }
    part.reader.reload().map_err(store_error)?;
    part.fresh.drain(..rows);
    part.bytes -= bytes;
    part.saved = (0, 0);
    shared.pressure.lock().bytes -= bytes;
    shared.changed.notify_all();
    Ok(())
}

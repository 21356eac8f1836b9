//! Committing: rows in memory become a segment of their partition's index, in one thread.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use storage::columns::accumulate::store_error;
use storage::columns::{Placed, Result};
use tantivy::{IndexWriter, TantivyDocument};

use super::schema::document;
use super::{COMMIT_BYTES, Key, Part, Shared};

/// Memory of the writer, bytes: the least that Tantivy takes for one thread.
const WRITER_BYTES: usize = 15_000_000;
/// Rows are committed at the latest after this time.
const COMMIT_EVERY: Duration = Duration::from_secs(20);

/// The writer of the partition that was committed last stays open, so that its merges can end.
struct Open {
    key: Key,
    writer: IndexWriter<TantivyDocument>,
}

pub(super) fn commit_loop(shared: &Shared) {
    let mut open: Option<Open> = None;
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
            if let Err(e) = commit(shared, key, &part, &mut open) {
                tracing::error!(table = key.0, partition = %key.1, error = %e, "the index could not be committed; the rows stay in memory");
                failed = Some(e.to_string());
                open = None;
            }
        }
        let mut pressure = shared.pressure.lock();
        pressure.failed = failed;
        pressure.flush_done = asked;
        shared.changed.notify_all();
        if stop {
            break;
        }
    }
    if let Some(open) = open {
        let _ = open.writer.wait_merging_threads();
    }
}

fn commit(shared: &Shared, key: Key, part: &Arc<RwLock<Part>>, open: &mut Option<Open>) -> Result<()> {
    let (rows, end, index, table, bytes): (Vec<Arc<Placed>>, _, _, _, _) = {
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
    if open.as_ref().is_none_or(|o| o.key != key) {
        if let Some(old) = open.take() {
            old.writer.wait_merging_threads().map_err(store_error)?;
        }
        let writer = index
            .writer_with_num_threads(1, WRITER_BYTES)
            .map_err(store_error)?;
        *open = Some(Open { key, writer });
    }
    let Some(Open { writer, .. }) = open else {
        return Ok(());
    };
    for placed in &rows {
        writer
            .add_document(document(&shared.fields, table, placed))
            .map_err(store_error)?;
    }
    let mut prepared = writer.prepare_commit().map_err(store_error)?;
    prepared.set_payload(&end.to_string());
    prepared.commit().map_err(store_error)?;
    {
        let mut part = part.write();
        part.reader.reload().map_err(store_error)?;
        part.fresh.drain(..rows.len());
        part.bytes -= bytes;
        part.committed = end;
    }
    let mut pressure = shared.pressure.lock();
    pressure.bytes -= bytes;
    shared.changed.notify_all();
    Ok(())
}

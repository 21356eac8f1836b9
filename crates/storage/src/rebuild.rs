//! Reading a pack into what is derived from it: the event store and the index of event ids.

use std::sync::Arc;

use protocol::ids::EventId;

use crate::columns::{Placed, RowBatch};
use crate::payloads::{Partition, PayloadError};
use crate::record::StoredEvent;
use crate::stores::Stores;

/// Rows handed on at a time.
const STEP: usize = 4096;

/// Reads what the derived stores have not seen of a partition whose pack is `end` long.
///
/// # Errors
/// [`PayloadError`] if the pack cannot be read or a derived store refuses.
pub fn partition(stores: &Stores, partition: Partition, end: u64) -> Result<(), PayloadError> {
    let table = stores.catalog.errors;
    let failed = |e: crate::columns::ColumnsError| PayloadError::Disk(e.to_string());
    let rows_from = stores.columns.position(table, partition).map_err(failed)?;
    let ids_from = stores.ids.position(partition)?;
    let from = rows_from.min(ids_from);
    if from >= end {
        return Ok(());
    }
    let mut step = Step::default();
    let mut result = Ok(());
    stores.payloads.scan(partition, from, end, &mut |locator, next, bytes| {
        if result.is_err() {
            return;
        }
        if next != step.end && step.rows.len() >= STEP {
            result = step.hand_on(stores, partition, (rows_from, ids_from));
        }
        step.end = next;
        match StoredEvent::decode_head(bytes) {
            Ok((event, _)) => step.rows.push(Placed { row: event.row, seq: event.seq, locator }),
            Err(e) => {
                tracing::error!(%partition, frame = locator.frame, slot = locator.slot, error = %e, "a record cannot be read");
            }
        }
    })?;
    result?;
    step.hand_on(stores, partition, (rows_from, ids_from))
}

/// Forgets what is derived and reads every pack again; answers how many partitions there are.
///
/// # Errors
/// As [`partition`].
pub fn everything(stores: &Stores) -> Result<usize, PayloadError> {
    let disk = |e: String| PayloadError::Disk(e);
    let packs = crate::relational::positions::packs(&*stores.sql).map_err(|e| disk(e.to_string()))?;
    for (place, end) in &packs {
        stores
            .columns
            .drop_partition(stores.catalog.errors, *place)
            .map_err(|e| disk(e.to_string()))?;
        stores.ids.drop_partition(*place)?;
        partition(stores, *place, *end)?;
    }
    stores.columns.flush().map_err(|e| disk(e.to_string()))?;
    stores.ids.flush()?;
    Ok(packs.len())
}

#[derive(Default)]
struct Step {
    rows: Vec<Placed>,
    end: u64,
}

impl Step {
    fn hand_on(
        &mut self,
        stores: &Stores,
        partition: Partition,
        seen: (u64, u64),
    ) -> Result<(), PayloadError> {
        let rows = std::mem::take(&mut self.rows);
        let behind = |frame: u64, from: u64| frame >= from;
        let ids: Vec<_> = rows
            .iter()
            .filter(|p| behind(p.locator.frame, seen.1))
            .map(|p| (p.row.project, EventId(p.row.id).0, p.locator))
            .collect();
        if self.end > seen.1 {
            stores.ids.add(partition, self.end, &ids)?;
        }
        if self.end > seen.0 {
            let rows = rows
                .into_iter()
                .filter(|p| behind(p.locator.frame, seen.0))
                .map(Arc::new)
                .collect();
            let batch = RowBatch {
                partition,
                end: self.end,
                rows,
            };
            stores
                .columns
                .append(stores.catalog.errors, vec![batch])
                .map_err(|e| PayloadError::Disk(e.to_string()))?;
        }
        Ok(())
    }
}

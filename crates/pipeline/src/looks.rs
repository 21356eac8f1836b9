//! What the events of each hash look like, for finding similar issues: read from the newest event of a hash once,
//! some time after its first event came. Nothing waits for it.

use std::sync::Arc;

use storage::columns::{Answer, Filter, Order, Question, Select};
use storage::record::StoredEvent;
use storage::relational::{features, hashes};
use storage::stores::Stores;

use crate::jobs::{JobError, store};

/// Hashes of one round.
const ROUND: i64 = 100;

/// Looks at the next hashes behind `after` that were not looked at yet; answers where to go on, or nothing if
/// there were fewer than a round has.
///
/// # Errors
/// As the stores say.
pub fn look(stores: &Stores, after: i64) -> Result<Option<i64>, JobError> {
    let missing = stores.sql.reading(|c| features::missing(c, after, ROUND))?;
    let Some((last, _, _)) = missing.last().copied() else {
        return Ok(None);
    };
    let mut projects: Vec<u64> = missing
        .iter()
        .filter_map(|(_, p, _)| u64::try_from(*p).ok())
        .collect();
    projects.sort_unstable();
    projects.dedup();
    let hidden = Arc::new(stores.sql.reading(|c| hashes::hidden(c, &projects))?);
    let (mut whose, mut locators) = (Vec::new(), Vec::new());
    for (id, project, hash) in &missing {
        let select = Select {
            table: stores.catalog.errors,
            projects: vec![u64::try_from(*project).unwrap_or(0)],
            time: i64::MIN / 2..i64::MAX / 2,
            hashes: Some(vec![hash.0]),
            filter: Filter::All,
            hidden: hidden.clone(),
            question: Question::Rows {
                order: Order::Newest,
                after: None,
                limit: 1,
            },
        };
        if let Answer::Rows { rows, .. } = stores.columns.select(&select).map_err(store)?
            && let Some(row) = rows.first()
        {
            whose.push((*id, *project));
            locators.push(row.locator);
        }
    }
    let mut found = Vec::with_capacity(whose.len());
    for ((id, project), bytes) in whose.into_iter().zip(stores.payloads.get(&locators)) {
        let event = bytes
            .ok()
            .and_then(|b| StoredEvent::decode(&b).ok())
            .and_then(|e| serde_json::from_slice(&e.json).ok());
        if let Some(event) = event {
            found.push((id, project, processing::features(&event)));
        }
    }
    stores.sql.writing(|c| features::put(c, &found))?;
    Ok((missing.len() as i64 == ROUND).then_some(last))
}

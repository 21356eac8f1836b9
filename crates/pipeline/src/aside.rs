//! What was kept aside, tried again: it goes through the queue as if it had just come.

use futures_executor::block_on;
use storage::queue::{QueueError, Record};
use storage::relational::aside::{self, Aside};
use storage::sql::SqlError;
use storage::stores::Stores;

use crate::ingest::record::{Form, Meta};

/// Why an item could not be tried again.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The database refused.
    #[error("the database: {0}")]
    Sql(#[from] SqlError),
    /// The queue refused.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Puts an item into the queue again; answers false if there is none with this number. What was counted of its loss
/// is taken back before; if processing fails again, it is kept aside again. Waits for the queue.
///
/// # Errors
/// [`RetryError`]; the item is still kept aside then.
pub fn retry(stores: &Stores, id: i64) -> Result<bool, RetryError> {
    let Some((item, payload)) = stores.sql.reading(|c| aside::find(c, id))? else {
        return Ok(false);
    };
    let key = u64::try_from(item.project).unwrap_or(0);
    let meta = item.meta.as_deref().and_then(|m| serde_json::from_str(m).ok());
    let bytes = match (meta, &item) {
        (Some(meta), _) => Meta::write(&meta, &payload),
        // A record of another version is tried as it was; anything else is a JSON event.
        (None, Aside { event_id: None, .. }) if Meta::read(&payload).is_some() => payload,
        (None, _) => bare(&item, key).write(&payload),
    };
    stores.sql.writing(|c| aside::begin_retry(c, &item))?;
    block_on(stores.queue.append(Record {
        key,
        bytes,
        ..Record::default()
    }))?;
    stores.sql.writing(|c| aside::remove(c, &[id]))?;
    Ok(true)
}

fn bare(item: &Aside, project: u64) -> Meta {
    Meta {
        received: item.date_added,
        project,
        form: Form::Store,
        event_id: item.event_id.clone(),
        sent_at: None,
        content_type: None,
        client: None,
        address: None,
        user_agent: None,
        release: None,
        environment: None,
        limited: false,
    }
}

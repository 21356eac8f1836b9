//! The way of an event: HTTP → queue → processing → stores.
//!
//! * [`ingest`] answers clients: authentication, decompression, limits, and 200 once the queue has it for good
//! * [`worker`] takes records from the queue, processes them and applies each batch in one transaction
//! * [`jobs`] does what time asks for: retention, deletions, archives that end
//! * [`directory`] knows keys and projects without asking the database
//! * [`symbols`] turns frames of machines into frames of source
//! * [`again`] processes stored events again when symbols came later
//! * [`aside`] tries again what was kept aside because its processing failed
//! * [`uploads`] keeps, puts together and reads what clients upload: source maps, debug files
//! * [`whereabouts`] says where an event id is

pub mod again;
pub mod aside;
pub mod directory;
pub mod ingest;
pub mod jobs;
pub mod looks;
pub mod mails;
pub mod owners;
pub mod symbols;
pub mod uploads;
pub mod whereabouts;
pub mod worker;

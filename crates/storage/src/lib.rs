//! The ports of what Vedette keeps, the questions asked of them, and the search language. No driver, no runtime.
//!
//! | port | keeps | must survive a crash |
//! |---|---|---|
//! | [`queue::Queue`] | accepted envelopes until they are applied | yes: 200 is answered after it is durable |
//! | [`payloads::Payloads`] | one record per stored event, in day packs: **the truth** | yes |
//! | [`sql::Sql`] | issues, hashes, counts, projects, people | yes |
//! | [`columns::Columns`] | rows to search and count: derived from the packs | no, it is rebuilt |
//! | [`blobs::Blobs`] | attachments, uploaded files | yes |
//!
//! The order in which a batch is written is in `pipeline::worker::apply`.

pub mod blobs;
pub mod cache;
pub mod columns;
pub mod life;
pub mod mail;
pub mod memory;
#[cfg(test)]
mod mutations;
pub mod outgoing;
pub mod ownership;
pub mod payloads;
pub mod queue;
pub mod rebuild;
pub mod record;
pub mod relational;
pub mod search;
pub mod sketch;
pub mod spread;
pub mod sql;
pub mod stores;
#[cfg(feature = "suite")]
pub mod suite;
pub mod suspects;
pub mod uploads;

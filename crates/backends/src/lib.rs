//! Drivers: which backend implements which port.
//!
//! | port | one machine |
//! |---|---|
//! | `Sql` | [`sql::sqlite`], or [`sql::postgres`] by a URL |
//! | `Columns` | [`columns::embedded`] on Tantivy |
//! | `Payloads` | [`payloads::packs`], `EventIds` in [`payloads::ids`] |
//! | `Queue` | [`queue::lanes`] |
//! | `Blobs` | [`blobs::files`] |
//! | `Mailer` | [`egress::smtp`] |

pub mod backup;
pub mod blobs;
pub mod cache;
pub mod columns;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod damage;
pub mod egress;
pub mod files;
pub mod open;
pub mod payloads;
pub mod queue;
pub mod sql;

//! The vocabulary of Vedette: what SDKs send, what is answered, and the words in which the parts of the
//! server speak to each other.
//!
//! * [`json`]: the JSON value of the hot path; reads what real clients send, also where it is not quite JSON
//! * [`envelope`], [`auth`], [`dsn`], [`forwarded`], [`limits`]: the ingest protocol
//! * [`category`]: data categories, outcomes and discard reasons, one table
//! * [`table`]: how an item kind says which columns it keeps, and the rows of them
//! * [`ids`], [`time`]: identifiers and timestamps
//!
//! Nothing here does I/O, reads a clock or spawns anything. Parsing never fails as a whole where a part can be
//! kept: it records what it could not read.

pub mod auth;
pub mod category;
pub mod dsn;
pub mod envelope;
pub mod forwarded;
pub mod ids;
pub mod json;
pub mod limits;
#[cfg(any(test, feature = "mutate"))]
pub mod mutate;
#[cfg(test)]
mod mutations;
pub mod table;
pub mod time;

//! Processing: pure functions from the bytes of an item to what is stored of it.
//!
//! No I/O, no clock, nothing asynchronous: the time of receipt, the project's settings and the geo database are
//! arguments.

pub mod context;
pub mod debug;
pub mod filters;
#[cfg(test)]
mod fixtures;
pub mod geo;
pub mod grouping;
mod items;
pub mod kinds;
mod memo;

mod meta;
#[cfg(test)]
mod mutations;
mod normalize;
mod scrub;
mod symbols;
mod user_agent;

pub use context::{ProjectRules, ProjectSettings, Receipt, RulesError, ScrubSettings};
pub use geo::{Database, Geo, NoGeo, Place};
pub use grouping::compare::compare;
pub use grouping::info::grouping_info;
pub use grouping::regroup;
pub use grouping::similar::{features, rank};
pub use items::client_report::parse_client_report;
pub use items::event::table::ERRORS;
pub use items::event::{Processed, process_again, process_event};
pub use items::security::process_security;
pub use symbols::{NoSymbols, Symbolicate};

/// The version of everything that shapes a stored event: normalization, built-in rules, grouping.
pub const RULES_VERSION: u16 = 1;

//! The endpoints, one module per noun.

pub mod auth;
pub mod discarded;
pub mod events;
pub mod grouping;
pub mod hashes;
pub mod hosted;
pub mod internal;
pub mod issue;
pub mod issue_events;
pub mod issue_notes;
pub mod issues;
pub mod keys;
pub mod organizations;
pub mod projects;
pub mod root;
pub mod search;
pub mod similar;
pub mod stats;
pub mod tags;
pub mod tokens;

//! The kinds of items that are kept, each from its bytes to what is stored.

pub mod client_report;
pub mod event;
pub mod security;

//! The event store's drivers.

pub mod embedded;

//! The queue port's drivers.

pub mod log;

//! The queue port's drivers.

pub mod lanes;
pub mod log;

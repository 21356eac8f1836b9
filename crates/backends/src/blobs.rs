//! The blob port's drivers.

pub mod files;

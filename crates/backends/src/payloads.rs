//! The payload port's drivers: day packs, and the index of event ids beside them.

pub mod ids;
pub mod packs;

//! Symbolication: from what machines ran to what people wrote.
//!
//! Everything here is a function of bytes: no I/O, no clock. What a stack trace needs is asked of [`files::Files`],
//! which whoever calls implements; parsing of uploaded files is one step ([`convert`]) that makes a compact form
//! to look up in, so that the expensive and dangerous part can be done once, apart and under limits.
//!
//! * [`minidump`], [`apple`], [`unreal`]: reports of crashes become parts of an event, which [`crash::merge`] puts into it
//! * [`jvm`], then [`native`]: frames are looked up, and images are told what was found of them
//! * [`hierarchy`]: the views of a screen get the names of their classes back
//! * [`layout`], [`servers`]: where symbol servers have the files of a module; [`cabinet`]: how some compress them
//! * [`restore`]: the frames of an event as the client sent them, to look them up again

pub mod apple;
pub mod archive;
pub mod bundle;
pub mod cabinet;
pub mod convert;
pub mod crash;
pub mod files;
#[cfg(test)]
mod fixtures;
mod guard;
pub mod hierarchy;
pub mod js;
pub mod jvm;
pub mod layout;
pub mod minidump;
#[cfg(test)]
mod mutations;
pub mod names;
pub mod native;
pub mod object;
mod problems;
pub mod servers;
mod sources;
mod stacks;
pub mod unreal;

pub use stacks::restore;

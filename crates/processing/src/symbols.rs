//! Where symbolication has its place: after scrubbing, before the rules of stack traces and grouping.

use protocol::json::Map;

/// Whoever turns the frames of an event into what people wrote.
pub trait Symbolicate {
    /// Changes the stack traces of a normalized event of a project; says in `errors` what stood in the way.
    fn symbolicate(&self, event: &mut Map<'_>, project: u64);
}

/// Frames stay as they come.
#[derive(Clone, Copy, Debug)]
pub struct NoSymbols;

impl Symbolicate for NoSymbols {
    fn symbolicate(&self, _: &mut Map<'_>, _: u64) {}
}

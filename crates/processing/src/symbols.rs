//! Where symbolication has its place: after scrubbing, before the rules of stack traces and grouping.

use protocol::json::Map;

/// Whoever turns the frames of an event into what people wrote.
pub trait Symbolicate {
    /// Changes the stack traces of a normalized event of a project; says in `errors` what stood in the way.
    fn symbolicate(&self, event: &mut Map<'_>, project: u64);

    /// What a crash report of a kind (`event.minidump`, `event.applecrashreport`) says, as parts of an event.
    ///
    /// # Errors
    /// Why it cannot be read, in a sentence.
    fn crash(&self, kind: &str, bytes: &[u8], project: u64) -> Result<Map<'static>, String>;

    /// The views of a screen that came with an event, with the classes called as people called them. `None` if they stay
    /// as they are.
    fn view_hierarchy(&self, bytes: &[u8], event: &Map<'_>, project: u64) -> Option<Vec<u8>>;
}

/// Frames stay as they come.
#[derive(Clone, Copy, Debug)]
pub struct NoSymbols;

impl Symbolicate for NoSymbols {
    fn symbolicate(&self, _: &mut Map<'_>, _: u64) {}

    fn crash(&self, kind: &str, _: &[u8], _: u64) -> Result<Map<'static>, String> {
        Err(format!("nobody here reads attachments of the kind {kind}"))
    }

    fn view_hierarchy(&self, _: &[u8], _: &Map<'_>, _: u64) -> Option<Vec<u8>> {
        None
    }
}

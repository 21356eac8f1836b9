//! Calls of libraries on bytes that strangers made.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `call` gives, or `None` if it panics. The libraries that read object files add and subtract sizes that stand in
/// them, and some do without looking; the state of such a call is dropped with it.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

//! What exists only as Sentry's hosted business: asked for, it is said to be no part of this server.

use crate::answer::{Answer, ApiError};
use crate::call::Call;

fn absent(what: &str) -> Result<Answer, ApiError> {
    Err(ApiError::Missing(format!(
        "{what} of Sentry's hosted service, not part of Vedette."
    )))
}

/// Seer.
pub fn seer(_: &Call) -> Result<Answer, ApiError> {
    absent("Seer and its fixes of issues are a part")
}

/// Builds of mobile applications, the analysis of their size, and snapshots of screens.
pub fn mobile(_: &Call) -> Result<Answer, ApiError> {
    absent("Mobile builds, size analysis and snapshots are a part")
}

/// Protection from spikes.
pub fn spike_protection(_: &Call) -> Result<Answer, ApiError> {
    absent("Spike protection is a part")
}

//! From uploaded bytes to forms that are looked up in.

use crate::files::Form;

/// Why a file cannot be converted: one sentence for whoever uploaded it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConvertError {
    /// It is broken.
    #[error("{0}")]
    Malformed(String),
    /// It is in order and holds nothing of this form.
    #[error("the file holds nothing of this kind")]
    Empty,
}

/// Makes a form of the file with this debug id (fat files hold several) out of `bytes`.
///
/// # Errors
/// [`ConvertError`].
pub fn convert(form: Form, bytes: &[u8], debug_id: Option<&str>) -> Result<Vec<u8>, ConvertError> {
    let _ = (bytes, debug_id);
    Err(ConvertError::Malformed(format!("{form:?}")))
}

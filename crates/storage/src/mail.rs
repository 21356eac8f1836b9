//! Mail: what is sent, and the port that sends it.

pub mod compose;
pub mod links;

/// A mail as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The address it goes to.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub plain: String,
    /// The same for mail programs that show HTML.
    pub html: String,
    /// Where mails of this kind are stopped with one request (RFC 8058).
    pub unsubscribe: Option<String>,
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct MailError {
    /// Trying again changes nothing: the address does not exist, the mail is refused.
    pub permanent: bool,
    /// What happened, with the server's own words.
    pub text: String,
}

/// The port.
pub trait Mailer: Send + Sync {
    /// Hands a mail over; it is the mail server's when this has answered.
    ///
    /// # Errors
    /// [`MailError`] if it was not taken.
    fn send(&self, mail: &Mail) -> Result<(), MailError>;

    /// Goes as far as a mail would without sending one.
    ///
    /// # Errors
    /// What stands in the way.
    fn check(&self) -> Result<(), MailError>;
}

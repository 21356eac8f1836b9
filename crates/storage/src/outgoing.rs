//! The port that asks other servers over HTTP. Its driver checks every address that is asked, as users name them.

use std::borrow::Cow;
use std::time::Duration;

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Headers.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The longest answer that is read, bytes; 0 for what is usual.
    pub most: u64,
    /// How long all of it may take; none for what is usual.
    pub patience: Option<Duration>,
    /// Nobody on the way may read it: plain HTTP goes only to networks that the settings name.
    pub private: bool,
}

/// An answer. A redirection is one too: nothing follows it.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers; names in lower case, those that are not text left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| &**v)
    }
}

/// Why there is no answer: one sentence for whoever named the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutgoingError(pub String);

/// The port.
pub trait Outgoing: Send + Sync {
    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// If the address may not be asked, or there is no answer in time.
    fn ask(&self, request: &Request) -> Result<Response, OutgoingError>;
}

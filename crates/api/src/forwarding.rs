//! What was seen of proxies in front of the server, so that a wrong setting is told and not searched for.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// What was seen.
#[derive(Debug, Default)]
pub struct Forwarding {
    untrusted: Mutex<Option<IpAddr>>,
    plain: AtomicBool,
}

impl Forwarding {
    /// Notes a request: its peer, whether that may speak for others, whether it does, and whether the caller came
    /// over https as far as is known.
    pub(crate) fn saw(&self, peer: Option<IpAddr>, trusted: bool, speaks: bool, secure: bool) {
        if let (Some(peer), false, true) = (peer, trusted, speaks) {
            *self.untrusted.lock() = Some(peer);
        }
        self.plain.store(!secure, Ordering::Relaxed);
    }

    /// The last peer that spoke for others without being a trusted proxy.
    pub fn untrusted_proxy(&self) -> Option<IpAddr> {
        *self.untrusted.lock()
    }

    /// Whether the last request of a browser came over http.
    pub fn plain_http(&self) -> bool {
        self.plain.load(Ordering::Relaxed)
    }
}

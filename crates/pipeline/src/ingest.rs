//! Answering clients. Nothing of an event is understood here but what routes it: 200 means that the queue has the
//! bytes for good.

mod answer;
pub mod body;
pub mod crowd;
mod dumps;
#[cfg(test)]
mod mutations;
pub mod origin;
pub mod quota;
pub mod record;
mod request;
mod routes;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use protocol::time::Clock;
use storage::queue::Queue;

use crate::directory::Directory;

pub use routes::router;

/// What the routes need.
#[derive(Clone)]
pub struct Ingest {
    /// Keys and projects.
    pub directory: Arc<Directory>,
    /// Where accepted bytes go.
    pub queue: Arc<dyn Queue>,
    /// Limits of keys, and what they refused.
    pub quota: Arc<quota::Quota>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Which peers may say for whom they speak (`X-Forwarded-For`).
    pub trusted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// Requests that are read at the same time; beyond, 503.
    pub slots: Arc<crowd::Crowd>,
    /// Memory for large bodies; beyond, 503.
    pub bodies: Arc<body::Bodies>,
    /// Bodies that are decompressed at the same time; others wait, so that threads are left for the API.
    pub decoders: Arc<tokio::sync::Semaphore>,
    /// When it was last logged that events are refused, µs.
    pub told: Arc<AtomicI64>,
    /// Says why nothing can be taken now, if so: the disk is full.
    pub unwell: Arc<dyn Fn() -> Option<String> + Send + Sync>,
}

//! The web API (Sentry's shapes under `/api/0/`) and the web UI's files.
//!
//! * [`routes`] is the table of every endpoint: method, path, who may, and the function that answers
//! * [`access`] decides who may, in one place, before a function is called
//! * `endpoints/…` has one module per noun; functions are synchronous and run where they may block
//! * `views/…` turns what is stored into what is answered
//!
//! What of processing the API needs is handed in as functions ([`Hooks`]).

pub mod access;
pub mod answer;
mod call;
mod dispatch;
mod endpoints;
mod explore;
mod factors;
mod fields;
mod fixes;
mod forwarding;
mod kept;
mod links;
mod multipart;
mod password;
mod rate;
mod request_id;
mod routes;
mod scope;
mod seal;
mod sight;
mod sign_in;
mod source_links;
mod spool;
mod sso;
mod ui;
mod views;

use std::net::IpAddr;
use std::sync::Arc;

use storage::stores::Stores;

pub use dispatch::router;
pub use forwarding::Forwarding;
pub use password::{hash_password, is_key, new_key, new_secret, token_hash, weak_password};
pub use rate::{Allowance, Rates};
pub use routes::{ROUTES, Route};
pub use seal::Seal;
pub use sso::Providers;

/// The description of the API (OpenAPI 3.1, JSON). `make openapi` writes it.
pub const OPENAPI: &str = include_str!("../../../openapi.json");

/// From features and those of issues, by number, to the issues that look most like it, and how much.
pub type Rank = fn(&[u32], &[(i64, Vec<u32>)], usize) -> Vec<(i64, f64)>;

/// From the settings of a project and the JSON of stored events to hashes; the error says setting and line.
pub type Regroup =
    fn(&serde_json::Value, &[&[u8]]) -> Result<Vec<Vec<protocol::ids::GroupHash>>, (String, String)>;

/// Functions of other parts that the API calls.
#[derive(Clone)]
pub struct Hooks {
    /// Keys or projects changed: ingest reads them again.
    pub changed: Arc<dyn Fn() + Send + Sync>,
    /// Checks the settings of a project that processing reads; the error says line and what is wrong.
    pub check_settings: fn(&serde_json::Value) -> Result<(), (String, String)>,
    /// Where an event id is.
    pub whereabouts:
        Arc<dyn Fn(protocol::ids::EventId) -> Result<Vec<serde_json::Value>, String> + Send + Sync>,
    /// The variants that a stored event was grouped by, from its JSON.
    pub grouping: fn(&serde_json::Value) -> serde_json::Value,
    /// What a stored event looks like, as numbers to compare by.
    pub features: fn(&serde_json::Value) -> Vec<u32>,
    /// Candidates by how much they look like what is asked for, with a score from 0 to 1.
    pub rank: Rank,
    /// Whether a project has anything to read frames by: what was uploaded for it, or servers that are asked.
    pub reads_frames: Arc<dyn Fn(i64) -> bool + Send + Sync>,
    /// How two stored events were grouped, compared part by part.
    pub compare: fn(&serde_json::Value, &serde_json::Value) -> serde_json::Value,
    /// The hashes that stored events would have by other settings of their project.
    pub regroup: Regroup,
    /// The names under which a release may hold the script at an address; none for what engines bring along.
    pub script_names: fn(&str) -> Vec<String>,
    /// Id and name of the public symbol servers that a project can name.
    pub symbol_servers: fn() -> Vec<(&'static str, &'static str)>,
    /// Checks a symbol source; the error says the field and what is wrong.
    pub check_source: fn(&serde_json::Value) -> Result<(), (String, String)>,
    /// Figures of the running server, for health.
    pub status: Arc<dyn Fn() -> serde_json::Value + Send + Sync>,
    /// Everything that is known of the running server, for its administrators.
    pub overview: Arc<dyn Fn() -> Result<serde_json::Value, String> + Send + Sync>,
    /// The metrics, in Prometheus's text format.
    pub scrape: Arc<dyn Fn() -> String + Send + Sync>,
    /// Asks other servers.
    pub outgoing: Arc<dyn storage::outgoing::Outgoing>,
    /// Keeps what clients upload in pieces.
    pub uploads: Arc<dyn storage::uploads::Uploads>,
    /// Tries an item again that was kept aside; false if there is none with this number.
    pub retry: Arc<dyn Fn(i64) -> Result<bool, String> + Send + Sync>,
}

/// What the API needs.
#[derive(Clone)]
pub struct Api {
    /// The stores.
    pub stores: Stores,
    /// Functions of other parts.
    pub hooks: Hooks,
    /// The address under which people reach the server, without a slash at its end.
    pub url: Arc<str>,
    /// Makes the addresses that stand in mails.
    pub links: storage::mail::links::Links,
    /// Seals secrets that must be read again.
    pub seal: Seal,
    /// Whether the installation can send mail.
    pub sends_mail: bool,
    /// Days that events are kept unless a project says otherwise.
    pub retention: u16,
    /// Which peers may say for whom they speak (`X-Forwarded-For`, `-Proto`).
    pub trusted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// What was seen of proxies.
    pub forwarding: Arc<Forwarding>,
    /// Failed logins.
    pub attempts: Arc<access::Attempts>,
    /// What each caller may ask, and asks.
    pub rates: Arc<Rates>,
    /// What providers of single sign-on say of themselves.
    pub providers: Arc<Providers>,
    /// The version of the server.
    pub version: &'static str,
}

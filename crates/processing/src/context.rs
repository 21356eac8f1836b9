//! What processing knows besides the item: the project's rules, and how the item came in.

use protocol::ids::EventId;
use serde::{Deserialize, Serialize};

use crate::filters::{FilterSettings, Filters};
use crate::grouping::fingerprint::{self, FingerprintRule};
use crate::grouping::rules::{self, Rule, RulesError as LineError};
use crate::scrub::Scrubber;

/// The settings of a project that processing follows.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectSettings {
    /// What is scrubbed.
    pub scrub: ScrubSettings,
    /// The project's stack-trace rules, one a line.
    pub stacktrace_rules: String,
    /// The project's fingerprint rules, one a line.
    pub fingerprint_rules: String,
    /// Which events are left out.
    pub filters: FilterSettings,
}

/// What is scrubbed from events.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ScrubSettings {
    /// Whether anything is.
    pub data: bool,
    /// Whether the defaults act: passwords, tokens, keys, card numbers.
    pub defaults: bool,
    /// Whether addresses are removed.
    pub ip_addresses: bool,
    /// Names of fields that are scrubbed besides the defaults.
    pub sensitive_fields: Vec<String>,
    /// Names of fields that are left alone.
    pub safe_fields: Vec<String>,
}

impl Default for ScrubSettings {
    fn default() -> Self {
        ScrubSettings {
            data: true,
            defaults: true,
            ip_addresses: false,
            sensitive_fields: Vec::new(),
            safe_fields: Vec::new(),
        }
    }
}

/// A project's rules, compiled.
#[derive(Debug)]
pub struct ProjectRules {
    /// The project.
    pub project: u64,
    /// Its stack-trace rules.
    pub stacktrace: Vec<Rule>,
    /// Its fingerprint rules.
    pub fingerprint: Vec<FingerprintRule>,
    /// Its scrubbing.
    pub(crate) scrubber: Scrubber,
    /// What it leaves out.
    pub(crate) filters: Filters,
}

/// Rules of a project that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RulesError {
    /// Which setting: `stacktrace_rules` or `fingerprint_rules`.
    pub setting: &'static str,
    /// Where in it, and what is wrong.
    pub error: LineError,
}

impl std::fmt::Display for RulesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.setting, self.error)
    }
}

impl std::error::Error for RulesError {}

impl ProjectRules {
    /// Compiles the settings of a project.
    ///
    /// # Errors
    /// If one of its rules cannot be read.
    pub fn compile(project: u64, settings: &ProjectSettings) -> Result<ProjectRules, RulesError> {
        Ok(ProjectRules {
            project,
            stacktrace: rules::parse(&settings.stacktrace_rules).map_err(|error| RulesError {
                setting: "stacktrace_rules",
                error,
            })?,
            fingerprint: fingerprint::parse(&settings.fingerprint_rules).map_err(|error| RulesError {
                setting: "fingerprint_rules",
                error,
            })?,
            scrubber: Scrubber::new(&settings.scrub),
            filters: Filters::new(&settings.filters),
        })
    }
}

/// How an item came in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Receipt<'a> {
    /// When the server took it, µs since the epoch.
    pub received: i64,
    /// When the client sent it, by its own clock, µs.
    pub sent_at: Option<i64>,
    /// The address of the client.
    pub client_ip: Option<&'a str>,
    /// The user agent of the request.
    pub user_agent: Option<&'a str>,
    /// The SDK as the request names it: `sentry.python/2.75.0`.
    pub client: Option<&'a str>,
    /// The event id of the envelope's header; wins over that in the event.
    pub event_id: Option<EventId>,
    /// The project.
    pub project: u64,
    /// The release in the query of a security report.
    pub release: Option<&'a str>,
    /// The environment in the query of a security report.
    pub environment: Option<&'a str>,
}

//! The rate-limit headers of an ingest answer (protocol.md 3.7).

use crate::category::Category;

/// The name of the header that lists limits per category.
pub const RATE_LIMITS_HEADER: &str = "x-sentry-rate-limits";

/// Whose limit it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The whole organization.
    Organization,
    /// One project.
    Project,
    /// One client key.
    Key,
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Scope::Organization => "organization",
            Scope::Project => "project",
            Scope::Key => "key",
        }
    }
}

/// A limit that is in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RateLimit {
    /// Whole seconds until it ends.
    pub retry_after: u64,
    /// What it covers; empty means everything.
    pub categories: Vec<Category>,
    /// Whose it is.
    pub scope: Scope,
    /// A word for machines: `key_quota`.
    pub reason: &'static str,
}

/// The header's value: `60:error;default:key:key_quota, …`.
pub fn format_limits(limits: &[RateLimit]) -> String {
    let one = |l: &RateLimit| {
        let categories: Vec<_> = l.categories.iter().map(|c| c.name()).collect();
        format!(
            "{}:{}:{}:{}",
            l.retry_after,
            categories.join(";"),
            l.scope.name(),
            l.reason
        )
    };
    limits.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_form() {
        let all = RateLimit {
            retry_after: 60,
            categories: vec![],
            scope: Scope::Key,
            reason: "key_quota",
        };
        let some = RateLimit {
            retry_after: 5,
            categories: vec![Category::Error, Category::Default],
            scope: Scope::Project,
            reason: "quota",
        };
        assert_eq!(
            format_limits(&[all, some]),
            "60::key:key_quota, 5:error;default:project:quota"
        );
    }
}

//! Reports that browsers send about violations of a security policy.
//!
//! Two forms: `{"csp-report": {...}}`, one each, and the list of the Reporting API, from which the reports of
//! type `csp-violation` are taken. Reports of the retired kinds (HPKP, Expect-CT, Expect-Staple) are refused.

use protocol::category::Discard;
use protocol::ids::EventId;
use protocol::json::{Json, Map};

use super::event::{Processed, finish};
use crate::context::{ProjectRules, Receipt};
use crate::geo::Geo;
use crate::symbols::NoSymbols;

/// Fields of a report: the name in the old form, in the Reporting API, and in the event.
const FIELDS: [(&str, &str, &str); 13] = [
    ("effective-directive", "effectiveDirective", "effective_directive"),
    ("violated-directive", "violatedDirective", "violated_directive"),
    ("blocked-uri", "blockedURL", "blocked_uri"),
    ("document-uri", "documentURL", "document_uri"),
    ("original-policy", "originalPolicy", "original_policy"),
    ("referrer", "referrer", "referrer"),
    ("status-code", "statusCode", "status_code"),
    ("source-file", "sourceFile", "source_file"),
    ("line-number", "lineNumber", "line_number"),
    ("column-number", "columnNumber", "column_number"),
    ("script-sample", "sample", "script_sample"),
    ("disposition", "disposition", "disposition"),
    ("blocked-url", "blockedURI", "blocked_uri"),
];

/// Reads the body of a security report; one answer for each report in it.
pub fn process_security(
    body: &[u8],
    content_type: Option<&str>,
    receipt: &Receipt<'_>,
    rules: &ProjectRules,
    geo: &dyn Geo,
) -> Vec<Result<Processed, Discard>> {
    if content_type.is_some_and(|t| t.trim_start().starts_with("application/expect-")) {
        return vec![Err(Discard::InvalidSecurityReport)];
    }
    let Ok((value, _)) = protocol::json::parse(body) else {
        return vec![Err(Discard::InvalidJson)];
    };
    let reports: Vec<Result<Report, Discard>> = match &value {
        Json::Array(list) => list.iter().filter_map(from_reporting_api).collect(),
        Json::Object(map) => match map.object("csp-report") {
            Some(report) => vec![Ok(Report::of(report))],
            None => match from_reporting_api(&value) {
                Some(report) => vec![report],
                None => vec![Err(Discard::InvalidSecurityReport)],
            },
        },
        _ => vec![Err(Discard::InvalidSecurityReport)],
    };
    if reports.is_empty() {
        return vec![Err(Discard::InvalidSecurityReport)];
    }
    reports
        .into_iter()
        .enumerate()
        .map(|(i, report)| {
            let report = report?;
            let id = id_of(body, receipt, i);
            finish(
                report.event(id, receipt),
                receipt,
                rules,
                geo,
                &NoSymbols,
                Default::default(),
            )
        })
        .collect()
}

/// A report of the Reporting API; none if it is of a kind that is not about policies at all.
fn from_reporting_api(report: &Json<'_>) -> Option<Result<Report, Discard>> {
    let kind = report.str_at(&["type"])?;
    if kind != "csp-violation" {
        return None;
    }
    let Some(body) = report.get("body").and_then(Json::as_object) else {
        return Some(Err(Discard::InvalidSecurityReport));
    };
    let mut out = Report::of(body);
    if let Some(url) = report.str_at(&["url"])
        && !out.csp.contains("document_uri")
    {
        out.csp.set("document_uri", url.to_owned());
    }
    out.user_agent = report.str_at(&["user_agent"]).map(str::to_owned);
    out.age_ms = report
        .get("age")
        .and_then(Json::as_i64)
        .filter(|a| (0..86_400_000).contains(a))
        .unwrap_or(0);
    Some(Ok(out))
}

struct Report {
    csp: Map<'static>,
    user_agent: Option<String>,
    age_ms: i64,
}

impl Report {
    fn of(report: &Map<'_>) -> Report {
        let mut csp = Map::new();
        for (old, new, name) in FIELDS {
            let value = report
                .get(old)
                .or_else(|| report.get(new))
                .filter(|v| !v.is_null());
            if let Some(value) = value
                && !csp.contains(name)
            {
                csp.set(name, value.clone().into_owned());
            }
        }
        Report {
            csp,
            user_agent: None,
            age_ms: 0,
        }
    }

    fn event(self, id: EventId, receipt: &Receipt<'_>) -> Map<'static> {
        let mut event = Map::new();
        let agent = self.user_agent.or_else(|| receipt.user_agent.map(str::to_owned));
        event.set("event_id", id.to_string());
        event.set("platform", "other");
        event.set("logger", "csp");
        event.set("timestamp", (receipt.received - self.age_ms * 1000) as f64 / 1e6);
        let text = |key: &str| self.csp.str(key).unwrap_or_default();
        let directive = text("effective_directive").split_whitespace().next();
        let directive = directive.or_else(|| text("violated_directive").split_whitespace().next());
        let mut tags = Vec::new();
        let mut tag = |key: &'static str, value: &str| {
            if !value.is_empty() {
                tags.push(Json::Array(vec![Json::from(key), Json::from(value.to_owned())]));
            }
        };
        tag("effective-directive", directive.unwrap_or_default());
        tag("blocked-uri", &crate::grouping::blocked_uri(text("blocked_uri")));
        event.set("tags", Json::Array(tags));
        let mut request = Map::new();
        if !text("document_uri").is_empty() {
            request.set("url", text("document_uri").to_owned());
        }
        let mut headers = Vec::new();
        for (key, value) in [
            ("Referer", Some(text("referrer").to_owned())),
            ("User-Agent", agent),
        ] {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                headers.push(Json::Array(vec![Json::from(key), Json::from(value)]));
            }
        }
        request.set("headers", Json::Array(headers));
        event.set("request", request);
        if let Some(ip) = receipt.client_ip {
            let mut user = Map::new();
            user.set("ip_address", ip.to_owned());
            event.set("user", user);
        }
        event.set("csp", self.csp);
        event
    }
}

/// An id that follows from what was received, as reports bring none.
fn id_of(body: &[u8], receipt: &Receipt<'_>, i: usize) -> EventId {
    match receipt.event_id {
        Some(id) if i == 0 => id,
        _ => super::event::made_up_id(body, receipt, i),
    }
}

//! Keys of Sentry's shapes to which this server has one answer alone: what they are about does not exist here, or
//! is the same for all. Clients with strict types want them to be there.

use serde_json::{Map, Value, json};

/// Adds keys that a view does not have yet.
pub fn complete(view: &mut Value, rest: Value) {
    if let (Value::Object(view), Value::Object(rest)) = (view, rest) {
        for (key, value) in rest {
            view.entry(key).or_insert(value);
        }
    }
}

/// Of an organization in full.
pub fn organization() -> Value {
    let mut all = Map::new();
    for name in [
        "aggregatedDataConsent",
        "autoEnableCodeReview",
        "autoOpenPrs",
        "defaultSeerScannerAutomation",
        "enableSeerCoding",
        "enhancedPrivacy",
        "isDynamicallySampled",
        "issueAlertsThreadFlag",
        "metricAlertsThreadFlag",
        "scrapeJavaScript",
        "allowJoinRequests",
    ] {
        all.insert(name.into(), json!(false));
    }
    for name in ["alertsMemberWrite", "eventsMemberAdmin", "hideAiFeatures"] {
        all.insert(name.into(), json!(true));
    }
    let mut all = Value::Object(all);
    complete(
        &mut all,
        json!({
            "attachmentsRole": "member", "debugFilesRole": "admin", "defaultAutofixAutomationTuning": "off",
            "defaultAutomatedRunStoppingPoint": "off", "defaultCodeReviewTriggers": [], "defaultCodingAgent": "",
            "defaultCodingAgentIntegrationId": null, "experiments": {}, "pendingAccessRequests": 0, "projects": [],
            "relayDsnEndpoint": null, "relayPiiConfig": null, "storeCrashReports": 0, "trustedRelays": [],
        }),
    );
    all
}

/// Of a project in a list.
pub fn project() -> Value {
    let mut all = Map::new();
    for name in [
        "hasFlags",
        "hasInsightsHttp",
        "hasInsightsDb",
        "hasInsightsAssets",
        "hasInsightsAppStart",
        "hasInsightsScreenLoad",
        "hasInsightsVitals",
        "hasInsightsCaches",
        "hasInsightsQueues",
        "hasInsightsAgentMonitoring",
        "hasInsightsMCP",
        "hasLogs",
        "hasTraceMetrics",
        "hasNewFeedbacks",
        "hasUserReports",
    ] {
        all.insert(name.into(), json!(false));
    }
    Value::Object(all)
}

/// Of a project in full.
pub fn project_details() -> Value {
    json!({
        "digestsMinDelay": 300, "digestsMaxDelay": 1800, "subjectPrefix": "", "allowedDomains": ["*"],
        "resolveAge": 0, "storeCrashReports": null, "subjectTemplate": "$shortID - $title",
        "verifySSL": true, "enableAutoReleaseCreation": true,
        "highlightTags": [], "highlightContext": {}, "highlightPreset": { "tags": [], "context": {} },
        "derivedGroupingEnhancements": "", "secondaryGroupingExpiry": 0, "secondaryGroupingConfig": null,
        "processingIssues": 0, "defaultEnvironment": null, "relayPiiConfig": null,
        "dynamicSamplingBiases": null, "symbolSources": "[]", "isDynamicallySampled": false,
        "tempestFetchScreenshots": false, "autofixAutomationTuning": "off", "seerScannerAutomation": false,
        "seerNightshiftTweaks": null, "scmSourceContextEnabled": false, "debugFilesRole": null,
    })
}

/// Of a client key; `api` is the address of the project's ingestion.
pub fn key_addresses(api: &str, public: &str) -> Value {
    let of = |end: &str| format!("{api}/{end}/?sentry_key={public}");
    json!({
        "minidump": of("minidump"), "nel": of("nel"), "unreal": format!("{api}/unreal/{public}/"),
        "crons": format!("{api}/cron/___MONITOR_SLUG___/{public}/"), "cdn": "", "playstation": of("playstation"),
        "integration": format!("{api}/integration/"), "otlp_traces": format!("{api}/integration/otlp/v1/traces"),
        "otlp_logs": format!("{api}/integration/otlp/v1/logs"),
    })
}

/// Of a client key.
pub fn key() -> Value {
    json!({
        "browserSdkVersion": "latest", "browserSdk": { "choices": [["latest", "latest"]] }, "useCase": "user",
        "dynamicSdkLoaderOptions": {
            "hasReplay": false, "hasPerformance": false, "hasDebug": false, "hasFeedback": false,
            "hasLogsAndMetrics": false,
        },
    })
}

/// Of an issue, in a list and in full.
pub fn issue() -> Value {
    json!({
        "seerFixabilityScore": null, "seerAutofixLastTriggered": null, "seerExplorerAutofixLastTriggered": null,
        "stats": {}, "filtered": null, "sessionCount": 0, "inbox": null, "owners": null, "integrationIssues": [],
        "sentryAppIssues": [], "latestEventHasAttachments": false, "matchingEventId": null,
        "matchingEventEnvironment": null, "userReportCount": 0,
    })
}

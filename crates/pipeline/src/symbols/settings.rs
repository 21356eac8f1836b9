//! What a project has to read frames by.

use serde_json::Value;

/// What was uploaded for a project.
#[derive(Debug, Clone, Copy, Default)]
pub struct Uploads {
    /// Scripts and source maps.
    pub scripts: bool,
    /// Debug files.
    pub debug_files: bool,
}

/// What a project has to read frames by.
#[derive(Debug, Clone, Default)]
pub struct SymbolSettings {
    /// Scripts and source maps were uploaded.
    pub scripts: bool,
    /// Debug files were uploaded.
    pub debug_files: bool,
    /// Scripts and source maps may be fetched from where browsers get them.
    pub fetch: bool,
    /// The header that goes with those requests, so that a server can tell them from others.
    pub token: Option<(String, String)>,
}

impl SymbolSettings {
    /// From the settings of a project, as the API keeps them.
    pub fn of(settings: &Value, uploads: Uploads) -> SymbolSettings {
        let text = |key: &str| {
            let value = settings.get(key).and_then(Value::as_str).unwrap_or_default();
            Some(value.to_owned()).filter(|v| !v.is_empty())
        };
        SymbolSettings {
            scripts: uploads.scripts,
            debug_files: uploads.debug_files,
            fetch: settings.get("scrapeJavaScript").and_then(Value::as_bool) == Some(true),
            token: text("securityToken").map(|token| {
                (
                    text("securityTokenHeader").unwrap_or_else(|| "X-Sentry-Token".into()),
                    token,
                )
            }),
        }
    }

    /// Whether there is anything at all: if not, an event's frames stay as they come.
    pub fn any(&self) -> bool {
        self.scripts || self.debug_files || self.fetch
    }
}

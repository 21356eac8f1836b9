//! What a project has to read frames by.

use serde_json::Value;
use symbolicate::servers;

use super::source::Source;

/// What was uploaded for a project.
#[derive(Debug, Clone, Copy, Default)]
pub struct Uploads {
    /// Scripts and source maps.
    pub scripts: bool,
    /// Debug files.
    pub debug_files: bool,
}

/// Id and name of the public servers.
pub fn public_names() -> Vec<(&'static str, &'static str)> {
    servers::SERVERS.iter().map(|s| (s.id, s.name)).collect()
}

/// The public servers that the settings of a project name.
///
/// # Errors
/// A sentence if they are no such list.
pub fn public_servers(settings: &Value) -> Result<Vec<&'static servers::Server>, String> {
    let list = match settings.get("builtinSymbolSources") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err("expected a list of ids".into()),
    };
    let mut found: Vec<&'static servers::Server> = Vec::new();
    for id in list {
        let id = id.as_str().ok_or("expected a list of ids")?;
        let server = servers::named(id).ok_or_else(|| {
            let short: String = id.chars().take(64).collect();
            format!("there is no built-in source '{short}'")
        })?;
        if found.contains(&server) {
            return Err(format!("'{id}' is named twice"));
        }
        found.push(server);
    }
    Ok(found)
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
    /// Servers that are asked for debug files, in this order.
    pub sources: Vec<Source>,
}

impl SymbolSettings {
    /// From the settings of a project, as the API keeps them, and its own sources, which are asked first.
    pub fn of(settings: &Value, uploads: Uploads, own: Vec<Source>) -> SymbolSettings {
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
            sources: own
                .into_iter()
                // What the API let through is a list of known ids.
                .chain(
                    public_servers(settings)
                        .unwrap_or_default()
                        .into_iter()
                        .map(Source::public),
                )
                .collect(),
        }
    }

    /// Whether there is anything at all: if not, an event's frames stay as they come.
    pub fn any(&self) -> bool {
        self.scripts || self.fetch || self.any_debug_files()
    }

    /// Whether there may be a debug file.
    pub fn any_debug_files(&self) -> bool {
        self.debug_files || !self.sources.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use symbolicate::layout::{Casing, FileType, Layout};

    use super::*;

    #[test]
    fn sources_of_a_project_come_before_public_ones() {
        let own = json!({
            "type": "http", "name": "Ours", "url": "https://symbols.example/", "username": "ann", "password": "p",
            "layout": { "type": "debuginfod", "casing": "lowercase" }, "filters": { "filetypes": ["elf_debug"] },
        });
        let own = Source::of("ours", &own, None).expect("a source");
        assert_eq!(own.identity(), ["ann", "p"]);
        assert_eq!((own.layout, own.casing), (Layout::Debuginfod, Casing::Lowercase));
        assert!(own.has(FileType::ElfDebug) && !own.has(FileType::ElfCode));
        let settings = json!({ "builtinSymbolSources": ["microsoft", "debian"] });
        let all = SymbolSettings::of(&settings, Uploads::default(), vec![own]);
        let ids: Vec<&str> = all.sources.iter().map(|s| &*s.id).collect();
        assert_eq!(ids, ["ours", "microsoft", "debian"]);
        assert!(all.any());
        let debian = &all.sources[2];
        assert!(debian.has(FileType::ElfDebug) && !debian.has(FileType::SourceBundle));
        assert!(!SymbolSettings::of(&json!({}), Uploads::default(), Vec::new()).any());
    }

    #[test]
    fn unknown_ids_name_no_public_servers() {
        for bad in [
            json!("microsoft"),
            json!(["nobody"]),
            json!([1]),
            json!(["debian", "debian"]),
        ] {
            assert!(
                public_servers(&json!({ "builtinSymbolSources": bad })).is_err(),
                "{bad}"
            );
        }
    }
}

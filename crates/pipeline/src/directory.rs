//! Keys and projects in memory: no request and no event asks the database for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use processing::filters::FilterSettings;
use processing::{ProjectRules, ProjectSettings, RulesError, ScrubSettings};
use serde_json::Value;
use storage::relational::documents::Document;
use storage::relational::projects::{self, Key, Project};
use storage::relational::{artifacts, debug_files, documents, people, release_files};
use storage::sql::{Result, Sql};

use crate::ingest::origin::Allowed;
use crate::symbols::settings::{SymbolSettings, Uploads, public_servers};
use crate::symbols::source::{Opens, Source};

/// Days that events are kept unless a project says otherwise.
pub const DEFAULT_RETENTION: u16 = 90;

/// A project with its rules ready to use.
#[derive(Debug)]
pub struct ProjectEntry {
    /// The project.
    pub project: Project,
    /// Scrubbing and grouping rules.
    pub rules: ProjectRules,
    /// Days that its events are kept.
    pub retention: u16,
    /// What it has to read frames by.
    pub symbols: SymbolSettings,
    /// Pages that may send to it.
    pub allowed: Allowed,
}

/// A client key with its project.
#[derive(Debug)]
pub struct KeyEntry {
    /// The key.
    pub key: Key,
    /// Its project.
    pub project: Arc<ProjectEntry>,
}

#[derive(Default)]
struct Snapshot {
    keys: HashMap<String, Arc<KeyEntry>>,
    projects: HashMap<u64, Arc<ProjectEntry>>,
}

/// The directory. Whoever changes a key or project calls [`Directory::reload`].
pub struct Directory {
    sql: Arc<dyn Sql>,
    retention: u16,
    opens: Opens,
    snapshot: RwLock<Arc<Snapshot>>,
    /// How often everything was read again: what others remember of a project counts until then.
    generation: AtomicU64,
}

impl Directory {
    /// Reads the directory; `retention` is the default in days, `opens` opens the secrets of symbol sources.
    ///
    /// # Errors
    /// As the database says.
    pub fn open(sql: Arc<dyn Sql>, retention: u16, opens: Opens) -> Result<Directory> {
        let directory = Directory {
            sql,
            retention,
            opens,
            snapshot: RwLock::default(),
            generation: AtomicU64::new(0),
        };
        directory.reload()?;
        Ok(directory)
    }

    /// Reads everything again.
    ///
    /// # Errors
    /// As the database says; then what was known stays.
    pub fn reload(&self) -> Result<()> {
        let (all, keys, organizations, scripts, of_releases, debug_files, sources) =
            self.sql.reading(|c| {
                Ok((
                    projects::all_projects(c)?,
                    projects::every_key(c)?,
                    people::organizations(c)?,
                    artifacts::projects_with_any(c)?,
                    release_files::organizations_with_any(c)?,
                    debug_files::projects_with_any(c)?,
                    documents::every(c, "symbol_source")?,
                ))
            })?;
        let mut next = Snapshot::default();
        for project in all.into_iter().filter(|p| p.status == "active") {
            let id = u64::try_from(project.id).unwrap_or(0);
            let organization = organizations.iter().find(|o| o.id == project.org_id);
            let uploads = Uploads {
                scripts: scripts.contains(&project.id) || of_releases.contains(&project.org_id),
                debug_files: debug_files.contains(&project.id),
            };
            let own = sources.iter().filter(|d| d.project == Some(project.id));
            let own = own.filter_map(|d| self.source(d)).collect();
            let of_org = organization.map_or(&Value::Null, |o| &o.settings);
            let entry = Arc::new(self.entry(id, project, of_org, (uploads, own)));
            next.projects.insert(id, entry);
        }
        for (key, project) in keys {
            let id = u64::try_from(project.id).unwrap_or(0);
            if let Some(project) = next.projects.get(&id) {
                let entry = KeyEntry {
                    project: project.clone(),
                    key,
                };
                next.keys.insert(entry.key.public_key.clone(), Arc::new(entry));
            }
        }
        *self.snapshot.write() = Arc::new(next);
        self.generation.fetch_add(1, Ordering::Release);
        Ok(())
    }

    fn source(&self, document: &Document) -> Option<Source> {
        Source::of(&document.slug, &document.body, Some(&self.opens))
            .map_err(|(field, what)| {
                tracing::error!(
                    source = document.slug,
                    field,
                    what,
                    "a symbol source cannot be asked"
                );
            })
            .ok()
    }

    fn entry(
        &self,
        id: u64,
        project: Project,
        organization: &Value,
        (uploads, sources): (Uploads, Vec<Source>),
    ) -> ProjectEntry {
        let settings = settings(&project.settings, organization);
        let rules = ProjectRules::compile(id, &settings).or_else(|e| {
            tracing::error!(project = id, error = %e, "the project's rules cannot be read; it goes on without them");
            let plain =
                ProjectSettings { stacktrace_rules: String::new(), fingerprint_rules: String::new(), ..settings };
            ProjectRules::compile(id, &plain)
        });
        let symbols = SymbolSettings::of(&project.settings, uploads, sources);
        let retention = project.settings.get("retentionDays").and_then(Value::as_u64);
        let retention = retention
            .and_then(|n| u16::try_from(n).ok())
            .filter(|n| *n > 0)
            .unwrap_or(self.retention);
        let rules = rules.expect("no rules compile: a test says so");
        ProjectEntry {
            symbols,
            allowed: Allowed::of(&project.settings),
            project,
            rules,
            retention,
        }
    }

    /// The key with this public part, whether it is active or not.
    pub fn key(&self, public: &str) -> Option<Arc<KeyEntry>> {
        self.snapshot.read().keys.get(public).cloned()
    }

    /// How often everything was read again.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// An active project by number.
    pub fn project(&self, id: u64) -> Option<Arc<ProjectEntry>> {
        self.snapshot.read().projects.get(&id).cloned()
    }
}

/// What processing follows, from the settings of a project and its organization as the API keeps them. What the
/// organization turns on is on for every project; lists of fields are joined.
pub fn settings(project: &Value, organization: &Value) -> ProjectSettings {
    let flag = |key: &str, default: bool| {
        let read = |v: &Value| v.get(key).and_then(Value::as_bool);
        read(organization) == Some(true) || read(project).unwrap_or(default)
    };
    let names = |key: &str| {
        let read = |v: &Value| v.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let both = read(organization).into_iter().chain(read(project));
        both.filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    let text = |key: &str| {
        project
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    ProjectSettings {
        scrub: ScrubSettings {
            data: flag("dataScrubber", true),
            defaults: flag("dataScrubberDefaults", true),
            ip_addresses: flag("scrubIPAddresses", false),
            sensitive_fields: names("sensitiveFields"),
            safe_fields: names("safeFields"),
        },
        stacktrace_rules: text("groupingEnhancements"),
        fingerprint_rules: text("fingerprintingRules"),
        filters: filters(project.get("filters").unwrap_or(&Value::Null)),
    }
}

/// The filters of a project by their names in the API.
fn filters(of: &Value) -> FilterSettings {
    let on = |name: &str| of.get(name).and_then(Value::as_bool) == Some(true);
    let list = |name: &str| {
        let all = of.get(name).and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    FilterSettings {
        localhost: on("localhost"),
        crawlers: on("web-crawlers"),
        extensions: on("browser-extensions"),
        hydration: on("react-hydration-errors"),
        chunk_load: on("chunk-load-error"),
        browsers: match on("legacy-browsers") {
            true => processing::filters::BROWSERS
                .iter()
                .map(|b| b.0.to_owned())
                .collect(),
            false => list("legacy-browsers"),
        },
        addresses: list("blacklisted_ips"),
        releases: list("releases"),
        messages: list("error_messages"),
    }
}

/// Checks the settings of a project: which of them is wrong, and why.
///
/// # Errors
/// The setting as the API names it, and a sentence with the line.
pub fn check(project: &Value) -> std::result::Result<(), (String, String)> {
    public_servers(project).map_err(|what| ("builtinSymbolSources".to_owned(), what))?;
    compile(project).map(|_| ())
}

fn compile(project: &Value) -> std::result::Result<ProjectRules, (String, String)> {
    ProjectRules::compile(0, &settings(project, &Value::Null)).map_err(|e: RulesError| {
        let name = if e.setting == "stacktrace_rules" {
            "groupingEnhancements"
        } else {
            "fingerprintingRules"
        };
        (name.to_owned(), e.error.to_string())
    })
}

/// The hashes that stored events would have by other settings of their project.
///
/// # Errors
/// As [`check`].
pub fn regroup(
    project: &Value,
    events: &[&[u8]],
) -> std::result::Result<Vec<Vec<protocol::ids::GroupHash>>, (String, String)> {
    let rules = compile(project)?;
    Ok(events.iter().map(|e| processing::regroup(e, &rules)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_organization_turns_on_is_on() {
        let project = json!({"dataScrubber": false, "sensitiveFields": ["a"], "scrubIPAddresses": false});
        let none = settings(&project, &json!({}));
        assert!(!none.scrub.data && !none.scrub.ip_addresses && none.scrub.defaults);
        let both = settings(
            &project,
            &json!({"dataScrubber": true, "scrubIPAddresses": true, "sensitiveFields": ["b"]}),
        );
        assert!(both.scrub.data && both.scrub.ip_addresses);
        assert_eq!(both.scrub.sensitive_fields, ["b", "a"]);
    }

    #[test]
    fn a_bad_rule_names_its_setting() {
        assert!(check(&json!({})).is_ok());
        let (field, what) = check(&json!({"fingerprintingRules": "no rule at all"})).unwrap_err();
        assert_eq!(field, "fingerprintingRules");
        assert!(what.contains('1'), "{what}");
        let (field, _) = check(&json!({"builtinSymbolSources": ["nobody"]})).unwrap_err();
        assert_eq!(field, "builtinSymbolSources");
    }
}

//! Keys and projects in memory: no request and no event asks the database for them.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use processing::{ProjectRules, ProjectSettings};
use storage::relational::projects::{self, Key, Project};
use storage::sql::{Result, Sql};

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
    snapshot: RwLock<Arc<Snapshot>>,
}

impl Directory {
    /// Reads the directory; `retention` is the default in days.
    ///
    /// # Errors
    /// As the database says.
    pub fn open(sql: Arc<dyn Sql>, retention: u16) -> Result<Directory> {
        let directory = Directory {
            sql,
            retention,
            snapshot: RwLock::default(),
        };
        directory.reload()?;
        Ok(directory)
    }

    /// Reads everything again.
    ///
    /// # Errors
    /// As the database says; then what was known stays.
    pub fn reload(&self) -> Result<()> {
        let (all, keys) = self
            .sql
            .reading(|c| Ok((projects::all_projects(c)?, projects::every_key(c)?)))?;
        let mut next = Snapshot::default();
        for project in all.into_iter().filter(|p| p.status == "active") {
            let id = u64::try_from(project.id).unwrap_or(0);
            let entry = Arc::new(self.entry(id, project));
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
        Ok(())
    }

    fn entry(&self, id: u64, project: Project) -> ProjectEntry {
        let settings: ProjectSettings = serde_json::from_value(project.settings.clone()).unwrap_or_else(|e| {
            tracing::error!(project = id, error = %e, "the project's settings cannot be read; the defaults are used");
            ProjectSettings::default()
        });
        let rules = ProjectRules::compile(id, &settings).or_else(|e| {
            tracing::error!(project = id, error = %e, "the project's rules cannot be read; the defaults are used");
            ProjectRules::compile(id, &ProjectSettings::default())
        });
        let retention = project
            .settings
            .get("retentionDays")
            .and_then(serde_json::Value::as_u64);
        let retention = retention
            .and_then(|n| u16::try_from(n).ok())
            .filter(|n| *n > 0)
            .unwrap_or(self.retention);
        let rules = rules.expect("the default rules compile: a test of processing says so");
        ProjectEntry {
            project,
            rules,
            retention,
        }
    }

    /// The key with this public part, whether it is active or not.
    pub fn key(&self, public: &str) -> Option<Arc<KeyEntry>> {
        self.snapshot.read().keys.get(public).cloned()
    }

    /// An active project by number.
    pub fn project(&self, id: u64) -> Option<Arc<ProjectEntry>> {
        self.snapshot.read().projects.get(&id).cloned()
    }
}

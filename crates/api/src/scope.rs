//! What a query about issues and events is about: projects, time, environments, and the words of the search box.

use std::sync::Arc;

use protocol::ids::GroupHash;
use protocol::time::parse_time;
use storage::columns::{Answer as Found, Field, Filter, Question, Select, Test};
use storage::relational::issues::Condition;
use storage::relational::projects::Project;
use storage::relational::{hashes, issues, people, releases, teams};
use storage::search::lower::span;
use storage::search::{Context, Lowered, QueryError, lower, of_hashes, parse};

use crate::access::Principal;
use crate::answer::ApiError;
use crate::call::Call;

const DAY: i64 = 86_400_000_000;

/// The scope of a question.
pub struct Scope {
    pub projects: Vec<Project>,
    /// From, µs.
    pub start: i64,
    /// To, µs, not included.
    pub end: i64,
    /// The time ends now: what SQL knows of issues is enough.
    pub open_end: bool,
    /// A period was asked for.
    pub bounded: bool,
    pub environments: Vec<String>,
    users: Vec<(i64, String)>,
    teams: Vec<(i64, String)>,
    my_teams: Vec<i64>,
    latest: Vec<String>,
}

/// Reads `statsPeriod` or `start` and `end`: the window, whether it ends now, and whether it was given.
pub fn window(call: &Call, default: i64) -> Result<(i64, i64, bool, bool), ApiError> {
    let now = call.now();
    let time = |name: &str| -> Result<Option<i64>, ApiError> {
        match call.value(name) {
            None => Ok(None),
            Some(text) => match parse_time(text) {
                Some(t) => Ok(Some(t)),
                None => Err(ApiError::Bad(format!(
                    "{name} is a time like 2026-11-26T12:00:00Z"
                ))),
            },
        }
    };
    let (start, end) = (time("start")?, time("end")?);
    if let Some(start) = start {
        let end = end.unwrap_or(now + 60_000_000);
        if end <= start {
            return Err(ApiError::Bad("end must come after start".into()));
        }
        return Ok((start, end, end >= now, true));
    }
    match call.value("statsPeriod") {
        None => Ok((now - default, now + 600_000_000, true, false)),
        Some(text) => match span(text).filter(|s| *s > 0) {
            Some(length) => Ok((now.saturating_sub(length), now + 600_000_000, true, true)),
            None => Err(ApiError::Bad("statsPeriod is like 30m, 24h, 14d or 4w".into())),
        },
    }
}

impl Scope {
    /// Reads the scope of a call. Without a period it is the whole retention.
    pub fn of(call: &Call) -> Result<Scope, ApiError> {
        let projects = call.projects()?;
        let (start, end, open_end, bounded) = window(call, i64::from(call.api.retention) * DAY)?;
        let org = call.organization()?.id;
        let me = call.principal.as_ref().and_then(Principal::user_id);
        let (users, teams, my_teams, latest) = call.api.stores.sql.reading(|c| {
            let users = people::members(c, org)?
                .into_iter()
                .map(|m| (m.user.id, m.user.email))
                .collect();
            let teams = teams::of_organization(c, org)?
                .into_iter()
                .map(|t| (t.id, t.slug))
                .collect();
            let my_teams = match me {
                Some(me) => teams::of_user(c, org, me)?.into_iter().map(|(t, _)| t).collect(),
                None => vec![],
            };
            let mut latest = Vec::new();
            // Every release has to be looked at for it: only if somebody asks.
            let asked = call.query.iter().any(|(_, v)| v.contains("latest"));
            for p in projects.iter().filter(|_| asked) {
                let known = releases::of_project(c, p.id)?;
                latest.extend(releases::latest(&known).map(|r| r.version.clone()));
            }
            Ok((users, teams, my_teams, latest))
        })?;
        let environments = call
            .values("environment")
            .into_iter()
            .map(str::to_owned)
            .collect();
        Ok(Scope {
            projects,
            start,
            end,
            open_end,
            bounded,
            environments,
            users,
            teams,
            my_teams,
            latest,
        })
    }

    pub fn ids(&self) -> Vec<i64> {
        self.projects.iter().map(|p| p.id).collect()
    }

    fn numbers(&self) -> Vec<u64> {
        self.projects
            .iter()
            .filter_map(|p| u64::try_from(p.id).ok())
            .collect()
    }

    pub fn project(&self, id: i64) -> Option<&Project> {
        self.projects.iter().find(|p| p.id == id)
    }

    /// What a query means for events alone: terms of issues become their hashes.
    pub fn lower_events(&self, call: &Call, query: &str) -> Result<Filter, ApiError> {
        let lowered = self.lower(call, query)?;
        if lowered.condition.sql == "true" {
            return Ok(lowered.filter);
        }
        let hashes = self.hashes_of(call, &lowered.condition)?;
        Ok(lowered.filter.and(of_hashes(hashes)))
    }

    /// What a query means in this scope.
    pub fn lower(&self, call: &Call, query: &str) -> Result<Lowered, ApiError> {
        let expr = parse(query)?;
        let slugs: Vec<_> = self.projects.iter().map(|p| (p.id, p.slug.clone())).collect();
        let context = Context {
            table: call.api.stores.catalog.errors,
            now: call.now(),
            me: call.principal.as_ref().and_then(Principal::user_id),
            teams: &self.teams,
            my_teams: &self.my_teams,
            users: &self.users,
            projects: &slugs,
            latest: &self.latest,
        };
        let mut failed = None;
        let lowered = lower(&expr, &context, &mut |condition: &Condition| {
            self.hashes_of(call, condition).map_err(|e| {
                failed = Some(e);
                QueryError {
                    start: 0,
                    end: 0,
                    message: "the database could not be asked".into(),
                }
            })
        });
        match failed {
            Some(e) => Err(e),
            None => Ok(lowered?),
        }
    }

    /// The hashes of the issues that fulfil a condition.
    fn hashes_of(&self, call: &Call, condition: &Condition) -> Result<Vec<(u64, String)>, ApiError> {
        let ids = self.ids();
        Ok(call.api.stores.sql.reading(|c| {
            let issues = issues::ids(c, &ids, condition)?;
            Ok(hashes::of_issues(c, &issues)?
                .into_iter()
                .map(|h| (h.project, h.hash.to_string()))
                .collect())
        })?)
    }

    /// A filter with the scope's environments.
    pub fn with_environments(&self, call: &Call, filter: Filter) -> Filter {
        let table = call.api.stores.catalog.errors;
        match table.column("environment") {
            Some(i) if !self.environments.is_empty() => filter.and(Filter::Field(
                Field::Column(i),
                Test::Is(self.environments.clone()),
            )),
            _ => filter,
        }
    }

    /// Asks the event store about this scope's rows, without those that were deleted.
    pub fn select(
        &self,
        call: &Call,
        filter: Filter,
        hashes: Option<Vec<[u8; 16]>>,
        question: Question,
    ) -> Result<Found, ApiError> {
        let projects = self.numbers();
        let hidden = call.api.stores.sql.reading(|c| hashes::hidden(c, &projects))?;
        let select = Select {
            table: call.api.stores.catalog.errors,
            projects,
            time: self.start..self.end,
            hashes,
            filter,
            hidden: Arc::new(hidden),
            question,
        };
        Ok(call.api.stores.columns.select(&select)?)
    }

    /// All events of a project, whoever asks and whatever their parameters say.
    pub fn bare(project: Project) -> Scope {
        Scope {
            projects: vec![project],
            start: i64::MIN / 2,
            end: i64::MAX / 2,
            open_end: true,
            bounded: false,
            environments: vec![],
            users: vec![],
            teams: vec![],
            my_teams: vec![],
            latest: vec![],
        }
    }

    /// All events of a project.
    pub fn all_of(call: &Call, project: Project) -> Result<Scope, ApiError> {
        let mut scope = Scope::of(call)?;
        scope.projects = vec![project];
        scope.start = i64::MIN / 2;
        scope.end = i64::MAX / 2;
        scope.environments.clear();
        Ok(scope)
    }

    /// The scope of one issue: its project, all of its time.
    pub fn of_issue(call: &Call, project: Project) -> Result<Scope, ApiError> {
        let mut scope = Scope::of(call)?;
        scope.projects = vec![project];
        if !scope.bounded {
            // Clocks of clients run ahead and behind.
            scope.start = i64::MIN / 2;
            scope.end = i64::MAX / 2;
        }
        Ok(scope)
    }
}

/// The hashes of an issue as the event store keeps them.
pub fn extent(call: &Call, issue: i64) -> Result<Vec<[u8; 16]>, ApiError> {
    let rows = call.api.stores.sql.reading(|c| hashes::of_issues(c, &[issue]))?;
    Ok(rows
        .into_iter()
        .map(|h| {
            let GroupHash(bytes) = h.hash;
            bytes
        })
        .collect())
}

//! A request as an endpoint sees it: who asks, where, with what.

use bytes::Bytes;
use protocol::ids::EventId;
use serde_json::Value;
use storage::relational::people::Organization;
use storage::relational::projects::{self, Project};
use storage::sql::{Connection, Result as SqlResult};

use crate::Api;
use crate::access::Principal;
use crate::answer::ApiError;

/// A call.
pub struct Call {
    pub api: Api,
    /// Nobody on public routes.
    pub principal: Option<Principal>,
    /// The organization of the path.
    pub organization: Option<Organization>,
    /// The role of the caller in it.
    pub role: Option<String>,
    /// The project of the path.
    pub project: Option<Project>,
    /// What stood in the path's braces, by name.
    pub params: Vec<(&'static str, String)>,
    pub query: Vec<(String, String)>,
    pub body: Bytes,
    /// The request's path, for links.
    pub path: String,
    /// The caller's address.
    pub address: Option<std::net::IpAddr>,
    pub user_agent: Option<String>,
    /// Whether the caller came over https.
    pub secure: bool,
    /// No form of another site can send such a request.
    pub unforgeable: bool,
    /// Whether a page of another site sends it, as the browser says.
    pub foreign: bool,
}

impl Call {
    pub fn now(&self) -> i64 {
        self.api.stores.clock.now()
    }

    pub fn principal(&self) -> Result<&Principal, ApiError> {
        self.principal
            .as_ref()
            .ok_or_else(|| ApiError::Unauthorized("Log in or send a bearer token.".into()))
    }

    pub fn user_id(&self) -> Result<i64, ApiError> {
        self.principal().map(|p| p.user.id)
    }

    /// Asks for a scope beyond that of the route: for what a body may ask besides.
    pub fn demand(&self, scope: &str) -> Result<(), ApiError> {
        if crate::access::allowed(self.principal()?, self.role.as_deref(), scope) {
            return Ok(());
        }
        Err(ApiError::Forbidden(format!("This needs the scope {scope}.")))
    }

    pub fn organization(&self) -> Result<&Organization, ApiError> {
        self.organization
            .as_ref()
            .ok_or_else(|| ApiError::missing("Organization"))
    }

    pub fn project(&self) -> Result<&Project, ApiError> {
        self.project.as_ref().ok_or_else(|| ApiError::missing("Project"))
    }

    /// What stood in the braces of the path.
    pub fn param(&self, name: &str) -> &str {
        self.params
            .iter()
            .find(|(n, _)| *n == name)
            .map_or("", |(_, v)| v.as_str())
    }

    /// A number in the path; anything else is not found.
    pub fn number(&self, name: &str, noun: &str) -> Result<i64, ApiError> {
        self.param(name).parse().map_err(|_| ApiError::missing(noun))
    }

    /// An event id in the path.
    pub fn event_id(&self, name: &str) -> Result<EventId, ApiError> {
        self.param(name).parse().map_err(|_| ApiError::missing("Event"))
    }

    /// The first value of a query parameter; an empty one counts as absent.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
            .filter(|v| !v.is_empty())
    }

    /// Every value of a query parameter.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.query
            .iter()
            .filter(|(k, v)| k == name && !v.is_empty())
            .map(|(_, v)| v.as_str())
            .collect()
    }

    /// The body as a JSON object.
    pub fn json(&self) -> Result<serde_json::Map<String, Value>, ApiError> {
        if self.body.is_empty() {
            return Ok(serde_json::Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(_) => Err(ApiError::Bad("The body is not a JSON object.".into())),
            Err(e) => Err(ApiError::Bad(format!("The body is not JSON: {e}"))),
        }
    }

    /// How many to answer: `limit` or `per_page`, 1 to 100.
    pub fn limit(&self, default: usize) -> Result<usize, ApiError> {
        match self.value("limit").or_else(|| self.value("per_page")) {
            None => Ok(default),
            Some(text) => match text.parse::<usize>() {
                Ok(n) if (1..=100).contains(&n) => Ok(n),
                _ => Err(ApiError::Bad("limit is a number from 1 to 100.".into())),
            },
        }
    }

    /// Every project of the organization that the caller sees.
    pub fn seen(&self, c: &mut dyn Connection) -> SqlResult<Vec<Project>> {
        match &self.organization {
            Some(organization) => projects::of_organization(c, organization.id),
            None => Ok(vec![]),
        }
    }

    /// A project of the organization by slug or number, if the caller sees it.
    pub fn seen_project(&self, c: &mut dyn Connection, name: &str) -> SqlResult<Option<Project>> {
        match &self.organization {
            Some(organization) => projects::find(c, organization.id, name),
            None => Ok(None),
        }
    }

    /// The projects that the query names (`project`, by number or slug), or all of the organization.
    pub fn projects(&self) -> Result<Vec<Project>, ApiError> {
        let org = self.organization()?.id;
        let all = self
            .api
            .stores
            .sql
            .reading(|c| projects::of_organization(c, org))?;
        if let Some(project) = &self.project {
            return Ok(all.into_iter().filter(|p| p.id == project.id).collect());
        }
        let mut wanted = self.values("project");
        wanted.extend(self.values("projectSlug"));
        wanted.retain(|w| *w != "-1");
        if wanted.is_empty() {
            return Ok(all);
        }
        let mut found: Vec<Project> = Vec::new();
        for text in wanted {
            match all.iter().find(|p| p.slug == text || p.id.to_string() == text) {
                Some(p) if !found.iter().any(|f| f.id == p.id) => found.push(p.clone()),
                Some(_) => {}
                None => {
                    return Err(ApiError::Bad(format!(
                        "There is no project '{text}' in this organization."
                    )));
                }
            }
        }
        Ok(found)
    }
}

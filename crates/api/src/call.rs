//! A request as an endpoint sees it: who asks, where, with what.

use bytes::Bytes;
use protocol::ids::EventId;
use serde_json::Value;
use storage::relational::audit;
use storage::relational::people::{Organization, User};
use storage::relational::projects::Project;
use storage::relational::teams::Team;
use storage::sql::{Connection, Result as SqlResult, SqlError};

use crate::Api;
use crate::access::{Principal, Standing};
use crate::answer::ApiError;
use crate::sight::Sight;
use crate::spool::Spool;

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
    /// The team of the path.
    pub team: Option<Team>,
    /// The caller is an admin of a team of that project, or else of that team.
    pub team_admin: bool,
    /// Membership is closed, and the caller is not in that team.
    pub outside: bool,
    /// Which projects the caller sees.
    pub sight: Sight,
    /// What stood in the path's braces, by name.
    pub params: Vec<(&'static str, String)>,
    pub query: Vec<(String, String)>,
    pub body: Bytes,
    /// The body, if the route takes uploads.
    pub upload: Option<Spool>,
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
    /// What was sent along.
    pub headers: http::HeaderMap,
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

    /// The user who asks; a token of an organization is nobody.
    pub fn user(&self) -> Result<&User, ApiError> {
        let user = self.principal()?.user.as_ref();
        user.ok_or_else(|| {
            ApiError::Forbidden("This needs a user: a token of an organization has none.".into())
        })
    }

    pub fn user_id(&self) -> Result<i64, ApiError> {
        self.user().map(|u| u.id)
    }

    /// What the caller is where they ask.
    pub fn standing(&self) -> Standing<'_> {
        Standing {
            role: self.role.as_deref(),
            team_admin: self.team_admin,
            outside: self.outside,
        }
    }

    /// Whether the caller has a scope beyond that of the route.
    pub fn may(&self, scope: &str) -> bool {
        let principal = self.principal.as_ref();
        principal.is_some_and(|p| crate::access::allowed(p, self.standing(), scope))
    }

    /// Asks for a scope beyond that of the route: for what a body may ask besides.
    pub fn demand(&self, scope: &str) -> Result<(), ApiError> {
        if self.may(scope) {
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

    pub fn team(&self) -> Result<&Team, ApiError> {
        self.team.as_ref().ok_or_else(|| ApiError::missing("Team"))
    }

    /// Does something in one transaction. What the body refuses did not happen.
    pub fn change<T>(
        &self,
        mut body: impl FnMut(&mut dyn Connection) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut refused = None;
        let done = self.api.stores.sql.writing(|c| {
            body(c).map_err(|e| {
                refused = Some(e);
                SqlError::Other("refused".into())
            })
        });
        match (done, refused) {
            (Ok(value), _) => Ok(value),
            (Err(_), Some(why)) => Err(why),
            (Err(e), None) => Err(e.into()),
        }
    }

    /// Notes in the audit log what the caller does; in the transaction that does it.
    pub fn audit(
        &self,
        c: &mut dyn Connection,
        event: &str,
        target: Option<i64>,
        data: &Value,
    ) -> Result<(), ApiError> {
        self.audit_in(c, self.organization()?.id, event, target, data)
    }

    /// [`Call::audit`] in an organization that is not that of the path.
    pub fn audit_in(
        &self,
        c: &mut dyn Connection,
        org: i64,
        event: &str,
        target: Option<i64>,
        data: &Value,
    ) -> Result<(), ApiError> {
        let user = self.principal.as_ref().and_then(|p| p.user.as_ref());
        self.audit_as(c, org, user, event, target, data)
    }

    /// [`Call::audit_in`] for somebody who is only known now.
    pub fn audit_as(
        &self,
        c: &mut dyn Connection,
        org: i64,
        user: Option<&User>,
        event: &str,
        target: Option<i64>,
        data: &Value,
    ) -> Result<(), ApiError> {
        let token = self.principal.as_ref().and_then(Principal::org_token);
        let actor = user.map(|u| u.email.as_str()).or(token.map(|t| t.name.as_str()));
        let address = self.address.map(|a| a.to_string());
        let entry = audit::Entry {
            org,
            actor_id: user.map(|u| u.id),
            actor: actor.unwrap_or(""),
            address: address.as_deref(),
            event,
            target,
            data,
        };
        Ok(audit::add(c, &entry, self.now())?)
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

    /// The body as a form.
    pub fn form(&self) -> Result<Vec<(String, String)>, ApiError> {
        serde_urlencoded::from_bytes(&self.body)
            .map_err(|e| ApiError::Bad(format!("The body is not a form: {e}")))
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

    /// A text that the body must have.
    pub fn text(&self, name: &str) -> Result<String, ApiError> {
        match self.json()?.get(name).and_then(Value::as_str) {
            Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            _ => Err(ApiError::field(name, "This field is required.")),
        }
    }

    /// Refuses what a form of another site could send: for what a browser does before anybody is known.
    pub fn own_page_only(&self) -> Result<(), ApiError> {
        if self.unforgeable {
            return Ok(());
        }
        Err(ApiError::Forbidden(
            "CSRF: send the header X-Requested-With, or Content-Type: application/json, with this request."
                .into(),
        ))
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
            Some(organization) => self.sight.projects(c, organization.id),
            None => Ok(vec![]),
        }
    }

    /// A project of the organization by slug or number, if the caller sees it.
    pub fn seen_project(&self, c: &mut dyn Connection, name: &str) -> SqlResult<Option<Project>> {
        match &self.organization {
            Some(organization) => self.sight.project(c, organization.id, name),
            None => Ok(None),
        }
    }

    /// The projects that the query names (`project`, by number or slug), or all of the organization.
    pub fn projects(&self) -> Result<Vec<Project>, ApiError> {
        let org = self.organization()?.id;
        let all = self.api.stores.sql.reading(|c| self.sight.projects(c, org))?;
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

//! Which projects of an organization somebody sees: the only place where it is decided and where projects are read.
//!
//! Where membership is open, everybody sees everything. Where it is not, members and admins see the projects of
//! their teams; managers, owners, superusers and tokens of the organization see all.

use std::collections::HashSet;

use storage::relational::issues::{self, Issue};
use storage::relational::people::{self, Organization};
use storage::relational::projects::{self, Project};
use storage::relational::{sharing, teams};
use storage::sql::{Connection, Result};

use crate::access::{Principal, rank};

/// What somebody sees.
#[derive(Debug, Clone)]
pub enum Sight {
    /// Every project.
    All,
    /// These projects.
    Only(HashSet<i64>),
}

impl Default for Sight {
    /// Nothing: what a call sees before its organization is found.
    fn default() -> Sight {
        Sight::Only(HashSet::new())
    }
}

/// Whether everybody in an organization sees every project and joins teams by themselves.
pub fn is_open(organization: &Organization) -> bool {
    let setting = organization.settings.get("openMembership");
    setting.and_then(serde_json::Value::as_bool).unwrap_or(true)
}

/// Whether an organization lets its members show issues to everybody who has a link.
pub fn shares(organization: &Organization) -> bool {
    let setting = organization.settings.get("allowSharedIssues");
    setting.and_then(serde_json::Value::as_bool).unwrap_or(true)
}

/// The issue that a public link leads to, with what it belongs to. Whether a reader is somebody makes no difference.
pub fn shared(c: &mut dyn Connection, link: &str) -> Result<Option<(Organization, Project, Issue)>> {
    let Some(id) = sharing::find(c, link)? else {
        return Ok(None);
    };
    let issue = issues::by_ids(c, &[id])?
        .pop()
        .filter(|i| i.delete_after.is_none());
    let Some(issue) = issue else { return Ok(None) };
    let project = projects::by_id(c, issue.project)?.filter(|p| p.status == "active");
    let Some(project) = project else { return Ok(None) };
    let organization = people::organization_by(c, &project.org_id.to_string())?;
    Ok(organization.filter(shares).map(|o| (o, project, issue)))
}

impl Sight {
    /// What somebody with this role sees in an organization.
    pub fn of(
        c: &mut dyn Connection,
        principal: &Principal,
        organization: &Organization,
        role: Option<&str>,
    ) -> Result<Sight> {
        let above = principal.is_superuser() || role.is_some_and(|r| rank(r) >= rank("manager"));
        if above || principal.org_token().is_some() || is_open(organization) {
            return Ok(Sight::All);
        }
        let own = match principal.user_id() {
            Some(user) => teams::projects_of_user(c, organization.id, user)?,
            None => vec![],
        };
        Ok(Sight::Only(own.into_iter().collect()))
    }

    /// Whether a project is seen.
    pub fn sees(&self, project: i64) -> bool {
        match self {
            Sight::All => true,
            Sight::Only(own) => own.contains(&project),
        }
    }

    /// The projects of an organization that are seen, by slug.
    pub fn projects(&self, c: &mut dyn Connection, org: i64) -> Result<Vec<Project>> {
        let mut all = projects::of_organization(c, org)?;
        all.retain(|p| self.sees(p.id));
        Ok(all)
    }

    /// A project of an organization by slug or number, if it is seen.
    pub fn project(&self, c: &mut dyn Connection, org: i64, slug_or_id: &str) -> Result<Option<Project>> {
        Ok(projects::find(c, org, slug_or_id)?.filter(|p| self.sees(p.id)))
    }
}

//! What commands do to the stores: done by the server that owns the folder when it runs, else by the command.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use storage::relational::aside::{self, Aside};
use storage::relational::projects::NumberTaken;
use storage::relational::{accounts, issues, members, people, projects, reprocessings, sessions, teams};
use storage::sql::Connection;
use storage::stores::Stores;

use crate::watch::Watch;

/// Small files of the folder that a backup keeps.
const KEPT_FILES: [&str; 2] = ["secret-key", "first-login.json"];

/// A request to whoever owns the folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Request {
    /// Makes sure that an organization, project, login and token are there.
    Setup {
        /// The login.
        email: String,
        /// Its password; it is only set for a new login.
        password: String,
        /// The organization's slug.
        org: String,
        /// The project's slug.
        project: String,
        /// The number of a new project.
        #[serde(default)]
        project_id: Option<i64>,
        /// The public key that it has.
        #[serde(default)]
        public_key: Option<String>,
    },
    /// Makes a login, or changes it.
    CreateUser {
        /// The e-mail address.
        email: String,
        /// The password.
        password: String,
        /// May do everything.
        superuser: bool,
        /// Into this organization, with the role.
        org: Option<String>,
        /// `owner`, `manager`, `admin`, `member`; without it a new login is a member, and another keeps its role.
        role: Option<String>,
        /// An existing login gets the password and rights, and may log in.
        force: bool,
        /// An existing login has only the password from now on.
        #[serde(default)]
        remove_factors: bool,
    },
    /// Processes stored events again.
    Reprocess {
        /// The organization's slug.
        org: String,
        /// The project's slug.
        project: String,
        /// One issue of it, by number or short id.
        issue: Option<String>,
        /// Events of an issue at most.
        most: i64,
    },
    /// Drops what is older.
    Cleanup {
        /// Days to keep.
        days: u16,
    },
    /// Where an event is.
    Where {
        /// Its id.
        id: String,
    },
    /// What is kept aside.
    SetAside,
    /// One item with its bytes.
    SetAsideShow {
        /// Its number.
        id: i64,
    },
    /// Tries an item again.
    SetAsideRetry {
        /// Its number; all without it.
        id: Option<i64>,
    },
    /// Drops an item.
    SetAsideDrop {
        /// Its number.
        id: i64,
    },
    /// How the running server is.
    Status,
    /// Builds the index anew from the packs.
    RebuildIndex,
    /// Writes everything to one file.
    Backup {
        /// The file, which is not there yet; its whole path.
        file: PathBuf,
    },
}

/// What requests need.
#[derive(Clone)]
pub struct Admin {
    /// The stores.
    pub stores: Stores,
    /// Signs tokens.
    pub secret: Arc<str>,
    /// The folder.
    pub data_dir: PathBuf,
    /// The public address.
    pub url: Arc<str>,
    /// Tells ingest that keys changed.
    pub changed: Arc<dyn Fn() + Send + Sync>,
    /// What watches the running server, if one runs.
    pub watch: Option<Arc<Watch>>,
}

/// Items of a list of what is kept aside.
const MOST_SET_ASIDE: usize = 1000;

fn set_aside(item: &Aside) -> Value {
    json!({
        "id": item.id, "project_id": item.project.to_string(), "event_id": item.event_id, "error": item.error,
        "bytes": item.size, "date": protocol::time::format_rfc3339(item.date_added),
    })
}

/// Checks an e-mail address roughly: something, `@`, something.
fn check_email(email: &str) -> anyhow::Result<()> {
    match email.split_once('@') {
        Some((a, b)) if !a.is_empty() && !b.is_empty() && !email.contains(char::is_whitespace) => Ok(()),
        _ => bail!("'{email}' is not an e-mail address"),
    }
}

fn check_password(password: &str) -> anyhow::Result<()> {
    match api::weak_password(password) {
        None => Ok(()),
        Some(why) => bail!("the password is too easy: {why}"),
    }
}

fn check_slug(noun: &str, slug: &str) -> anyhow::Result<()> {
    let fits = (1..=100).contains(&slug.len())
        && slug
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
        && !slug.bytes().all(|b| b.is_ascii_digit());
    if fits {
        return Ok(());
    }
    bail!("{noun} '{slug}': use lower-case letters, digits, - and _, not a number")
}

impl Admin {
    /// Does what is asked; answers JSON.
    ///
    /// # Errors
    /// What is wrong with the request, or what a store says.
    pub fn handle(&self, request: &Request) -> anyhow::Result<Value> {
        match request {
            Request::Setup {
                email,
                password,
                org,
                project,
                project_id,
                public_key,
            } => {
                let taken_over = TakenOver {
                    id: *project_id,
                    key: public_key.as_deref(),
                };
                self.setup(email, password, org, project, &taken_over)
            }
            Request::CreateUser {
                email,
                password,
                superuser,
                org,
                role,
                force,
                remove_factors,
            } => self.create_user(
                email,
                password,
                *superuser,
                (org.as_deref(), role.as_deref()),
                *force,
                *remove_factors,
            ),
            Request::Backup { file } => {
                let files: Vec<(&str, Vec<u8>)> = KEPT_FILES
                    .iter()
                    .filter_map(|name| Some((*name, std::fs::read(self.data_dir.join(name)).ok()?)))
                    .collect();
                let counts = backends::backup::create(&self.stores, &files, file)?;
                Ok(counts.to_json())
            }
            Request::Reprocess {
                org,
                project,
                issue,
                most,
            } => self.reprocess(org, project, issue.as_deref(), *most),
            Request::Cleanup { days } => {
                let dropped = pipeline::jobs::sweep_older(&self.stores, *days)?;
                Ok(json!({ "dropped_days": dropped }))
            }
            Request::Where { id } => {
                let parsed = id
                    .parse()
                    .map_err(|e| anyhow::anyhow!("'{id}' is not an event id: {e}"))?;
                let places = pipeline::whereabouts::find(&self.stores, parsed)?;
                Ok(json!({ "event_id": id, "places": places }))
            }
            Request::SetAside => {
                let items = self
                    .stores
                    .sql
                    .reading(|c| aside::newest(c, None, MOST_SET_ASIDE))?;
                let shown: Vec<_> = items.iter().map(set_aside).collect();
                Ok(json!({ "items": shown }))
            }
            Request::SetAsideShow { id } => {
                let found = self.stores.sql.reading(|c| aside::find(c, *id))?;
                let (item, payload) = found.with_context(|| format!("nothing is kept aside under {id}"))?;
                let mut shown = set_aside(&item);
                shown["payload"] = String::from_utf8_lossy(&payload).into();
                Ok(shown)
            }
            Request::SetAsideRetry { id: Some(id) } => {
                if !pipeline::aside::retry(&self.stores, *id)? {
                    bail!("nothing is kept aside under {id}");
                }
                Ok(json!({ "retried": 1 }))
            }
            Request::SetAsideRetry { id: None } => {
                let items = self.stores.sql.reading(|c| aside::newest(c, None, usize::MAX))?;
                for item in &items {
                    pipeline::aside::retry(&self.stores, item.id)?;
                }
                Ok(json!({ "retried": items.len() }))
            }
            Request::SetAsideDrop { id } => {
                if self.stores.sql.writing(|c| aside::remove(c, &[*id]))? == 0 {
                    bail!("nothing is kept aside under {id}");
                }
                Ok(json!({ "dropped": 1 }))
            }
            Request::Status => match &self.watch {
                Some(watch) => Ok(watch.overview()?),
                None => bail!("no server runs on this folder"),
            },
            Request::RebuildIndex => {
                let partitions = storage::rebuild::everything(&self.stores)?;
                Ok(json!({ "rebuilt_days": partitions }))
            }
        }
    }

    /// The token of a setup: the same every time, as it is made of the secret key; only its hash is stored.
    fn token(&self, org: &str, email: &str) -> anyhow::Result<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).context("secret key")?;
        mac.update(format!("setup token\n{org}\n{}", email.to_lowercase()).as_bytes());
        let digest: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        Ok(format!("sntryu_{digest}"))
    }

    fn reprocess(&self, org: &str, project: &str, issue: Option<&str>, most: i64) -> anyhow::Result<Value> {
        let now = self.stores.clock.now();
        let begun = self.stores.sql.writing(|c| {
            let Some(org) = people::organization_by(c, org)? else {
                return Ok(None);
            };
            let Some(project) = projects::find(c, org.id, project)? else {
                return Ok(None);
            };
            let issue = match issue.map(|text| (text.parse::<i64>(), text)) {
                None => None,
                Some((Ok(id), _)) => Some(id),
                Some((Err(_), text)) => {
                    let number = issues::parse_short_id(text).map(|(_, n)| n);
                    let found = number
                        .map(|n| issues::by_short(c, project.id, n))
                        .transpose()?
                        .flatten();
                    Some(found.map_or(0, |i| i.id))
                }
            };
            reprocessings::begin_all(c, (org.id, project.id), issue, most, now).map(Some)
        })?;
        match begun {
            None => bail!("there is no project {org}/{project}"),
            Some(0) => bail!("the project has no such issue"),
            Some(n) => Ok(json!({ "issues": n })),
        }
    }

    fn setup(
        &self,
        email: &str,
        password: &str,
        org: &str,
        project: &str,
        taken_over: &TakenOver<'_>,
    ) -> anyhow::Result<Value> {
        check_email(email)?;
        taken_over.check()?;
        check_slug("organization", org)?;
        check_slug("project", project)?;
        let now = self.stores.clock.now();
        let token = self.token(org, email)?;
        let known = self.stores.sql.reading(|c| people::user_by_email(c, email))?;
        let hash = match &known {
            Some(_) => String::new(),
            None => {
                check_password(password)?;
                api::hash_password(password).map_err(anyhow::Error::msg)?
            }
        };
        let made = self.stores.sql.writing(|c| {
            if let Some(why) = taken_over.refused(c, org, project)? {
                return Ok(Err(why));
            }
            let user = match people::user_by_email(c, email)? {
                Some(user) => user.id,
                None => people::add_user(c, email, "", &hash, true, now)?,
            };
            let org_id = match people::organization_by(c, org)? {
                Some(o) => o.id,
                None => people::found(c, org, &title(org), user, now)?,
            };
            people::set_member(c, org_id, user, "owner", now)?;
            join_only_team(c, org_id, user)?;
            let id = match projects::find(c, org_id, project)? {
                Some(p) => p.id,
                None => {
                    let id = match taken_over.id {
                        Some(id) => {
                            projects::add_numbered(c, org_id, id, project, &title(project), now)?;
                            id
                        }
                        None => projects::add(c, org_id, project, &title(project), None, now)?,
                    };
                    let first = teams::of_organization(c, org_id)?.iter().map(|t| t.id).min();
                    if let Some(team) = first {
                        teams::give(c, id, team)?;
                    }
                    id
                }
            };
            let scopes: Vec<String> = api::access::SCOPES.iter().map(|s| (*s).to_owned()).collect();
            let last = &token[token.len() - 4..];
            sessions::add_token(c, user, "setup", &api::token_hash(&token), last, &scopes, now)?;
            let key = match taken_over.key {
                Some(key) => {
                    if projects::of_key(c, key)?.is_none() {
                        projects::add_key(c, id, "Default", key, &api::new_key(), now)?;
                    }
                    key.to_owned()
                }
                None => first_key(c, id, now)?,
            };
            Ok(Ok((id, key)))
        })?;
        let (project_id, key) = made.map_err(anyhow::Error::msg)?;
        (self.changed)();
        let number = protocol::ids::ProjectId(u64::try_from(project_id).unwrap_or(0));
        Ok(json!({
            "url": &*self.url, "dsn": protocol::dsn::Dsn::for_url(&self.url, &key, number), "org": org,
            "project": project, "project_id": project_id.to_string(), "token": token,
            "email": email.trim().to_lowercase(),
        }))
    }

    fn create_user(
        &self,
        email: &str,
        password: &str,
        superuser: bool,
        (org, role): (Option<&str>, Option<&str>),
        force: bool,
        remove_factors: bool,
    ) -> anyhow::Result<Value> {
        check_email(email)?;
        check_password(password)?;
        if let Some(role) = role.filter(|r| !["owner", "manager", "admin", "member"].contains(r)) {
            bail!("role is owner, manager, admin or member, not '{role}'");
        }
        let now = self.stores.clock.now();
        let hash = api::hash_password(password).map_err(anyhow::Error::msg)?;
        let (known, organization, first) = self.stores.sql.reading(|c| {
            let organization = match org {
                Some(slug) => people::organization_by(c, slug)?,
                None => None,
            };
            Ok((
                people::user_by_email(c, email)?,
                organization,
                people::organizations(c)?.into_iter().next(),
            ))
        })?;
        if known.is_some() && !force {
            bail!("{email} has a login already; use --force to set its password");
        }
        let organization = match (org, organization) {
            (Some(slug), None) => bail!("there is no organization '{slug}'"),
            (Some(_), found) => found,
            (None, _) => first,
        };
        self.stores.sql.writing(|c| {
            let id = match &known {
                Some(user) => {
                    people::set_password(c, user.id, &hash)?;
                    people::set_standing(c, user.id, true, superuser || user.is_superuser)?;
                    if remove_factors {
                        accounts::remove_factors(c, user.id)?;
                    }
                    user.id
                }
                None => people::add_user(c, email, "", &hash, superuser, now)?,
            };
            if let Some(organization) = &organization {
                let known = people::role(c, organization.id, id)?;
                if let Some(role) = role.or(known.is_none().then_some("member")) {
                    people::set_member(c, organization.id, id, role, now)?;
                    join_only_team(c, organization.id, id)?;
                }
            }
            Ok(())
        })?;
        Ok(json!({
            "email": email.trim().to_lowercase(), "created": known.is_none(),
            "org": organization.map(|o| o.slug), "role": role,
        }))
    }
}

/// Number and key of a project that another server had, so that its DSN goes on working here.
struct TakenOver<'a> {
    id: Option<i64>,
    key: Option<&'a str>,
}

/// The largest number that every client reads exactly.
const LARGEST_NUMBER: i64 = (1 << 53) - 1;

impl TakenOver<'_> {
    fn check(&self) -> anyhow::Result<()> {
        if let Some(id) = self.id.filter(|id| !(1..=LARGEST_NUMBER).contains(id)) {
            bail!("--project-id {id}: a project's number is from 1 to {LARGEST_NUMBER}");
        }
        match self.key.filter(|key| !api::is_key(key)) {
            Some(key) => bail!("--public-key {key}: a key has 32 digits of 0-9 and a-f"),
            None => Ok(()),
        }
    }

    /// Why the project cannot have them.
    fn refused(
        &self,
        c: &mut dyn Connection,
        org: &str,
        project: &str,
    ) -> storage::sql::Result<Option<String>> {
        let known = match people::organization_by(c, org)? {
            Some(o) => projects::find(c, o.id, project)?,
            None => None,
        };
        if let Some(id) = self.id {
            match (&known, projects::number_taken(c, id)?) {
                (Some(p), _) if p.id == id => {}
                (Some(p), _) => {
                    return Ok(Some(format!(
                        "--project-id {id}: the project '{}' is there and has the number {}; a number is given to a \
                         new project only",
                        p.slug, p.id
                    )));
                }
                (None, Some(NumberTaken::By(slug))) => {
                    return Ok(Some(format!(
                        "--project-id {id}: the project '{slug}' has this number already"
                    )));
                }
                (None, Some(NumberTaken::ByRemoved)) => {
                    return Ok(Some(format!(
                        "--project-id {id}: a project that was deleted had this number; its events may still be stored"
                    )));
                }
                (None, None) => {}
            }
        }
        if let Some(key) = self.key
            && let Some(owner) = projects::of_key(c, key)?
            && known.as_ref().is_none_or(|p| p.id != owner)
        {
            let slug = projects::by_id(c, owner)?.map_or_else(String::new, |p| p.slug);
            return Ok(Some(format!(
                "--public-key {key}: the project '{slug}' has this key already"
            )));
        }
        Ok(None)
    }
}

/// `my-shop` → `My Shop`.
fn title(slug: &str) -> String {
    let words = slug.split(['-', '_']).filter(|w| !w.is_empty()).map(|w| {
        let mut chars = w.chars();
        chars
            .next()
            .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Puts a user into the team of their organization if there is but one.
fn join_only_team(c: &mut dyn Connection, org: i64, user: i64) -> storage::sql::Result<()> {
    let all = teams::of_organization(c, org)?;
    let member = members::of_user(c, org, user)?;
    if let ([team], Some(member)) = (all.as_slice(), member)
        && teams::of_user(c, org, user)?.is_empty()
    {
        teams::join(c, team.id, member.id, teams::CONTRIBUTOR)?;
    }
    Ok(())
}

fn first_key(c: &mut dyn Connection, project: i64, now: i64) -> storage::sql::Result<String> {
    if let Some(key) = projects::keys(c, project)?.into_iter().find(|k| k.is_active) {
        return Ok(key.public_key);
    }
    let key = api::new_key();
    projects::add_key(c, project, "Default", &key, &api::new_key(), now)?;
    Ok(key)
}

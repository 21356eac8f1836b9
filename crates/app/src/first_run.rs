//! The first start on an empty folder: a secret key, an organization, a project, a login.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use storage::relational::people;
use storage::stores::Stores;

use crate::admin::{Admin, Request};
use crate::config::Config;

/// The secret key: from the settings, else from its file, which is made if it is not there.
///
/// # Errors
/// If the file cannot be read or written.
pub fn secret_key(config: &Config) -> anyhow::Result<String> {
    if let Some(key) = &config.secret_key {
        return Ok(key.clone());
    }
    let path = config.data_dir.join("secret-key");
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        _ => {
            let key = api::new_secret();
            write_private(&path, &key)?;
            Ok(key)
        }
    }
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    Ok(())
}

/// Where the first login stands until its password is changed.
fn login_file(data_dir: &Path) -> PathBuf {
    data_dir.join("first-login.json")
}

/// Sets an empty installation up; answers what to print, also on later starts while the first login is in use.
///
/// # Errors
/// As setup says.
pub fn prepare(config: &Config, stores: &Stores, admin: &Admin) -> anyhow::Result<Option<Value>> {
    let path = login_file(&config.data_dir);
    if stores.sql.reading(people::count_users)? > 0 {
        let Some(mut known) = std::fs::read_to_string(&path)
            .ok()
            .and_then(|t| serde_json::from_str::<Value>(&t).ok())
        else {
            return Ok(None);
        };
        let email = known
            .get("email")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let user = stores.sql.reading(|c| people::user_by_email(c, &email))?;
        if user.is_none_or(|u| u.session_epoch > 0) {
            // The password was changed: what the file says is no longer true.
            let _ = std::fs::remove_file(&path);
            return Ok(None);
        }
        refresh(&mut known, &admin.url);
        return Ok(Some(known));
    }
    let made_up = api::new_secret()[..16].to_owned();
    let password = config.admin_password.clone().unwrap_or(made_up);
    let request = Request::Setup {
        email: config
            .admin_email
            .clone()
            .unwrap_or_else(|| "admin@localhost".into()),
        password: password.clone(),
        org: config.organization.clone().unwrap_or_else(|| "vedette".into()),
        project: config.project.clone().unwrap_or_else(|| "my-project".into()),
        project_id: None,
        public_key: None,
    };
    let mut done = admin.handle(&request)?;
    if config.admin_password.is_none() {
        done["password"] = password.into();
    }
    write_private(&path, &done.to_string())?;
    Ok(Some(done))
}

/// The address may have changed since the file was written.
fn refresh(known: &mut Value, url: &str) {
    let dsn = known
        .get("dsn")
        .and_then(Value::as_str)
        .and_then(|d| protocol::dsn::Dsn::parse(d).ok());
    if let Some(dsn) = dsn {
        known["dsn"] = protocol::dsn::Dsn::for_url(url, &dsn.key, dsn.project).into();
    }
    known["url"] = url.into();
}

/// What a person needs to begin, as lines.
pub fn greeting(url: &str, first: Option<&Value>) -> String {
    let mut out = format!("\n  Vedette is running at {url}\n");
    let get = |key: &str| first.and_then(|f| f.get(key)).and_then(Value::as_str);
    if let (Some(email), Some(dsn)) = (get("email"), get("dsn")) {
        let password = get("password").unwrap_or("(as you set it)");
        out.push_str(&format!(
            "\n  login     {email}\n  password  {password}\n  DSN       {dsn}\n"
        ));
        let key = protocol::dsn::Dsn::parse(dsn).map(|d| (d.key, d.project)).ok();
        if let Some((key, project)) = key {
            out.push_str(&format!(
                "\n  A first error:\n  curl {url}/api/{project}/store/?sentry_key={key} -d '{{\"message\":\"Hello from curl\",\"level\":\"error\"}}'\n"
            ));
        }
    }
    out
}

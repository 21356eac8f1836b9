//! The command line.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use serde_json::Value;

use crate::admin::{Admin, Request};
use crate::config::{self, Config, KEYS, Sources};
use crate::{doctor, first_run, reader, server, socket};

/// Error and performance monitoring that speaks Sentry's protocols: one binary, one folder.
#[derive(Debug, Parser)]
#[command(name = "vedette", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where settings come from, for every command that needs them.
#[derive(Debug, Args)]
struct Settings {
    /// The settings file (TOML).
    #[arg(long, env = "VEDETTE_CONFIG")]
    config: Option<PathBuf>,
    /// Sentry's config.yml, of which what fits is taken over.
    #[arg(long, env = "VEDETTE_SENTRY_CONFIG")]
    sentry_config: Option<PathBuf>,
    /// The folder that holds everything.
    #[arg(long)]
    data_dir: Option<String>,
    /// The address under which the server is reached.
    #[arg(long)]
    url: Option<String>,
    /// postgres://… instead of SQLite.
    #[arg(long)]
    database_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    Serve {
        #[command(flatten)]
        settings: Settings,
        /// The address and port to listen on.
        #[arg(long)]
        listen: Option<String>,
        /// What is logged: error, warn, info, debug, or a filter.
        #[arg(long)]
        log: Option<String>,
        /// Any other setting, as name=value.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        set: Vec<String>,
    },
    /// Reads an uploaded file for the server: started by it, with an order on standard input.
    #[command(hide = true)]
    ReadSymbols,
    /// Makes sure that an organization, project, login and token are there, and prints them.
    Setup {
        #[command(flatten)]
        settings: Settings,
        /// The login.
        #[arg(long, env = "VEDETTE_ADMIN_EMAIL", default_value = "admin@localhost")]
        email: String,
        /// Its password; needed for a new login.
        #[arg(
            long,
            env = "VEDETTE_ADMIN_PASSWORD",
            default_value = "",
            hide_default_value = true
        )]
        password: String,
        /// The organization's slug.
        #[arg(long, env = "VEDETTE_ORGANIZATION", default_value = "vedette")]
        org: String,
        /// The project's slug.
        #[arg(long, env = "VEDETTE_PROJECT", default_value = "my-project")]
        project: String,
        /// The number of the project, to take over a DSN of another server.
        #[arg(long, value_name = "NUMBER")]
        project_id: Option<i64>,
        /// The public key of the project, to take over a DSN of another server.
        #[arg(long, value_name = "HEX")]
        public_key: Option<String>,
        /// Print one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes a login.
    Createuser {
        #[command(flatten)]
        settings: Settings,
        /// The e-mail address.
        #[arg(long)]
        email: String,
        /// The password; without it, it is read from standard input.
        #[arg(long)]
        password: Option<String>,
        /// May do everything.
        #[arg(long)]
        superuser: bool,
        /// The organization; without it, the first.
        #[arg(long)]
        org: Option<String>,
        /// owner, manager, admin or member; a new login is a member unless this says otherwise.
        #[arg(long)]
        role: Option<String>,
        /// Set the password of a login that exists.
        #[arg(long)]
        force: bool,
        /// With --force: also remove the second factors of the login, for somebody who lost them.
        #[arg(long, requires = "force")]
        remove_factors: bool,
        /// Ask nothing (there is nothing to ask).
        #[arg(long)]
        no_input: bool,
    },
    /// Prints the description of the web API (OpenAPI 3.1).
    Openapi,
    /// Mail: whether it goes out.
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
    /// Writes everything to one file, also while the server runs.
    Backup {
        #[command(flatten)]
        settings: Settings,
        /// The file; it must not be there yet.
        file: PathBuf,
    },
    /// Restores a backup into an empty data folder.
    Restore {
        #[command(flatten)]
        settings: Settings,
        /// The file.
        file: PathBuf,
    },
    /// Drops events that are older than so many days.
    Cleanup {
        #[command(flatten)]
        settings: Settings,
        /// Days to keep.
        #[arg(long)]
        days: u16,
    },
    /// Brings the stores to this version. `serve` does it by itself.
    Upgrade {
        #[command(flatten)]
        settings: Settings,
        /// Ask nothing (there is nothing to ask).
        #[arg(long)]
        noinput: bool,
    },
    /// Processes stored events again, when debug files or source maps came later.
    Reprocess {
        #[command(flatten)]
        settings: Settings,
        /// The organization's slug.
        #[arg(long, env = "VEDETTE_ORGANIZATION", default_value = "vedette")]
        org: String,
        /// The project's slug.
        #[arg(long, env = "VEDETTE_PROJECT", default_value = "my-project")]
        project: String,
        /// One issue, by number or short id; without it all of the project.
        #[arg(long)]
        issue: Option<String>,
        /// Events of an issue at most, the newest first.
        #[arg(long, default_value_t = storage::relational::reprocessings::MOST)]
        max: i64,
    },
    /// Builds the search index anew from the stored events.
    RebuildIndex {
        #[command(flatten)]
        settings: Settings,
    },
    /// Checks settings, disk, clock, stores, queue and proxy, and says what to do about each problem.
    Doctor {
        #[command(flatten)]
        settings: Settings,
    },
    /// Events by id, and what could not be processed.
    Events {
        #[command(subcommand)]
        command: EventsCommand,
    },
    /// Settings.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Runs one stage of processing on JSON lines from standard input.
    Debug {
        /// normalize, group, parameterize, trim-function, stacktrace-rules, fingerprint-rules, fingerprint-parse.
        stage: String,
    },
}

#[derive(Debug, Subcommand)]
enum EventsCommand {
    /// What is kept aside because processing it failed.
    SetAside {
        #[command(flatten)]
        settings: Settings,
        /// Shows one item with its bytes.
        #[arg(long, value_name = "ID", group = "act")]
        show: Option<i64>,
        /// Tries an item again, or all of them.
        #[arg(long, value_name = "ID or all", group = "act")]
        retry: Option<String>,
        /// Drops an item for good.
        #[arg(long, value_name = "ID", group = "act")]
        drop: Option<i64>,
    },
    /// Says where an event is: queued, stored as which issue, deleted, or discarded and why.
    Where {
        #[command(flatten)]
        settings: Settings,
        /// The event's id.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum MailCommand {
    /// Sends a mail to an address and says what is wrong if it is not taken.
    Test {
        #[command(flatten)]
        settings: Settings,
        /// The address.
        address: String,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints the settings in force, or the defaults, with a line about each.
    Show {
        #[command(flatten)]
        settings: Settings,
        /// The defaults.
        #[arg(long)]
        defaults: bool,
    },
    /// Prints a new secret key.
    GenerateSecretKey,
}

/// The settings of a command.
fn load(settings: &Settings, more: &[(&'static str, Option<&String>)]) -> anyhow::Result<Config> {
    let mut flags = BTreeMap::new();
    let own = [
        ("data-dir", settings.data_dir.as_ref()),
        ("url", settings.url.as_ref()),
        ("database-url", settings.database_url.as_ref()),
    ];
    for (name, value) in own.into_iter().chain(more.iter().copied()) {
        if let Some(value) = value {
            flags.insert(name, value.clone());
        }
    }
    let sources = Sources {
        file: settings.config.clone(),
        sentry_file: settings.sentry_config.clone(),
        flags,
        ..Sources::from_environment()
    };
    config::load(&sources)
}

fn start_log(filter: &str) -> anyhow::Result<()> {
    start_log_as(filter, false)
}

fn start_log_as(filter: &str, as_json: bool) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .with_context(|| format!("log: '{filter}' is no level or filter"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if as_json {
        lines.json().flatten_event(true).init();
    } else {
        lines.init();
    }
    Ok(())
}

/// Runs a command through the server that owns the folder, or on the folder itself.
fn administer(config: &Config, request: &Request) -> anyhow::Result<Value> {
    if let Some(answer) = socket::ask(&config.data_dir, request)? {
        return Ok(answer);
    }
    let _lock = backends::open::lock_folder(&config.data_dir)?;
    let stores = server::stores(config)?;
    let admin = Admin {
        stores: stores.clone(),
        secret: first_run::secret_key(config)?.into(),
        data_dir: config.data_dir.clone(),
        url: server::url_for(config, config.listen).into(),
        changed: Arc::new(|| {}),
        watch: None,
    };
    let answer = admin.handle(request)?;
    stores.queue.close();
    stores.columns.flush()?;
    stores.ids.flush()?;
    Ok(answer)
}

/// Runs the command line.
///
/// # Errors
/// In words for people.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve {
            settings,
            listen,
            log,
            set,
        } => {
            let mut pairs: Vec<(&'static str, Option<String>)> = vec![("listen", listen), ("log", log)];
            for text in set {
                let (name, value) = text
                    .split_once('=')
                    .with_context(|| format!("--set {text}: expected NAME=VALUE"))?;
                let key = KEYS.iter().find(|k| k.name == name);
                let key = key.with_context(|| format!("--set {name}: there is no such setting"))?;
                pairs.push((key.name, Some(value.to_owned())));
            }
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (*n, v.as_ref())).collect();
            let config = load(&settings, &pairs)?;
            start_log_as(&config.log, config.log_json)?;
            server::run(&config)
        }
        Command::Setup {
            settings,
            email,
            password,
            org,
            project,
            project_id,
            public_key,
            json,
        } => {
            let config = load(&settings, &[])?;
            start_log("warn")?;
            let mut done = administer(
                &config,
                &Request::Setup {
                    email,
                    password,
                    org,
                    project,
                    project_id,
                    public_key,
                },
            )?;
            if let Some(url) = &config.url {
                // The address given here is the one that the caller reaches the server under.
                let dsn = done
                    .get("dsn")
                    .and_then(Value::as_str)
                    .and_then(|d| protocol::dsn::Dsn::parse(d).ok());
                if let Some(dsn) = dsn {
                    done["dsn"] = protocol::dsn::Dsn::for_url(url, &dsn.key, dsn.project).into();
                    done["url"] = url.clone().into();
                }
            }
            if json {
                say(&done)?;
            } else {
                for key in ["url", "email", "org", "project", "project_id", "dsn", "token"] {
                    say(format_args!(
                        "{key:<11} {}",
                        done.get(key).and_then(Value::as_str).unwrap_or_default()
                    ))?;
                }
            }
            Ok(())
        }
        Command::Createuser {
            settings,
            email,
            password,
            superuser,
            org,
            role,
            force,
            remove_factors,
            no_input: _,
        } => {
            let config = load(&settings, &[])?;
            start_log("warn")?;
            let password = match password {
                Some(password) => password,
                None => {
                    eprint!("Password: ");
                    let mut line = String::new();
                    std::io::stdin().lock().read_line(&mut line)?;
                    line.trim_end_matches(['\r', '\n']).to_owned()
                }
            };
            let done = administer(
                &config,
                &Request::CreateUser {
                    email,
                    password,
                    superuser,
                    org,
                    role,
                    force,
                    remove_factors,
                },
            )?;
            say(&done)?;
            Ok(())
        }
        Command::Mail {
            command: MailCommand::Test { settings, address },
        } => {
            let config = load(&settings, &[])?;
            start_log("warn")?;
            let Some(mailer) = server::mailer(&config)? else {
                bail!("no mail server is set: set mail-host, for example mail-host = \"smtp.example.com\"");
            };
            let url = server::url_for(&config, config.listen);
            mailer.send(&storage::mail::compose::test(&address, &url))?;
            let server = config.mail.map(|m| format!("{}:{}", m.host, m.port));
            say(format!(
                "{} took the mail to {address}; if it does not arrive, look at that server's log",
                server.unwrap_or_default()
            ))?;
            Ok(())
        }
        Command::Backup { settings, file } => {
            let config = load(&settings, &[])?;
            start_log("warn")?;
            // The server has another working directory.
            let file = std::path::absolute(&file)?;
            say(administer(&config, &Request::Backup { file })?)?;
            Ok(())
        }
        Command::Restore { settings, file } => {
            let config = load(&settings, &[])?;
            start_log("warn")?;
            say(server::restore(&config, &file)?)?;
            Ok(())
        }
        Command::Cleanup { settings, days } => {
            if days == 0 {
                bail!("--days is a number from 1");
            }
            let config = load(&settings, &[])?;
            start_log("warn")?;
            say(administer(&config, &Request::Cleanup { days })?)?;
            Ok(())
        }
        Command::Upgrade { settings, noinput: _ } => {
            let config = load(&settings, &[])?;
            start_log("info")?;
            let _lock = backends::open::lock_folder(&config.data_dir)
                .context("stop the server first, or just start the new version: it upgrades by itself")?;
            server::stores(&config)?;
            say(format_args!(
                "The stores in {} are at version {}.",
                config.data_dir.display(),
                env!("CARGO_PKG_VERSION")
            ))?;
            Ok(())
        }
        Command::Reprocess {
            settings,
            org,
            project,
            issue,
            max,
        } => {
            let config = load(&settings, &[])?;
            start_log("warn")?;
            let request = Request::Reprocess {
                org,
                project,
                issue,
                most: max,
            };
            say(administer(&config, &request)?)?;
            Ok(())
        }
        Command::RebuildIndex { settings } => {
            let config = load(&settings, &[])?;
            start_log("info")?;
            say(administer(&config, &Request::RebuildIndex)?)?;
            Ok(())
        }
        Command::Events {
            command: EventsCommand::Where { settings, id },
        } => {
            let config = load(&settings, &[])?;
            start_log("warn")?;
            let answer = administer(&config, &Request::Where { id: id.clone() })?;
            say(serde_json::to_string_pretty(&answer)?)?;
            if answer
                .get("places")
                .and_then(Value::as_array)
                .is_none_or(Vec::is_empty)
            {
                bail!("nothing is known of {id}: it never came, or its retention is over");
            }
            Ok(())
        }
        Command::Events {
            command:
                EventsCommand::SetAside {
                    settings,
                    show,
                    retry,
                    drop,
                },
        } => {
            let config = load(&settings, &[])?;
            start_log("warn")?;
            let request = match (show, retry.as_deref(), drop) {
                (Some(id), _, _) => Request::SetAsideShow { id },
                (_, Some("all"), _) => Request::SetAsideRetry { id: None },
                (_, Some(id), _) => Request::SetAsideRetry {
                    id: Some(id.parse().context("--retry takes the id of an item, or all")?),
                },
                (_, _, Some(id)) => Request::SetAsideDrop { id },
                _ => Request::SetAside,
            };
            say(serde_json::to_string_pretty(&administer(&config, &request)?)?)?;
            Ok(())
        }
        Command::Doctor { settings } => {
            let config = load(&settings, &[])?;
            start_log("error")?;
            let (report, well) = doctor::examine(&config);
            say(report.trim_end())?;
            if !well {
                bail!("something needs attention");
            }
            Ok(())
        }
        Command::Config {
            command: ConfigCommand::Show { settings, defaults },
        } => {
            let text = if defaults {
                config::show(|key| key.default.to_owned())
            } else {
                let config = load(&settings, &[])?;
                config::show(|key| config.shown(key))
            };
            say(text.trim_end())?;
            Ok(())
        }
        Command::Config {
            command: ConfigCommand::GenerateSecretKey,
        } => {
            say(api::new_secret())?;
            Ok(())
        }
        Command::ReadSymbols => reader::answer(),
        Command::Openapi => say(api::OPENAPI.trim_end()),
        Command::Debug { stage } => debug(&stage),
    }
}

/// Writes a line to standard output; a reader that went away is an error and not a panic.
fn say(line: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}

fn debug(stage: &str) -> anyhow::Result<()> {
    let stdin = std::io::stdin().lock();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (n, line) in stdin.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer =
            processing::debug::stage(stage, &line).map_err(|e| anyhow::anyhow!("line {}: {e}", n + 1))?;
        writeln!(out, "{answer}")?;
    }
    out.flush()?;
    Ok(())
}

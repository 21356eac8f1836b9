//! Settings: one table of keys; each can stand in the file, in the environment (`VEDETTE_` and the key in capitals),
//! and as a flag of `serve`. The later wins: defaults, file, Sentry's names, environment, flags.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use backends::egress::smtp::{Security, SmtpConfig};

use crate::sentry_keys;

/// One key.
pub struct Key {
    /// Its name in the file and as a flag.
    pub name: &'static str,
    /// Its default as text; empty means unset.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// Every key.
pub const KEYS: &[Key] = &[
    Key {
        name: "data-dir",
        default: "./data",
        doc: "the folder that holds everything",
    },
    Key {
        name: "listen",
        default: "127.0.0.1:9000",
        doc: "the address and port to listen on",
    },
    Key {
        name: "url",
        default: "",
        doc: "the address under which people and SDKs reach the server, with its path prefix if any; unset: http://localhost:<port>",
    },
    Key {
        name: "database-url",
        default: "",
        doc: "postgres://user:password@host/db for what is relational; unset: SQLite in the data folder",
    },
    Key {
        name: "secret-key",
        default: "",
        doc: "signs what the server hands out; unset: made at the first start and kept in the data folder",
    },
    Key {
        name: "event-retention-days",
        default: "90",
        doc: "days that events are kept, 1 to 3650; projects may say otherwise",
    },
    Key {
        name: "artifact-retention-days",
        default: "90",
        doc: "days that source maps and debug files are kept without being needed, 1 to 3650",
    },
    Key {
        name: "artifact-limit-mb",
        default: "",
        doc: "megabytes of source maps and debug files that an organization may keep; unset: no limit",
    },
    Key {
        name: "queue-limit-mb",
        default: "2048",
        doc: "megabytes of accepted events that may wait; beyond, clients get 503",
    },
    Key {
        name: "min-free-disk-mb",
        default: "256",
        doc: "megabytes that must be free on the data folder's disk; below, clients get 503",
    },
    Key {
        name: "keep-free-disk-percent",
        default: "5",
        doc: "share of the data folder's disk that retention keeps free by dropping the oldest days early; 0: never",
    },
    Key {
        name: "max-concurrent-requests",
        default: "512",
        doc: "ingest requests that are read at the same time; beyond, clients get 503",
    },
    Key {
        name: "api-rate-limit",
        default: "1000/50",
        doc: "requests that one caller of the web API may send in ten seconds, and have under way at the same time; beyond, 429; off: no limit",
    },
    Key {
        name: "worker-threads",
        default: "",
        doc: "threads that process events; unset: as many as there are cores",
    },
    Key {
        name: "trusted-proxies",
        default: "127.0.0.0/8,::1",
        doc: "addresses or networks whose X-Forwarded-For and -Proto count",
    },
    Key {
        name: "admin-email",
        default: "",
        doc: "the first login; unset: admin@localhost",
    },
    Key {
        name: "admin-password",
        default: "",
        doc: "the first login's password; unset: made up and printed",
    },
    Key {
        name: "organization",
        default: "",
        doc: "the slug of the first organization; unset: vedette",
    },
    Key {
        name: "project",
        default: "",
        doc: "the slug of the first project; unset: my-project",
    },
    Key {
        name: "mail-host",
        default: "",
        doc: "the SMTP server that takes mail; unset: no mail is sent, and links are shown instead",
    },
    Key {
        name: "mail-port",
        default: "",
        doc: "its port; unset: 465, 587 or 25 by mail-tls",
    },
    Key {
        name: "mail-tls",
        default: "starttls",
        doc: "how it is talked to: tls, starttls, or none",
    },
    Key {
        name: "mail-user",
        default: "",
        doc: "the name to log in with; unset: no login",
    },
    Key {
        name: "mail-password",
        default: "",
        doc: "the password to log in with",
    },
    Key {
        name: "mail-from",
        default: "",
        doc: "whom mail is from, an address or 'Name <address>'; unset: vedette@ and the host of url",
    },
    Key {
        name: "ca-file",
        default: "",
        doc: "certificates (PEM) that are trusted besides the system's when other servers are asked",
    },
    Key {
        name: "outgoing-private-networks",
        default: "",
        doc: "addresses or networks of private use that may be asked where people name a server, such as a provider of single sign-on; others are refused",
    },
    Key {
        name: "symbol-cache-mb",
        default: "2048",
        doc: "megabytes of the data folder for what is made of source maps and debug files and fetched from other servers; it can be made again",
    },
    Key {
        name: "symbol-memory-mb",
        default: "512",
        doc: "megabytes of memory that reading one source map, debug file or crash dump may take, in a process of its own",
    },
    Key {
        name: "log",
        default: "info",
        doc: "what is logged: error, warn, info, debug, or a filter like info,pipeline=debug",
    },
    Key {
        name: "log-format",
        default: "text",
        doc: "how it is logged: text for people, json for machines (one object a line)",
    },
];

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder.
    pub data_dir: PathBuf,
    /// The listen address.
    pub listen: SocketAddr,
    /// The public address, without a slash at its end; `None` until the port is known.
    pub url: Option<String>,
    /// PostgreSQL, if any.
    pub database_url: Option<String>,
    /// The secret key, if set.
    pub secret_key: Option<String>,
    /// Days.
    pub retention: u16,
    /// Days that uploaded files are kept unused.
    pub artifact_retention: u16,
    /// Bytes of uploaded files of an organization.
    pub artifact_limit: Option<u64>,
    /// Bytes.
    pub queue_limit: u64,
    /// Bytes.
    pub min_free_disk: u64,
    /// Percent.
    pub keep_free_percent: u8,
    /// Requests.
    pub max_concurrent_requests: usize,
    /// What one caller of the web API may ask; nothing means everything.
    pub api_rate: Option<api::Allowance>,
    /// Threads.
    pub worker_threads: usize,
    /// Networks.
    pub trusted: Vec<Network>,
    /// The same as text.
    pub trusted_text: String,
    /// Networks of private use that may be asked where people name a server.
    pub outgoing: Vec<Network>,
    /// The same as text.
    pub outgoing_text: String,
    /// First login.
    pub admin_email: Option<String>,
    /// First password.
    pub admin_password: Option<String>,
    /// First organization.
    pub organization: Option<String>,
    /// First project.
    pub project: Option<String>,
    /// Bytes for what is made of source maps and debug files.
    pub symbol_cache: u64,
    /// Bytes of memory that reading one of them may take.
    pub symbol_memory: u64,
    /// Certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The mail server, if there is one.
    pub mail: Option<SmtpConfig>,
    /// Log filter.
    pub log: String,
    /// One JSON object a line.
    pub log_json: bool,
    /// What the reader should know: settings that were ignored, and why.
    pub warnings: Vec<String>,
}

/// Addresses with a common prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: u128,
    bits: u32,
}

fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl Network {
    /// Reads `10.0.0.0/8` or one address.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u32>().ok()?)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        (bits <= width).then(|| Network {
            address: wide(address),
            bits: 128 - width + bits,
        })
    }

    /// Whether an address is in it.
    pub fn contains(self, address: IpAddr) -> bool {
        let shift = 128 - self.bits;
        shift >= 128 || (wide(address) >> shift) == (self.address >> shift)
    }
}

/// Where settings come from.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file, if named.
    pub file: Option<PathBuf>,
    /// Sentry's `config.yml`, if named.
    pub sentry_file: Option<PathBuf>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// Flags by key.
    pub flags: BTreeMap<&'static str, String>,
}

impl Sources {
    /// With the process's environment.
    pub fn from_environment() -> Sources {
        Sources {
            environment: std::env::vars().collect(),
            ..Sources::default()
        }
    }
}

fn known(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.name == name)
}

fn nearest(name: &str) -> String {
    let close = KEYS.iter().map(|k| (distance(k.name, name), k.name)).min();
    match close {
        Some((d, key)) if d <= 4 => format!("; did you mean '{key}'?"),
        _ => "; `vedette config show --defaults` lists them all".to_owned(),
    }
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut last = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (last + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            last = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}

fn read_file(path: &Path) -> anyhow::Result<BTreeMap<&'static str, String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: toml::Table = text
        .parse()
        .with_context(|| format!("{} is not TOML", path.display()))?;
    let mut out = BTreeMap::new();
    for (name, value) in table {
        let Some(key) = known(&name) else {
            bail!(
                "{}: there is no setting '{name}'{}",
                path.display(),
                nearest(&name)
            );
        };
        let text = match value {
            toml::Value::String(s) => s,
            toml::Value::Integer(n) => n.to_string(),
            toml::Value::Boolean(b) => b.to_string(),
            toml::Value::Array(list) => list
                .iter()
                .map(|v| v.as_str().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
                .join(","),
            other => bail!("{}: '{name}' cannot be {other}", path.display()),
        };
        out.insert(key.name, text);
    }
    Ok(out)
}

/// Brings the sources together.
///
/// # Errors
/// An unknown key, a value that cannot be read, or one of Sentry's names that must be written otherwise.
pub fn load(sources: &Sources) -> anyhow::Result<Config> {
    let mut values: BTreeMap<&'static str, String> =
        KEYS.iter().map(|k| (k.name, k.default.to_owned())).collect();
    let mut warnings = Vec::new();
    if let Some(path) = &sources.file {
        values.extend(read_file(path)?);
    }
    let mut sentry = BTreeMap::new();
    if let Some(path) = &sources.sentry_file {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        sentry.extend(sentry_keys::read_yaml(&text).with_context(|| path.display().to_string())?);
    }
    sentry.extend(sources.environment.iter().map(|(k, v)| (k.clone(), v.clone())));
    values.extend(sentry_keys::translate(&sentry, &mut warnings)?);
    for (name, value) in &sources.environment {
        let Some(rest) = name.strip_prefix("VEDETTE_") else {
            continue;
        };
        let wanted = rest.to_lowercase().replace('_', "-");
        match known(&wanted) {
            Some(key) => {
                values.insert(key.name, value.clone());
            }
            // Read by the command line itself, or by the Makefile.
            None if matches!(rest, "CONFIG" | "SENTRY_CONFIG" | "CACHE") => {}
            None => bail!(
                "the environment sets {name}, but there is no setting '{wanted}'{}",
                nearest(&wanted)
            ),
        }
    }
    values.extend(sources.flags.iter().map(|(k, v)| (*k, v.clone())));
    interpret(&values, warnings)
}

fn interpret(values: &BTreeMap<&'static str, String>, warnings: Vec<String>) -> anyhow::Result<Config> {
    let text = |name: &str| values.get(name).cloned().unwrap_or_default();
    let some = |name: &str| Some(text(name)).filter(|t| !t.is_empty());
    let number = |name: &str, from: u64, to: u64| -> anyhow::Result<u64> {
        let value = text(name);
        match value.parse::<u64>() {
            Ok(n) if (from..=to).contains(&n) => Ok(n),
            _ => bail!("{name} is a number from {from} to {to}, not '{value}'"),
        }
    };
    let listen = text("listen");
    let listen: SocketAddr = match listen.parse::<u16>() {
        Ok(port) => ([127, 0, 0, 1], port).into(),
        Err(_) => listen.parse().map_err(|_| {
            anyhow::anyhow!("listen is an address and port like 127.0.0.1:9000, not '{listen}'")
        })?,
    };
    let url = some("url").map(|u| u.trim_end_matches('/').to_owned());
    if let Some(url) = &url
        && !url.starts_with("http://")
        && !url.starts_with("https://")
    {
        bail!("url starts with http:// or https://, not '{url}'");
    }
    let networks = |name: &str| -> anyhow::Result<Vec<Network>> {
        let text = text(name);
        let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
        let read = |part| {
            Network::parse(part).ok_or_else(|| anyhow::anyhow!("{name}: '{part}' is no address or network"))
        };
        parts.map(read).collect()
    };
    let trusted = networks("trusted-proxies")?;
    let outgoing = networks("outgoing-private-networks")?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let worker_threads = match some("worker-threads") {
        None => cores,
        Some(_) => usize::try_from(number("worker-threads", 1, 256)?)?,
    };
    let mail = mail(values, url.as_deref())?;
    Ok(Config {
        mail,
        ca_file: some("ca-file").map(PathBuf::from),
        data_dir: text("data-dir").into(),
        listen,
        url,
        database_url: some("database-url"),
        secret_key: some("secret-key"),
        retention: u16::try_from(number("event-retention-days", 1, 3650)?)?,
        artifact_retention: u16::try_from(number("artifact-retention-days", 1, 3650)?)?,
        artifact_limit: match some("artifact-limit-mb") {
            None => None,
            Some(_) => Some(number("artifact-limit-mb", 1, 1 << 30)? << 20),
        },
        queue_limit: number("queue-limit-mb", 1, 1 << 20)? << 20,
        symbol_cache: number("symbol-cache-mb", 16, 1 << 20)? << 20,
        symbol_memory: number("symbol-memory-mb", 64, 1 << 16)? << 20,
        min_free_disk: number("min-free-disk-mb", 0, 1 << 20)? << 20,
        keep_free_percent: u8::try_from(number("keep-free-disk-percent", 0, 50)?)?,
        max_concurrent_requests: usize::try_from(number("max-concurrent-requests", 1, 100_000)?)?,
        api_rate: api_rate(&text("api-rate-limit"))?,
        worker_threads,
        trusted,
        trusted_text: text("trusted-proxies"),
        outgoing,
        outgoing_text: text("outgoing-private-networks"),
        admin_email: some("admin-email"),
        admin_password: some("admin-password"),
        organization: some("organization"),
        project: some("project"),
        log: text("log"),
        log_json: match text("log-format").as_str() {
            "text" => false,
            "json" => true,
            other => bail!("log-format is text or json, not '{other}'"),
        },
        warnings,
    })
}

/// Reads `1000/50` or `off`.
fn api_rate(text: &str) -> anyhow::Result<Option<api::Allowance>> {
    if text == "off" {
        return Ok(None);
    }
    let read = |part: &str| part.trim().parse().ok().filter(|n| (1..=1_000_000).contains(n));
    let parts = text.split_once('/');
    match parts.and_then(|(requests, at_once)| Some((read(requests)?, read(at_once)?))) {
        Some((requests, at_once)) => Ok(Some(api::Allowance { requests, at_once })),
        None => bail!(
            "api-rate-limit is requests in ten seconds and at the same time, like 1000/50, or off, not '{text}'"
        ),
    }
}

/// The settings of mail, if a server is named.
fn mail(values: &BTreeMap<&'static str, String>, url: Option<&str>) -> anyhow::Result<Option<SmtpConfig>> {
    let text = |name: &str| values.get(name).map(String::as_str).unwrap_or_default();
    let security = match text("mail-tls") {
        "tls" => Security::Tls,
        "starttls" => Security::StartTls,
        "none" => Security::None,
        other => bail!("mail-tls is tls, starttls or none, not '{other}'"),
    };
    let port = match text("mail-port") {
        "" => security.port(),
        port => match port.parse() {
            Ok(n) if n > 0 => n,
            _ => bail!("mail-port is a number from 1 to 65535, not '{port}'"),
        },
    };
    let (user, password) = (text("mail-user"), text("mail-password"));
    if user.is_empty() != password.is_empty() {
        bail!("mail-user and mail-password belong together: set both or none");
    }
    let host = text("mail-host");
    if host.is_empty() {
        return Ok(None);
    }
    let from = match text("mail-from") {
        "" => {
            let host = url
                .and_then(|u| u.split("://").nth(1))
                .and_then(|r| r.split(['/', ':']).next())
                .unwrap_or("localhost");
            format!("Vedette <vedette@{host}>")
        }
        from => from.to_owned(),
    };
    Ok(Some(SmtpConfig {
        host: host.to_owned(),
        port,
        security,
        login: (!user.is_empty()).then(|| (user.to_owned(), password.to_owned())),
        from,
        ca_file: Some(text("ca-file")).filter(|f| !f.is_empty()).map(PathBuf::from),
    }))
}

/// The settings as a file with a line of documentation each.
pub fn show(values: impl Fn(&Key) -> String) -> String {
    let mut out = String::new();
    for key in KEYS {
        let value = values(key);
        let env = format!("VEDETTE_{}", key.name.to_uppercase().replace('-', "_"));
        out.push_str(&format!(
            "# {}\n# environment: {env}; flag: --{}\n",
            key.doc, key.name
        ));
        let comment = if value.is_empty() { "# " } else { "" };
        out.push_str(&format!(
            "{comment}{} = {}\n\n",
            key.name,
            toml::Value::String(value)
        ));
    }
    out
}

impl Config {
    /// A setting as it is in force, for `config show`; secrets are not shown.
    pub fn shown(&self, key: &Key) -> String {
        let hidden = |v: &Option<String>| v.as_ref().map(|_| "(set)".to_owned()).unwrap_or_default();
        let mail = |of: &dyn Fn(&SmtpConfig) -> String| self.mail.as_ref().map(of).unwrap_or_default();
        match key.name {
            "data-dir" => self.data_dir.display().to_string(),
            "listen" => self.listen.to_string(),
            "url" => self.url.clone().unwrap_or_default(),
            "database-url" => hidden(&self.database_url),
            "secret-key" => hidden(&self.secret_key),
            "event-retention-days" => self.retention.to_string(),
            "artifact-retention-days" => self.artifact_retention.to_string(),
            "artifact-limit-mb" => self
                .artifact_limit
                .map_or_else(String::new, |l| (l >> 20).to_string()),
            "queue-limit-mb" => (self.queue_limit >> 20).to_string(),
            "min-free-disk-mb" => (self.min_free_disk >> 20).to_string(),
            "keep-free-disk-percent" => self.keep_free_percent.to_string(),
            "max-concurrent-requests" => self.max_concurrent_requests.to_string(),
            "api-rate-limit" => self
                .api_rate
                .map_or_else(|| "off".to_owned(), |a| format!("{}/{}", a.requests, a.at_once)),
            "worker-threads" => self.worker_threads.to_string(),
            "admin-email" => self.admin_email.clone().unwrap_or_default(),
            "admin-password" => hidden(&self.admin_password),
            "organization" => self.organization.clone().unwrap_or_default(),
            "project" => self.project.clone().unwrap_or_default(),
            "mail-host" => mail(&|m| m.host.clone()),
            "mail-port" => mail(&|m| m.port.to_string()),
            "mail-tls" => mail(&|m| m.security.name().to_owned()),
            "mail-user" => mail(&|m| m.login.as_ref().map(|l| l.0.clone()).unwrap_or_default()),
            "mail-password" => mail(&|m| hidden(&m.login.as_ref().map(|l| l.1.clone()))),
            "mail-from" => mail(&|m| m.from.clone()),
            "ca-file" => self
                .ca_file
                .as_ref()
                .map(|f| f.display().to_string())
                .unwrap_or_default(),
            "log" => self.log.clone(),
            "log-format" => if self.log_json { "json" } else { "text" }.to_owned(),
            "trusted-proxies" => self.trusted_text.clone(),
            "symbol-cache-mb" => (self.symbol_cache >> 20).to_string(),
            "symbol-memory-mb" => (self.symbol_memory >> 20).to_string(),
            "outgoing-private-networks" => self.outgoing_text.clone(),
            _ => key.default.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> anyhow::Result<Config> {
        let environment = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        load(&Sources {
            environment,
            ..Sources::default()
        })
    }

    #[test]
    fn defaults_need_no_configuration() {
        let config = with(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:9000");
        assert_eq!(config.retention, 90);
        let (requests, at_once) = (1000, 50);
        assert_eq!(config.api_rate, Some(api::Allowance { requests, at_once }));
        assert_eq!(with(&[("VEDETTE_API_RATE_LIMIT", "off")]).unwrap().api_rate, None);
        assert!(config.warnings.is_empty());
    }

    #[test]
    fn the_later_source_wins() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("vedette.toml");
        std::fs::write(&file, "listen = \"0.0.0.0:80\"\nevent-retention-days = 30\n").unwrap();
        let config = load(&Sources {
            file: Some(file),
            environment: [("VEDETTE_EVENT_RETENTION_DAYS".to_owned(), "7".to_owned())].into(),
            flags: [("log", "debug".to_owned())].into(),
            ..Sources::default()
        })
        .unwrap();
        assert_eq!(
            (
                config.listen.to_string().as_str(),
                config.retention,
                config.log.as_str()
            ),
            ("0.0.0.0:80", 7, "debug")
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_helps() {
        let e = with(&[("VEDETTE_LISTNE", "x")]).unwrap_err().to_string();
        assert!(e.contains("did you mean 'listen'"), "{e}");
        assert!(with(&[("VEDETTE_LISTEN", "nowhere")]).is_err());
        assert!(with(&[("VEDETTE_EVENT_RETENTION_DAYS", "0")]).is_err());
        assert!(with(&[("VEDETTE_URL", "errors.example.com")]).is_err());
        for bad in ["", "0/5", "100", "100/0", "-1/5", "1/2/3"] {
            let e = with(&[("VEDETTE_API_RATE_LIMIT", bad)]).unwrap_err().to_string();
            assert!(e.contains("like 1000/50, or off"), "{e}");
        }
        assert!(with(&[("VEDETTE_TRUSTED_PROXIES", "10.0.0.0/99")]).is_err());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.toml");
        std::fs::write(&file, "retention = 1\n").unwrap();
        assert!(
            load(&Sources {
                file: Some(file),
                ..Sources::default()
            })
            .is_err()
        );
    }

    #[test]
    fn networks_hold_addresses() {
        let net = Network::parse("10.1.0.0/16").unwrap();
        assert!(net.contains("10.1.2.3".parse().unwrap()));
        assert!(!net.contains("10.2.2.3".parse().unwrap()));
        assert!(Network::parse("::1").unwrap().contains("::1".parse().unwrap()));
        assert!(
            Network::parse("0.0.0.0/0")
                .unwrap()
                .contains("9.9.9.9".parse().unwrap())
        );
    }
}

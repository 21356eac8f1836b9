//! Sentry's own settings: each is mapped, ignored with a warning that says why, or refused with the line to write
//! instead. Sources: the `.env` of self-hosted, `config.yml`, `sentry.conf.py`, Relay's `config.yml`.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

/// What becomes of a key of Sentry's.
pub enum Fate {
    /// It is a setting of ours.
    Mapped(&'static str),
    /// It does nothing here, and why.
    Ignored(&'static str),
    /// It cannot be taken over silently: what to write instead.
    Refused(&'static str),
}

use Fate::{Ignored, Mapped, Refused};

const ONE_PROCESS: &str = "there is one process and no container of this kind";
const LATER: &str = "this version does not do this yet";
const PROXY: &str =
    "behind a proxy, set trusted-proxies; X-Forwarded-Proto and -For of those addresses count";
const MAIL: &str = "mail goes to the server that mail-host names";

/// The table. A name that ends with `*` stands for all that begin so.
pub const TABLE: &[(&str, Fate)] = &[
    ("COMPOSE_PROFILES", Ignored(ONE_PROCESS)),
    ("SENTRY_EVENT_RETENTION_DAYS", Mapped("event-retention-days")),
    ("SENTRY_BIND", Mapped("listen")),
    ("SENTRY_MAIL_HOST", Mapped("mail-host")),
    ("SENTRY_TASKWORKER_CONCURRENCY", Mapped("worker-threads")),
    ("LAUNCHPAD_RPC_SHARED_SECRET", Ignored(ONE_PROCESS)),
    ("SENTRY_IMAGE", Ignored(ONE_PROCESS)),
    ("SNUBA_IMAGE", Ignored(ONE_PROCESS)),
    ("RELAY_IMAGE", Ignored(ONE_PROCESS)),
    ("SYMBOLICATOR_IMAGE", Ignored(ONE_PROCESS)),
    ("TASKBROKER_IMAGE", Ignored(ONE_PROCESS)),
    ("VROOM_IMAGE", Ignored(ONE_PROCESS)),
    ("UPTIME_CHECKER_IMAGE", Ignored(ONE_PROCESS)),
    ("LAUNCHPAD_IMAGE", Ignored(ONE_PROCESS)),
    (
        "HEALTHCHECK_*",
        Ignored("health is asked for under /_health/ by whoever watches the process"),
    ),
    ("SETUP_JS_SDK_ASSETS", Ignored(LATER)),
    ("SETUP_JS_SDK_KEEP_OLD_ASSETS", Ignored(LATER)),
    (
        "SETUP_CUSTOM_CA_CERTIFICATE",
        Ignored("the system's certificates are used, and those of ca-file"),
    ),
    ("STATSD_ADDR", Ignored(LATER)),
    ("SENTRY_KAFKA_MAX_POLL_INTERVAL_MS", Ignored("there is no Kafka")),
    ("SENTRY_SYSTEM_SECRET_KEY", Mapped("secret-key")),
    ("SENTRY_SECRET_KEY", Mapped("secret-key")),
    ("SENTRY_MAX_EXTERNAL_SOURCEMAP_SIZE", Ignored(LATER)),
    (
        "POSTGRES_USER",
        Refused("database-url = \"postgres://user:password@host/database\""),
    ),
    ("SES_USER", Ignored(MAIL)),
    ("SES_PASSWORD", Ignored(MAIL)),
    ("SES_REGION", Ignored(MAIL)),
    ("system.url-prefix", Mapped("url")),
    (
        "system.internal-url-prefix",
        Ignored("the server does not call itself"),
    ),
    ("system.admin-email", Mapped("admin-email")),
    ("system.secret-key", Mapped("secret-key")),
    ("SENTRY_ENDPOINT", Refused("url = \"https://errors.example.com\"")),
    (
        "CSRF_TRUSTED_ORIGINS",
        Ignored("requests are told apart by a header that other sites cannot send"),
    ),
    ("SECURE_PROXY_SSL_HEADER", Ignored(PROXY)),
    (
        "USE_X_FORWARDED_HOST",
        Ignored("set url: addresses are made from it"),
    ),
    (
        "SESSION_COOKIE_SECURE",
        Ignored("cookies are Secure by themselves when the address is https"),
    ),
    ("CSRF_COOKIE_SECURE", Ignored("there is no such cookie")),
    ("SOCIAL_AUTH_REDIRECT_IS_HTTPS", Ignored(LATER)),
    ("mail.host", Mapped("mail-host")),
    ("mail.port", Mapped("mail-port")),
    ("mail.username", Mapped("mail-user")),
    ("mail.password", Mapped("mail-password")),
    ("mail.from", Mapped("mail-from")),
    ("mail.use-ssl", Mapped("mail-tls")),
    ("mail.use-tls", Mapped("mail-tls")),
    ("mail.*", Ignored(MAIL)),
    ("filestore.backend", Ignored("files are kept in the data folder")),
    ("filestore.options", Ignored("files are kept in the data folder")),
    ("filestore.profiles-*", Ignored(LATER)),
    (
        "SENTRY_NODESTORE*",
        Ignored("events are kept in day packs in the data folder"),
    ),
    ("github-app.*", Ignored(LATER)),
    ("github-login.*", Ignored(LATER)),
    ("slack.*", Ignored(LATER)),
    ("discord.*", Ignored(LATER)),
    ("auth-google.*", Ignored(LATER)),
    ("vsts.*", Ignored(LATER)),
    ("SENTRY_FEATURES", Ignored("every feature is on")),
    (
        "SENTRY_SINGLE_ORGANIZATION",
        Ignored("organizations are made with `vedette setup`"),
    ),
    (
        "SENTRY_SELF_HOSTED_ERRORS_ONLY",
        Ignored("what is not sent costs nothing"),
    ),
    ("SENTRY_AIR_GAP", Ignored("the server calls nobody by itself")),
    (
        "SENTRY_DISALLOWED_IPS",
        Ignored("the server calls nobody by itself"),
    ),
    ("SENTRY_BEACON", Ignored("the server never reports to anybody")),
    (
        "auth.allow-registration",
        Ignored("logins are made with `vedette createuser`"),
    ),
    ("SENTRY_WEB_OPTIONS", Refused("max-concurrent-requests = \"512\"")),
    ("JS_SDK_LOADER_DEFAULT_SDK_URL", Ignored(LATER)),
    ("GEOIP_PATH_MMDB", Ignored(LATER)),
    ("limits.*", Refused("max-concurrent-requests = \"512\"")),
    (
        "spool.envelopes.path",
        Ignored("the queue lies in the data folder"),
    ),
    (
        "spool.envelopes.max_disk_size",
        Refused("queue-limit-mb = \"2048\""),
    ),
    (
        "health.max_memory_percent",
        Ignored("memory is bounded by itself"),
    ),
    ("http.dns_cache", Ignored("the server calls nobody by itself")),
    ("processing.kafka_config", Ignored("there is no Kafka")),
    ("processing.redis", Ignored("there is no Redis")),
    ("processing.geoip_path", Ignored(LATER)),
];

/// Looks a name up.
pub fn find(name: &str) -> Option<&'static Fate> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    };
    TABLE
        .iter()
        .find(|(pattern, _)| fits(pattern))
        .map(|(_, fate)| fate)
}

/// What Sentry's settings mean here. Names that are not Sentry's are left alone; empty values count as unset.
///
/// # Errors
/// A key that must be written otherwise, with the line.
pub fn translate(
    values: &BTreeMap<String, String>,
    warnings: &mut Vec<String>,
) -> anyhow::Result<BTreeMap<&'static str, String>> {
    let mut out = BTreeMap::new();
    for (name, value) in values {
        if value.is_empty() {
            continue;
        }
        match find(name) {
            None => {}
            Some(Mapped(key)) => {
                let on = matches!(value.to_lowercase().as_str(), "true" | "1" | "yes" | "on");
                let value = match name.as_str() {
                    "SENTRY_BIND" if value.parse::<u16>().is_ok() => format!("0.0.0.0:{value}"),
                    "mail.use-ssl" if on => "tls".to_owned(),
                    "mail.use-tls" if on => "starttls".to_owned(),
                    // Off says something only if the other is off as well.
                    "mail.use-ssl" | "mail.use-tls" if out.contains_key(key) => continue,
                    "mail.use-ssl" | "mail.use-tls" => "none".to_owned(),
                    _ => value.clone(),
                };
                out.insert(*key, value);
            }
            Some(Ignored(why)) => warnings.push(format!("{name} is ignored: {why}")),
            Some(Refused(line)) => bail!("{name} is Sentry's name; write this instead: {line}"),
        }
    }
    Ok(out)
}

/// Reads `config.yml` as far as it is keys and plain values: `mail.host: 'smtp'`, one level of nesting.
///
/// # Errors
/// A line that is no key, with its number; a key that Sentry does not have.
pub fn read_yaml(text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut out = BTreeMap::new();
    let mut parent = String::new();
    for (n, line) in text.lines().enumerate() {
        let code = line.split(" #").next().unwrap_or("");
        if code.trim().is_empty() || code.trim_start().starts_with('#') || code.trim() == "---" {
            continue;
        }
        let (key, value) = code
            .split_once(':')
            .with_context(|| format!("line {}: expected `key: value`", n + 1))?;
        let nested = key.starts_with([' ', '\t']);
        let key = key.trim().trim_matches(['\'', '"']);
        let value = value.trim().trim_matches(['\'', '"']);
        let name = if nested && !parent.is_empty() {
            format!("{parent}.{key}")
        } else {
            key.to_owned()
        };
        if !nested {
            parent = if value.is_empty() {
                key.to_owned()
            } else {
                String::new()
            };
        }
        let known = find(&name).is_some() || (nested && find(&parent).is_some());
        if value.is_empty() || (nested && find(&name).is_none() && known) {
            continue;
        }
        if !known {
            bail!(
                "line {}: '{name}' is no setting of Sentry's that is known here",
                n + 1
            );
        }
        out.insert(name, value.to_owned());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_fate() {
        for (pattern, fate) in TABLE {
            let name = pattern.replace('*', "x");
            let value = match fate {
                Mapped("event-retention-days") => "30",
                Mapped("worker-threads") => "4",
                Mapped("listen") => "9001",
                Mapped("url") => "https://x.y",
                Mapped("mail-tls") => "true",
                _ => "value",
            };
            let mut warnings = Vec::new();
            let got = translate(&[(name.clone(), value.to_owned())].into(), &mut warnings);
            match fate {
                Mapped(key) => {
                    assert!(crate::config::KEYS.iter().any(|k| k.name == *key), "{name}");
                    assert!(got.unwrap().contains_key(key), "{name}");
                }
                Ignored(_) => {
                    assert!(got.unwrap().is_empty(), "{name}");
                    assert_eq!(warnings.len(), 1, "{name}");
                }
                Refused(line) => {
                    let text = got.unwrap_err().to_string();
                    assert!(text.contains(line), "{name}");
                    let key = line.split(" = ").next().unwrap();
                    assert!(crate::config::KEYS.iter().any(|k| k.name == key), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_config_yml_is_read() {
        let text = "# comment\nmail.host: 'smtp'\nsystem.url-prefix: https://x.y # here\nfilestore.options:\n  location: '/data'\n";
        let got = read_yaml(text).unwrap();
        assert_eq!(
            got.get("system.url-prefix").map(String::as_str),
            Some("https://x.y")
        );
        assert_eq!(got.len(), 2);
        assert!(read_yaml("nonsense: 1\n").is_err());
        assert!(read_yaml("no colon\n").is_err());
    }
}

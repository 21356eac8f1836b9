//! `vedette doctor`: looks at settings, disk, clock, stores, queue and the way through a proxy, and says what to do.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use backends::open::lock_folder;
use protocol::time::day_of;
use serde_json::Value;
use storage::relational::{aside, positions};

use crate::admin::Request;
use crate::config::Config;
use crate::{server, socket, watch};

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Good,
    Hint,
    Bad,
}

/// What was found so far.
#[derive(Default)]
struct Report {
    text: String,
    bad: bool,
}

impl Report {
    fn say(&mut self, verdict: Verdict, what: &str, text: &str, advice: &str) {
        let mark = match verdict {
            Verdict::Good => "ok  ",
            Verdict::Hint => "note",
            Verdict::Bad => "BAD ",
        };
        self.bad |= verdict == Verdict::Bad;
        let _ = writeln!(self.text, "{mark} {what:<9} {text}");
        if !advice.is_empty() {
            let _ = writeln!(self.text, "               {advice}");
        }
    }
}

/// Examines an installation; answers a report for people, and whether all is well.
pub fn examine(config: &Config) -> (String, bool) {
    let mut report = Report::default();
    settings(config, &mut report);
    let room = disk(config, &mut report);
    match socket::ask(&config.data_dir, &Request::Status) {
        Ok(Some(status)) => running(&status, &mut report),
        Ok(None) => stopped(config, room, &mut report),
        Err(e) => report.say(
            Verdict::Bad,
            "server",
            &format!("it runs but does not answer: {e:#}"),
            "Look at its log; start it again if it is stuck: nothing that was accepted is lost.",
        ),
    }
    mail(config, &mut report);
    address(config, &mut report);
    (report.text, !report.bad)
}

fn settings(config: &Config, report: &mut Report) {
    for warning in &config.warnings {
        report.say(Verdict::Hint, "settings", warning, "");
    }
    if config.warnings.is_empty() {
        report.say(Verdict::Good, "settings", "every setting is known and fits", "");
    }
    let outside = !config.listen.ip().is_loopback();
    let plain = config.url.as_ref().is_none_or(|u| u.starts_with("http://"));
    if outside && plain {
        report.say(
            Verdict::Hint,
            "settings",
            &format!(
                "it listens on {} and is reached over http: passwords cross the net in clear",
                config.listen
            ),
            "Put a proxy with TLS before it and set url to its https address.",
        );
    }
}

fn disk(config: &Config, report: &mut Report) -> bool {
    let dir = config.data_dir.display();
    if !config.data_dir.exists() {
        report.say(
            Verdict::Hint,
            "disk",
            &format!("the data folder {dir} is not there yet"),
            "`vedette serve` makes it.",
        );
        return false;
    }
    let trial = config.data_dir.join(".doctor");
    if let Err(e) = std::fs::write(&trial, b"x").and_then(|()| std::fs::remove_file(&trial)) {
        report.say(
            Verdict::Bad,
            "disk",
            &format!("the data folder {dir} cannot be written: {e}"),
            "Mount it writable, and let it belong to the user that runs the server.",
        );
        return false;
    }
    let Some(space) = watch::space(&config.data_dir) else {
        report.say(
            Verdict::Hint,
            "disk",
            "the system does not say how much is free",
            "",
        );
        return true;
    };
    let keep = watch::keep_free(config).bytes(space.total);
    let text = format!(
        "{} of {} MB free; events are refused below {} MB, old days dropped below {} MB",
        space.free >> 20,
        space.total >> 20,
        config.min_free_disk >> 20,
        keep >> 20
    );
    if space.free < config.min_free_disk.max(keep) {
        let advice = "Make room or a larger disk; `vedette cleanup --days N` drops old events.";
        report.say(Verdict::Bad, "disk", &text, advice);
    } else {
        report.say(Verdict::Good, "disk", &text, "");
    }
    true
}

/// What the running server says of itself.
fn running(status: &Value, report: &mut Report) {
    let queue = &status["queue"];
    report.say(
        Verdict::Good,
        "server",
        &format!(
            "version {} runs for {} s on {}, with {} MB of memory",
            status["version"].as_str().unwrap_or("?"),
            status["uptimeSeconds"],
            status["database"].as_str().unwrap_or("?"),
            status["memoryBytes"].as_u64().unwrap_or(0) >> 20,
        ),
        "",
    );
    report.say(
        Verdict::Good,
        "queue",
        &format!(
            "{} records wait, the oldest for {} s",
            queue["records"], queue["delaySeconds"]
        ),
        "",
    );
    for problem in status["problems"].as_array().into_iter().flatten() {
        let verdict = if problem["level"] == "error" {
            Verdict::Bad
        } else {
            Verdict::Hint
        };
        report.say(
            verdict,
            "server",
            problem["text"].as_str().unwrap_or_default(),
            problem["advice"].as_str().unwrap_or_default(),
        );
    }
}

/// What the folder says when no server runs on it.
fn stopped(config: &Config, room: bool, report: &mut Report) {
    report.say(
        Verdict::Hint,
        "server",
        "no server runs on this folder",
        "`vedette serve` starts it.",
    );
    if !room {
        return;
    }
    let opened = lock_folder(&config.data_dir)
        .map_err(anyhow::Error::from)
        .and_then(|lock| Ok((lock, server::stores(config)?)));
    let (_lock, stores) = match opened {
        Ok(opened) => opened,
        Err(e) => {
            let advice = "The message says which store; a backup can be restored into an empty folder.";
            return report.say(
                Verdict::Bad,
                "stores",
                &format!("they cannot be opened: {e:#}"),
                advice,
            );
        }
    };
    report.say(Verdict::Good, "stores", "they open and are at this version", "");
    let waiting = stores.queue.depth().records;
    report.say(
        Verdict::Good,
        "queue",
        &format!("{waiting} records wait for the next start"),
        "",
    );
    let read = stores
        .sql
        .reading(|c| Ok((aside::count(c)?, positions::packs_seen(c)?)));
    match read {
        Err(e) => report.say(
            Verdict::Bad,
            "database",
            &e.to_string(),
            "Look at the database's own log.",
        ),
        Ok((set_aside, packs)) => {
            if set_aside > 0 {
                report.say(
                    Verdict::Hint,
                    "events",
                    &format!("{set_aside} items are kept aside"),
                    "`vedette events set-aside` lists them, `--retry all` tries them again.",
                );
            }
            let today = day_of(stores.clock.now());
            match packs.iter().map(|(p, _)| p.day).max() {
                Some(day) if day > today => report.say(
                    Verdict::Bad,
                    "clock",
                    &format!(
                        "it is behind: events were stored {} days ahead of it",
                        day - today
                    ),
                    "Set the machine's clock; retention and graphs go by it.",
                ),
                _ => report.say(Verdict::Good, "clock", "it is not behind the stored events", ""),
            }
        }
    }
}

/// Whether the mail server can be talked to.
fn mail(config: &Config, report: &mut Report) {
    match server::mailer(config) {
        Ok(None) => report.say(
            Verdict::Hint,
            "mail",
            "no mail is sent",
            "Set mail-host for invitations, new passwords and news of issues; links work without.",
        ),
        Ok(Some(mailer)) => match mailer.check() {
            Ok(()) => report.say(
                Verdict::Good,
                "mail",
                "the mail server answers and takes the login",
                "",
            ),
            Err(e) => report.say(
                Verdict::Bad,
                "mail",
                &e.text,
                "`vedette mail test ADDRESS` tries it with a mail.",
            ),
        },
        Err(e) => report.say(Verdict::Bad, "mail", &format!("{e:#}"), ""),
    }
}

/// Whether the server is reached under its public address.
fn address(config: &Config, report: &mut Report) {
    let Some(url) = &config.url else {
        return;
    };
    let health = format!("{url}/_health/");
    let Some(rest) = url.strip_prefix("http://") else {
        return report.say(
            Verdict::Hint,
            "address",
            "whether TLS and proxy work is seen from outside",
            &format!("`curl -fsS {health}` should print ok."),
        );
    };
    let (host, prefix) = rest.split_once('/').map_or((rest, ""), |(h, p)| (h, p));
    let path = if prefix.is_empty() {
        "/_health/".to_owned()
    } else {
        format!("/{prefix}/_health/")
    };
    match ask(host, &path) {
        Ok(answer) if answer.starts_with("HTTP/1.1 200") => {
            report.say(Verdict::Good, "address", &format!("{health} answers"), "");
        }
        Ok(answer) => report.say(
            Verdict::Bad,
            "address",
            &format!("{health} answers {}", answer.lines().next().unwrap_or("nothing")),
            "Let the proxy pass everything below the address on to the server.",
        ),
        Err(e) => report.say(
            Verdict::Bad,
            "address",
            &format!("{health} cannot be reached: {e}"),
            "Is the server running, and is url the address under which it is reached?",
        ),
    }
}

fn ask(host: &str, path: &str) -> std::io::Result<String> {
    let with_port = if host
        .rsplit_once(':')
        .is_some_and(|(_, p)| p.parse::<u16>().is_ok())
    {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let address = with_port
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| std::io::Error::other("the name has no address"))?;
    let wait = Duration::from_secs(5);
    let mut stream = TcpStream::connect_timeout(&address, wait)?;
    stream.set_read_timeout(Some(wait))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

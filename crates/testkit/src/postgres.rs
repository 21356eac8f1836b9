//! A PostgreSQL server of the test run: started on a free port with a fresh folder. It ends with the test run,
//! however that ends: a shell waits for the pipe to it to close, stops the server and removes the folder.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A running server.
pub struct Postgres {
    guard: Child,
    bin: PathBuf,
    port: u16,
    next: AtomicU32,
}

/// The newest PostgreSQL that Debian has installed.
fn bin() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|d| {
            d.flatten()
                .map(|e| e.path().join("bin"))
                .filter(|p| p.join("initdb").exists())
                .collect()
        })
        .unwrap_or_default();
    found.sort();
    found
        .pop()
        .expect("PostgreSQL is not installed; run: apt-get install -y postgresql")
}

/// A command of PostgreSQL's, which refuses to run as root.
fn command(bin: &Path, name: &str) -> Command {
    let root = std::fs::metadata("/proc/self")
        .map(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
        .unwrap_or(false);
    let mut command = if root {
        let mut c = Command::new("setpriv");
        c.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(bin.join(name));
        c
    } else {
        Command::new(bin.join(name))
    };
    command.env("LC_ALL", "C.UTF-8").stdout(Stdio::null());
    command
}

impl Postgres {
    /// Starts a server.
    ///
    /// # Panics
    /// If it cannot be started: the test run needs it.
    pub fn start() -> Postgres {
        let bin = bin();
        let folder = tempfile::Builder::new()
            .prefix("pg")
            .tempdir_in("/tmp")
            .expect("a temporary folder")
            .keep();
        let _ = std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let data = folder.join("data");
        let made = command(&bin, "initdb")
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data)
            .status()
            .expect("initdb runs");
        assert!(made.success(), "initdb failed");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a free port")
            .port();
        let options =
            format!("-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories= -c fsync=off");
        let log = folder.join("log");
        let guard = guard(&bin, &data, &folder);
        let started = command(&bin, "pg_ctl")
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(&log)
            .args(["-w", "-o", &options, "start"])
            .status()
            .expect("pg_ctl runs");
        assert!(
            started.success(),
            "{}",
            std::fs::read_to_string(&log).unwrap_or_default()
        );
        Postgres {
            guard,
            bin,
            port,
            next: AtomicU32::new(0),
        }
    }

    /// The address of a new, empty database.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn database(&self) -> String {
        let name = format!("t{}", self.next.fetch_add(1, Ordering::Relaxed));
        let port = self.port.to_string();
        let made = command(&self.bin, "createdb")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-U",
                "postgres",
                "-T",
                "template0",
                "--locale=C",
                &name,
            ])
            .status()
            .expect("createdb runs");
        assert!(made.success(), "createdb failed");
        format!("postgres://postgres@127.0.0.1:{port}/{name}")
    }
}

/// What ends the server once this process is gone or drops it.
fn guard(bin: &Path, data: &Path, folder: &Path) -> Child {
    let stop = command(bin, "pg_ctl");
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg("folder=$1; shift; read -r _; \"$@\" -m immediate stop >/dev/null 2>&1; rm -rf \"$folder\"");
    shell.arg("sh").arg(folder).arg(stop.get_program());
    shell.args(stop.get_args()).arg("-D").arg(data);
    // In a group of its own, so that an interrupt from the keyboard does not reach it before its work is done.
    std::os::unix::process::CommandExt::process_group(&mut shell, 0);
    shell
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell")
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

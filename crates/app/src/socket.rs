//! The socket in the data folder: commands reach the server that owns the folder through it. One JSON line each way.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::admin::{Admin, Request};

/// The longest request, bytes.
const LONGEST: u64 = 1 << 20;

/// Where the socket is.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("vedette.sock")
}

/// Listens, in a thread of its own. Whoever may open the socket's file (its owner) may ask.
///
/// # Errors
/// If the socket cannot be made.
pub fn listen(data_dir: &Path, admin: Admin) -> anyhow::Result<()> {
    let path = path(data_dir);
    let _ = std::fs::remove_file(&path);
    let listener =
        UnixListener::bind(&path).with_context(|| format!("cannot listen on {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    std::thread::Builder::new().name("socket".into()).spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Err(e) = serve(stream, &admin) {
                tracing::warn!(error = %e, "a command could not be answered");
            }
        }
    })?;
    Ok(())
}

fn serve(stream: UnixStream, admin: &Admin) -> anyhow::Result<()> {
    let mut line = String::new();
    BufReader::new((&stream).take(LONGEST)).read_line(&mut line)?;
    let answer = serde_json::from_str::<Request>(&line)
        .map_err(|e| anyhow::anyhow!("the server does not understand this command: {e}"))
        .and_then(|request| admin.handle(&request));
    let answer = match answer {
        Ok(value) => json!({ "ok": value }),
        Err(e) => json!({ "error": format!("{e:#}") }),
    };
    writeln!(&stream, "{answer}")?;
    Ok(())
}

/// Asks the server of a folder; `None` if none runs.
///
/// # Errors
/// What the server answers.
pub fn ask(data_dir: &Path, request: &Request) -> anyhow::Result<Option<Value>> {
    let Ok(stream) = UnixStream::connect(path(data_dir)) else {
        return Ok(None);
    };
    writeln!(&stream, "{}", serde_json::to_string(request)?)?;
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    let answer: Value = serde_json::from_str(&line).context("the server's answer cannot be read")?;
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        bail!("{error}");
    }
    Ok(answer.get("ok").cloned())
}

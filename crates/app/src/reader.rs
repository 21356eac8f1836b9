//! Uploaded files are read by a process of its own (`vedette read-symbols`), so that no file can take more time or
//! memory than it may, and what a large one takes is given back at once.

use std::io::{Read as _, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use pipeline::symbols::convert::{self, Convert, Job};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use storage::cache::CacheError;

/// The name of the command.
pub const COMMAND: &str = "read-symbols";
/// How long a file may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Files up to this size are read beside another, bytes.
const SMALL: u64 = 8 << 20;
/// Files that are read at the same time.
const AT_ONCE: usize = 2;
/// The stack of the thread that reads: parsers of deeply nested scripts recurse.
const STACK: usize = 64 << 20;

/// What the process itself takes, bytes.
const OWN: u64 = 32 << 20;

/// What the process is told.
#[derive(Serialize, Deserialize)]
struct Order {
    job: Job,
    /// Bytes.
    memory: u64,
}

/// What it answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reply {
    Done,
    Bad(String),
    Failed(String),
}

/// Does jobs in processes of their own.
pub struct Processes {
    memory: u64,
    busy: Mutex<usize>,
    freed: Condvar,
}

struct Turn<'a>(&'a Processes, usize);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.busy.lock() -= self.1;
        self.0.freed.notify_all();
    }
}

impl Processes {
    /// With so many bytes of memory for each.
    pub fn new(memory: u64) -> Processes {
        Processes {
            memory,
            busy: Mutex::new(0),
            freed: Condvar::new(),
        }
    }

    /// Waits for room; a large file is read alone.
    fn turn(&self, job: &Job) -> Turn<'_> {
        let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |m| m.len());
        let bytes: u64 = job.inputs().into_iter().map(size).sum();
        let weight = if bytes <= SMALL { 1 } else { AT_ONCE };
        let mut busy = self.busy.lock();
        while *busy + weight > AT_ONCE {
            self.freed.wait(&mut busy);
        }
        *busy += weight;
        Turn(self, weight)
    }

    fn run(&self, job: &Job) -> Result<(Option<ExitStatus>, String), std::io::Error> {
        let order = Order {
            job: job.clone(),
            memory: self.memory,
        };
        let mut child = Command::new(std::env::current_exe()?)
            .arg(COMMAND)
            .env_clear()
            // Memory counts against the limit when it is used, not when it is set aside.
            .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(&serde_json::to_vec(&order)?)?;
        }
        let begun = Instant::now();
        let mut pause = Duration::from_millis(1);
        let status = loop {
            match child.try_wait()? {
                Some(status) => break Some(status),
                None if begun.elapsed() > PATIENCE => {
                    child.kill()?;
                    child.wait()?;
                    break None;
                }
                None => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        let mut said = String::new();
        if let Some(output) = child.stdout.take() {
            output.take(64 << 10).read_to_string(&mut said)?;
        }
        Ok((status, said))
    }
}

impl Convert for Processes {
    fn convert(&self, job: &Job) -> Result<(), CacheError> {
        let _turn = self.turn(job);
        let (status, said) = self
            .run(job)
            .map_err(|e| CacheError::Failed(format!("no process could be started to read it: {e}")))?;
        match (status, serde_json::from_str(&said)) {
            (Some(status), Ok(Reply::Done)) if status.success() => Ok(()),
            (_, Ok(Reply::Bad(why))) => Err(CacheError::Bad(why)),
            (_, Ok(Reply::Failed(why))) => Err(CacheError::Failed(why)),
            (None, _) => Err(CacheError::Bad(format!(
                "reading it took longer than {} s",
                PATIENCE.as_secs()
            ))),
            _ => Err(CacheError::Bad(format!(
                "reading it needs more than {} MB of memory, or ends in a crash",
                self.memory >> 20
            ))),
        }
    }
}

/// The other side: reads an order, does it within its limits, and says how it went.
///
/// # Errors
/// If the order cannot be read.
pub fn answer() -> anyhow::Result<()> {
    let mut text = Vec::new();
    std::io::stdin().lock().take(1 << 20).read_to_end(&mut text)?;
    let order: Order = serde_json::from_slice(&text)?;
    let limit = |bytes| Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    setrlimit(Resource::Data, limit(order.memory + STACK as u64 + OWN))?;
    setrlimit(Resource::Cpu, limit(PATIENCE.as_secs()))?;
    setrlimit(Resource::Core, limit(0))?;
    let work = move || match convert::run(&order.job) {
        Ok(()) => Reply::Done,
        Err(CacheError::Bad(why)) => Reply::Bad(why),
        Err(CacheError::Failed(why)) => Reply::Failed(why),
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work)?;
    let reply = thread.join().unwrap_or_else(|_| {
        Reply::Bad("reading it ends in a panic: it is broken in a way that nobody foresaw".into())
    });
    std::io::stdout().write_all(&serde_json::to_vec(&reply)?)?;
    Ok(())
}

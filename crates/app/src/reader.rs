//! Uploaded files are read by processes of their own (`vedette read-symbols`), so that no file can take more time or
//! memory than it may, and what a large one takes is given back at once. A process that read a small file waits some
//! seconds for the next one: memory that it has is not fetched from the system again.

use std::io::{BufRead as _, ErrorKind, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use pipeline::symbols::convert::{self, Convert, Job};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
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
/// How long a process waits for the next file.
const REST: Duration = Duration::from_secs(5);
/// A process that is larger than this after a file does not wait for another, bytes.
const HEAVY: u64 = 128 << 20;
/// The longest order, bytes: the modules of a minidump are named in it.
const ORDER: u64 = 64 << 20;
/// The longest answer, bytes.
const ANSWER: usize = 64 << 10;

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
    busy: Mutex<Busy>,
    freed: Condvar,
    resting: Arc<Mutex<Resting>>,
}

/// What is being read.
#[derive(Default)]
struct Busy {
    /// How much of [`AT_ONCE`] is taken.
    taken: usize,
    /// Large files that wait: none is begun before them.
    large: usize,
}

/// Processes that wait for a file.
#[derive(Default)]
struct Resting {
    readers: Vec<(Reader, Instant)>,
    /// Somebody looks after them.
    watched: bool,
}

struct Turn<'a>(&'a Processes, usize);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.busy.lock().taken -= self.1;
        self.0.freed.notify_all();
    }
}

impl Processes {
    /// With so many bytes of memory for each.
    pub fn new(memory: u64) -> Processes {
        Processes {
            memory,
            busy: Mutex::default(),
            freed: Condvar::new(),
            resting: Arc::default(),
        }
    }

    /// Waits for room; a large file is read alone.
    fn turn(&self, job: &Job) -> Turn<'_> {
        let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |m| m.len());
        let bytes: u64 = job.inputs().into_iter().map(size).sum();
        let weight = if bytes <= SMALL { 1 } else { AT_ONCE };
        let large = weight == AT_ONCE;
        let mut busy = self.busy.lock();
        busy.large += usize::from(large);
        while busy.taken + weight > AT_ONCE || (busy.large > 0 && !large) {
            self.freed.wait(&mut busy);
        }
        busy.large -= usize::from(large);
        busy.taken += weight;
        drop(busy);
        // Others of the same size may find room, too.
        self.freed.notify_all();
        Turn(self, weight)
    }

    /// Lets a process wait for the next file; the last of them goes some seconds after the last file.
    fn rest(&self, reader: Reader) {
        let mut resting = self.resting.lock();
        resting.readers.push((reader, Instant::now()));
        if resting.watched {
            return;
        }
        let all = self.resting.clone();
        let watch = move || {
            loop {
                std::thread::sleep(REST / 5);
                let mut resting = all.lock();
                let (tired, rest) = std::mem::take(&mut resting.readers)
                    .into_iter()
                    .partition(|(_, since)| since.elapsed() > REST);
                resting.readers = rest;
                resting.watched = !resting.readers.is_empty();
                let watched = resting.watched;
                drop(resting);
                drop::<Vec<_>>(tired);
                if !watched {
                    return;
                }
            }
        };
        // Without it they would rest for ever.
        match std::thread::Builder::new().name("readers".into()).spawn(watch) {
            Ok(_) => resting.watched = true,
            Err(_) => resting.readers.clear(),
        }
    }

    fn run(&self, job: &Job, reuse: bool) -> std::io::Result<Said> {
        let order = Order {
            job: job.clone(),
            memory: self.memory,
        };
        let order = serde_json::to_vec(&order)?;
        let rested = match reuse {
            true => self.resting.lock().readers.pop(),
            false => None,
        };
        if let Some((mut reader, _)) = rested {
            let said = reader.ask(&order)?;
            match said {
                Said::Reply(Reply::Done | Reply::Failed(_)) => {
                    self.rest(reader);
                    return Ok(said);
                }
                Said::Nothing => return Ok(said),
                // It may be for what it read before: that tells nothing of this file.
                Said::Reply(Reply::Bad(_)) | Said::Ended(_) => {}
            }
        }
        let mut reader = Reader::start()?;
        let said = reader.ask(&order)?;
        if reuse && matches!(said, Said::Reply(_)) {
            self.rest(reader);
        }
        Ok(said)
    }
}

/// How a process answers.
enum Said {
    Reply(Reply),
    /// It ended, by a signal of somebody else if so.
    Ended(bool),
    /// Not in time.
    Nothing,
}

/// A process that reads files.
struct Reader {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
}

impl Reader {
    fn start() -> std::io::Result<Reader> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(COMMAND)
            // What stops the server from a terminal lets it end what it has begun.
            .process_group(0)
            .env_clear()
            // Memory counts against the limit when it is used, not when it is set aside.
            .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            // What one file took serves for the next; all of it goes with the process.
            .env("MIMALLOC_PURGE_DELAY", "-1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take();
        let output = output.ok_or_else(|| std::io::Error::other("the process has no output"))?;
        Ok(Reader { child, input, output })
    }

    /// Gives it an order, and waits for its answer.
    fn ask(&mut self, order: &[u8]) -> std::io::Result<Said> {
        let begun = Instant::now();
        let told = match &mut self.input {
            Some(input) => input.write_all(&[order, b"\n"].concat()),
            None => return Ok(Said::Ended(false)),
        };
        match told {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => return self.ended(),
            other => other?,
        }
        let mut said = Vec::new();
        loop {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(Said::Nothing);
            }
            let wait = Timespec {
                tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            match poll(&mut [PollFd::new(&self.output, PollFlags::IN)], Some(&wait)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            let mut buffer = [0; 4096];
            let n = self.output.read(&mut buffer)?;
            said.extend_from_slice(buffer.get(..n).unwrap_or_default());
            if said.ends_with(b"\n") {
                return Ok(serde_json::from_slice(&said).map_or(Said::Ended(false), Said::Reply));
            }
            if n == 0 {
                return self.ended();
            }
            if said.len() > ANSWER {
                return Ok(Said::Ended(false));
            }
        }
    }

    /// It closed its output: it has ended, or is about to.
    fn ended(&mut self) -> std::io::Result<Said> {
        drop(self.input.take());
        let signal = self.child.wait()?.signal();
        // Its limits end it by others: SIGABRT, SIGSEGV, SIGXCPU.
        let stopped = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::KILL];
        Ok(Said::Ended(stopped.iter().any(|s| signal == Some(s.as_raw()))))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // One that waits for an order ends when nobody can give it one; any other must not go on.
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Convert for Processes {
    fn convert(&self, job: &Job) -> Result<(), CacheError> {
        let turn = self.turn(job);
        let said = self
            .run(job, turn.1 < AT_ONCE)
            .map_err(|e| CacheError::Failed(format!("no process could be started to read it: {e}")))?;
        match said {
            Said::Reply(Reply::Done) => Ok(()),
            Said::Reply(Reply::Bad(why)) => Err(CacheError::Bad(why)),
            Said::Reply(Reply::Failed(why)) => Err(CacheError::Failed(why)),
            Said::Nothing => Err(CacheError::Bad(format!(
                "reading it took longer than {} s",
                PATIENCE.as_secs()
            ))),
            Said::Ended(true) => Err(CacheError::Failed("the process that read it was stopped".into())),
            Said::Ended(false) => Err(CacheError::Bad(format!(
                "reading it needs more than {} MB of memory, or ends in a crash",
                self.memory >> 20
            ))),
        }
    }
}

/// The other side: reads orders, does each within its limits, and says how it went.
///
/// # Errors
/// If an order cannot be read.
pub fn answer() -> anyhow::Result<()> {
    let limit = |current, maximum| Rlimit { current, maximum };
    setrlimit(Resource::Core, limit(Some(0), Some(0)))?;
    let mut input = std::io::stdin().lock();
    loop {
        let mut text = String::new();
        if (&mut input).take(ORDER).read_line(&mut text)? == 0 {
            return Ok(());
        }
        let order: Order = serde_json::from_str(&text)?;
        let data = Some(order.memory + STACK as u64 + OWN);
        setrlimit(Resource::Data, limit(data, data))?;
        let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
        let until = u64::try_from(used).unwrap_or(0) + PATIENCE.as_secs();
        let most = getrlimit(Resource::Cpu).maximum;
        let until = most.map_or(until, |most| until.min(most));
        setrlimit(Resource::Cpu, limit(Some(until), most))?;
        let work = move || match convert::run(&order.job) {
            Ok(()) => Reply::Done,
            Err(CacheError::Bad(why)) => Reply::Bad(why),
            Err(CacheError::Failed(why)) => Reply::Failed(why),
        };
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(work)?;
        let survived = thread.join();
        let last = survived.is_err() || size() > HEAVY;
        let reply = survived.unwrap_or_else(|_| {
            Reply::Bad("reading it ends in a panic: it is broken in a way that nobody foresaw".into())
        });
        let mut line = serde_json::to_vec(&reply)?;
        line.push(b'\n');
        std::io::stdout().write_all(&line)?;
        if last {
            return Ok(());
        }
    }
}

/// The memory that this process has for itself, bytes.
fn size() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let mut pages = text.split(' ').skip(1).map_while(|n| n.parse::<u64>().ok());
    let (Some(resident), Some(shared)) = (pages.next(), pages.next()) else {
        return u64::MAX;
    };
    resident.saturating_sub(shared) * rustix::param::page_size() as u64
}

//! What 1,000 events cost on their way from the queue to the stores, counted and not timed: allocations, statements,
//! syncs and bytes. A figure that grows is a decision; docs/benchmarks.md states them.
//!
//! A binary of its own, as it counts every allocation of its process.

#[path = "it/inside.rs"]
#[allow(dead_code, reason = "its faults are for other tests")]
mod inside;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use pipeline::ingest::record::{Form, Meta};
use serde_json::{Value, json};
use storage::payloads::{Locator, Partition, PayloadError, Payloads, See};
use storage::queue::Record;
use storage::sql::{self, Body, Connection, Dialect, Row, Sql, SqlError};

use crate::inside::Bench;

/// Per event, with three tenths of room: what was counted on the day that docs/benchmarks.md says.
const ALLOCATIONS: u64 = 430;
const ALLOCATED: u64 = 163_000;
const PACKED: u64 = 265;
const WRITTEN: u64 = 740;
/// Statements of a batch, however many events it has.
const STATEMENTS: u64 = 16;
/// Statements for each hash in it whose events have users: those of the day, and those of its whole life.
const OF_A_HASH: u64 = 2;
/// Stack traces of the events here, each a hash.
const STACKS: u64 = 50;
/// Records of a batch at most.
const BATCH: u64 = 512;

struct Counting;

static ALLOCATED_TIMES: AtomicU64 = AtomicU64::new(0);
static ALLOCATED_BYTES: AtomicU64 = AtomicU64::new(0);

// A counter in front of the system's allocator, which does the work as it always does.
#[expect(unsafe_code, reason = "the interface of allocators is unsafe")]
// SAFETY: every call is handed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED_TIMES.fetch_add(1, Ordering::Relaxed);
        ALLOCATED_BYTES.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATED_TIMES.fetch_add(1, Ordering::Relaxed);
        ALLOCATED_BYTES.fetch_add(size.saturating_sub(layout.size()) as u64, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What is counted at the ports.
#[derive(Default)]
struct Counts {
    statements: AtomicU64,
    transactions: AtomicU64,
    appends: AtomicU64,
    packed: AtomicU64,
}

struct CountedSql {
    inner: Arc<dyn Sql>,
    counts: Arc<Counts>,
}

struct CountedConnection<'a> {
    inner: &'a mut dyn Connection,
    counts: &'a Counts,
}

impl Connection for CountedConnection<'_> {
    fn query(&mut self, sql: &str, params: &[sql::Value]) -> Result<Vec<Row>, SqlError> {
        self.counts.statements.fetch_add(1, Ordering::Relaxed);
        self.inner.query(sql, params)
    }
    fn execute(&mut self, sql: &str, params: &[sql::Value]) -> Result<u64, SqlError> {
        self.counts.statements.fetch_add(1, Ordering::Relaxed);
        self.inner.execute(sql, params)
    }
    fn batch(&mut self, sql: &str) -> Result<(), SqlError> {
        self.counts.statements.fetch_add(1, Ordering::Relaxed);
        self.inner.batch(sql)
    }
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }
}

impl Sql for CountedSql {
    fn read(&self, body: Body<'_>) -> Result<(), SqlError> {
        self.inner.read(&mut |inner| {
            body(&mut CountedConnection {
                inner,
                counts: &self.counts,
            })
        })
    }
    fn write(&self, body: Body<'_>) -> Result<(), SqlError> {
        self.counts.transactions.fetch_add(1, Ordering::Relaxed);
        self.inner.write(&mut |inner| {
            body(&mut CountedConnection {
                inner,
                counts: &self.counts,
            })
        })
    }
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }
}

struct CountedPacks {
    inner: Arc<dyn Payloads>,
    counts: Arc<Counts>,
}

impl Payloads for CountedPacks {
    fn append(&self, partition: Partition, records: &[Vec<u8>]) -> Result<(Vec<Locator>, u64), PayloadError> {
        let answer = self.inner.append(partition, records)?;
        self.counts.appends.fetch_add(1, Ordering::Relaxed);
        let start = answer.0.iter().map(|l| l.frame).min().unwrap_or(answer.1);
        self.counts.packed.fetch_add(answer.1 - start, Ordering::Relaxed);
        Ok(answer)
    }
    fn get(&self, locators: &[Locator]) -> Vec<Result<Vec<u8>, PayloadError>> {
        self.inner.get(locators)
    }
    fn scan(&self, partition: Partition, from: u64, to: u64, see: See<'_>) -> Result<(), PayloadError> {
        self.inner.scan(partition, from, to, see)
    }
    fn partitions(&self) -> Result<Vec<(Partition, u64)>, PayloadError> {
        self.inner.partitions()
    }
    fn truncate(&self, partition: Partition, length: u64) -> Result<(), PayloadError> {
        self.inner.truncate(partition, length)
    }
    fn drop_partition(&self, partition: Partition) -> Result<(), PayloadError> {
        self.inner.drop_partition(partition)
    }
}

/// Counts the syncs of the queue, which it measures.
struct Syncs(Arc<Times>);

#[derive(Default)]
struct Times(AtomicU64);

impl HistogramFn for Times {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Recorder for Syncs {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        if key.name() == "vedette_queue_sync_seconds" {
            Histogram::from_arc(self.0.clone())
        } else {
            Histogram::noop()
        }
    }
}

/// An event like those of `make bench`: one of some stack traces of 14 frames.
fn event(n: usize) -> Value {
    let stack = n % STACKS as usize;
    let frames: Vec<Value> = (0..14)
        .map(|f| {
            let module = (f * 7 + stack) % 90;
            json!({
                "filename": format!("shop/module_{module}.py"), "abs_path": format!("/srv/app/shop/module_{module}.py"),
                "function": format!("handle_{stack}_{f}"), "module": format!("shop.module_{module}"), "lineno": 10 + f * 3,
                "in_app": f % 3 == 0, "context_line": "    return self.call(request, *args, **kwargs)",
                "pre_context": ["    def run(self):", "        if not self.ready:"], "post_context": ["", "    def stop(self):"],
            })
        })
        .collect();
    json!({
        "event_id": format!("{:032x}", (n as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128)),
        "platform": "python", "level": "error", "release": "shop@1.4.2", "environment": "production",
        "server_name": format!("web-{}", n % 12), "transaction": format!("/checkout/{}", stack % 9),
        "exception": { "values": [{ "type": format!("ShopError{stack}"), "value": format!("order {n} failed"),
            "stacktrace": { "frames": frames } }] },
        "user": { "id": (n % 500).to_string() }, "tags": { "region": (["eu", "us", "ap"][n % 3]) },
        "request": { "url": "https://shop.example/checkout", "method": "POST", "headers": { "User-Agent": "Mozilla/5.0" } },
        "breadcrumbs": { "values": [{ "category": "query", "message": "select 1", "timestamp": 1_790_000_000 }] },
        "sdk": { "name": "sentry.python", "version": "2.75.0" },
    })
}

/// Queues events, one after the other.
fn queue(bench: &Bench, numbers: std::ops::Range<usize>) {
    use protocol::time::Clock as _;
    for n in numbers {
        let meta = Meta {
            received: bench.clock.now(),
            project: bench.project,
            form: Form::Store,
            event_id: None,
            sent_at: None,
            content_type: None,
            client: None,
            address: None,
            user_agent: None,
            release: None,
            environment: None,
            limited: false,
        };
        let record = Record {
            key: bench.project,
            bytes: meta.write(event(n).to_string().as_bytes()),
            ..Record::default()
        };
        futures_executor::block_on(bench.worker.stores.queue.append(record)).unwrap();
    }
}

/// Bytes that this process has written to anything, as the system counts them.
fn written() -> u64 {
    let text = std::fs::read_to_string("/proc/self/io").unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix("wchar: ")).unwrap();
    line.parse().unwrap()
}

/// Applies what waits, until it is on the disk.
fn settle(bench: &Bench) {
    bench.worker.drain();
    bench.worker.stores.columns.flush().unwrap();
    bench.worker.stores.ids.flush().unwrap();
}

#[test]
fn a_thousand_events_cost_what_is_stated() {
    let syncs = Arc::new(Times::default());
    metrics::set_global_recorder(Syncs(syncs.clone())).ok().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut bench = inside::bench(folder.path());
    let counts = Arc::new(Counts::default());
    let stores = &mut bench.worker.stores;
    stores.sql = Arc::new(CountedSql {
        inner: stores.sql.clone(),
        counts: counts.clone(),
    });
    stores.payloads = Arc::new(CountedPacks {
        inner: stores.payloads.clone(),
        counts: counts.clone(),
    });
    let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
    let batches = |bench: &Bench| bench.worker.progress.batches.swap(0, Ordering::Relaxed);

    // The first make the issues, and fill what is remembered.
    queue(&bench, 0..1_000);
    settle(&bench);
    batches(&bench);
    for counter in [
        &counts.statements,
        &counts.transactions,
        &counts.appends,
        &counts.packed,
    ] {
        take(counter);
    }
    take(&syncs.0);

    let before = written();
    queue(&bench, 1_000..2_000);
    assert_eq!(take(&syncs.0), 1_000, "one sync for each record that comes alone");
    let queued = written() - before;
    let before = written();
    take(&ALLOCATED_TIMES);
    take(&ALLOCATED_BYTES);
    bench.worker.drain();
    let (times, bytes) = (take(&ALLOCATED_TIMES), take(&ALLOCATED_BYTES));
    let made = batches(&bench);
    assert_eq!(made, 1_000u64.div_ceil(BATCH));
    let (statements, transactions) = (take(&counts.statements), take(&counts.transactions));
    let (appends, packed) = (take(&counts.appends), take(&counts.packed));
    settle(&bench);
    let applied = written() - before;
    println!(
        "per event: {} allocations of {} bytes, {} bytes queued, {} packed, {} written to apply it; {statements} statements",
        times / 1_000,
        bytes / 1_000,
        queued / 1_000,
        packed / 1_000,
        applied / 1_000
    );
    assert_eq!(bench.worker.progress.events.load(Ordering::Relaxed), 2_000);
    assert_eq!(
        statements,
        made * (STATEMENTS + OF_A_HASH * STACKS),
        "statements of {made} batches"
    );
    assert_eq!(
        (transactions, appends),
        (made, made),
        "one sync of the database and one of a pack a batch"
    );
    assert_eq!(take(&syncs.0), 0, "applying syncs no queue");
    for (what, count, most) in [
        ("allocations", times, ALLOCATIONS),
        ("allocated bytes", bytes, ALLOCATED),
        ("bytes of packs", packed, PACKED),
        ("bytes written", applied, WRITTEN),
    ] {
        assert!(
            count <= most * 1_000,
            "{what}: {} an event, {most} are stated",
            count / 1_000
        );
    }

    // One event alone takes as many statements as all of its hash.
    queue(&bench, 2_000..2_001);
    bench.worker.drain();
    assert_eq!(
        (batches(&bench), take(&counts.statements)),
        (1, STATEMENTS + OF_A_HASH)
    );
}

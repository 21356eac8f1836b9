//! Measures the server against a floor: a bare HTTP server that reads the same bodies and syncs them in groups.
//!
//! Both run on this machine beside the load generator, one after the other, on fresh folders.

mod floor;
mod load;
mod server;
mod shapes;
mod store;
mod symbols;

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use self::load::{Ready, percentile, send_all};
use self::server::Server;
use self::shapes::{SHAPES, Shape};

/// How long the run at half the load lasts, seconds.
const PACED: f64 = 10.0;
/// How often it asks how long an event takes to be visible.
const SAMPLE: Duration = Duration::from_millis(50);

/// Prints events of the load as JSON lines, for profilers.
///
/// # Errors
/// If the count is none, or standard output is closed.
pub fn print_events(args: &[String]) -> anyhow::Result<()> {
    let count: usize = args.first().context("how many events?")?.parse()?;
    let mut out = std::io::stdout().lock();
    for n in 0..count {
        writeln!(out, "{}", SHAPES[0].event(n))?;
    }
    Ok(())
}

/// What a run of a shape gave.
struct Figures {
    accepted: f64,
    processed: f64,
    cpu_ms: f64,
    p50: Duration,
    p99: Duration,
    peak: u64,
    disk: u64,
    issues: u64,
}

async fn until_stored(server: &Server, expected: u64, start: Instant) -> anyhow::Result<()> {
    loop {
        let stored = server.stored().await?;
        if stored == expected {
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(600) {
            bail!("{stored} of {expected} events were processed in ten minutes");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sends a shape as fast as it is taken, until all of it can be searched.
async fn full(server: &Server, ready: &Ready) -> anyhow::Result<Figures> {
    let n = ready.shape.events as f64;
    let before = server.usage()?.0;
    let start = Instant::now();
    let load = send_all(&server.envelopes, ready, None).await?;
    until_stored(server, ready.shape.events as u64, start).await?;
    let processed = start.elapsed().as_secs_f64();
    let (cpu, _, peak) = server.usage()?;
    let last = Shape::id(ready.shape.events - 1);
    let (status, _) = server
        .get(&format!("organizations/acme/eventids/{last}/"))
        .await?;
    if status != 200 {
        bail!("the last event cannot be found: {status}");
    }
    let (_, stats) = server
        .get("organizations/acme/stats_v2/?field=sum(quantity)&groupBy=outcome&category=error&statsPeriod=1d")
        .await?;
    let counted = stats["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|g| g["by"]["outcome"] == "accepted")
        .filter_map(|g| g["totals"]["sum(quantity)"].as_u64())
        .sum::<u64>();
    if counted != ready.shape.events as u64 {
        bail!("{counted} events are counted instead of {}", ready.shape.events);
    }
    let (_, count) = server.get("organizations/acme/issues-count/?query=").await?;
    Ok(Figures {
        accepted: n / load.seconds,
        processed: n / processed,
        cpu_ms: (cpu - before) * 1000.0 / n,
        p50: load.p50,
        p99: load.p99,
        peak,
        disk: server.disk() / ready.shape.events as u64,
        issues: count[""].as_u64().unwrap_or(0),
    })
}

/// Sends at a steady rate, and asks for events by id until they are there. Answers the times until they were
/// accepted and, for some, from then until they were visible.
async fn paced(server: &Server, rate: f64) -> anyhow::Result<(load::Load, Vec<Duration>)> {
    let mut shape = SHAPES[0];
    shape.events = (rate * PACED) as usize;
    let ready = Ready::of(shape)?;
    let sending = send_all(&server.envelopes, &ready, Some(rate));
    let sampling = async {
        let mut seen = Vec::new();
        let start = Instant::now();
        while start.elapsed().as_secs_f64() < PACED - 1.0 {
            tokio::time::sleep(SAMPLE).await;
            // The next to be sent; how long until it can be read, less the time until it was accepted.
            let n = (start.elapsed().as_secs_f64() * rate) as usize + 1;
            let due = start + Duration::from_secs_f64(n as f64 / rate);
            tokio::time::sleep_until(due.into()).await;
            let path = format!("projects/acme/shop/events/{}/", Shape::id(n));
            let asked = Instant::now();
            while server.get(&path).await?.0 != 200 {
                if asked.elapsed() > Duration::from_secs(60) {
                    bail!("an event is not visible after a minute");
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            seen.push(due.elapsed());
        }
        seen.sort_unstable();
        Ok(seen)
    };
    let (load, seen) = tokio::join!(sending, sampling);
    Ok((load?, seen?))
}

fn scratch() -> anyhow::Result<tempfile::TempDir> {
    let place = std::env::var("BENCH_DIR").unwrap_or_else(|_| ".".into());
    Ok(tempfile::tempdir_in(place)?)
}

async fn measure(binary: &str) -> anyhow::Result<()> {
    let ready = Ready::of(SHAPES[0])?;
    let folder = scratch()?;
    let floor = floor::measure(folder.path(), &ready).await?;
    let server = Server::start(binary, folder.path(), 1).await?;
    let idle = server.usage()?.1;
    let f = full(&server, &ready).await?;
    let n = ready.shape.events as f64;
    println!(
        "events                 {} of {} bytes: {}; {} connections",
        ready.shape.events, ready.bytes, ready.shape.what, ready.shape.connections
    );
    println!("issues                 {}", f.issues);
    println!(
        "accepted               {:.0}/s (floor {:.0}/s, ratio {:.2})",
        f.accepted,
        n / floor.seconds,
        f.accepted * floor.seconds / n
    );
    println!(
        "accept p50 / p99       {:.1} / {:.1} ms (floor {:.1} / {:.1} ms)",
        ms(f.p50),
        ms(f.p99),
        ms(floor.p50),
        ms(floor.p99)
    );
    println!(
        "processed, searchable  {:.0}/s (ratio to the floor {:.2})",
        f.processed,
        f.processed * floor.seconds / n
    );
    println!("CPU per event          {:.3} ms", f.cpu_ms);
    println!("memory idle / peak     {idle} / {} MB", f.peak);
    println!("disk per event         {} B (packs, index, ids)", f.disk);
    drop(server);

    // Half of what it can process, at a steady rate, on a fresh folder.
    let folder = scratch()?;
    let server = Server::start(binary, folder.path(), 1).await?;
    let rate = (f.processed / 2.0).floor();
    let (load, seen) = paced(&server, rate).await?;
    println!(
        "at {rate:.0}/s               accept p50 / p99 {:.1} / {:.1} ms; visible p50 / p99 {:.0} / {:.0} ms after it was sent",
        ms(load.p50),
        ms(load.p99),
        ms(percentile(&seen, 50)),
        ms(percentile(&seen, 99))
    );
    Ok(())
}

/// Runs shapes one after the other, each on a fresh folder, and prints a table.
async fn shapes(binary: &str, names: &[String]) -> anyhow::Result<()> {
    println!(
        "| load | bytes | accepted/s | processed/s | floor/s | CPU ms | accept p99 ms | peak MB | disk B | issues |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for shape in SHAPES {
        if !names.is_empty() && !names.iter().any(|n| n == shape.name) {
            continue;
        }
        let ready = Ready::of(shape)?;
        let folder = scratch()?;
        let floor = floor::measure(folder.path(), &ready).await?;
        let server = Server::start(binary, folder.path(), shape.projects).await?;
        let f = full(&server, &ready).await?;
        println!(
            "| {}: {} | {} | {:.0} | {:.0} | {:.0} | {:.3} | {:.1} | {} | {} | {} |",
            shape.name,
            shape.what,
            ready.bytes,
            f.accepted,
            f.processed,
            shape.events as f64 / floor.seconds,
            f.cpu_ms,
            ms(f.p99),
            f.peak,
            f.disk,
            f.issues
        );
    }
    Ok(())
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1000.0
}

/// Runs the benchmark on a binary: `<binary>`, `<binary> shapes [name...]`, `<binary> store <folder>`, or
/// `<binary> symbols`.
///
/// # Errors
/// If the server fails or an event is missing.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let binary = args
        .first()
        .context("xtask bench <vedette binary> [shapes [name...] | store <folder> | symbols]")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match args.get(1).map(String::as_str) {
        None => runtime.block_on(measure(binary)),
        Some("shapes") => {
            if let Some(unknown) = args[2..].iter().find(|n| Shape::named(n).is_none()) {
                bail!("there is no shape {unknown}");
            }
            runtime.block_on(shapes(binary, &args[2..]))
        }
        Some("symbols") => runtime.block_on(symbols::measure(binary)),
        Some("store") => {
            let folder = args
                .get(2)
                .context("xtask bench <vedette binary> store <folder>")?;
            runtime.block_on(store::measure(binary, std::path::Path::new(folder)))
        }
        Some(other) => bail!("there is no benchmark {other}"),
    }
}

//! How long the stages of one event take: `bench_event event.json [rounds]`, best of several rounds, in µs.

use std::time::Instant;

use processing::grouping::rules::{BUILT_IN, Rule};
use processing::grouping::{Rules, group, prepare};
use processing::{NoGeo, NoSymbols, ProjectRules, ProjectSettings, Receipt, process_event};

/// Rounds of which the best is taken.
const ROUNDS: usize = 20;

/// Runs in one round.
const RUNS: usize = 200;

fn time<T>(name: &str, mut f: impl FnMut() -> T) {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..RUNS {
            std::hint::black_box(f());
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / RUNS as f64);
    }
    println!("{name:20} {best:8.1} µs");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("the path of an event is missing")?;
    let body = std::fs::read(path)?;
    let rules = ProjectRules::compile(1, &ProjectSettings::default())?;
    let receipt = Receipt {
        received: 1_795_700_000_000_000,
        project: 1,
        ..Receipt::default()
    };
    let done = process_event(&body, &receipt, &rules, &NoGeo, &NoSymbols).map_err(|e| e.explain())?;
    println!("{} bytes in, {} bytes stored", body.len(), done.json.len());
    let (stored, _) = protocol::json::parse(&done.json)?;
    let sets: [&[Rule]; 2] = [&BUILT_IN, &rules.stacktrace];
    time("parse", || protocol::json::parse(&body).is_ok());
    time("write", || stored.to_vec());
    time("prepare (with copy)", || {
        let mut event = stored.clone();
        prepare(&mut event, &sets);
        event
    });
    time("copy", || stored.clone());
    time("group", || {
        group(
            &stored,
            Rules {
                stack: &sets,
                fingerprint: &rules.fingerprint,
            },
        )
        .hashes
    });
    time("grouping to JSON", || {
        group(
            &stored,
            Rules {
                stack: &sets,
                fingerprint: &rules.fingerprint,
            },
        )
        .to_json()
        .to_vec()
    });
    time("all", || {
        process_event(&body, &receipt, &rules, &NoGeo, &NoSymbols)
    });
    Ok(())
}

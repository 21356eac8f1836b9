//! Processes events of standard input, one JSON object a line, again and again in one thread: for profilers.
//!
//! `xtask events 200 | process 50` prints the time per event. Under callgrind, which counts instructions, one
//! round is enough.

use std::io::Read as _;
use std::time::Instant;

use processing::{NoGeo, NoSymbols, ProjectRules, ProjectSettings, Receipt, process_event};

fn main() {
    let rounds: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut text = Vec::new();
    std::io::stdin()
        .read_to_end(&mut text)
        .expect("standard input can be read");
    let events: Vec<&[u8]> = text
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
        .collect();
    let rules = ProjectRules::compile(1, &ProjectSettings::default()).expect("the defaults compile");
    let receipt = Receipt {
        received: 1_790_000_000_000_000,
        project: 1,
        client_ip: Some("203.0.113.7"),
        ..Receipt::default()
    };
    let start = Instant::now();
    let (mut stored, mut bytes) = (0, 0);
    for _ in 0..rounds {
        for event in &events {
            if let Ok(done) = process_event(event, &receipt, &rules, &NoGeo, &NoSymbols) {
                stored += 1;
                bytes += done.json.len();
            }
        }
    }
    let all = rounds * events.len();
    println!(
        "{stored} of {all} events kept, {:.2} µs and {} stored bytes each",
        start.elapsed().as_secs_f64() * 1e6 / all.max(1) as f64,
        bytes / stored.max(1)
    );
}

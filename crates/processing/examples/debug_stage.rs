//! Runs a stage of processing on JSON lines: `debug_stage group < rows.jsonl > out.jsonl`.

use std::io::{BufRead, BufWriter, Write};

fn main() -> std::io::Result<()> {
    let stage = std::env::args().nth(1).unwrap_or_default();
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        match processing::debug::stage(&stage, &line?) {
            Ok(answer) => writeln!(out, "{answer}")?,
            Err(error) => eprintln!("{error}"),
        }
    }
    out.flush()
}

//! Tasks of the repository: `tidy`, `licences`, `bench`, `events`.

mod bench;
mod licences;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.first().map(String::as_str) {
        Some("tidy") => tidy::run(),
        Some("licences") => licences::run(),
        Some("bench") => bench::run(&args[1..]),
        Some("events") => bench::print_events(&args[1..]),
        _ => Err(anyhow::anyhow!(
            "xtask tidy | licences | bench <vedette binary> | events <count>"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

//! `vedette`: one binary with the server and every command.

mod admin;
mod commands;
mod config;
mod doctor;
mod first_run;
mod listener;
mod reader;
mod sentry_keys;
mod server;
mod socket;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Cli;

/// Events are many small values that live briefly, made in one thread and dropped in another: here the system's
/// allocator costs a sixth of the processor and keeps what it has freed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough, as in `vedette events where … | head`.
        Err(e)
            if e.downcast_ref::<std::io::Error>()
                .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) =>
        {
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("vedette: {e:#}");
            ExitCode::FAILURE
        }
    }
}

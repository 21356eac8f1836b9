//! `vedette`: one binary with the server and every command.

mod admin;
mod commands;
mod config;
mod first_run;
mod sentry_keys;
mod server;
mod socket;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Cli;

fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("vedette: {e:#}");
            ExitCode::FAILURE
        }
    }
}

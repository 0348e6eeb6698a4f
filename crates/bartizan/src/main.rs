//! The `bartizan` binary: command line, HTTP API, console and demo around the registry.
//!
//! ```text
//!   argv --cli--> Configuration --commands--> Client --+-- in process --> api::router --> Registry
//!                                                      '-- loopback ----> `up` ----------^
//!   verify, explain, data check: no project needed
//! ```

mod api;
mod boot;
mod catalog;
mod cli;
mod client;
mod commands;
mod config;
mod console;
mod demo;
mod failure;
mod handed_out;
mod inference;
mod isolation;
mod notes;
mod out;
mod predictions;
mod runner;
mod servable;

use std::io::IsTerminal as _;
use std::panic;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tracing::level_filters::LevelFilter;

use crate::catalog::ids;
use crate::cli::Cli;
use crate::config::Configuration;
use crate::failure::Failure;
use crate::out::{Format, Out};

/// How long work that was cut off may go on.
const LAST_WORK: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    bartizan_sandbox::init_if_asked();
    keep_quiet_of_caught_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let shown = error.print();
            let asked = !error.use_stderr() && shown.is_ok();
            return ExitCode::from(if asked { 0 } else { 2 });
        }
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(if matches!(cli.command, cli::Command::Up { .. }) {
            LevelFilter::INFO
        } else {
            LevelFilter::WARN
        })
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let mut format = cli.global.output.unwrap_or(Format::Table);
    let done = Configuration::read(&cli).and_then(|configuration| {
        format = configuration.format;
        let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::of(ids::STORAGE, &error))?;
        let done = runtime.block_on(commands::run(cli, configuration));
        // Waiting for work without an end would keep a process that was asked to go.
        runtime.shutdown_timeout(LAST_WORK);
        done
    });
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            Out { format }.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Damage that makes a decoder panic is told as the error that it becomes; every other panic is told as ever.
fn keep_quiet_of_caught_panics() {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |found| {
        if !bartizan_data::decoding() {
            tell(found);
        }
    }));
}

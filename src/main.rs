//! The command: arguments to library calls to an exit code.

mod assumptions;
mod canary;
mod cli;
mod explore;
mod forecast;
mod inspect;
mod interrupt;
mod ledger;
mod log;
mod migrate;
mod network;
mod outcome;
mod plan_file;
mod progress;
mod rehearse;
mod schema;
mod self_test;
mod simulate;
mod status;
mod terminal;
mod verify;
mod watched;

use std::process::ExitCode;

use clap::Parser;
use rehearsal::Ending;

use crate::cli::{Cli, Command};

/// Many small answers from many threads are where glibc's allocator spent a quarter of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    output::private::owner_only();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(terminal::finish(bad_call(&error)).code()),
    };
    log::start(&cli.output);
    let ending = std::panic::catch_unwind(|| run(cli)).unwrap_or(Ending::OurBug);
    ExitCode::from(terminal::finish(ending).code())
}

/// Arguments that are none; or a question for help or version, which is answered.
fn bad_call(error: &clap::Error) -> Ending {
    if !error.use_stderr() {
        terminal::say_lines(&error.render().to_string());
        return Ending::Done;
    }
    let asked = |name: &str| {
        std::env::var(name).is_ok_and(|value| {
            !matches!(
                value.as_str(),
                "" | "0" | "false" | "no" | "off" | "n" | "f"
            )
        })
    };
    if asked("SEATRIAL_JSON") || std::env::args_os().any(|argument| argument == "--json") {
        terminal::speak_json();
    }
    let text = error.render().to_string();
    // In clap's own words and lines; the first of them is the sentence.
    terminal::fail_in_lines(Ending::BadCall, &text)
}

fn run(cli: Cli) -> Ending {
    // A migration waits for platforms and disks: one thread goes round, and files, database and
    // audio have threads of their own. Over two threads a fifth of its time went into waking one
    // another.
    let mut runtime = match &cli.command {
        // A canary is verified in the same go.
        Command::Migrate(migrate) if migrate.canary.is_some() => {
            tokio::runtime::Builder::new_multi_thread()
        }
        Command::Migrate(_) | Command::Preflight(_) | Command::Status(_) => {
            tokio::runtime::Builder::new_current_thread()
        }
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    // Files, database and audio: a few threads more than cores keep them busy, and each thread
    // keeps memory of its own.
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let runtime = match runtime
        .enable_all()
        .max_blocking_threads(2 * cores + 4)
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return terminal::fail(Ending::Stopped, &format!("cannot start: {error}")),
    };
    let output = cli.output;
    runtime.block_on(async {
        match cli.command {
            Command::Rehearse(arguments) => rehearse::run(arguments, output).await,
            Command::Explore(arguments) => explore::run(arguments, output).await,
            Command::SelfTest(arguments) => self_test::run(arguments, output).await,
            Command::Forecast(arguments) => forecast::run(&arguments, &output),
            Command::Simulate(arguments) => simulate::run(arguments, output).await,
            Command::Preflight(arguments) => migrate::preflight(arguments, output).await,
            Command::Inspect(arguments) => inspect::run(&arguments, &output),
            Command::Migrate(arguments) => migrate::run(arguments, output).await,
            Command::Status(arguments) => status::run(arguments, output).await,
            Command::Ledger(command) => ledger::run(command, output).await,
            Command::Verify(arguments) => verify::run(arguments, output).await,
            Command::Assumptions => assumptions::run(&output),
            Command::Schema(arguments) => schema::run(&arguments),
            Command::Completions(arguments) => schema::completions(&arguments),
        }
    })
}

//! The `loanhook` command line: reads what was asked (`args`), does it, and tells how it went in one line and
//! an exit code (0 done, 1 failed, 2 not understood).
//!
//! `serve` and `demo` start a loanhook in this process; every other command is a client that knows
//! nothing but the HTTP interface, so it speaks to a loanhook anywhere.

mod arguments;
mod client;
mod commands;
mod demo;
mod error;
mod server;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Cli, Command};
use commands::eval;
use error::Failure;
use server::{admin_key, serve_command};
use terminal::output;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a command comes to.
type Outcome<T = ()> = Result<T, Failure>;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough (`loanhook history 727 | head`): no failure of ours.
        Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(failure) => {
            output::note(format_args!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    prepare(&cli);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Message(format!("cannot start: {error}")))?;
    let done = runtime.block_on(answer(cli));
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    done
}

/// What is done before there are threads.
fn prepare(cli: &Cli) {
    if matches!(cli.command, Command::Serve(_)) {
        admin_key::leave_environment();
    }
}

/// Does what was asked.
async fn answer(cli: Cli) -> Outcome {
    match cli.command {
        Command::Serve(args) => serve_command::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Eval(args) => eval::run(&args),
        Command::Client(command) => commands::run(command).await,
    }
}

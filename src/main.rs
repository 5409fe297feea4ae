//! The `loanhook` program: reads its arguments, runs the command they name, and ends with an exit code
//! (0 done, 1 failed, 2 arguments not understood; of `doctor` 1 something to do, 2 could not ask).
//!
//! `serve` and `demo` run a server in this process (`server`, `demo`); `master-key` works on its data folder. The other commands
//! (`commands`) are clients that know nothing but the HTTP interface, so they work with a loanhook anywhere; `client` makes their calls. `terminal`
//! is what all of them read from and write to.

mod arguments;
mod client;
mod commands;
mod demo;
mod error;
mod server;
mod since;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Cli, Command};
use commands::eval;
use error::{CommandError, CommandResult};
use server::{environment_secrets, master_key_command, serve_command};
use terminal::output;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output has read enough (`loanhook history 727 | head`), which is not an error.
        Err(CommandError::OutputClosed) => ExitCode::SUCCESS,
        Err(CommandError::ExitCode(code)) => ExitCode::from(code),
        Err(error) => {
            output::note(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> CommandResult {
    if matches!(cli.command, Command::Serve(_)) {
        // Before there are threads: it may replace this program by itself.
        environment_secrets::remove_from_environment();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::Message(format!("cannot start: {error}")))?;
    let result = runtime.block_on(run_command(cli.command));
    // Does not wait for name look-ups that are still under way.
    runtime.shutdown_background();
    result
}

async fn run_command(command: Command) -> CommandResult {
    match command {
        Command::Serve(args) => serve_command::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::MasterKey(args) => master_key_command::run(args).await,
        Command::Eval(args) => eval::run(&args),
        Command::Client(command) => commands::run(command).await,
    }
}

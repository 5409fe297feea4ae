//! The command line: what can be asked (`args`), who answers it, and what they share.
//!
//! `serve` and `demo` start a loanhook in this process; every other command is a client that knows
//! nothing but the HTTP interface, so it speaks to a loanhook anywhere.

mod admin_key;
mod args;
mod client;
mod commands;
mod demo;
mod descriptors;
mod eval;
pub(crate) mod failure;
mod input;
mod listener;
mod logging;
pub(crate) mod out;
mod serve;
mod serve_command;
mod signals;
mod table;
mod text;

pub(crate) use args::Cli;
use args::Command;
use failure::Failure;

/// What a command comes to.
type Outcome<T = ()> = Result<T, Failure>;

/// What is done before there are threads.
pub(crate) fn prepare(cli: &Cli) {
    if matches!(cli.command, Command::Serve(_)) {
        admin_key::leave_environment();
    }
}

/// Does what was asked.
pub(crate) async fn run(cli: Cli) -> Outcome {
    match cli.command {
        Command::Serve(args) => serve_command::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Eval(args) => eval::run(&args),
        Command::Client(command) => commands::run(command).await,
    }
}

//! The `loanhook` command line: reads what was asked, does it, and tells how it went in one line and
//! an exit code (0 done, 1 failed, 2 not understood).

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, failure::Failure};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough (`loanhook history 727 | head`): no failure of ours.
        Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(failure) => {
            cli::out::note(format_args!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    cli::prepare(&cli);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Message(format!("cannot start: {error}")))?;
    let done = runtime.block_on(cli::run(cli));
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    done
}

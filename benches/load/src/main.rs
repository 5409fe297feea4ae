//! Load benchmark of one process: `make bench`, and two builds of it compared in pairs.
//!
//! Server, receiver and driver are processes of their own on this machine; receiver and driver are this program in
//! another role, with one thread each on bare hyper, so that they take little of the machine. A case (`cases`) is run
//! several times on a new server each, and each run adds a sample to its figures. One server's figures are reported as
//! the median of the runs, with the least and the most of them (`report`); with `--write` they go to
//! `docs/benchmarks.md`, with a chart. Of two servers each run of the first is followed by one of the second
//! (`pairs`), so that both meet the same machine. Linux only.

mod arguments;
mod cases;
mod chart;
mod client;
mod driver;
mod figures;
mod load_run;
mod pairs;
mod peer;
mod processes;
mod receiver;
mod report;
mod server;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser as _;

use arguments::{Arguments, Role};
use cases::Context;
use figures::Figures;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let arguments = Arguments::parse();
    match &arguments.role {
        Some(Role::Receiver) => on_one_thread(async { Ok(receiver::run().await?) }),
        Some(Role::Driver { plan }) => on_one_thread(driver::run(plan)),
        Some(Role::Peer(arguments)) => peer::measure(arguments),
        None => measure(&arguments),
    }
}

fn measure(arguments: &Arguments) -> Outcome {
    let servers = arguments.servers()?;
    let last = servers.len() - 1;
    let contexts = servers.into_iter().enumerate().map(|(place, server)| {
        let with_metrics = arguments.metrics && place == last;
        Context::new(server, with_metrics, arguments)
    });
    match contexts.collect::<Vec<_>>().as_slice() {
        [_, _] if arguments.write => Err("only the figures of one server are written".into()),
        [old, new] => pairs::compare(&arguments.cases(), old, new),
        [only] => {
            let mut figures = Figures::default();
            for case in arguments.cases() {
                for run in 1..=case.runs(only) {
                    let of_run = case.run(only)?;
                    report::progress(&format!("{}, run {run}", case.name), &of_run)?;
                    figures.merge(of_run);
                }
            }
            report::print(&figures)?;
            if arguments.write {
                report::write(&figures, &Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))?;
            }
            Ok(())
        }
        _ => Err("one server is measured, or two are compared".into()),
    }
}

fn on_one_thread(work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

/// Nanoseconds since 1970: the clock that driver and receiver share.
fn now_nanoseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

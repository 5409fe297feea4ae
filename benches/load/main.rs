//! Load benchmark of one process: `make bench`.
//!
//! Server, receiver and driver are processes of their own on this machine. Receiver and driver have one thread each, on
//! bare hyper, so that they take little of the machine; the ceiling is the same driver posting straight to the same
//! receiver. Each figure is the median of several runs, with the least and the most of them. `LOANHOOK_BENCH_RUNS`,
//! `LOANHOOK_BENCH_SECONDS` (of a run at full load) and `LOANHOOK_BENCH_MANY` (how many events come before the cases
//! "after many") make it shorter or longer. With `--write` the figures go to `docs/benchmarks.md`, with a chart.

mod cases;
mod chart;
mod driver;
mod processes;
mod receiver;
mod report;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("receiver"), _) => on_one_thread(async { Ok(receiver::run().await?) }),
        (Some("driver"), Some(plan)) => on_one_thread(driver::run(&plan)),
        _ => {
            let report = cases::all(&cases::Scale::from_environment()?)?;
            report::print(&report)?;
            if std::env::args().any(|argument| argument == "--write") {
                report::write(&report, Path::new(env!("CARGO_MANIFEST_DIR")))?;
            }
            Ok(())
        }
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

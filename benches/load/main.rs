//! What one process can do: `make bench`.
//!
//! Server, receiver and driver are processes of their own on this machine, the latter two a thread each on bare
//! hyper, so that the yardstick is light; the ceiling is the same driver posting straight to the same receiver.
//! Each figure is a median of several runs with its least and most. `LOANHOOK_BENCH_RUNS`,
//! `LOANHOOK_BENCH_SECONDS` (a run at full load) and `LOANHOOK_BENCH_MANY` (events before what is measured after
//! many) make it shorter or longer. With `--write` the figures go to `docs/benchmarks.md`, and a drawing beside it.

mod cases;
mod chart;
mod driver;
mod measure;
mod processes;
mod receiver;
mod report;

use std::path::Path;

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

//! Another webhook server under the same load, by the same driver and receiver. Whoever measures starts it and gives it
//! its endpoints; docs/benchmarks.md says how.

use bench_measure::processor_ticks_of_all_ms;
use clap::Args;

use crate::Outcome;
use crate::driver::{PAYLOAD, Plan};
use crate::figures::Figures;
use crate::load_run::LoadRun;
use crate::processes::Receiver;
use crate::report;

#[derive(Debug, Args)]
pub(crate) struct PeerArgs {
    /// Where it takes messages
    #[arg(long, value_name = "URL")]
    url: String,
    /// The bearer token of its API
    #[arg(long, value_name = "TOKEN")]
    token: String,
    /// What is posted, as JSON, with the word PAYLOAD where the payload belongs
    #[arg(long, value_name = "JSON", default_value = r#"{"eventType":"changed","payload":PAYLOAD}"#)]
    body: String,
    /// What `bench-load receiver` printed; the endpoints send to /hook there
    #[arg(long, value_name = "ADDR:PORT")]
    receiver: String,
    /// To how many endpoints each message is sent
    #[arg(long, value_name = "N", default_value = "1")]
    fan_out: u64,
    /// Messages a second [default: as fast as they are answered]
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// How long it is posted to
    #[arg(long, value_name = "SECONDS", default_value = "5")]
    seconds: f64,
    /// The names of its processes, whose processor time is added up (comma-separated)
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "svix-server,postgres,redis-server"
    )]
    processes: Vec<String>,
}

/// One run, and its figures.
pub(crate) fn measure(arguments: &PeerArgs) -> Outcome {
    let (address, path) = arguments
        .url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or("--url is http://ADDR:PORT/PATH")?;
    if !arguments.body.contains(PAYLOAD) {
        return Err(format!("--body has no {PAYLOAD}").into());
    }
    let receiver = Receiver::running_at(&arguments.receiver);
    receiver.reset()?;
    let plan = Plan {
        path: format!("/{path}"),
        key: arguments.token.clone(),
        rate: arguments.rate,
        seconds: arguments.seconds,
        foreign_body: Some(arguments.body.clone()),
        ..Plan::new(address, "")
    };
    let run = LoadRun::measure(&plan, &receiver, arguments.fan_out, || {
        processor_ticks_of_all_ms(&arguments.processes)
    })?;
    let mut figures = Figures::default();
    run.add_to("peer", &mut figures);
    report::print(&figures)
}

//! `loanhook demo`: a server on a free port, receivers that fail as planned, the sample events, and the history while it
//! grows. It needs nothing but this program, and leaves nothing behind. With `--outage` it is a drill (`outage`).
//!
//! The server is started as `loanhook serve` starts it. Everything else is done over the HTTP interface, with the code of
//! the client commands.

mod data_folder;
mod history_watch;
mod next_steps;
mod outage;
mod receiver;
mod subscriptions;
mod summary;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::operational::EXHAUSTED_WINDOW;
use loanhook_http::web::SiteSettings;
use loanhook_sqlite::MasterKey;
use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use crate::client::{AcceptedEvent, ApiClient, Call, decode};
use crate::commands::{resend, send};
use crate::error::CommandResult;
use crate::server::logging::{self, LogFormat};
use crate::server::running_server::{self, RunningServer, ServerOptions};
use crate::terminal::{output, signals};
use data_folder::DataFolder;
use history_watch::HistoryWatch;
use outage::DrillSize;
use receiver::Receiver;
use summary::Summary;

const SAMPLE_EVENTS: &str = include_str!("../../events/loan-events.json");
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// How many attempts may be in flight at once.
const CONCURRENCY: u32 = 64;
/// Few events a batch, and the history is read after each batch, so that it can be seen to grow.
const EVENTS_PER_BATCH: usize = 3;
/// The time between two readings of the history.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Several times what the longest schedule takes.
const DELIVERIES_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End when everything is delivered or given up, instead of staying up to look around
    #[arg(long, conflicts_with = "outage")]
    exit: bool,
    /// A drill: a receiver dies under 10,000 deliveries, and one command brings everything through
    ///
    /// It ends by itself, with exit code 0 if the receiver has each payload at the end.
    #[arg(long)]
    outage: bool,
    #[command(flatten)]
    drill: DrillSize,
}

pub(crate) async fn run(args: DemoArgs) -> CommandResult {
    logging::start(LogFormat::Text, "error")?;
    let end_requested = signals::termination()?;
    let folder = DataFolder::create()?;
    let receiver = Receiver::start(LOCALHOST, CONCURRENCY).await?;
    let server = running_server::start(ServerOptions {
        listen: SocketAddr::new(LOCALHOST, 0),
        data_folder: folder.path().join("data"),
        master_key: MasterKey::default(),
        allow_networks: vec![IpNet::from(LOCALHOST)],
        trusted_proxies: Vec::new(),
        concurrency: if args.outage { outage::CONCURRENCY } else { CONCURRENCY },
        event_ledger: LedgerScope::All,
        admin_key: None,
        site: SiteSettings::default(),
        metrics_listen: None,
        exhausted_window: EXHAUSTED_WINDOW,
    })
    .await?;
    let result = tokio::select! {
        result = show(&server, &receiver, &folder, &args) => result,
        () = end_requested => if args.outage { Err("the drill was ended before its check".to_owned().into()) } else { Ok(()) },
    };
    let stopped = server.stop_unless_interrupted().await;
    result.and(stopped)
}

/// The demo itself, or the drill. The demo ends with `exit`, and else goes on until it is dropped.
async fn show(
    server: &RunningServer,
    receiver: &Receiver,
    folder: &DataFolder,
    args: &DemoArgs,
) -> CommandResult {
    let base = format!("http://{}", server.address);
    let key = server.admin_key.as_deref().ok_or_else(|| "the demo got no admin key".to_owned())?;
    let client = ApiClient::new(&base, key)?;
    if args.outage {
        return outage::run(&client, (&base, key), LOCALHOST, args.drill).await;
    }
    output::line(format_args!(
        "loanhook is listening on {base}, its data is in {}\n",
        folder.path().display()
    ))?;
    subscriptions::create(&client, receiver).await?;

    let mut watch = HistoryWatch::default();
    watch.print_head()?;
    let accepted = send_events(&client, &mut watch).await?;
    let deadline = Instant::now() + DELIVERIES_TIMEOUT;
    while !watch.all_have_ended() {
        if Instant::now() > deadline {
            let seconds = DELIVERIES_TIMEOUT.as_secs();
            return Err(format!("not everything was settled within {seconds} s").into());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
        watch.poll(&client).await?;
    }
    let exhausted = watch.failed();
    resend_one(&client, receiver, &mut watch, &exhausted).await?;
    Summary::new(accepted, &watch, &exhausted).print()?;
    if args.exit {
        return Ok(());
    }
    next_steps::print(&client, &base, key).await?;
    std::future::pending().await
}

/// Sends the sample events, a few at a time; how many were accepted.
async fn send_events(client: &ApiClient, watch: &mut HistoryWatch) -> CommandResult<usize> {
    let run = Uuid::new_v4().to_string();
    let events = send::parse("events/loan-events.json", SAMPLE_EVENTS)?;
    let mut accepted = 0;
    for (batch_number, batch) in events.chunks(EVENTS_PER_BATCH).enumerate() {
        let first_index = batch_number * EVENTS_PER_BATCH;
        let keyed: Vec<_> = batch
            .iter()
            .zip(first_index..)
            .map(|(event, index)| send::KeyedEvent::new(event.raw, &run, index))
            .collect();
        for (event, result) in batch.iter().zip(send::post(client, &keyed).await?) {
            if let Some(problem) = result.problem() {
                return Err(format!("an event was not accepted: {problem}").into());
            }
            accepted += 1;
            let deliveries = decode::<AcceptedEvent>(result.raw().as_bytes())?.deliveries;
            let trace_ids = deliveries.into_iter().map(|delivery| delivery.trace_id);
            watch.add_deliveries(loan_of(event.raw)?, trace_ids);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
        watch.poll(client).await?;
    }
    Ok(accepted)
}

fn loan_of(event: &str) -> CommandResult<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Loan {
        loan_id: String,
    }
    Ok(decode::<Loan>(event.as_bytes())?.loan_id)
}

/// Repairs the receiver that times out, and resends one of the deliveries that it did not get.
async fn resend_one(
    client: &ApiClient,
    receiver: &Receiver,
    watch: &mut HistoryWatch,
    failed: &[String],
) -> CommandResult {
    let title = subscriptions::TIMING_OUT_TITLE;
    let Some(trace) = failed.iter().find(|trace| watch.title(trace) == Some(title)) else {
        return Err(format!("`{title}` should have failed, and did not").into());
    };
    receiver.repair();
    output::line(format_args!("\n\"{title}\" is back: resending {trace}\n"))?;
    let call = Call::post(&["v1", "webhooks", trace, "resend"]);
    let attempt: resend::NewAttempt = client.fetch(&call).await?;
    resend::wait_until_ended(client, trace, &attempt.id).await?;
    watch.poll(client).await?;
    watch.fetch_status(client, trace).await
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::SAMPLE_EVENTS;

    const EVENT_TYPES: &str = include_str!("../../crates/core/reference/event-types.json");

    #[test]
    fn the_sample_events_are_one_of_each_type_of_the_catalogue_with_its_variables() {
        let types: Vec<Value> = serde_json::from_str(EVENT_TYPES).expect("the catalogue");
        let of_type = |it: &Value| {
            let variables = it["variables"].as_array().into_iter().flatten();
            (
                it["eventName"].to_string(),
                variables.filter_map(|name| Some(name.as_str()?.to_owned())).collect(),
            )
        };
        let types: BTreeMap<String, BTreeSet<String>> = types.iter().map(of_type).collect();

        let events: Vec<Value> = serde_json::from_str(SAMPLE_EVENTS).expect("an array");
        let of_event = |it: &Value| {
            let variables = it["context"].as_object().into_iter().flatten();
            (it["eventName"].to_string(), variables.map(|(name, _)| name.clone()).collect())
        };
        let samples: BTreeMap<String, BTreeSet<String>> = events.iter().map(of_event).collect();

        assert_eq!((events.len(), samples), (30, types));
    }

    #[test]
    fn the_sample_events_are_of_several_loans() {
        let events: Vec<Value> = serde_json::from_str(SAMPLE_EVENTS).expect("an array");
        let loans: BTreeSet<_> = events.iter().filter_map(|event| event["loanId"].as_str()).collect();
        assert!(loans.len() >= 4 && loans.contains("727"), "{loans:?}");
        assert!(SAMPLE_EVENTS.contains("\"last-payment-amount\": 250.00"));
    }
}

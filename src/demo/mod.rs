//! `loanhook demo`: a loanhook of its own on a free port, receivers that work and fail as told, the
//! sample events, and the history as it grows. It needs nothing but the binary, and leaves nothing.
//!
//! The server is started as `serve` starts it; everything else goes over its HTTP interface.

mod data_folder;
mod history_watch;
mod next_steps;
mod receiver;
mod subscriptions;
mod summary;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use loanhook_http::web::Site;
use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use crate::Outcome;
use crate::arguments::{DemoArgs, LogFormat};
use crate::client::{Accepted, Call, Client, decode};
use crate::commands::{resend, send};
use crate::server::running_server::{self, Running, ServeOptions};
use crate::server::{logging, serve_command};
use crate::terminal::{output, signals};
use data_folder::Folder;
use history_watch::Watch;
use receiver::Receiver;
use summary::Summary;

const EVENTS: &str = include_str!("../../events/loan-events.json");
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const CONCURRENCY: u32 = 64;
/// Few at a time and a look after each, so that the history can be seen to grow.
const EVENTS_AT_ONCE: usize = 3;
const INTERVAL: Duration = Duration::from_millis(200);
/// Several times what the slowest schedule takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(args: DemoArgs) -> Outcome {
    logging::start(LogFormat::Text, "error")?;
    let ended = signals::asked_to_end()?;
    let folder = Folder::make()?;
    let receiver = Receiver::start().await?;
    let running = running_server::start(ServeOptions {
        listen: SocketAddr::new(LOCALHOST, 0),
        data: folder.path().join("data"),
        allow_networks: vec![IpNet::from(LOCALHOST)],
        trusted_proxies: Vec::new(),
        concurrency: CONCURRENCY,
        admin_key: None,
        site: Site::default(),
    })
    .await?;
    let outcome = tokio::select! {
        outcome = show(&running, &receiver, &folder, args.exit) => outcome,
        () = ended => Ok(()),
    };
    let stopped = serve_command::stop(running).await;
    outcome.and(stopped)
}

async fn show(running: &Running, receiver: &Receiver, folder: &Folder, exit: bool) -> Outcome {
    let base = format!("http://{}", running.address);
    let key = running.admin_key.as_deref().ok_or_else(|| "the demo got no admin key".to_owned())?;
    let client = Client::new(&base, key)?;
    output::line(format_args!(
        "loanhook is listening on {base}, its data is in {}\n",
        folder.path().display()
    ))?;
    subscriptions::subscribe(&client, receiver).await?;

    let mut watch = Watch::default();
    watch.print_head()?;
    let accepted = send_events(&client, &mut watch).await?;
    let deadline = Instant::now() + PATIENCE;
    while !watch.all_settled() {
        if Instant::now() > deadline {
            return Err(format!("not everything was settled within {} s", PATIENCE.as_secs()).into());
        }
        tokio::time::sleep(INTERVAL).await;
        watch.look(&client).await?;
    }
    let exhausted = watch.failed();
    resend_one(&client, receiver, &mut watch, &exhausted).await?;
    Summary::of(accepted, &watch, &exhausted).print()?;
    if exit {
        return Ok(());
    }
    next_steps::print(&client, &base, key).await?;
    // Until somebody asks for the end.
    std::future::pending().await
}

/// Sends the sample events, a few at a time; how many were accepted.
async fn send_events(client: &Client, watch: &mut Watch) -> Outcome<usize> {
    let run = Uuid::new_v4().to_string();
    let events = send::parse("events/loan-events.json", EVENTS)?;
    let mut accepted = 0;
    for (start, chunk) in events.chunks(EVENTS_AT_ONCE).enumerate() {
        let index = start * EVENTS_AT_ONCE;
        let keyed: Vec<_> = chunk
            .iter()
            .zip(index..)
            .map(|(event, index)| send::Keyed::new(event.raw, &run, index))
            .collect();
        for (event, answer) in chunk.iter().zip(send::post(client, &keyed).await?) {
            if let Some(problem) = answer.problem() {
                return Err(format!("an event was not accepted: {problem}").into());
            }
            accepted += 1;
            let deliveries = decode::<Accepted>(answer.raw().as_bytes())?.deliveries;
            watch.expect(loan_of(event.raw)?, deliveries.into_iter().map(|delivery| delivery.trace_id));
        }
        tokio::time::sleep(INTERVAL).await;
        watch.look(client).await?;
    }
    Ok(accepted)
}

fn loan_of(event: &str) -> Outcome<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Loan {
        loan_id: String,
    }
    Ok(decode::<Loan>(event.as_bytes())?.loan_id)
}

/// What a person does when a receiver is back: sends again what it missed, here one delivery.
async fn resend_one(client: &Client, receiver: &Receiver, watch: &mut Watch, failed: &[String]) -> Outcome {
    let Some(trace) = failed.iter().find(|trace| watch.title(trace) == Some(subscriptions::TIMES_OUT)) else {
        return Err(format!("`{}` should have failed, and did not", subscriptions::TIMES_OUT).into());
    };
    receiver.repair();
    output::line(format_args!("\n\"{}\" is back: resending {trace}\n", subscriptions::TIMES_OUT))?;
    let attempt: resend::NewAttempt = client.read(&Call::post(&["v1", "webhooks", trace, "resend"])).await?;
    resend::settled(client, trace, &attempt.id).await?;
    watch.look(client).await?;
    watch.refresh(client, trace).await
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::EVENTS;

    const EVENT_TYPES: &str = include_str!("../../crates/core/reference/event-types.json");

    #[test]
    fn the_sample_events_are_one_of_each_kind_with_its_variables() {
        let types: Vec<Value> = serde_json::from_str(EVENT_TYPES).expect("the catalogue");
        let of_type = |it: &Value| {
            let variables = it["variables"].as_array().into_iter().flatten();
            (
                it["eventName"].to_string(),
                variables.filter_map(|name| Some(name.as_str()?.to_owned())).collect(),
            )
        };
        let types: BTreeMap<String, BTreeSet<String>> = types.iter().map(of_type).collect();

        let events: Vec<Value> = serde_json::from_str(EVENTS).expect("an array");
        let of_event = |it: &Value| {
            let variables = it["context"].as_object().into_iter().flatten();
            (it["eventName"].to_string(), variables.map(|(name, _)| name.clone()).collect())
        };
        let samples: BTreeMap<String, BTreeSet<String>> = events.iter().map(of_event).collect();

        assert_eq!((events.len(), samples), (30, types));
    }

    #[test]
    fn the_sample_events_are_of_several_loans() {
        let events: Vec<Value> = serde_json::from_str(EVENTS).expect("an array");
        let loans: BTreeSet<_> = events.iter().filter_map(|event| event["loanId"].as_str()).collect();
        assert!(loans.len() >= 4 && loans.contains("727"), "{loans:?}");
        assert!(EVENTS.contains("\"last-payment-amount\": 250.00"));
    }
}

//! Drill of an outage, `loanhook demo --outage`: a receiver dies under deliveries of many loans, the webhook is held, the receiver
//! comes back, and one command brings everything through.
//!
//! Time is scaled: the one retry follows after a second. All else is the server that `loanhook serve` runs, over its HTTP
//! interface. At the end `check` holds what the receiver has against what it was to have.

mod check;
mod events;
mod operator;
mod receiver;

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::client::{
    AcceptedEvent, ApiClient, Call, ListedDelivery, MAX_ITEMS_PER_PAGE, Report, ReportItem, decode,
};
use crate::commands::send;
use crate::error::CommandResult;
use crate::terminal::output::{self, HEADING_STYLE, styled};
use check::{Accepted, Check};
pub(crate) use events::DrillSize;
use events::{DrillEvents, EVENT_NAME, TEMPLATE};
use operator::Operator;
use receiver::DrillReceiver;

/// How many attempts may be in flight at once: what `serve` has where nothing is set.
pub(super) const CONCURRENCY: u32 = 256;
/// The time between two looks at what is waited for.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// What is waited for takes seconds.
const WAIT_TIMEOUT: Duration = Duration::from_secs(300);
/// How fast the job resends.
const PER_SECOND: &str = "100";

/// The drill while it goes on.
struct Drill<'a> {
    client: &'a ApiClient,
    operator: Operator<'a>,
    receiver: DrillReceiver,
    events: DrillEvents,
    /// The name of this run in idempotency keys.
    run: String,
    /// The ID of the subscription.
    subscription: String,
    /// The trace of each event's delivery that was accepted so far.
    trace_ids: Vec<String>,
}

/// How many of the drill's deliveries there are, as a report counts them.
#[derive(Default)]
struct Counts {
    pending: i64,
    exhausted: i64,
}

/// Runs the drill on the loanhook at `base`, and says what it does.
///
/// # Errors
///
/// The check at the end does not hold, or the drill did not come to it.
pub(super) async fn run(
    client: &ApiClient,
    (base, key): (&str, &str),
    address: IpAddr,
    size: DrillSize,
) -> CommandResult {
    let events = DrillEvents::from(size);
    let DrillEvents { deliveries, loans } = events;
    let receiver = DrillReceiver::start(address, CONCURRENCY, events.served()).await?;
    let subscription = subscribe(client, &receiver, events).await?;
    output::line(format_args!(
        "A drill: {deliveries} deliveries of {loans} loans, to a receiver that dies under them. Time is scaled: the one retry\n\
         follows after a second. loanhook runs at {base} until the drill ends."
    ))?;
    let run = Uuid::new_v4().to_string();
    let operator = Operator { base, key };
    let mut drill = Drill { client, operator, receiver, events, run, subscription, trace_ids: Vec::new() };
    drill.lose_the_receiver().await?;
    drill.fill_up().await?;
    drill.look().await?;
    let resent = drill.failed().await?;
    drill.bring_everything_through().await?;
    let accepted = Accepted { events, trace_ids: &drill.trace_ids, resent: &resent };
    let check = Check::of(&accepted, &drill.receiver.received());
    heading("What the receiver has")?;
    check.print()?;
    output::line(
        "\nA job resends the deliveries of one loan one after the other, the oldest first. This webhook sets no order, so what\n\
         leaves by itself, at first or after the hold, does not wait for other deliveries of its loan and may overtake them.",
    )
}

async fn subscribe(
    client: &ApiClient,
    receiver: &DrillReceiver,
    events: DrillEvents,
) -> CommandResult<String> {
    let subscription = json!({
        "title": "Core banking: payments",
        "criteria": {"events": [EVENT_NAME]},
        "request": {"method": "POST", "url": receiver.url(), "payload": TEMPLATE},
        "retry": {"delays": [1]},
        "timeoutSeconds": 5,
        "flow": {"holdAfterFailures": events.hold_after_failures()},
    });
    let call = Call::post(&["v1", "subscriptions"]).body(subscription.to_string());
    let created: Value = client.fetch(&call).await?;
    Ok(created["id"].as_str().unwrap_or_default().to_owned())
}

impl Drill<'_> {
    /// Posts events until some deliveries have found the receiver dead, and waits until these have run out of retries.
    async fn lose_the_receiver(&mut self) -> CommandResult {
        let (served, failing) = (self.events.served(), self.events.failing());
        heading(format_args!("The receiver takes {served} webhooks, and then answers 503"))?;
        self.post(0..served + failing).await?;
        until("the end of the first retries", async || Ok(self.counts().await?.exhausted >= signed(failing)))
            .await?;
        output::line(format_args!("{failing} deliveries have run out of retries"))
    }

    /// Posts all other events, and waits until the webhook is held and nothing is under way.
    async fn fill_up(&mut self) -> CommandResult {
        heading("Events go on coming")?;
        let (deliveries, served) = (self.events.deliveries, self.events.served());
        self.post(self.trace_ids.len()..deliveries).await?;
        until("the hold", async || Ok(self.hold().await?.is_object())).await?;
        until("the end of what was under way", async || {
            let waiting = self.hold().await?["waiting"].as_i64().unwrap_or_default();
            Ok(waiting + self.counts().await?.exhausted == signed(deliveries - served))
        })
        .await?;
        output::line(format_args!(
            "the webhook is held after {} failures in a row: no attempt is used up while it is held",
            self.events.hold_after_failures()
        ))
    }

    /// What an operator looks at.
    async fn look(&self) -> CommandResult {
        heading("What the operator sees")?;
        self.operator.types(&["report"]).await?;
        self.operator.types(&["subscriptions", "get", &self.subscription]).await?;
        self.operator.types(&["deliveries", "--waiting", "hold", "--limit", "3"]).await
    }

    /// The deliveries that failed: trace, and when it was accepted.
    async fn failed(&self) -> CommandResult<Vec<(String, String)>> {
        let call = Call::get(&["v1", "webhooks"])
            .query("status", Some("failed"))
            .query("limit", Some(MAX_ITEMS_PER_PAGE));
        let items = self.client.fetch_all_items(&call).await?;
        let decoded = items.iter().map(|item| {
            let delivery: ListedDelivery = decode(item.get().as_bytes())?;
            Ok((delivery.trace_id, delivery.accepted_at))
        });
        decoded.collect()
    }

    /// The receiver comes back, what failed is resent, and what waited leaves by itself.
    async fn bring_everything_through(&self) -> CommandResult {
        let missing = self.events.deliveries - self.events.served();
        heading("The receiver is back. One command brings everything through")?;
        self.receiver.come_back();
        let begun = Instant::now();
        let command = ["recover", "--subscription", &self.subscription, "--per-second", PER_SECOND, "--yes"];
        self.operator.types(&command).await?;
        output::line(
            "\nits first success ended the hold: what waited leaves, 4 in the first second, at most twice as many in each \
             that follows",
        )?;
        until("the end of all deliveries", async || {
            let Counts { pending, exhausted } = self.counts().await?;
            Ok(pending + exhausted == 0)
        })
        .await?;
        let seconds = begun.elapsed().as_secs_f64();
        output::line(format_args!(
            "{missing} deliveries came through within {seconds:.1} s: {:.0} a second",
            missing as f64 / seconds
        ))?;
        self.operator.types(&["report"]).await
    }

    /// Posts these events, and says how fast they were accepted.
    async fn post(&mut self, events: Range<usize>) -> CommandResult {
        let (count, begun) = (events.len(), Instant::now());
        for batch in self.events.batches(events) {
            let keyed: Vec<_> = batch
                .map(|number| send::KeyedEvent::new(&self.events.text(number), &self.run, number))
                .collect();
            for result in send::post(self.client, &keyed).await? {
                if let Some(problem) = result.problem() {
                    return Err(format!("an event was not accepted: {problem}").into());
                }
                let event: AcceptedEvent = decode(result.raw().as_bytes())?;
                self.trace_ids.extend(event.deliveries.into_iter().map(|delivery| delivery.trace_id));
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        let rate = count as f64 / seconds;
        output::line(format_args!("{count} events were accepted in {seconds:.1} s: {rate:.0} a second"))
    }

    async fn counts(&self) -> CommandResult<Counts> {
        let report = Call::get(&["v1", "reports", "deliveries"])
            .query("by", Some("hour"))
            .query("group", Some("subscription"));
        let report: Report = self.client.fetch(&report).await?;
        let add = |counts: Counts, item: &ReportItem| Counts {
            pending: counts.pending + item.pending,
            exhausted: counts.exhausted + item.exhausted,
        };
        Ok(report.items.iter().fold(Counts::default(), add))
    }

    /// The hold of the subscription; null where it is not held.
    async fn hold(&self) -> CommandResult<Value> {
        let call = Call::get(&["v1", "subscriptions", &self.subscription]);
        Ok(self.client.fetch::<Value>(&call).await?["hold"].take())
    }
}

fn heading(text: impl std::fmt::Display) -> CommandResult {
    output::line(format_args!("\n{}", styled(HEADING_STYLE, text)))
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Waits until it is so; an error where that takes too long.
async fn until(what: &str, is_so: impl AsyncFn() -> CommandResult<bool>) -> CommandResult {
    let deadline = Instant::now() + WAIT_TIMEOUT;
    while !is_so().await? {
        if Instant::now() > deadline {
            return Err(format!("{what} did not come within {} s", WAIT_TIMEOUT.as_secs()).into());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

//! Cases at a given rate, which is less than the server can do: how long webhooks take then, and what they cost.

use crate::Outcome;
use crate::driver::Plan;
use crate::figures::Figures;
use crate::load_run::{LoadRun, wait_for_last_recording};
use crate::processes::{Receiver, drive};
use crate::server::Subscription;

use super::{Context, EVENT, full_load, subscriptions};

/// Connections, caches and statements become warm first.
const WARM_UP_SECONDS: f64 = 1.0;
const MIX_EVENTS_PER_SECOND: u32 = 100;

/// One subscription at so many events a second.
pub(super) fn rate(context: &Context, events_per_second: u32, figures: &mut Figures) -> Outcome {
    let run = paced(context, events_per_second)?;
    figures.add(format!("accepted at {events_per_second}/s"), "/s", run.accepted_per_second());
    figures.add_latencies(&format!("POST to receiver at {events_per_second}/s"), run.latencies());
    let name = format!("the server's CPU at {events_per_second}/s, a webhook");
    figures.add(name, "ms", run.processor_ms_of_a_webhook());
    Ok(())
}

/// One subscription at 80 % of what it delivered at full load.
pub(super) fn rate_80_percent(context: &Context, figures: &mut Figures) -> Outcome {
    if context.maximum.get().is_none() {
        full_load::ONE.run(context, &mut Figures::default())?;
    }
    let maximum = context.maximum.get().ok_or("full load has no maximum")?;
    let events_per_second = (0.8 * maximum) as u32;
    let run = paced(context, events_per_second)?;
    figures.add("at 80 % of the maximum: the rate", "/s", f64::from(events_per_second));
    figures.add("at 80 % of the maximum: accepted", "/s", run.accepted_per_second());
    figures.add_latencies("at 80 % of the maximum: POST to receiver", run.latencies());
    figures.add("at 80 % of the maximum: the server's CPU, a webhook", "ms", run.processor_ms_of_a_webhook());
    Ok(())
}

fn paced(context: &Context, events_per_second: u32) -> Outcome<LoadRun> {
    let receiver = Receiver::start()?;
    let (server, _folder) = context.start(subscriptions(1, &receiver))?;
    let plan = Plan { rate: Some(events_per_second), ..Plan::new(&server.address, EVENT) };
    warm_up(&plan, &receiver, 1)?;
    wait_for_last_recording();
    LoadRun::measure(&Plan { seconds: context.seconds, ..plan }, &receiver, 1, || server.processor_ms())
}

fn warm_up(plan: &Plan, receiver: &Receiver, fan_out: u64) -> Outcome {
    let warm = drive(&Plan { seconds: WARM_UP_SECONDS, ..plan.clone() })?;
    receiver.wait_for(warm.accepted * fan_out)?;
    receiver.reset()
}

/// Ten subscriptions to each event, on hosts of their own: one receiver never answers, one answers 500, eight answer at
/// once. The figures are of the eight.
pub(super) fn mix(context: &Context, figures: &mut Figures) -> Outcome {
    const WELL: u8 = 8;
    let receiver = Receiver::start()?;
    let well = (1..=WELL).map(|host| receiver.url_at_host(host, "/hook"));
    let all = well.chain([receiver.url_at_host(9, "/fail"), receiver.url_at_host(10, "/hang")]);
    // Short, so that attempts end and are repeated within the run.
    let (server, _folder) = context.start(all.map(|url| Subscription {
        timeout_seconds: 2,
        retry_delays: vec![1, 2, 4],
        ..Subscription::new(EVENT, url)
    }))?;
    let plan = Plan { rate: Some(MIX_EVENTS_PER_SECOND), ..Plan::new(&server.address, EVENT) };
    warm_up(&plan, &receiver, WELL.into())?;
    let posted = drive(&Plan { seconds: context.seconds, ..plan })?;
    let expected = posted.accepted * u64::from(WELL);
    let arrived = receiver.wait_as_long_as_they_come(expected)?;
    figures.add(
        "one hangs, one fails, eight are well: accepted",
        "/s",
        posted.accepted as f64 / posted.seconds,
    );
    let name = "one hangs, one fails, eight are well: delivered to the eight";
    figures.add(name, "%", arrived.count as f64 / expected as f64 * 100.0);
    figures.add_latencies("one hangs, one fails, eight are well: POST to the eight", arrived.latencies);
    Ok(())
}

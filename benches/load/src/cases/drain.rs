//! Case of the drain after a hold: how fast what waited is delivered, without a limit and with one.

use serde_json::json;

use crate::driver::Plan;
use crate::figures::{Figures, grouped};
use crate::processes::{Receiver, drive};
use crate::server::Subscription;
use crate::{Outcome, now_nanoseconds};

use super::{Context, EVENT};

/// How many deliveries wait where there is no limit: the paced end doubles for 12 seconds until it lets so many leave.
const WAITING: u64 = 20_000;
/// How many wait where there is one.
const WAITING_LIMITED: u64 = 5_000;
const LIMIT: u32 = 1_000;
const NANOSECONDS: f64 = 1e9;

pub(super) fn run(context: &Context, figures: &mut Figures) -> Outcome {
    drain(context, "a hold ends", None, WAITING, figures)?;
    let limit = grouped(LIMIT.into());
    let name = format!("a hold ends, at most {limit}/s");
    let times = drain(context, &name, Some(LIMIT), WAITING_LIMITED, figures)?;
    let burst = largest_burst(&times, LIMIT.into());
    figures.add(format!("{name}: largest burst, {limit} allowed"), "", burst);
    Ok(())
}

/// Lets deliveries wait for a hold, releases it, and gives the times at which they arrived.
fn drain(
    context: &Context,
    name: &str,
    max_per_second: Option<u32>,
    waiting: u64,
    figures: &mut Figures,
) -> Outcome<Vec<u64>> {
    let receiver = Receiver::start()?;
    let (server, _folder) = context.start([])?;
    let flow = max_per_second.map(|most| json!({"maxPerSecond": most}));
    let subscription = Subscription { flow, ..Subscription::new(EVENT, receiver.url("/hook")) };
    let subscription = server.subscribe(&subscription)?;
    server.change_hold(&subscription, "hold")?;
    let posted = drive(&Plan { events: waiting, ..Plan::new(&server.address, EVENT) })?;
    if posted.accepted != waiting {
        return Err(format!("of {waiting} events {} were accepted", posted.accepted).into());
    }
    let released = now_nanoseconds();
    server.change_hold(&subscription, "release")?;
    let arrived = receiver.wait_for(waiting)?;
    let seconds = arrived.last.saturating_sub(released) as f64 / NANOSECONDS;
    let waiting = grouped(waiting);
    figures.add(format!("{name}: {waiting} delivered"), "/s", arrived.count as f64 / seconds);
    let times = receiver.times()?;
    figures.add(format!("{name}: the busiest second"), "/s", busiest_second(&times) as f64);
    Ok(times)
}

/// The most that arrived within a second, by the times of all, sorted.
fn busiest_second(times: &[u64]) -> usize {
    let mut first = 0;
    let within = times.iter().enumerate().map(|(last, at)| {
        while at.saturating_sub(times[first]) >= NANOSECONDS as u64 {
            first += 1;
        }
        last + 1 - first
    });
    within.max().unwrap_or_default()
}

/// By how many more arrived in any span of time than its length allows at a rate: what a token bucket must hold to let them
/// pass.
fn largest_burst(times: &[u64], per_second: f64) -> f64 {
    let (mut level, mut largest, mut before) = (0.0_f64, 0.0_f64, None);
    for at in times {
        let passed = at.saturating_sub(before.replace(*at).unwrap_or(*at));
        level = (level - passed as f64 / NANOSECONDS * per_second).max(0.0) + 1.0;
        largest = largest.max(level);
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_and_the_largest_burst_are_those_of_any_span() {
        let times = |milliseconds: &[u64]| milliseconds.iter().map(|at| at * 1_000_000).collect::<Vec<_>>();
        // Two a second are allowed.
        for (milliseconds, busiest, burst) in [
            (&[][..], 0, 0.0),
            (&[5], 1, 1.0),
            (&[0, 500, 1000, 1500], 2, 1.0),
            (&[0, 0, 0, 1000], 3, 3.0),
            (&[0, 900, 900, 1000, 1899, 1900], 4, 3.0),
        ] {
            let times = times(milliseconds);
            let found = (busiest_second(&times), (largest_burst(&times, 2.0) * 10.0).round() / 10.0);
            assert_eq!(found, (busiest, burst), "{milliseconds:?}");
        }
    }
}

//! The cases that are measured, and their figures.

use std::time::Duration;

use bench_measure::{Samples, Spread, memory_mib, processor_ticks_ms};
use tempfile::TempDir;

use crate::Outcome;
use crate::processes::{Receiver, Server, drive, plan};
use crate::report::{Line, grouped};

/// How much each case does.
pub(crate) struct Scale {
    runs: usize,
    seconds: f64,
    many: u64,
}

impl Scale {
    pub(crate) fn from_environment() -> Outcome<Self> {
        let of = |name, default: f64| {
            std::env::var(name)
                .map_or(Ok(default), |value| value.parse().map_err(|error| format!("{name}: {error}")))
        };
        Ok(Self {
            runs: of("LOANHOOK_BENCH_RUNS", 3.0)? as usize,
            seconds: of("LOANHOOK_BENCH_SECONDS", 5.0)?,
            many: of("LOANHOOK_BENCH_MANY", 1e6)? as u64,
        })
    }
}

/// All figures, in the order in which they are read.
pub(crate) fn all(scale: &Scale) -> Outcome<Vec<Line>> {
    let mut lines = Vec::new();
    ceiling(scale, &mut lines)?;
    full_load(scale, ("one subscription", "one", 1, 64), &mut lines)?;
    full_load(scale, ("one subscription, 256 posters", "one", 1, 256), &mut lines)?;
    full_load(scale, ("fan-out of ten", "ten", 10, 64), &mut lines)?;
    for rate in [100, 200, 300] {
        latency(scale, rate, &mut lines)?;
    }
    waiting(&mut lines)?;
    many(scale, &mut lines)?;
    Ok(lines)
}

/// A server on a new folder, with one subscription to "one", ten to "ten" and one, never answered, to "hang".
fn start(receiver: &Receiver) -> Outcome<(Server, TempDir)> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let server = Server::start(folder.path())?;
    server.subscribe("one", &receiver.url("/hook"))?;
    for _ in 0..10 {
        server.subscribe("ten", &receiver.url("/hook"))?;
    }
    server.subscribe("hang", &receiver.url("/hang"))?;
    Ok((server, folder))
}

fn ceiling(scale: &Scale, lines: &mut Vec<Line>) -> Outcome {
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..scale.runs {
        let receiver = Receiver::start()?;
        let mut plan = plan(&receiver.address);
        plan.path = "/hook".into();
        plan.seconds = scale.seconds;
        let posted = drive(&plan)?;
        let arrived = receiver.arrived()?;
        rates.push(posted.accepted as f64 / posted.seconds);
        costs.push((posted.cpu + arrived.cpu) / posted.accepted as f64);
    }
    lines.push(Line::new("the ceiling: POSTs straight to the receiver", "/s", Spread::of(rates)));
    lines.push(Line::new("the ceiling: CPU of a POST, driver and receiver", "ms", Spread::of(costs)));
    Ok(())
}

fn full_load(
    scale: &Scale,
    (name, event_name, fan_out, posters): (&str, &str, u64, usize),
    lines: &mut Vec<Line>,
) -> Outcome {
    let (mut accepted, mut delivered, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.runs {
        let receiver = Receiver::start()?;
        let (server, _folder) = start(&receiver)?;
        let before = processor_ticks_ms(server.id());
        let mut plan = plan(&server.address);
        (plan.event_name, plan.posters, plan.seconds) = (event_name.into(), posters, scale.seconds);
        let posted = drive(&plan)?;
        let arrived = receiver.wait_for(posted.accepted * fan_out)?;
        // What came last is recorded after it arrived.
        std::thread::sleep(Duration::from_millis(500));
        accepted.push(posted.accepted as f64 / posted.seconds);
        delivered.push(arrived.count as f64 / (arrived.last.saturating_sub(posted.began) as f64 / 1e9));
        costs.push((processor_ticks_ms(server.id()) - before) / arrived.count as f64);
    }
    lines.push(Line::new(format!("{name}: accepted"), "/s", Spread::of(accepted)));
    lines.push(Line::new(format!("{name}: delivered"), "/s", Spread::of(delivered)));
    lines.push(Line::new(format!("{name}: the server's CPU, a webhook"), "ms", Spread::of(costs)));
    Ok(())
}

fn latency(scale: &Scale, rate: u32, lines: &mut Vec<Line>) -> Outcome {
    let mut runs = Vec::new();
    for _ in 0..scale.runs {
        let receiver = Receiver::start()?;
        let (server, _folder) = start(&receiver)?;
        let mut plan = plan(&server.address);
        plan.posters = 16;
        plan.rate = Some(rate);
        // Connections, caches and statements become warm first.
        plan.seconds = 1.0;
        let warm = drive(&plan)?;
        receiver.wait_for(warm.accepted)?;
        receiver.reset()?;
        plan.seconds = scale.seconds;
        let posted = drive(&plan)?;
        runs.push(receiver.wait_for(posted.accepted)?.latencies);
    }
    for (name, of) in [
        ("p50", runs.iter().map(|run| run.p50).collect::<Vec<_>>()),
        ("p95", runs.iter().map(|run| run.p95).collect()),
        ("p99", runs.iter().map(|run| run.p99).collect()),
    ] {
        lines.push(Line::new(format!("POST to receiver at {rate}/s: {name}"), "ms", Spread::of(of)));
    }
    Ok(())
}

fn memory_of(server: &Server) -> Spread {
    Spread::of(memory_mib(server.id()))
}

/// Memory of an idle process, and with a hundred thousand deliveries that are due and cannot leave.
fn waiting(lines: &mut Vec<Line>) -> Outcome {
    const WAITING: u64 = 100_000;
    let receiver = Receiver::start()?;
    let (server, _folder) = start(&receiver)?;
    lines.push(Line::new("memory at rest", "MiB", memory_of(&server)));
    let mut plan = plan(&server.address);
    (plan.event_name, plan.events) = ("hang".into(), WAITING);
    let posted = drive(&plan)?;
    assert_eq!(posted.accepted, WAITING, "{posted:?}");
    let name = "memory with 100,000 deliveries waiting";
    lines.push(Line::new(name, "MiB", memory_of(&server)));
    Ok(())
}

/// A page of a loan with a thousand rows and with many; and how the process is after them.
fn many(scale: &Scale, lines: &mut Vec<Line>) -> Outcome {
    const PAGE: &str = "/v1/loans/0/webhooks?limit=50";
    let receiver = Receiver::start()?;
    let (server, folder) = start(&receiver)?;
    let mut plan = plan(&server.address);
    (plan.loans, plan.events) = (1, 1000);
    let mut sent = drive(&plan)?.accepted;
    receiver.wait_for(sent)?;
    let few = page_time(&server, PAGE)?;
    plan.events = scale.many.saturating_sub(sent);
    let posted = drive(&plan)?;
    sent += posted.accepted;
    let arrived = receiver.wait_for(sent)?;
    std::thread::sleep(Duration::from_millis(500));
    let much = page_time(&server, PAGE)?;
    let seconds = arrived.last.saturating_sub(posted.began) as f64 / 1e9;
    let rate = posted.accepted as f64 / seconds;
    let sent = grouped(sent);
    lines.push(Line::new("a page of 50 with 1,000 rows behind it", "ms", few));
    lines.push(Line::new(format!("a page of 50 with {sent} rows behind it"), "ms", much));
    lines.push(Line::new(format!("{sent} webhooks of one loan: delivered"), "/s", Spread::of([rate])));
    lines.push(Line::new(format!("memory after {sent} webhooks"), "MiB", memory_of(&server)));
    drop(server);
    let mut healthy = Vec::new();
    for _ in 0..scale.runs {
        healthy.push(Server::start(folder.path())?.healthy_after);
    }
    lines.push(Line::new(format!("from start to healthy with {sent} webhooks"), "ms", Spread::of(healthy)));
    Ok(())
}

fn page_time(server: &Server, path: &str) -> Outcome<Spread> {
    let mut times = Vec::new();
    for _ in 0..300 {
        times.push(server.time_of(path)?);
    }
    // The spread is of medians: single requests depend on the machine too much.
    let medians = times.chunks(100).map(|times| times.iter().copied().collect::<Samples>().median());
    Ok(Spread::of(medians))
}

//! One run under load, and its figures: of our server in a case, or of another one.

use std::time::Duration;

use bench_measure::{Latencies, MachineTime};

use crate::Outcome;
use crate::driver::{Plan, Posted};
use crate::figures::Figures;
use crate::processes::{Receiver, drive};
use crate::receiver::Arrived;

/// How long the recording of the last webhook takes at most, about.
const LAST_RECORDING: Duration = Duration::from_millis(500);

/// What a run measured, from its first POST until the last webhook arrived.
pub(crate) struct LoadRun {
    posted: Posted,
    arrived: Arrived,
    /// Of all cores and every process, in per cent.
    busy_percent: f64,
    /// What the server has used of the processor, in milliseconds, until it was at rest.
    processor_ms: f64,
}

impl LoadRun {
    /// Carries out the plan, and waits for `fan_out` webhooks of each event. `processor_ms` says what the server has
    /// used so far; it is asked before, and once more when all is done.
    pub(crate) fn measure(
        plan: &Plan,
        receiver: &Receiver,
        fan_out: u64,
        processor_ms: impl Fn() -> f64,
    ) -> Outcome<Self> {
        let (processor, machine) = (processor_ms(), MachineTime::now());
        let posted = drive(plan)?;
        let arrived = receiver.wait_for(posted.accepted * fan_out)?;
        let busy_percent = MachineTime::now().busy_percent_since(machine);
        wait_for_last_recording();
        Ok(Self { posted, arrived, busy_percent, processor_ms: processor_ms() - processor })
    }

    pub(crate) fn accepted_per_second(&self) -> f64 {
        self.posted.accepted as f64 / self.posted.seconds
    }

    pub(crate) fn delivered_per_second(&self) -> f64 {
        self.arrived.count as f64 / (self.arrived.last.saturating_sub(self.posted.began) as f64 / 1e9)
    }

    pub(crate) fn processor_ms_of_a_webhook(&self) -> f64 {
        self.processor_ms / self.arrived.count as f64
    }

    pub(crate) fn latencies(&self) -> Latencies {
        self.arrived.latencies
    }

    pub(crate) fn add_to(&self, name: &str, figures: &mut Figures) {
        let connections = self.arrived.connections as f64 / self.arrived.count as f64 * 1e3;
        for (figure, unit, sample) in [
            ("accepted", "/s", self.accepted_per_second()),
            ("refused", "/s", self.posted.refused as f64 / self.posted.seconds),
            ("delivered", "/s", self.delivered_per_second()),
            ("the server's CPU, a webhook", "ms", self.processor_ms_of_a_webhook()),
            ("the machine was busy", "%", self.busy_percent),
            ("connections opened for 1,000 webhooks", "", connections),
        ] {
            figures.add(format!("{name}: {figure}"), unit, sample);
        }
        figures.add_latencies(&format!("{name}: POST to receiver"), self.arrived.latencies);
    }
}

/// A webhook is recorded after it arrived, which nothing outside shows for all of them at once.
pub(crate) fn wait_for_last_recording() {
    std::thread::sleep(LAST_RECORDING);
}

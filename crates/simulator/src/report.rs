//! Report of runs: what they did.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::faults::Fault;

/// What one run did, or several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    pub runs: u64,
    pub deliveries: u64,
    /// Rows of the history.
    pub attempts: u64,
    /// Requests that left.
    pub requests: u64,
    /// Events that were accepted, each call of them.
    pub events: u64,
    pub resends: u64,
    pub cancels: u64,
    /// Holds that began, by hand and by failures.
    pub holds: u64,
    /// Probes of holds: messages that were handed out, and claims of them.
    pub probes: u64,
    /// Simulated time.
    pub simulated: Duration,
    pub faults: BTreeMap<Fault, u64>,
}

impl Totals {
    pub(crate) fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Adds what another run did.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.deliveries += other.deliveries;
        self.attempts += other.attempts;
        self.requests += other.requests;
        self.events += other.events;
        self.resends += other.resends;
        self.cancels += other.cancels;
        self.holds += other.holds;
        self.probes += other.probes;
        self.simulated += other.simulated;
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.simulated.as_secs_f64() / 86_400.0;
        writeln!(f, "seeds run        {}", self.runs)?;
        writeln!(f, "simulated days   {days:.1}")?;
        writeln!(f, "events accepted  {}", self.events)?;
        writeln!(f, "deliveries       {}", self.deliveries)?;
        writeln!(f, "attempts         {}", self.attempts)?;
        writeln!(f, "requests         {}", self.requests)?;
        writeln!(f, "resends          {}", self.resends)?;
        writeln!(f, "cancels          {}", self.cancels)?;
        writeln!(f, "holds            {}", self.holds)?;
        writeln!(f, "probes           {}", self.probes)?;
        writeln!(f, "faults           {}", self.faults.values().sum::<u64>())?;
        for (fault, count) in &self.faults {
            writeln!(f, "  {:22} {count}", format!("{fault:?}"))?;
        }
        Ok(())
    }
}

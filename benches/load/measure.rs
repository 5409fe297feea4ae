//! What is measured of a process and of many requests, and how several runs become one figure.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Nanoseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Of many requests, in milliseconds.
#[derive(Serialize, Deserialize, Clone, Copy, Default, Debug)]
pub(crate) struct Latencies {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Latencies {
    pub(crate) fn of(nanos: &mut [u64]) -> Self {
        nanos.sort_unstable();
        let at = |share: f64| {
            let place = (nanos.len() as f64 * share) as usize;
            nanos.get(place.min(nanos.len().saturating_sub(1))).map_or(0.0, |nanos| *nanos as f64 / 1e6)
        };
        Self { p50: at(0.50), p95: at(0.95), p99: at(0.99) }
    }
}

/// The processor time that a process has used, user and system, in milliseconds (Linux's `/proc/<pid>/schedstat`
/// counts one thread only, so it is `stat`, in ticks of 10 ms).
pub(crate) fn cpu_of(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}

/// The memory that a process holds, in MiB.
pub(crate) fn memory_of(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// A figure of several runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Figure {
    pub(crate) fn of(runs: impl IntoIterator<Item = f64>) -> Self {
        let mut runs: Vec<f64> = runs.into_iter().collect();
        runs.sort_by(f64::total_cmp);
        let at = |place: usize| runs.get(place).copied().unwrap_or(f64::NAN);
        Self { median: at(runs.len() / 2), least: at(0), most: at(runs.len().saturating_sub(1)) }
    }
}

/// The processor, the cores and the system this ran on.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    format!(
        "{cores} cores of {}, {} GiB",
        model.unwrap_or("an unnamed processor").trim(),
        kib.unwrap_or(0) >> 20
    )
}

//! The machine on which a benchmark runs: its description, and how busy it is.

use std::fs;

/// The processor, its cores and the memory, as reports name them.
pub fn description() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unnamed processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    format!("{cores} cores of {model}, {} GiB", kib.unwrap_or(0) >> 20)
}

/// The time of all cores since the machine started, in ticks, from the first line of `/proc/stat` (proc(5)).
#[derive(Clone, Copy, Debug)]
pub struct MachineTime {
    all: u64,
    /// With the time in which a core waited for a disk and had no other work.
    idle: u64,
}

impl MachineTime {
    /// Zeros where `/proc/stat` cannot be read.
    pub fn now() -> Self {
        Self::of(&fs::read_to_string("/proc/stat").unwrap_or_default())
    }

    fn of(stat: &str) -> Self {
        // user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in the first two once more.
        let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1).take(8);
        let ticks: Vec<u64> = fields.map(|field| field.parse().unwrap_or(0)).collect();
        Self { all: ticks.iter().sum(), idle: ticks.iter().skip(3).take(2).sum() }
    }

    /// How much of the time of all cores since `earlier` was not idle, of every process, in per cent; NaN where no
    /// tick has passed.
    pub fn busy_percent_since(self, earlier: Self) -> f64 {
        let all = self.all.saturating_sub(earlier.all) as f64;
        100.0 - 100.0 * self.idle.saturating_sub(earlier.idle) as f64 / all
    }
}

#[cfg(test)]
mod tests {
    use super::MachineTime;

    #[test]
    fn the_busy_share_leaves_out_idle_cores_and_those_that_wait_for_a_disk() {
        let earlier = MachineTime::of("cpu  100 0 100 800 0 0 0 0 50 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
        let later = MachineTime::of("cpu  130 5 120 815 10 5 5 10 70 0\ncpu0 2 2 2 2 2 2 2 2 2 2\n");
        assert_eq!(later.busy_percent_since(earlier), 75.0);
    }
}

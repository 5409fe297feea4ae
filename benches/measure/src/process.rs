//! Processor time and memory of a running process, read from `/proc` (proc(5)).

use std::fs;
use std::io;
use std::time::Duration;

/// The processor time that the threads of a process have used so far, user and system, to the nanosecond. Threads that
/// have ended are not in it.
pub fn processor_time(process_id: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process_id}/task"))? {
        // A thread may have ended meanwhile.
        let Ok(times) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        let first = times.split_whitespace().next().unwrap_or_default();
        nanoseconds += first.parse::<u64>().map_err(io::Error::other)?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The processor time that a process has used so far, user and system, with all threads that it ever had, in
/// milliseconds; in ticks of 10 ms. 0 where the process is not there.
pub fn processor_ticks_ms(process_id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process_id}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}

/// The same of all running processes that have one of these names, together. Those that have ended are not in it.
pub fn processor_ticks_of_all_ms(names: &[String]) -> f64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let named = ids.filter(|id| {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        names.iter().any(|wanted| wanted == name.trim_end())
    });
    named.map(processor_ticks_ms).sum()
}

/// The resident memory of a process, in MiB; none where the process is not there.
pub fn memory_mib(process_id: u32) -> Option<f64> {
    status_mib(process_id, "VmRSS:")
}

/// The most resident memory that a process has had, in MiB; none where the process is not there.
pub fn peak_memory_mib(process_id: u32) -> Option<f64> {
    status_mib(process_id, "VmHWM:")
}

fn status_mib(process_id: u32, field: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process_id}/status")).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib = value.split_whitespace().next()?.parse::<f64>().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::{memory_mib, peak_memory_mib, processor_time};

    #[test]
    fn this_process_has_memory_and_processor_time_and_an_unknown_one_has_none() {
        let id = std::process::id();
        let (now, peak) = (memory_mib(id).expect("resident memory"), peak_memory_mib(id).expect("a peak"));
        assert!(now > 0.0 && peak > 0.0, "{now} {peak}");
        assert!(!processor_time(id).expect("a processor time").is_zero());
        assert!(memory_mib(u32::MAX).is_none() && processor_time(u32::MAX).is_err());
    }
}

//! Measurements that the benchmarks share: statistics of samples, and readings of `/proc` about a process and about the
//! machine. Linux only, as the benchmarks are.

mod machine;
mod process;
mod samples;

pub use machine::{MachineTime, description};
pub use process::{
    memory_mib, peak_memory_mib, processor_ticks_ms, processor_ticks_of_all_ms, processor_time,
};
pub use samples::{Latencies, Samples, Spread, milliseconds};

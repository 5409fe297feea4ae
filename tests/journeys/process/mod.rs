//! The one process: start, shutdown, restart and log.

mod log;
mod restart;
mod start;

//! The one process: start, data folder, shutdown, restart and log.

mod audit_log;
mod data_folder;
mod log;
mod restart;
mod shutdown;
mod start;

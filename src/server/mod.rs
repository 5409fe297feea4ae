//! The server in this process, and `loanhook serve`, which runs it until it is asked to end.
//!
//! `running_server` starts and stops the engine, the worker and the HTTP interface together; the demo uses it too.
//! `listener` has the connections of callers, `file_descriptors` shares them out, `admin_key` reads the key that the
//! environment names, `recovery_jobs` runs the jobs, `stored_credentials` cleans deliveries of an earlier version, `logging` starts
//! the log, `metrics` has the listener of those who read metrics.

pub(crate) mod admin_key;
mod file_descriptors;
pub(crate) mod listener;
pub(crate) mod logging;
mod metrics;
mod networks;
mod recovery_jobs;
pub(crate) mod running_server;
pub(crate) mod serve_command;
mod stored_credentials;

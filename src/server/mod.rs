//! The server in this process, and `loanhook serve`, which runs it until it is asked to end.
//!
//! `running_server` starts and stops the engine, the worker and the HTTP interface together; the demo uses it too.
//! `listener` has the connections of callers, `file_descriptors` shares them out, `environment_secrets` reads the keys that the
//! environment has, `master_key` the one that seals secrets, `oidc` the provider that people sign in at, `sealed_secrets` keeps them sealed, `recovery_jobs` runs the jobs,
//! `stored_credentials` cleans deliveries of an earlier version, `logging` starts the log, `metrics` has the listener of those who
//! read metrics. `master_key_command` seals with another key.

pub(crate) mod environment_secrets;
mod file_descriptors;
pub(crate) mod listener;
pub(crate) mod logging;
mod master_key;
pub(crate) mod master_key_command;
mod metrics;
mod networks;
mod oidc;
mod operational_events;
mod recovery_jobs;
pub(crate) mod running_server;
mod sealed_secrets;
pub(crate) mod serve_command;
mod stored_credentials;

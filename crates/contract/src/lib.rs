//! The contract of the ports, which every engine keeps: each case is written once, over [`engine::Engine`],
//! and runs against each engine. Time is data here: the cases say when it is.
//!
//! An engine's tests implement [`engine::Engine`] and call [`contract!`], [`job_contract!`] and, where it tells
//! operational events, [`operational_contract!`]. For tests of their own they have
//! the same beginnings ([`scene`], [`job_scene`]) and senders ([`sender`]).

mod cancel;
pub mod cases;
mod claims;
mod credentials;
mod deliveries_that_failed;
mod delivery_filters;
mod delivery_list;
pub mod engine;
mod grants;
mod history;
mod holds;
mod idempotency;
mod intake;
mod job_cancels;
mod job_cases;
mod job_lists;
mod job_requests;
pub mod job_scene;
mod job_steps;
mod job_stops;
mod keys;
mod leases;
mod ledger;
mod operational_cases;
mod operational_certificates;
mod operational_events;
pub mod operational_facts;
pub mod operational_scene;
mod operational_silence;
mod order;
mod order_model;
mod order_settings;
mod payloads;
mod person_sessions;
pub mod recount;
mod releases;
mod reports;
mod resend_addresses;
mod resend_requests;
mod resends;
mod rising_edges;
pub mod scene;
mod schedule;
pub mod sender;
mod sending;
mod subscription_versions;
mod subscriptions;
mod tenants;
mod trigger_state;
mod triggers;
mod unreadable;

use std::future::Future;
use std::io::Write as _;
use std::time::Duration;

use loanhook_core::ports::StoreResult;

pub use intake::submission;
pub use resend_addresses::failed_once;
pub use triggers::{IN_TIME, LATE, fired, queued, send, submit, traces, watching, with};

/// Long enough for never to be what ends a test that passes.
pub const CASE_TIMEOUT: Duration = Duration::from_secs(180);

/// Runs a case on an engine, where that can be.
pub fn run_on<E: engine::Engine>(case: impl Future<Output = StoreResult<()>>) {
    if let Some(missing) = E::missing() {
        // Past what the test harness keeps to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
        return;
    }
    run(case);
}

/// Runs a case to its end; what it waits for must come.
pub fn run(case: impl Future<Output = StoreResult<()>>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let ended = runtime.block_on(async { tokio::time::timeout(CASE_TIMEOUT, case).await });
    ended.expect("what the case waits for never came").expect("the store answers");
}

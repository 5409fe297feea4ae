//! Harness of the journeys: the server under test, callers of its API, and receivers that reply as they are told.
//!
//! A test begins with a [`Journey`], by convention called `j`: a new tenant with a caller that may do everything in it
//! (`j.api`) and a receiver of webhooks (`j.receiver`), on a server that it shares with others (`j.server`) or on one of
//! its own.

pub(crate) mod api;
pub(crate) mod certificates;
pub(crate) mod collector;
pub(crate) mod journey;
pub(crate) mod json_values;
mod launch;
pub(crate) mod oidc_provider;
mod process;
pub(crate) mod raw_connection;
pub(crate) mod receiver;
mod receiver_connection;
pub(crate) mod repeated_calls;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod request_bodies;
pub(crate) mod response;
pub(crate) mod rows;
pub(crate) mod server;
pub(crate) mod skips;
pub(crate) mod stored_bytes;
pub(crate) mod tls_receiver;
pub(crate) mod wait;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use api::Api;
pub(crate) use journey::Journey;
pub(crate) use json_values::{
    attempt_numbers, attempts_of, instant, items_of, results_of, row_ids, subscription_path, text, trace_ids,
    utc,
};
pub(crate) use receiver::{Received, Receiver};
pub(crate) use reply::{Gate, Reply};
pub(crate) use request_bodies::{event, event_named, subscription};
pub(crate) use response::ApiResponse;
pub(crate) use rows::{retry_wait_seconds, seconds_until_next_attempt};
pub(crate) use server::{Launch, Server};
pub(crate) use skips::{emulator_differs, report_skipped};
pub(crate) use wait::{eventually, scaled_seconds, within};

/// A panic of one test must not hide the failures of others behind a poisoned lock.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

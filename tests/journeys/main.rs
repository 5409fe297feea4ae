//! Journeys: each proves a rule of loanhook through the outside, over HTTP against the running program,
//! with a receiver that answers, stalls and breaks as it is told.
#![allow(dead_code, unused_imports)]

mod harness;

mod batch;
mod idempotency;
mod intake;
mod limits;
mod retry_policy;
mod secrets;
mod subscriptions;
mod bytes;
mod delivery;
mod failures;
mod guard;
mod retries;
mod downloads;
mod filters;
mod history;
mod cancel;
mod keys;
mod resend;
mod tenants;
mod interrupted;
mod problems;
mod restart;

//! Journeys: each proves a rule of loanhook through the outside, over HTTP against the running program,
//! with a receiver that answers, stalls and breaks as it is told.

mod batch;
mod bytes;
mod cancel;
mod cli;
mod crash;
mod delivery;
mod downloads;
mod duplicates;
mod failures;
mod fairness;
mod filters;
mod guard;
mod harness;
mod history;
mod idempotency;
mod independence;
mod intake;
mod interrupted;
mod keys;
mod killed;
mod limits;
mod lists;
mod logs;
mod openapi;
mod pages;
mod problems;
mod resend;
mod restart;
mod retries;
mod retry_policy;
mod secrets;
mod shapes;
mod starting;
mod subscriptions;
mod tenants;

//! Journeys: tests from the outside, over HTTP against the running program, with a receiver that answers, stalls and
//! breaks as each test tells it.
//!
//! Folders follow the routes of the API; each file is named after the rule that it holds.

mod across;
mod authentication;
mod aws;
mod cli;
mod crash;
mod delivery;
mod events;
mod flow;
mod harness;
mod history;
mod http;
mod keys;
mod ledger;
mod metrics;
mod operation;
mod operational;
mod portal;
mod process;
mod recovery;
mod reports;
mod sealing;
mod subscriptions;
mod webhooks;

//! Webhooks at the level of a loan.
//!
//! The story of one event: `api` takes it in and [`intake`] matches it to subscriptions, freezes what each
//! sends, stores the deliveries and queues their first attempts; only then is it answered. A message
//! wakes [`deliver`], which claims the attempt, puts its row, sends it through `outbound` and records
//! what came of it; a failure queues the next attempt. [`history`] reads the rows of a loan, and
//! [`resend`] sends one again.
//!
//! [`model`] holds the values and rules; [`ports`] is what the use cases ask of the world; `embedded` (one
//! process on SQLite) and `aws` (DynamoDB, S3 and SQS) are engines that answer. Imports run one way: `api`, `page` →
//! use cases → `ports`, `model`; and `outbound`, `embedded`, `aws` → `ports`, `model`. Only what puts a
//! program together (the command line's `serve`, a function's `main.rs`) names both a use case and an engine.

pub mod api;
#[cfg(feature = "aws")]
pub mod aws;
pub mod deliver;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod history;
pub mod intake;
pub mod keys;
pub mod log;
#[cfg(any(feature = "embedded", feature = "aws"))]
pub mod log_filter;
pub mod model;
pub mod outbound;
pub mod page;
pub mod portal;
pub mod ports;
pub mod resend;
pub mod subscriptions;
pub mod try_out;
pub mod web;

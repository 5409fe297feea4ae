//! The engine for AWS: a DynamoDB table for deliveries and history, a table and an S3 bucket for payloads, two SQS
//! queues for deliveries and one for recovery jobs, and a key of KMS for what protects secrets.
//!
//! [`Aws`] implements every port of the core. Each step of a delivery is several calls, and a function can die between any
//! two of them. So:
//!
//! - the calls of a step are in the order that its port names, and each state that a crash leaves is completed when the
//!   delivery's next queue message is handled;
//! - every write that decides something is conditional, and a refused condition returns the item as it is, so that a lost
//!   race needs no other read;
//! - a claim is one conditional update of the delivery, which returns the whole delivery;
//! - a queue message says only which delivery is due ([`read_message`]);
//! - subscriptions and keys are cached, and each use of them reads the version of their tenant with strong consistency,
//!   from one of its copies;
//! - payloads are named by tenant and hash, so that equal bytes are stored once.
//!
//! Secrets are sealed with a data key that KMS protects (`sealing`).
//!
//! What is due later than SQS can delay a message stands in an index of the table, which the [`sweep`] reads.
//!
//! A recovery job is driven by a message at a time, which is sent again by what handles it ([`run_job_batch`]).
//!
//! What a limit or a hold of a subscription forbids waits without a message, and what ends the wait wakes it (`flow`).
//!
//! OAuth tokens are shared by all instances, and one of them fetches each (`tokens`).
//!
//! Counts of reports are made from the stream of the table, by a function of their own ([`Aws::count_changes`]), and so are
//! operational events (`operational`).
//!
//! An index lags behind its table: what it does not show yet is read by key.
//!
//! The contract of the ports is tested in `crates/aws-testing`, on emulators.

mod background;
mod cache;
mod client_secret;
pub mod config;
mod deliveries;
mod delivery_list;
mod due_index;
mod egress;
mod engine;
mod flow;
mod health;
mod history;
mod intake;
mod items;
mod jobs;
mod ledger;
pub mod metrics;
mod operational;
mod order;
mod payloads;
mod queue;
mod reports;
mod resends;
mod sdk;
mod sealing;
mod settings;
mod tokens;
mod turn_batch;
mod turns;

pub use client_secret::read_secret;
pub use config::Config;
pub use due_index::sweep;
pub use egress::{PublicAddress, PublicAddressSender};
pub use engine::{Aws, Clock, Stack};
pub use flow::FlowNotes;
pub use jobs::JobTurn;
pub use queue::message::read as read_message;
pub use queue::sqs_batch;
pub use queue::{InstanceId, SLOW_AFTER, WatchedSender};
pub use reports::{Added, CountReport};
pub use sdk::sdk_config;
pub use sealing::{
    NamedSecrets, Refused, RotationState, SealedAnew, SecretsAnswer, SecretsCommand, SeenKeys,
};
pub use turn_batch::run_job_batch;

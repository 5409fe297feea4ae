//! Rules and use cases of loanhook, without I/O.
//!
//! The way of one event: [`intake`] matches it to subscriptions, freezes what each sends, stores the deliveries and
//! queues their first attempts; only then is it answered. A message wakes [`deliver`], which claims the attempt, puts
//! its row, sends it (with a token of [`tokens`], where its subscription has OAuth) and records what came of it, without our own secrets in it
//! ([`hidden_secrets`]); a failure queues the next attempt. [`history`] reads the rows of a
//! loan, [`delivery_list`] the deliveries of all loans, and [`resend`] sends one again, [`recovery`] many at a set pace;
//! [`explain`] says why the formulas of a subscription were true or false, and [`trial`] what settings would do before they are saved. [`operational`] takes in what happens to loanhook
//! itself. [`overview`], [`webhook_states`] and [`search`] are what the console shows first: what became of everything of late,
//! how each webhook does, and where something is.
//!
//! [`model`] holds the values and rules; [`ports`] is what the use cases ask of an engine and of a sender. The engines
//! (SQLite, AWS), the sender and the HTTP interface are crates of their own that know this one; this one knows none of
//! them.

pub mod check;
pub mod current_address;
pub mod deliver;
pub mod delivery_list;
pub mod explain;
pub mod hidden_secrets;
pub mod history;
pub mod holds;
pub mod intake;
pub mod keys;
pub mod ledger;
pub mod log;
pub mod model;
pub mod operational;
pub mod overview;
pub mod paging;
pub mod portal;
pub mod ports;
pub mod readiness;
pub mod recovery;
pub mod report;
pub mod resend;
pub mod search;
pub mod simulated;
pub mod spans;
pub mod stored_credentials;
pub mod stored_event;
pub mod subscription_versions;
pub mod subscriptions;
pub mod tokens;
pub mod trial;
pub mod try_out;
pub mod webhook_states;

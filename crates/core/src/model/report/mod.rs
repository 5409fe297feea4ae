//! Report: counts of events, deliveries and attempts, by hour, subscription and event name.
//!
//! Counts are never computed by reading the history: an engine keeps them, and adds to them what each of its changes makes
//! of them ([`Counting`]). The history and the counts say the same, as a change and its counts become durable together (on
//! AWS, as each change of the table is counted once).
//!
//! An event, its deliveries and how they end count in the hour of acceptance, so a count of a past hour changes while
//! deliveries of that hour are pending. Attempts, resends and response times count in the hour when the request was sent; a
//! resend that waits, in the hour when it was asked for. Test sends are not counted.

mod attempt_class;
mod counting;
mod counts;
mod histogram;
mod query;
mod rows;

pub use attempt_class::AttemptClass;
pub use counting::Counting;
pub use counts::{CountChange, CountGroup, Counts};
pub use histogram::{Bucket, Histogram, Percentiles};
pub use query::{Grouping, Period, ReportInput, ReportQuery};
pub use rows::{ReportKey, ReportRows};

//! Metrics: what an operator reads of a running loanhook as numbers.
//!
//! [`names`] has every metric. [`HistoryMetrics`] are the totals of what an engine stored since it started: it adds each change
//! once, after the commit that stored it. [`Samples`] are the values of all metrics at one moment; whoever writes a format reads
//! them.
//!
//! Labels are a tenant, a subscription, or a word of a fixed set. No label is a loan, a trace, a URL or a text of somebody
//! else's. So that there are a few thousand series at most, the first [`MAX_SUBSCRIPTIONS`] subscriptions have series of their
//! own, and all others one together, named [`OTHER`].

mod facts;
mod history;
pub mod names;
mod samples;
mod time_histogram;

pub use facts::{FactTotals, HistoryFact};
pub use history::{HistoryMetrics, MAX_SUBSCRIPTIONS, OTHER, exhausted};
pub use names::{Kind, Metric};
pub use samples::{Family, Labels, Samples, Value};
pub use time_histogram::TimeHistogram;

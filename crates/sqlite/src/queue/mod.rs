//! Queue: the messages that wake deliveries, and the scheduler that says which of them are next.
//!
//! A subscription has two queues, one of automatic attempts and one of resends, so that neither waits behind the
//! other, and nobody behind another's slow receiver. The messages stay in the table ([`messages`]); memory holds
//! when each queue is due and how many of its requests are in flight ([`states`]), so it is bounded whatever
//! waits. [`QueueScheduler`] gives the next queue whose requests may begin, by the shares of [`fair_shares`], and
//! every request in flight holds permits ([`permits`]). What a subscription's flow settings and its hold forbid waits in its
//! queue: the throttle of core says so (`throttling`).
//!
//! What is done with a message that is due, `dispatch` says.

mod adaptive_share;
mod dead_letters;
mod fair_shares;
#[cfg(test)]
mod flows_tests;
mod gauges;
mod handling;
mod id;
#[cfg(test)]
mod limits_tests;
pub(super) mod messages;
mod pace;
mod permits;
mod places;
mod reader_flows;
mod scheduler;
#[cfg(test)]
mod scheduler_tests;
mod states;
mod throttling;
#[cfg(test)]
mod throttling_tests;
mod uncommitted_flow;

pub(super) use adaptive_share::Answer;
pub(super) use gauges::QueueGauges;
pub(super) use id::QueueId;
pub(super) use pace::ShareBounds;
pub(super) use permits::{ProcessPermit, ProcessPermits, SendingPermit, WirePermits};
pub(super) use places::Place;
pub(super) use scheduler::{NextQueue, QueueScheduler};
pub(super) use uncommitted_flow::UncommittedFlow;

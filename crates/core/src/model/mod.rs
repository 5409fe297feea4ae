//! Values and rules, with no I/O and no async: what an event, a subscription, a delivery and an
//! attempt are, and how a delivery moves from one attempt to the next.

pub mod address;
pub mod attempt;
#[cfg(test)]
mod attempt_fixture;
mod attempt_result;
pub mod byte_order_mark;
pub mod catalogue;
mod context_names;
pub mod credentials;
pub mod dead_letter;
pub mod delivery;
pub mod destination;
pub mod event;
pub mod event_evaluation;
pub mod event_names;
pub mod failure;
pub mod filter;
pub mod filter_input;
pub mod flow;
pub mod formula_errors;
pub mod grant;
pub mod id;
pub mod job;
pub mod key;
pub mod key_input;
pub mod ledger;
pub mod metrics;
pub mod operational;
pub mod payload;
pub mod progress;
pub mod rendering;
pub mod report;
pub mod retry;
pub mod secret;
pub mod secret_search;
mod status;
pub mod subscription;
pub mod template;
pub mod time;
pub mod trace_context;
pub mod trigger_state;
pub mod validation;
mod weak_key;

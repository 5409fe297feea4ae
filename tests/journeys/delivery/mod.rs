//! Deliveries: the requests that leave, what counts as a failure, the retry schedule, and how senders are shared.

mod adaptive_shares;
mod address_guard;
mod concurrency;
mod duplicate_messages;
mod fair_shares;
mod frozen_bytes;
mod interrupted_attempts;
mod outcomes;
mod request;
mod retry_schedule;
mod trace_context;
mod wall_clock;

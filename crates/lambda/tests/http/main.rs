//! The HTTP interface on the engine for AWS, as the functions serve it.

mod batch_call_counts;
mod call_counts;
mod client;
mod client_secret;
mod flow_calls;
mod index_lag;
mod intake_faults;
mod job_calls;
mod moved_subscriptions;
mod order_calls;
mod read_call_counts;
mod report_calls;
mod settings_calls;
mod stored_data;
mod stored_secrets;
mod sweep_calls;

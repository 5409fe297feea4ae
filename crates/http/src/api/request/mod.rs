//! What is read of a request: who calls, the parameters of its path and query, its idempotency key, the
//! versions it expects, and its body. What is
//! wrong with one is a problem.

pub(super) mod accept;
pub(super) mod body;
pub(super) mod caller;
pub(super) mod delivery_query;
pub(super) mod event_query;
pub(super) mod explain_query;
pub(super) mod idempotency_key;
pub(super) mod if_match;
pub(super) mod merge_patch;
pub(super) mod path;
pub(super) mod query;
pub(super) mod report_query;
pub(super) mod returned_webhooks;
pub(super) mod trace_context;

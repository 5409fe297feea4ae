//! Events in: `POST /v1/events` and `POST /v1/events/batch`.

mod accept;
mod batch;
mod idempotency_keys;
mod limits;
mod name_warnings;
mod pace;
mod returned_webhooks;
mod triggers;

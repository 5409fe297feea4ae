//! Items of the DynamoDB table: their keys and attributes, the forms of a delivery, a row, an event, a recovery job, an
//! idempotency record and a place in the order of a loan, and the calls that read and write them.

pub(crate) mod call_errors;
pub(crate) mod conditional_put;
pub(crate) mod delivery_item;
pub(crate) mod event_item;
pub(crate) mod hex;
pub(crate) mod idempotency_item;
pub(crate) mod item;
pub(crate) mod item_access;
pub(crate) mod item_size;
pub(crate) mod job_item;
pub(crate) mod key_schema;
pub(crate) mod newest_first;
pub(crate) mod open_delivery_item;
pub(crate) mod packed;
pub(crate) mod row_item;
pub(crate) mod transaction;
pub(crate) mod unreadable;
pub(crate) mod write_outcome;
pub(crate) mod zlib;

//! The plan of a batch: what becomes of each of its records.

use std::collections::HashMap;

use aws_lambda_events::event::sqs::SqsMessage;

use crate::queue::permits::PermitUse;
use loanhook_core::ports::{QueueMessage, StoreResult};

/// A record with its message.
pub(super) struct Readable<'a> {
    pub(super) record: &'a SqsMessage,
    pub(super) message: QueueMessage,
}

/// The result of each of some records.
pub(super) type Results<'a> = Vec<(&'a SqsMessage, StoreResult<()>)>;

/// What becomes of the records of a batch.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) unreadable: Vec<&'a SqsMessage>,
    pub(super) handled: Vec<Readable<'a>>,
    /// By what has a permit of its own.
    pub(super) with_permit: HashMap<PermitUse, Vec<Readable<'a>>>,
    pub(super) passed_on: Vec<Readable<'a>>,
    pub(super) returned: Vec<Readable<'a>>,
}

/// Records and their messages.
pub(super) fn split(of: Vec<Readable<'_>>) -> (Vec<&SqsMessage>, Vec<QueueMessage>) {
    of.into_iter().map(|Readable { record, message }| (record, message)).unzip()
}

/// The one result of records that were sent together.
pub(super) fn results_of<'a>(records: Vec<&'a SqsMessage>, result: &StoreResult<()>) -> Results<'a> {
    records.into_iter().map(|record| (record, result.clone())).collect()
}

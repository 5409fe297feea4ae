//! A row of the history as an item: a document, and as attributes its state and token, which conditions name.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, document, json, number, text};
use super::key_schema::{DOC, EXPIRES, STATE, TOKEN, TRACE, row, trace_pk};
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

pub(crate) fn new(attempt: &Attempt, expires: Timestamp) -> StoreResult<Item> {
    let mut item = row(&attempt.tenant, &attempt.loan_id, attempt.id).attributes();
    item.insert(TRACE.into(), text(trace_pk(&attempt.tenant, attempt.trace_id)));
    item.insert(STATE.into(), state(attempt));
    if let AttemptState::Sending { token } = &attempt.state {
        item.insert(TOKEN.into(), text(token.to_string()));
    }
    item.insert(DOC.into(), json(attempt)?);
    item.insert(EXPIRES.into(), number(expires.seconds()));
    Ok(item)
}

pub(crate) fn state(attempt: &Attempt) -> AttributeValue {
    text(match attempt.state {
        AttemptState::Queued => "queued",
        AttemptState::Sending { .. } => "sending",
        AttemptState::Complete(_) => "complete",
    })
}

pub(crate) fn read(item: &Item) -> StoreResult<Attempt> {
    document(item)
}

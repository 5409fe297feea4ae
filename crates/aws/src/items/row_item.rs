//! A row of the history as an item: a document, and as attributes its state and token, which conditions name.
//!
//! A row is in the index [`BY_TRACE`](super::key_schema::BY_TRACE) unless its delivery names it as its first attempt: most
//! deliveries have no other, and an entry in the index costs as much as a write of the row.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, document, document_value, expiry, get_text, number, text};
use super::item_size::bytes_of;
use super::key_schema::{DOC, EXPIRES, FIRST_AUTO, STATE, TOKEN, TRACE, row, trace_pk};
use loanhook_core::model::attempt::{Attempt, AttemptNumber, AttemptState};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// The item of a row that is new, of this delivery as it is when the row is put.
pub(crate) fn new(attempt: &Attempt, delivery: &Item) -> StoreResult<Item> {
    let is_named = get_text(delivery, FIRST_AUTO) == Some(attempt.id.to_string().as_str());
    let mut item = attributes(attempt, !is_named, expiry(delivery)?);
    let document = document_value(attempt, bytes_of(&item) + DOC.len())?;
    item.insert(DOC.into(), document);
    Ok(item)
}

/// All of a row but its document.
fn attributes(attempt: &Attempt, indexed: bool, expires: Timestamp) -> Item {
    let mut item = row(&attempt.tenant, &attempt.loan_id, attempt.id).attributes();
    if indexed {
        item.insert(TRACE.into(), text(trace_pk(&attempt.tenant, attempt.trace_id)));
    }
    item.insert(STATE.into(), state(attempt));
    if let AttemptState::Sending { token } = &attempt.state {
        item.insert(TOKEN.into(), text(token.to_string()));
    }
    item.insert(EXPIRES.into(), number(expires.seconds()));
    item
}

/// The document of a row that is there already.
pub(crate) fn updated_document(attempt: &Attempt) -> StoreResult<AttributeValue> {
    // These attributes stay as they are: only their size is wanted, and a time is as long as another.
    let indexed = attempt.number != AttemptNumber::Auto(1);
    let others = attributes(attempt, indexed, attempt.sent_at);
    document_value(attempt, bytes_of(&others) + DOC.len())
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

#[cfg(test)]
#[path = "row_item_tests.rs"]
mod tests;

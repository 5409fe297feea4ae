//! An event of the ledger as an item: a document, and as an attribute its partition in the index of what was accepted.
//!
//! It is put once and never changes.

use super::item::{Item, document, document_value, number, text};
use super::item_size::bytes_of;
use super::key_schema::{ACCEPTED_DAY, DOC, EXPIRES, acceptance_pk, event};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

pub(crate) fn new(accepted: &LedgerEvent, expires: Timestamp) -> StoreResult<Item> {
    let LedgerEvent { tenant, loan_id, id, .. } = accepted;
    let mut item = event(tenant, loan_id, *id).attributes();
    item.insert(ACCEPTED_DAY.into(), text(acceptance_pk(tenant, *id)));
    item.insert(EXPIRES.into(), number(expires.seconds()));
    let document = document_value(accepted, bytes_of(&item) + DOC.len())?;
    item.insert(DOC.into(), document);
    Ok(item)
}

pub(crate) fn read(item: &Item) -> StoreResult<LedgerEvent> {
    document(item)
}

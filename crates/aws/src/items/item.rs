//! An item of the table: its attributes written and read, and whether it has expired.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::key_schema::{DOC, EXPIRES, ItemKey, PK, SK};
use super::packed;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreError, StoreResult};
use loanhook_stored::{Document, ReadError};

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[expect(clippy::needless_pass_by_value, reason = "these are numbers, which are copied")]
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

impl ItemKey {
    /// The key's attributes.
    pub(crate) fn attributes(self) -> Item {
        Item::from([(PK.into(), text(self.pk)), (SK.into(), text(self.sk))])
    }
}

/// A value as a JSON text.
pub(crate) fn json(value: &impl Document) -> StoreResult<AttributeValue> {
    loanhook_stored::write(value)
        .map(AttributeValue::S)
        .map_err(|error| item_error("cannot be written", &error))
}

/// A value as a document: a JSON text, or one that is packed, if that takes fewer write units in an item with
/// `other_bytes` beside it.
pub(crate) fn document_value(value: &impl Document, other_bytes: usize) -> StoreResult<AttributeValue> {
    let json = loanhook_stored::write(value).map_err(|error| item_error("cannot be written", &error))?;
    Ok(match packed::pack_if_cheaper(json.as_bytes(), other_bytes) {
        Some(packed) => AttributeValue::B(Blob::new(packed)),
        None => AttributeValue::S(json),
    })
}

/// The error of an item that cannot be read or written. It never contains a value of the item.
fn item_error(what: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("an item {what}: {why}").into())
}

/// The error of an item that cannot be read, for this reason.
pub(crate) fn unreadable(why: &dyn std::fmt::Display) -> StoreError {
    item_error("cannot be read", why)
}

/// The error of an item without this attribute, or with one of another type.
pub(crate) fn missing_attribute(name: &str) -> StoreError {
    unreadable(&format_args!("it has no {name}"))
}

pub(crate) fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn parse<T: std::str::FromStr>(item: &Item, name: &str) -> StoreResult<T> {
    get_text(item, name).and_then(|text| text.parse().ok()).ok_or_else(|| missing_attribute(name))
}

pub(crate) fn parse_number<T: std::str::FromStr>(item: &Item, name: &str) -> StoreResult<T> {
    get_number(item, name).ok_or_else(|| missing_attribute(name))
}

pub(crate) fn parse_json<T: Document>(item: &Item, name: &str) -> StoreResult<T> {
    let json = get_text(item, name).ok_or_else(|| missing_attribute(name))?;
    loanhook_stored::read(json).map_err(|error| unreadable(&error))
}

/// What the item's document is, packed or not.
pub(crate) fn document<T: Document>(item: &Item) -> StoreResult<T> {
    let Some(AttributeValue::B(bytes)) = item.get(DOC) else { return parse_json(item, DOC) };
    let json = packed::unpack(bytes.as_ref()).map_err(|error| unreadable(&error))?;
    let json = String::from_utf8(json).map_err(|_| unreadable(&packed::UnpackError::Damaged))?;
    loanhook_stored::read(&json).map_err(|error| unreadable(&error))
}

/// Whether a newer loanhook wrote the item's document, so that this one cannot read it.
pub(crate) fn is_newer<T: Document>(item: &Item) -> bool {
    match item.get(DOC) {
        Some(AttributeValue::B(bytes)) => match packed::unpack(bytes.as_ref()) {
            Ok(json) => std::str::from_utf8(&json).is_ok_and(newer::<T>),
            Err(fault) => matches!(fault, packed::UnpackError::Newer(_)),
        },
        _ => is_newer_text::<T>(item, DOC),
    }
}

/// The same of a JSON text in an attribute.
pub(crate) fn is_newer_text<T: Document>(item: &Item, name: &str) -> bool {
    get_text(item, name).is_some_and(newer::<T>)
}

fn newer<T: Document>(json: &str) -> bool {
    matches!(loanhook_stored::read::<T>(json), Err(ReadError::Newer { .. }))
}

/// When the item expires.
pub(crate) fn expiry(item: &Item) -> StoreResult<Timestamp> {
    let seconds: i64 = parse_number(item, EXPIRES)?;
    Ok(Timestamp::from_millis(seconds.saturating_mul(1000)))
}

/// The item, unless it has expired: DynamoDB deletes expired items up to days late.
pub(crate) fn unexpired(item: Item) -> Option<Item> {
    let now = Timestamp::now().seconds();
    get_number::<i64>(&item, EXPIRES).is_none_or(|expires| now < expires).then_some(item)
}

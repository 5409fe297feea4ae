//! Items of the table: read and written by attribute, their expiry seen to.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::table::{DOC, EXPIRES, PK, Place, SK};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreError, StoreResult};
use loanhook_stored::Document;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[expect(clippy::needless_pass_by_value, reason = "these are numbers, which are copied")]
pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

impl Place {
    pub(super) fn key(self) -> Item {
        Item::from([(PK.into(), text(self.pk)), (SK.into(), text(self.sk))])
    }
}

pub(super) fn json(value: &impl Document) -> StoreResult<AttributeValue> {
    loanhook_stored::write(value).map(AttributeValue::S).map_err(|error| broken("cannot be written", &error))
}

/// What cannot be read is a fault of ours, and says where it is but never what it holds.
fn broken(what: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("an item {what}: {why}").into())
}

pub(super) fn missing(name: &str) -> StoreError {
    broken("cannot be read", &format_args!("it has no {name}"))
}

pub(super) fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(super) fn parse<T: std::str::FromStr>(item: &Item, name: &str) -> StoreResult<T> {
    get_text(item, name).and_then(|text| text.parse().ok()).ok_or_else(|| missing(name))
}

pub(super) fn parse_number<T: std::str::FromStr>(item: &Item, name: &str) -> StoreResult<T> {
    get_number(item, name).ok_or_else(|| missing(name))
}

pub(super) fn parse_json<T: Document>(item: &Item, name: &str) -> StoreResult<T> {
    let json = get_text(item, name).ok_or_else(|| missing(name))?;
    loanhook_stored::read(json).map_err(|error| broken("cannot be read", &error))
}

pub(super) fn document<T: Document>(item: &Item) -> StoreResult<T> {
    parse_json(item, DOC)
}

/// An item that is not over: DynamoDB deletes up to days late.
pub(super) fn live(item: Item) -> Option<Item> {
    let now = Timestamp::now().seconds();
    get_number::<i64>(&item, EXPIRES).is_none_or(|expires| now < expires).then_some(item)
}

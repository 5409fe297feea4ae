//! Items of the table: read and written by attribute, their expiry seen to.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::key_schema::{DOC, EXPIRES, ItemKey, PK, SK};
use loanhook_core::log::json_error;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreError, StoreResult};

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[expect(clippy::needless_pass_by_value, reason = "these are numbers, which are copied")]
pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

impl ItemKey {
    pub(super) fn key(self) -> Item {
        Item::from([(PK.into(), text(self.pk)), (SK.into(), text(self.sk))])
    }
}

pub(super) fn json(value: &impl Serialize) -> StoreResult<AttributeValue> {
    serde_json::to_string(value)
        .map(AttributeValue::S)
        .map_err(|error| item_error("cannot be written", &error))
}

/// What cannot be read is a fault of ours, and says where it is but never what it holds.
fn item_error(what: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("an item {what}: {why}").into())
}

pub(super) fn missing_attribute(name: &str) -> StoreError {
    item_error("cannot be read", &format_args!("it has no {name}"))
}

pub(super) fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(super) fn parse<T: std::str::FromStr>(item: &Item, name: &str) -> StoreResult<T> {
    get_text(item, name).and_then(|text| text.parse().ok()).ok_or_else(|| missing_attribute(name))
}

pub(super) fn parse_number<T: std::str::FromStr>(item: &Item, name: &str) -> StoreResult<T> {
    get_number(item, name).ok_or_else(|| missing_attribute(name))
}

pub(super) fn parse_json<T: DeserializeOwned>(item: &Item, name: &str) -> StoreResult<T> {
    let json = get_text(item, name).ok_or_else(|| missing_attribute(name))?;
    serde_json::from_str(json).map_err(|error| item_error("cannot be read", &json_error(&error)))
}

pub(super) fn document<T: DeserializeOwned>(item: &Item) -> StoreResult<T> {
    parse_json(item, DOC)
}

/// An item that is not over: DynamoDB deletes up to days late.
pub(super) fn unexpired(item: Item) -> Option<Item> {
    let now = Timestamp::now().seconds();
    get_number::<i64>(&item, EXPIRES).is_none_or(|expires| now < expires).then_some(item)
}

//! Size of an item, by which DynamoDB charges writes.
//!
//! The rules are those of "DynamoDB item sizes and formats" in the developer guide of DynamoDB.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::Item;

/// A write costs one unit for each of these, or part of one, in the item before or after it, whichever is larger.
const WRITE_UNIT_BYTES: usize = 1024;

/// The units of a write of so many bytes.
pub(crate) const fn write_units(bytes: usize) -> usize {
    bytes.div_ceil(WRITE_UNIT_BYTES)
}

/// The size of an item, or of some of its attributes, in bytes: names and values.
pub(crate) fn bytes_of(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        // A byte for every two digits, and one more.
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        // Beside what is in it, a byte for each field.
        AttributeValue::M(fields) => 3 + fields.len() + bytes_of(fields),
        // None of ours has another type than these and the boolean, which is one byte.
        _ => 1,
    }
}

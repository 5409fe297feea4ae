//! Stored count changes: what one commit adds to the counts of reports, as bytes, since each commit writes some.
//!
//! | | |
//! | --- | --- |
//! | 1 byte | the version, 1 |
//! | a number | how many changes follow |
//! | each: a text | the tenant |
//! | a number, zigzag-encoded | the hour, in hours since 1970 in UTC |
//! | a length, 0 or 16, and so many bytes | the subscription; nothing for what belongs to none |
//! | a text | the event name |
//! | as [`write_counts`](crate::write_counts) | the counts, with their own version |
//!
//! `numbers` says what numbers and texts look like.

use uuid::Uuid;

use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::report::{CountChange, CountGroup};
use loanhook_core::model::time::Timestamp;

use crate::counts::{CountsReadError, push_counts, take_counts};
use crate::numbers::{
    push_number, push_text, push_with_length, take_number, take_text, take_with_length, unzigzag, zigzag,
};

const VERSION: u8 = 1;
const HOUR_MILLIS: i64 = 3_600_000;
/// A usual change: its group, a few counts and a few buckets.
const USUAL_BYTES: usize = 96;

/// The bytes of changes.
#[must_use]
pub fn write_count_changes(changes: &[CountChange]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(changes.len() * USUAL_BYTES);
    bytes.push(VERSION);
    push_number(&mut bytes, changes.len() as u64);
    for CountChange { group, counts } in changes {
        let CountGroup { tenant, hour, subscription, event_name } = group;
        push_text(&mut bytes, tenant.as_str());
        push_number(&mut bytes, zigzag(hour.millis().div_euclid(HOUR_MILLIS)));
        let subscription = subscription.map(|id| id.uuid().into_bytes());
        push_with_length(&mut bytes, subscription.as_ref().map_or(&[][..], |id| id.as_slice()));
        push_text(&mut bytes, event_name);
        push_counts(&mut bytes, counts);
    }
    bytes
}

/// The changes of these bytes.
///
/// # Errors
///
/// Where they are no changes, or a newer loanhook wrote them or one of their counts.
pub fn read_count_changes(mut bytes: &[u8]) -> Result<Vec<CountChange>, CountsReadError> {
    let bytes = &mut bytes;
    CountsReadError::check_version(bytes, VERSION)?;
    let count = take_number(bytes).ok_or(CountsReadError::Damaged)?;
    let mut changes = Vec::new();
    for _ in 0..count {
        let group = take_group(bytes).ok_or(CountsReadError::Damaged)?;
        changes.push(CountChange { group, counts: take_counts(bytes)? });
    }
    if bytes.is_empty() { Ok(changes) } else { Err(CountsReadError::Damaged) }
}

fn take_group(bytes: &mut &[u8]) -> Option<CountGroup> {
    let tenant = TenantId::try_from(take_text(bytes)?).ok()?;
    let hour = Timestamp::from_millis(unzigzag(take_number(bytes)?).checked_mul(HOUR_MILLIS)?);
    let subscription = match take_with_length(bytes)? {
        [] => None,
        id => Some(SubscriptionId::from_uuid(Uuid::from_slice(id).ok()?)),
    };
    Some(CountGroup { tenant, hour, subscription, event_name: take_text(bytes)? })
}

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_core::model::id::SubscriptionId;

use super::*;
use crate::items::item::{number, text};

fn put(version: u64) -> Change {
    Change::Put(SubscriptionId::from_uuid(uuid::Uuid::from_u128(version.into())), version)
}

/// The version that so many changes make.
fn after_changes(count: u64) -> TenantVersion {
    (1..=count).fold(TenantVersion::default(), |version, n| version.after(put(n), FlowChange::None, 4))
}

fn item(version: u64, entries: &[String]) -> Item {
    let entries = entries.iter().map(text).collect();
    Item::from([
        (VERSION.into(), number(version)),
        (CHANGES.into(), AttributeValue::L(entries)),
        (COPIES.into(), number(4)),
    ])
}

fn entries(version: &TenantVersion) -> Vec<String> {
    version.changes().map(|(number, change)| change.entry(number)).collect()
}

#[test]
fn what_changed_since_a_version_is_known_for_the_last_changes() {
    let version = after_changes(40);
    assert_eq!(version.changes_since(37), Some(&[put(38), put(39), put(40)][..]));
    assert_eq!(version.changes_since(24).map(<[_]>::len), Some(KEPT_CHANGES));
    for too_long_ago in [23, 0] {
        assert_eq!(version.changes_since(too_long_ago), None);
    }
    for not_older in [40, 41] {
        assert_eq!(version.changes_since(not_older), Some(&[][..]));
    }
    assert_eq!(TenantVersion::default().changes_since(0), Some(&[][..]));
}

#[test]
fn a_version_is_read_as_it_was_written() {
    for count in [0, 1, 16, 40] {
        let version = after_changes(count);
        let read = TenantVersion::read(&item(count, &entries(&version)));
        assert_eq!((read.number, &read.changes), (count, &version.changes));
    }
}

#[test]
fn changes_that_do_not_reach_the_version_are_not_known() {
    let written = entries(&after_changes(40));
    // Another program counted on, and knows no changes.
    let counted_on = TenantVersion::read(&item(41, &written));
    assert_eq!((counted_on.changes_since(40), counted_on.changes_since(41)), (None, Some(&[][..])));
    // From here on they are known again.
    assert_eq!(counted_on.after(put(42), FlowChange::None, 4).changes_since(41), Some(&[put(42)][..]));
    // An entry that this program cannot read hides those before it.
    let mut unknown = written;
    unknown[14] = "39 of another kind".to_owned();
    let read = TenantVersion::read(&item(40, &unknown));
    assert_eq!((read.changes_since(39), read.changes_since(38)), (Some(&[put(40)][..]), None));
}

#[test]
fn keys_are_unchanged_while_only_subscriptions_changed() {
    let key = KeyId::from_uuid(uuid::Uuid::nil());
    let version = after_changes(5);
    assert!(version.has_the_keys_of(5) && version.has_the_keys_of(2));
    assert!(!after_changes(40).has_the_keys_of(2), "not known");
    for change in [Change::KeyEnded(key), Change::Other] {
        let changed = version.after(change, FlowChange::None, 4).after(put(7), FlowChange::None, 4);
        assert!(changed.has_the_keys_of(6) && !changed.has_the_keys_of(5), "{change:?}");
        assert_eq!(changed.has_ended(key), change == Change::KeyEnded(key));
    }
}

#[test]
fn the_number_of_copies_never_falls() {
    let many = TenantVersion { copies: 32, ..TenantVersion::default() };
    assert_eq!(many.after(put(1), FlowChange::None, 16).copies, 32);
}

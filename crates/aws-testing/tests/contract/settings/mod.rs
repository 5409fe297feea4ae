//! The settings of a tenant as they are stored: the copies of its version, the stored list of its subscriptions, and what
//! earlier versions of this program wrote.

mod copies;
mod earlier_version;
mod list_retention;
mod sizes;
mod stored_list;
mod unreadable_subscriptions;
mod versions;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::Aws;
use loanhook_aws_testing::TestStack;
use loanhook_contract::scene::{MILLISECOND, START, subscription, tenant};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::key::{Key, KeyHash, Scope};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{Keys, ReplaceOutcome, StoreResult, Subscriptions};

/// The key of every call.
pub(crate) const API_KEY: &str = "lh_settings_0123456789";

pub(crate) use stored_list::{assert_cold, create_large, part};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// How many copies of its version a tenant has.
pub(crate) const COPIES: u64 = 16;
/// More subscriptions than any case makes.
pub(crate) const MANY: usize = 1000;

pub(crate) fn acme() -> TenantId {
    tenant("acme")
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(crate) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The number that an attribute of an item is.
pub(crate) fn get_number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([("pk".into(), text(pk)), ("sk".into(), text(sk))])
}

pub(crate) async fn read(stack: &TestStack, pk: &str, sk: &str) -> Option<Item> {
    let get = stack.dynamodb.get_item().table_name(&stack.name).consistent_read(true);
    get.set_key(Some(key(pk, sk))).send().await.expect("read").item
}

pub(crate) async fn put(stack: &TestStack, item: Item) {
    stack.dynamodb.put_item().table_name(&stack.name).set_item(Some(item)).send().await.expect("put");
}

pub(crate) async fn remove(stack: &TestStack, pk: &str, sk: &str) {
    let delete = stack.dynamodb.delete_item().table_name(&stack.name);
    delete.set_key(Some(key(pk, sk))).send().await.expect("deleted");
}

/// The tenant's own item, which has its version.
pub(crate) async fn record(stack: &TestStack) -> Item {
    read(stack, "S#acme", "-").await.expect("the tenant's item")
}

pub(crate) async fn copy(stack: &TestStack, index: u64) -> Option<Item> {
    read(stack, &format!("S#acme#version-{index}"), "-").await
}

/// The version of the tenant, which all copies have, and with it the same changes.
pub(crate) async fn version_of_all_copies(stack: &TestStack) -> u64 {
    let record = record(stack).await;
    for index in 0..COPIES {
        let copy = copy(stack, index).await.expect("a copy");
        for attribute in ["version", "changes", "copies"] {
            assert_eq!(copy[attribute], record[attribute], "{attribute} of the copy {index}");
        }
    }
    assert_eq!(copy(stack, COPIES).await, None);
    get_number(&record, "version").expect("a version")
}

/// Adds the key of every call.
pub(crate) async fn add_key(engine: &Aws) -> StoreResult<Key> {
    let key = Key::new(acme(), "Servicing".into(), Scope::ALL.to_vec(), START);
    engine.add_key(key.clone(), KeyHash::of(API_KEY)).await?;
    Ok(key)
}

/// The item of that key under its hash.
pub(crate) async fn key_item(stack: &TestStack) -> Item {
    let hash: String = KeyHash::of(API_KEY).0.iter().map(|byte| format!("{byte:02x}")).collect();
    read(stack, &format!("K#{hash}"), "-").await.expect("the key's item")
}

/// What a call with the key finds: the titles of the subscriptions; none where the key is not valid.
pub(crate) async fn call(engine: &Aws) -> StoreResult<Option<Vec<String>>> {
    if engine.key(KeyHash::of(API_KEY)).await?.is_none() {
        return Ok(None);
    }
    let listed = engine.subscriptions(&acme()).await?;
    assert!(listed.iter().all(|one| one.secrets.current().expose().is_empty()), "a list has no secrets");
    Ok(Some(listed.iter().map(|one| one.settings.title.clone()).collect()))
}

/// Titles, as a call finds them.
pub(crate) fn found(titles: &[&str]) -> Option<Vec<String>> {
    Some(titles.iter().map(|title| (*title).to_owned()).collect())
}

/// Creates a subscription; a later one is made at a later millisecond, so that it is listed after those before it.
pub(crate) async fn create(engine: &Aws, title: &str, millisecond: u32) -> StoreResult<Subscription> {
    let new = subscription(&acme(), title, &[], START + millisecond * MILLISECOND);
    assert!(engine.create(new.clone(), MANY).await?);
    Ok(new)
}

pub(crate) async fn retitle(engine: &Aws, id: SubscriptionId, title: &str) -> StoreResult<()> {
    let mut next = (*engine.subscription(&acme(), id).await?.expect("it is there")).clone();
    next.version += 1;
    next.settings.title = title.into();
    assert_eq!(engine.replace(next).await?, ReplaceOutcome::Replaced);
    Ok(())
}

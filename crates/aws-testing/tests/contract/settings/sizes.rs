//! Sizes of the items of settings, by which `docs/cost.md` says what reads and changes of them cost.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::Aws;
use loanhook_aws_testing::stored_documents::sealed_document;
use loanhook_aws_testing::{AwsEngine, CountedEngine};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, START, subscription, tenant};
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::{Criteria, Subscription};
use loanhook_core::ports::{ReplaceOutcome, StoreResult, Subscriptions};
use uuid::Uuid;

use super::{COPIES, Item, MANY, acme, add_key, call, number, put, read, text};

/// What a tenant may have, but for one.
const SUBSCRIPTIONS: u32 = 199;

/// The size of an item in bytes, by the rules of "DynamoDB item sizes and formats" in DynamoDB's guide.
fn bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + bytes_of(value)).sum()
}

fn bytes_of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + bytes_of(value)).sum::<usize>(),
        other => panic!("none of ours is {other:?}"),
    }
}

/// A subscription whose document is about 1 KiB, as no other's.
fn typical(index: u32) -> Subscription {
    let mut typical = subscription(&acme(), "", &[300, 1800, 7200, 18_000], START + index * MILLISECOND);
    let random = || Uuid::new_v4().simple().to_string();
    let settings = &mut typical.settings;
    settings.title = format!("Core banking of branch {index}: payment posted");
    settings.description =
        format!("Tells the ledger of branch {index} of each payment. Asked for by {}.", random());
    settings.criteria = Criteria::Events(vec![
        "Payment Posted to Account".into(),
        "Payment Reversed".into(),
        format!("Custom Event {index}"),
    ]);
    settings.request.url = format!("https://branch-{index}.core.example.com/hooks/loans/{}", random());
    settings.request.headers.insert("Authorization".into(), format!("Bearer {}{}", random(), random()));
    settings.request.payload = Some(format!(
        r#"{{"branch": {index}, "loan": "[[v('loan-id')]]", "amount": "[[v('last-payment-amount')]]", "status": "[[v('loan-status-text')]]"}}"#
    ));
    typical.secrets = Secrets::without_expired();
    typical
}

/// Puts the item of a current subscription, as a change does, but without a version.
async fn put_current(aws: &AwsEngine, of: &Subscription) -> usize {
    let document = sealed_document(aws.ports(), of).await;
    let size = document.len();
    let item = [
        ("pk", text("S#acme")),
        ("sk", text(&format!("C#{}", of.id))),
        ("version", number(of.version)),
        ("doc", text(&document)),
    ];
    put(&aws.stack, item.map(|(name, value)| (name.into(), value)).into()).await;
    size
}

#[test]
fn a_cold_list_of_200_subscriptions_and_a_change_of_one_take_few_units() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let mut documents = 0;
        for index in 0..SUBSCRIPTIONS {
            documents += put_current(&aws, &typical(index)).await;
        }
        let average = documents / SUBSCRIPTIONS as usize;
        assert!((900..1200).contains(&average), "{average} bytes");
        let last = typical(SUBSCRIPTIONS);
        assert!(aws.ports().create(last.clone(), MANY).await?);

        let part = read(&aws.stack, "S#acme#list", "00").await.expect("a list");
        assert_eq!(read(&aws.stack, "S#acme#list", "01").await, None, "one part");
        // Half a unit for each 4 KiB, since the list need not be the newest.
        let half_units = bytes(&part).div_ceil(4096);
        assert!(half_units <= 10, "{} bytes", bytes(&part));
        let warm = CountedEngine::new(&aws);
        assert_eq!(call(&warm.engine).await?.map(|titles| titles.len()), Some(200));
        warm.assert_calls_and_data_key([("DynamoDB.GetItem", 3), ("DynamoDB.Query", 1)]);

        // Nothing changed: the version.
        assert_calls(&warm, 1).await?;
        // One changed: the version and that one.
        let mut next = last;
        next.version = 2;
        replace(aws.ports(), next.clone()).await?;
        assert_calls(&warm, 2).await?;
        assert_calls(&warm, 1).await?;
        assert_write_units(&aws, &next).await;
        Ok(())
    });
}

/// What the last change, to this version of a subscription, took.
async fn assert_write_units(aws: &AwsEngine, next: &Subscription) {
    let units = async |pk: &str, sk: &str| {
        let item = read(&aws.stack, pk, sk).await.expect("an item");
        bytes(&item).div_ceil(1024)
    };
    let (current, version) = (format!("C#{}", next.id), |n: u64| format!("V#{}#{n:020}", next.id));
    assert_eq!(units("S#acme", "-").await, 1);
    for (sort_key, most) in [(current, 2), (version(1), 2), (version(2), 2)] {
        assert!(units("S#acme", &sort_key).await <= most, "{sort_key}");
    }
    for index in 0..COPIES {
        assert_eq!(units(&format!("S#acme#version-{index}"), "-").await, 1);
    }
    // Together 2 x (1 + 3 x 2 + 16) = 46 in a transaction, and the list.
    let list = units("S#acme#list", "00").await;
    assert!((39..=41).contains(&list), "{list} units");
}

/// A warm call reads so many items by key, each of less than 4 KiB, and nothing else.
async fn assert_calls(warm: &CountedEngine, gets: u32) -> StoreResult<()> {
    assert_eq!(call(&warm.engine).await?.map(|titles| titles.len()), Some(200));
    warm.assert_calls([("DynamoDB.GetItem", gets)]);
    Ok(())
}

#[test]
fn a_copy_of_a_version_with_all_the_changes_it_keeps_is_one_write_unit() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        // The longest name of a tenant, and a million changes before these.
        let name = "t".repeat(64);
        let of = tenant(&name);
        let record = [("pk", text(&format!("S#{name}"))), ("sk", text("-")), ("version", number(999_999))];
        put(&aws.stack, HashMap::from(record.map(|(name, value)| (name.into(), value)))).await;
        let mut webhook = subscription(&of, "First", &[], START);
        webhook.version = 10_000;
        assert!(aws.ports().create(webhook.clone(), MANY).await?);
        for _ in 0..20 {
            webhook.version += 1;
            replace(aws.ports(), webhook.clone()).await?;
        }
        for key in [format!("S#{name}"), format!("S#{name}#version-15")] {
            let item = read(&aws.stack, &key, "-").await.expect("an item");
            assert!((900..=1024).contains(&bytes(&item)), "{} bytes: {item:?}", bytes(&item));
        }
        Ok(())
    });
}

async fn replace(engine: &Aws, next: Subscription) -> StoreResult<()> {
    assert_eq!(engine.replace(next).await?, ReplaceOutcome::Replaced);
    Ok(())
}

//! The stored list of a tenant's subscriptions: a cache, which may be old, missing or unreadable.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws_testing::{AwsEngine, CountedEngine, TestStack};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, START, subscription};
use loanhook_core::ports::{StoreResult, Subscriptions};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use uuid::Uuid;

use super::{Item, MANY, acme, add_key, call, create, found, number, put, read, remove, retitle};

const GET: &str = "DynamoDB.GetItem";
const QUERY: &str = "DynamoDB.Query";

async fn part(stack: &TestStack, index: usize) -> Option<Item> {
    read(stack, "S#acme#list", &format!("{index:02}")).await
}

/// An engine with an empty cache finds these titles, with so many reads by key and queries.
async fn assert_cold(aws: &AwsEngine, titles: &[&str], gets: u32, queries: u32) -> StoreResult<()> {
    let cold = CountedEngine::new(aws);
    assert_eq!(call(&cold.engine).await?, found(titles));
    cold.assert_calls([(GET, gets), (QUERY, queries)]);
    Ok(())
}

#[test]
fn a_list_is_stored_with_each_change_and_read_alone() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let first = create(aws.ports(), "First", 0).await?;
        create(aws.ports(), "Second", 1).await?;
        // The key twice, the version, and the list.
        assert_cold(&aws, &["First", "Second"], 3, 1).await?;
        retitle(aws.ports(), first.id, "Edited").await?;
        assert_cold(&aws, &["Edited", "Second"], 3, 1).await?;
        assert!(aws.ports().delete(&acme(), first.id).await?);
        assert_cold(&aws, &["Second"], 3, 1).await?;
        Ok(())
    });
}

#[test]
fn a_stored_list_has_no_signing_secrets() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let first = create(aws.ports(), "First", 0).await?;
        let part = part(&aws.stack, 0).await.expect("a list");
        let stream = part["docs"].as_b().expect("bytes").as_ref();
        let documents = decompress_to_vec_zlib_with_limit(stream, 100_000).expect("a zlib stream");
        let documents = String::from_utf8(documents).expect("text");
        assert!(documents.contains("\"First\""), "{documents}");
        assert!(!documents.contains("whsec_") && first.secrets.current().expose().starts_with("whsec_"));
        Ok(())
    });
}

#[test]
fn an_older_list_is_brought_up_to_date_by_what_changed() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let [first, second] =
            [create(aws.ports(), "First", 0).await?, create(aws.ports(), "Second", 1).await?];
        let older = part(&aws.stack, 0).await.expect("a list");
        retitle(aws.ports(), second.id, "Edited").await?;
        assert!(aws.ports().delete(&acme(), first.id).await?);
        create(aws.ports(), "Third", 2).await?;
        // As if those who made these changes had died before they stored the list.
        put(&aws.stack, older.clone()).await;
        assert_cold(&aws, &["Edited", "Third"], 3 + 3, 1).await?;

        // So long ago that what changed since is not known any more.
        for edit in 0..14 {
            retitle(aws.ports(), second.id, &format!("Edit {edit}")).await?;
        }
        put(&aws.stack, older).await;
        assert_cold(&aws, &["Edit 13", "Third"], 3, 2).await?;
        Ok(())
    });
}

#[test]
fn without_a_readable_list_the_subscriptions_themselves_are_read() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        create(aws.ports(), "First", 0).await?;
        let good = part(&aws.stack, 0).await.expect("a list");
        let with = |name: &str, value| {
            let mut spoilt = good.clone();
            spoilt.insert(name.into(), value);
            spoilt
        };
        let spoilt = [
            with("docs", AttributeValue::B(Blob::new(b"no stream"))),
            with("docs", number(1)),
            with("parts", number(2)),
            with("version", AttributeValue::S("1".into())),
        ];
        for spoilt in spoilt {
            put(&aws.stack, spoilt).await;
            assert_cold(&aws, &["First"], 3, 2).await?;
        }
        remove(&aws.stack, "S#acme#list", "00").await;
        assert_cold(&aws, &["First"], 3, 2).await?;
        create(aws.ports(), "Second", 1).await?;
        assert_cold(&aws, &["First", "Second"], 3, 1).await?;
        Ok(())
    });
}

#[test]
fn a_list_of_several_parts_is_one_list_or_none() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let mut titles = Vec::new();
        for i in 0..4_u32 {
            // What compresses to half at best.
            let noise: String = std::iter::repeat_with(|| Uuid::new_v4().to_string()).take(6500).collect();
            let mut new = subscription(&acme(), &format!("Webhook {i}"), &[], START + i * MILLISECOND);
            new.settings.request.payload = Some(noise);
            titles.push(new.settings.title.clone());
            assert!(aws.ports().create(new, MANY).await?);
        }
        let titles: Vec<_> = titles.iter().map(String::as_str).collect();
        let [first, second] =
            [part(&aws.stack, 0).await, part(&aws.stack, 1).await].map(|part| part.expect("it"));
        assert_cold(&aws, &titles, 3, 1).await?;

        // A writer that died between the parts.
        let mut newer = second.clone();
        newer.insert("version".into(), number(5));
        put(&aws.stack, newer).await;
        assert_cold(&aws, &titles, 3, 2).await?;
        put(&aws.stack, second).await;
        assert_cold(&aws, &titles, 3, 1).await?;
        remove(&aws.stack, "S#acme#list", "01").await;
        assert_cold(&aws, &titles, 3, 2).await?;
        assert_eq!(super::get_number(&first, "parts"), Some(2));
        Ok(())
    });
}

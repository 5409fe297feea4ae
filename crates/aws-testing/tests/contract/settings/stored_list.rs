//! The stored list of a tenant's subscriptions: a cache, which may be old, missing or unreadable.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws_testing::{AwsEngine, CountedEngine, TestStack};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, START, subscription};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{DeleteOutcome, StoreResult, Subscriptions};
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use uuid::Uuid;

use super::{Item, MANY, acme, add_key, call, create, found, number, put, read, remove, retitle};

const GET: &str = "DynamoDB.GetItem";
const QUERY: &str = "DynamoDB.Query";

pub(crate) async fn part(stack: &TestStack, index: usize) -> Option<Item> {
    read(stack, "S#acme#list", &format!("{index:02}")).await
}

/// An engine with an empty cache finds these titles, with so many reads by key and queries, and the data key.
pub(crate) async fn assert_cold(
    aws: &AwsEngine,
    titles: &[&str],
    gets: u32,
    queries: u32,
) -> StoreResult<()> {
    let cold = CountedEngine::new(aws);
    assert_eq!(call(&cold.engine).await?, found(titles));
    cold.assert_calls_and_data_key([(GET, gets), (QUERY, queries)]);
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
        assert_eq!(aws.ports().delete(&acme(), first.id, None).await?, DeleteOutcome::Deleted);
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
        assert_eq!(aws.ports().delete(&acme(), first.id, None).await?, DeleteOutcome::Deleted);
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

/// Creates three subscriptions, whose list takes two parts: what each holds compresses to 150 KB at best. A list of two of
/// them is one part.
pub(crate) async fn create_large(aws: &AwsEngine) -> StoreResult<Vec<Subscription>> {
    let mut made = Vec::new();
    for i in 0..3_u32 {
        let noise: String = std::iter::repeat_with(|| Uuid::new_v4().to_string()).take(8500).collect();
        let mut new = subscription(&acme(), &format!("Webhook {i}"), &[], START + i * MILLISECOND);
        new.settings.request.payload = Some(noise);
        assert!(aws.ports().create(new.clone(), MANY).await?);
        made.push(new);
    }
    Ok(made)
}

#[test]
fn a_list_of_several_parts_is_one_list_or_none() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let made = create_large(&aws).await?;
        let titles: Vec<_> = made.iter().map(|one| one.settings.title.as_str()).collect();
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

#[test]
fn a_list_that_would_lack_a_subscription_is_not_stored() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let first = create(aws.ports(), "First", 0).await?;
        let item = read(&aws.stack, "S#acme", &format!("C#{}", first.id)).await.expect("it is there");
        let document = item["doc"].as_s().expect("a text");
        // As a newer version might pack it, and in several lines.
        let mut packed = vec![1];
        packed.extend(u32::try_from(document.len()).expect("small").to_be_bytes());
        packed.extend(compress_to_vec_zlib(document.as_bytes(), 6));
        let documents =
            [AttributeValue::B(Blob::new(packed)), AttributeValue::S(document.replacen('{', "{\n", 1))];
        let mut titles = vec!["First"];
        for (document, (title, millisecond)) in documents.into_iter().zip([("Second", 1), ("Third", 2)]) {
            let mut item = item.clone();
            item.insert("doc".into(), document);
            put(&aws.stack, item).await;
            let before = part(&aws.stack, 0).await;
            create(aws.ports(), title, millisecond).await?;
            titles.push(title);
            assert_eq!(part(&aws.stack, 0).await, before);
            assert_eq!(call(&aws.stack.engine()).await?, found(&titles));
        }
        remove(&aws.stack, "S#acme#list", "00").await;
        assert_cold(&aws, &titles, 3, 2).await
    });
}

//! Subscriptions that cannot be read or opened where they are listed: an event is not accepted against half a list.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{MILLISECOND, START, subscription};
use loanhook_core::ports::Subscriptions as _;
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::{Item, MANY, acme, add_key, assert_cold, call, create, found, part, put, remove};

/// A list whose documents are these.
fn with_documents(list: &Item, documents: &str) -> Item {
    let stream = compress_to_vec_zlib(documents.as_bytes(), 6);
    let mut item = list.clone();
    item.insert("docs".into(), AttributeValue::B(Blob::new(stream)));
    item
}

#[test]
fn a_list_of_which_one_subscription_cannot_be_opened_or_read_hides_none() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        for (title, millisecond) in [("First", 0), ("Second", 1)] {
            let mut new = subscription(&acme(), title, &[], START + millisecond * MILLISECOND);
            new.settings.request.headers.insert("Authorization".into(), "Bearer of a list".into());
            assert!(aws.ports().create(new, MANY).await?);
        }
        let good = part(&aws.stack, 0).await.expect("a list");
        let stream = good["docs"].as_b().expect("bytes").as_ref();
        let documents = decompress_to_vec_zlib_with_limit(stream, 100_000).expect("a zlib stream");
        let documents = String::from_utf8(documents).expect("text");
        let data_keys = aws.stack.item("Z#", "-").await.expect("the data keys");
        let data_key = data_keys["current"].as_s().expect("an ID");
        assert!(documents.contains(data_key) && documents.contains("{\"v\":2,"), "{documents}");
        for spoilt in [
            // Of a data key that is gone, of a newer loanhook, and damaged.
            documents.replacen(data_key, "0123456789abcdef", 1),
            documents.replacen("{\"v\":2,", "{\"v\":99,", 1),
            documents.replacen('{', "", 1),
        ] {
            put(&aws.stack, with_documents(&good, &spoilt)).await;
            assert_eq!(call(&aws.stack.engine()).await?, found(&["First", "Second"]), "{spoilt}");
        }
        // The next change stores it anew.
        create(aws.ports(), "Third", 2).await?;
        assert_cold(&aws, &["First", "Second", "Third"], 3, 1).await
    });
}

#[test]
fn a_subscription_that_a_newer_loanhook_stored_is_not_left_out_without_a_word() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let (first, second) =
            (create(aws.ports(), "First", 0).await?, create(aws.ports(), "Second", 1).await?);
        let item = aws.stack.item("S#acme", &format!("C#{}", first.id)).await.expect("it");
        let document = item["doc"].as_s().expect("a text");
        let mut newer = item.clone();
        newer.insert("doc".into(), AttributeValue::S(document.replacen("{\"v\":2,", "{\"v\":99,", 1)));
        assert_ne!(newer, item);
        put(&aws.stack, newer).await;
        // What a change of the newer version would have stored.
        remove(&aws.stack, "S#acme#list", "00").await;
        let cold = aws.stack.engine();
        for failed in
            [cold.subscriptions(&acme()).await.err(), cold.subscription(&acme(), first.id).await.err()]
        {
            let failed = failed.expect("half a list is none").to_string();
            assert!(failed.contains("a newer loanhook wrote it"), "{failed}");
        }
        assert!(cold.subscription(&acme(), second.id).await?.is_some());
        put(&aws.stack, item).await;
        assert_eq!(call(&cold).await?, found(&["First", "Second"]));
        Ok(())
    });
}

//! Retention of the parts of a stored list: what a tenant has removed from its subscriptions stays in none of them for ever.

use std::time::Duration;

use loanhook_aws::Aws;
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeleteOutcome, Subscriptions};

use super::{
    Item, acme, add_key, call, create, create_large, found, get_number, number, part, put, retitle, text,
};

const DAY_SECONDS: u64 = 24 * 3600;

/// So many seconds from now, in seconds since 1970.
fn seconds_from_now(seconds: u64) -> u64 {
    let then = Timestamp::now() + Duration::from_secs(seconds);
    u64::try_from(then.seconds()).expect("after 1970")
}

/// The part with this expiry; with none, as an earlier version of this program stored it.
fn expiring(part: &Item, expires: Option<u64>) -> Item {
    let mut part = part.clone();
    part.remove("expires");
    part.extend(expires.map(|expires| ("expires".to_owned(), number(expires))));
    part
}

#[test]
fn every_part_expires_after_a_month() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        create_large(&aws).await?;
        let days = seconds_from_now(29 * DAY_SECONDS)..=seconds_from_now(31 * DAY_SECONDS);
        for index in 0..2 {
            let part = part(&aws.stack, index).await.expect("a part");
            assert!(days.contains(&get_number(&part, "expires").expect("an expiry")), "part {index}");
        }
        Ok(())
    });
}

#[test]
fn a_shorter_list_removes_what_is_left_of_longer_ones() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let made = create_large(&aws).await?;
        let second = part(&aws.stack, 1).await.expect("a second part");
        // Left behind by an earlier version, which removed none; and the part of a list that is just being stored.
        for (index, version) in [("02", 1), ("03", 1), ("04", 99)] {
            let mut left = expiring(&second, None);
            left.insert("sk".into(), text(index));
            left.insert("version".into(), number(version));
            put(&aws.stack, left).await;
        }
        for large in &made[1..] {
            assert_eq!(aws.ports().delete(&acme(), large.id, None).await?, DeleteOutcome::Deleted);
        }
        let mut left = Vec::new();
        for index in 0..5 {
            left.extend(part(&aws.stack, index).await.map(|_| index));
        }
        assert_eq!(left, [0, 4]);
        assert_eq!(call(&aws.stack.engine()).await?, found(&["Webhook 0"]));
        Ok(())
    });
}

/// Where a list is read that expires within a minute: when it expires after that.
async fn expiry_after_a_read(aws: &AwsEngine, list: &Item, titles: &[&str]) -> Option<u64> {
    put(&aws.stack, list.clone()).await;
    let reader: Aws = aws.stack.engine();
    assert_eq!(call(&reader).await.expect("read"), found(titles));
    reader.finish_background().await;
    get_number(&part(&aws.stack, 0).await.expect("a list"), "expires")
}

#[test]
fn a_list_that_is_read_stays_as_long_as_it_is_current() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let first = create(aws.ports(), "First", 0).await?;
        let soon = seconds_from_now(60);
        let list = expiring(&part(&aws.stack, 0).await.expect("a list"), Some(soon));
        let renewed = expiry_after_a_read(&aws, &list, &["First"]).await;
        assert!(renewed > Some(seconds_from_now(29 * DAY_SECONDS)), "{renewed:?}");

        // In the first half of its time nobody writes it.
        let later = seconds_from_now(16 * DAY_SECONDS);
        let fresh = expiring(&list, Some(later));
        assert_eq!(expiry_after_a_read(&aws, &fresh, &["First"]).await, Some(later));
        // Nor is one written that is not current any more.
        retitle(aws.ports(), first.id, "Edited").await?;
        assert_eq!(expiry_after_a_read(&aws, &list, &["Edited"]).await, Some(soon));
        Ok(())
    });
}

//! The row of a first automatic attempt: the index of rows by delivery does not have it, its delivery names it.

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{LEASE, SECOND, START, Scene, attempt_message};
use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{AttemptRange, Attempts as _, Deliveries as _, ReleaseOutcome, StoreResult};

fn run(case: impl Future<Output = StoreResult<()>>) {
    loanhook_contract::run_on::<AwsEngine>(case);
}

fn delivery_key(scene: &Scene<AwsEngine>) -> (String, String) {
    (format!("T#acme#{}", scene.trace()), "-".into())
}

/// The attempt that the delivery's item names as its first.
async fn named(scene: &Scene<AwsEngine>) -> Option<String> {
    let (pk, sk) = delivery_key(scene);
    let item = scene.engine.stack.item(&pk, &sk).await.expect("the delivery");
    item.get("firstAuto").map(|id| id.as_s().expect("a text").clone())
}

async fn is_indexed(scene: &Scene<AwsEngine>, row: &Attempt) -> bool {
    let item = scene.engine.stack.item("L#acme#727", &row.id.to_string()).await;
    item.expect("the row").contains_key("trace")
}

/// Makes the delivery what a version stored that had every row in the index; of the row, if there is one.
async fn as_earlier_version(scene: &Scene<AwsEngine>, row: Option<&Attempt>) {
    let stack = &scene.engine.stack;
    let update = |(pk, sk): (String, String)| {
        let key = [("pk", pk), ("sk", sk)].map(|(name, value)| (name.into(), AttributeValue::S(value)));
        stack.dynamodb.update_item().table_name(&stack.name).set_key(Some(key.into()))
    };
    let unnamed = update(delivery_key(scene)).update_expression("REMOVE firstAuto");
    unnamed.send().await.expect("updated");
    let Some(row) = row else { return };
    let indexed = update(("L#acme#727".into(), row.id.to_string()))
        .update_expression("SET #trace = :trace")
        .expression_attribute_names("#trace", "trace")
        .expression_attribute_values(":trace", AttributeValue::S(delivery_key(scene).0));
    indexed.send().await.expect("updated");
}

#[test]
fn a_delivery_names_its_first_attempt_until_that_is_released() {
    run(async {
        let scene = Scene::<AwsEngine>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        assert_eq!(named(&scene).await, Some(claim.row.id.to_string()));
        assert!(!is_indexed(&scene, &claim.row).await);
        let released = scene.ports().release(&claim.delivery, claim.token, &claim.row, START).await?;
        assert_eq!((released, named(&scene).await), (ReleaseOutcome::Released, None));

        scene.attempt(Ok(500), START + SECOND).await?;
        let first = scene.rows().await?.remove(0);
        assert!(!is_indexed(&scene, &first).await);
        let second = scene.claim(START + 400 * SECOND).await?;
        assert!(is_indexed(&scene, &second.row).await);
        // A release of another attempt leaves it.
        let released = scene.ports().release(&second.delivery, second.token, &second.row, START).await?;
        assert_eq!((released, named(&scene).await), (ReleaseOutcome::Released, Some(first.id.to_string())));
        assert_eq!(scene.delivery().await?.history.newest_attempt, Some(first.id));
        Ok(())
    });
}

#[test]
fn attempts_are_in_order_in_pages_wherever_the_first_one_is_found() {
    run(async {
        let scene = Scene::<AwsEngine>::new(&[10, 10]).await?;
        scene.attempt(Ok(500), START).await?;
        let first = scene.rows().await?.remove(0);
        // The clock of the machine that took this resend was late.
        let (early, _) = scene.resend(None, Timestamp::from_millis(START.millis() - 5000)).await?;
        let mut expected = vec![early.id, first.id];
        for step in 1..3 {
            let (resend, _) = scene.resend(None, START + step * 20 * SECOND).await?;
            scene.attempt(Ok(500), START + step * 20 * SECOND + SECOND).await?;
            expected.push(resend.id);
            expected.push(scene.delivery().await?.history.newest_attempt.expect("an attempt"));
        }
        assert_pages(&scene, &expected).await?;
        as_earlier_version(&scene, Some(&first)).await;
        assert_pages(&scene, &expected).await
    });
}

/// Asserts that pages of any size, from either end, are these attempts.
async fn assert_pages(scene: &Scene<AwsEngine>, expected: &[AttemptId]) -> StoreResult<()> {
    let read = async |range, limit| {
        let story = scene.ports().delivery_with_attempts(scene.tenant(), scene.trace(), range, limit).await?;
        let (_, attempts) = story.expect("the delivery");
        StoreResult::Ok(attempts.iter().map(|attempt| attempt.id).collect::<Vec<_>>())
    };
    for limit in 1..=expected.len() + 1 {
        let (mut after, mut before) = (None, None);
        let (mut oldest_first, mut newest_first) = (Vec::new(), Vec::new());
        for _ in 0..expected.len().div_ceil(limit) {
            let page = read(AttemptRange::OldestFirst { after }, limit).await?;
            after = page.last().copied();
            oldest_first.push(page);
            let page = read(AttemptRange::NewestFirst { before }, limit).await?;
            before = page.last().copied();
            newest_first.push(page);
        }
        let pages: Vec<_> = expected.chunks(limit).map(<[_]>::to_vec).collect();
        assert_eq!(oldest_first, pages, "the oldest first, {limit} at once");
        let reversed: Vec<_> = expected.iter().rev().copied().collect();
        let pages: Vec<_> = reversed.chunks(limit).map(<[_]>::to_vec).collect();
        assert_eq!(newest_first, pages, "the newest first, {limit} at once");
    }
    Ok(())
}

#[test]
fn an_interrupted_first_attempt_whose_row_was_never_put_is_found_whoever_claimed_it() {
    for claimed_by_earlier_version in [false, true] {
        run(async {
            let scene = Scene::<AwsEngine>::new(&[10]).await?;
            let claim = scene.claim(START).await?;
            scene.engine.lose_row(&claim.row);
            if claimed_by_earlier_version {
                as_earlier_version(&scene, None).await;
            }
            let deliver = scene.deliver(Some(LEASE));
            let now = START + LEASE + SECOND;
            deliver.handle(attempt_message(&scene.accepted, 1, START), now).await?;
            let rows = scene.rows().await?;
            assert_eq!(rows[0].id, claim.row.id);
            let error = rows[0].completion().and_then(|completion| completion.error());
            assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Interrupted));
            assert_eq!(is_indexed(&scene, &rows[0]).await, claimed_by_earlier_version);

            deliver.handle(attempt_message(&scene.accepted, 2, now), now).await?;
            let numbers: Vec<_> = scene.rows().await?.iter().map(|row| row.number).collect();
            assert_eq!(numbers, [AttemptNumber::Auto(1), AttemptNumber::Auto(2)]);
            Ok(())
        });
    }
}

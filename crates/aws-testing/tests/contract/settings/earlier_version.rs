//! Tables and programs of the version before copies: one item has the version, and programs of both run side by side
//! while a stack is updated.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use loanhook_aws_testing::stored_documents::document_in_clear;
use loanhook_aws_testing::{AwsEngine, TestStack};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, START, subscription};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{Keys, StoreResult, Subscriptions};

use super::{
    COPIES, MANY, acme, add_key, call, create, found, get_number, number, put, read, record, remove, retitle,
    text, version_of_all_copies,
};

/// A table as the earlier version leaves it, with one subscription and a key, at the tenant's version 1.
async fn earlier_table() -> StoreResult<(AwsEngine, Subscription)> {
    let aws = AwsEngine::fresh().await;
    add_key(aws.ports()).await?;
    let first = create(aws.ports(), "First", 0).await?;
    for index in 0..COPIES {
        remove(&aws.stack, &format!("S#acme#version-{index}"), "-").await;
    }
    remove(&aws.stack, "S#acme#list", "00").await;
    let record = [("pk", text("S#acme")), ("sk", text("-")), ("version", number(1)), ("count", number(1))];
    put(&aws.stack, record.map(|(name, value)| (name.into(), value)).into()).await;
    Ok((AwsEngine::restarted(aws), first))
}

/// What the earlier version does where a subscription is created or replaced: whether DynamoDB does it.
async fn earlier_program_puts(stack: &TestStack, of: &Subscription, added: u64) -> bool {
    let count = Update::builder()
        .table_name(&stack.name)
        .key("pk", text("S#acme"))
        .key("sk", text("-"))
        .update_expression("ADD #version :one, #count :added")
        .expression_attribute_names("#version", "version")
        .expression_attribute_names("#count", "count")
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":added", number(added));
    let count = match added {
        0 => count,
        _ => count
            .condition_expression("attribute_not_exists(#count) OR #count < :most")
            .expression_attribute_values(":most", number(200)),
    };
    let put = Put::builder()
        .table_name(&stack.name)
        .item("pk", text("S#acme"))
        .item("sk", text(&format!("C#{}", of.id)))
        .item("version", number(of.version))
        .item("doc", text(&document_in_clear(of)));
    let parts = [
        TransactWriteItem::builder().update(count.build().expect("an update")).build(),
        TransactWriteItem::builder().put(put.build().expect("a put")).build(),
    ];
    let done = stack.dynamodb.transact_write_items().set_transact_items(Some(parts.into())).send().await;
    match done.map_err(|error| error.into_service_error()) {
        Ok(_) => true,
        Err(TransactWriteItemsError::TransactionCanceledException(_)) => false,
        Err(error) => panic!("{error:?}"),
    }
}

fn edited(of: &Subscription, title: &str) -> Subscription {
    let mut next = of.clone();
    next.version += 1;
    next.settings.title = title.into();
    next
}

#[test]
fn until_the_first_change_programs_of_both_versions_change_settings_and_see_it_at_once() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, first) = earlier_table().await?;
        let reader = aws.stack.engine();
        assert_eq!(call(&reader).await?, found(&["First"]));
        assert!(earlier_program_puts(&aws.stack, &edited(&first, "Edited"), 0).await);
        assert_eq!(call(&reader).await?, found(&["Edited"]));
        let second = subscription(&acme(), "Second", &[], START + MILLISECOND);
        assert!(earlier_program_puts(&aws.stack, &second, 1).await);
        for engine in [&reader, &aws.stack.engine()] {
            assert_eq!(call(engine).await?, found(&["Edited", "Second"]));
        }
        // It goes on from there: the limit counts what the earlier version created.
        let third = subscription(&acme(), "Third", &[], START + 2 * MILLISECOND);
        assert!(!aws.ports().create(third.clone(), 2).await?);
        assert!(aws.ports().create(third, 3).await?);
        assert_eq!(version_of_all_copies(&aws.stack).await, 4);
        for engine in [&reader, &aws.stack.engine()] {
            assert_eq!(call(engine).await?, found(&["Edited", "Second", "Third"]));
        }
        Ok(())
    });
}

#[test]
fn after_the_first_change_a_program_of_the_earlier_version_reads_right_and_changes_nothing() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, first) = earlier_table().await?;
        retitle(aws.ports(), first.id, "Edited").await?;
        let before = record(&aws.stack).await;
        let other = subscription(&acme(), "Second", &[], START + MILLISECOND);
        assert!(!earlier_program_puts(&aws.stack, &edited(&edited(&first, "Lost"), "Lost"), 0).await);
        assert!(!earlier_program_puts(&aws.stack, &other, 1).await);
        assert_eq!(record(&aws.stack).await, before);
        assert_eq!(call(&aws.stack.engine()).await?, found(&["Edited"]));
        // What it reads: the version in the tenant's own item, by which it caches.
        assert_eq!(get_number(&before, "version"), Some(2));
        create(aws.ports(), "Second", 1).await?;
        assert_eq!(get_number(&record(&aws.stack).await, "version"), Some(3));
        Ok(())
    });
}

#[test]
fn the_end_of_a_key_counts_from_an_earlier_table_on() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, _) = earlier_table().await?;
        let reader = aws.stack.engine();
        assert!(call(&reader).await?.is_some());
        let listed = aws.ports().keys(&acme(), None, 10).await?;
        assert!(aws.ports().delete_key(&acme(), listed[0].key.id).await?);
        assert_eq!(call(&reader).await?, None);
        assert_eq!(version_of_all_copies(&aws.stack).await, 2);
        Ok(())
    });
}

/// The update that an operator makes who goes back to the earlier version, as ADR 25 has it.
#[test]
fn a_tenant_that_went_back_to_the_earlier_version_is_read_right_when_this_one_comes_again() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, first) = earlier_table().await?;
        retitle(aws.ports(), first.id, "Edited").await?;
        let update = aws.stack.dynamodb.update_item().table_name(&aws.stack.name);
        let update = update.key("pk", text("S#acme")).key("sk", text("-"));
        let back = update
            .update_expression("SET #count = #subscriptions REMOVE #copies")
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#subscriptions", "subscriptions")
            .expression_attribute_names("#copies", "copies");
        back.send().await.expect("updated");
        let second = subscription(&acme(), "Second", &[], START + MILLISECOND);
        assert!(earlier_program_puts(&aws.stack, &second, 1).await);

        let again = aws.stack.engine();
        assert_eq!(call(&again).await?, found(&["Edited", "Second"]));
        assert!(!again.create(subscription(&acme(), "Third", &[], START), 2).await?);
        assert!(again.create(subscription(&acme(), "Third", &[], START + 2 * MILLISECOND), MANY).await?);
        assert_eq!(version_of_all_copies(&aws.stack).await, 4);
        assert_eq!(call(&aws.stack.engine()).await?, found(&["Edited", "Second", "Third"]));
        Ok(())
    });
}

/// It knows nothing of changes, so nothing says what its version is to show.
#[test]
fn a_change_by_a_program_of_the_earlier_version_that_appears_item_by_item_is_seen() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, first) = earlier_table().await?;
        let reader = aws.stack.engine();
        assert_eq!(call(&reader).await?, found(&["First"]));
        let sort_key = format!("C#{}", first.id);
        let before = read(&aws.stack, "S#acme", &sort_key).await.expect("it is there");
        assert!(earlier_program_puts(&aws.stack, &edited(&first, "Edited"), 0).await);
        let after = read(&aws.stack, "S#acme", &sort_key).await.expect("it is there");
        put(&aws.stack, before).await;
        for engine in [&reader, &aws.stack.engine()] {
            assert_eq!(call(engine).await?, found(&["First"]));
        }
        put(&aws.stack, after).await;
        assert_eq!(call(&reader).await?, found(&["Edited"]));
        Ok(())
    });
}

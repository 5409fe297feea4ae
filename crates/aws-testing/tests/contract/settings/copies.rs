//! The copies of a tenant's version: every change writes all of them, and each of them makes a change seen.

use futures_util::future::try_join_all;
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, START, subscription};
use loanhook_core::ports::{DeleteOutcome, Keys, Subscriptions};

use super::{
    COPIES, MANY, acme, add_key, call, copy, create, found, get_number, put, record, remove, retitle,
    version_of_all_copies,
};

#[test]
fn every_change_writes_all_copies_alike() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let engine = aws.ports();
        let made = create(engine, "First", 0).await?;
        assert_eq!(version_of_all_copies(&aws.stack).await, 1);
        retitle(engine, made.id, "Edited").await?;
        assert_eq!(version_of_all_copies(&aws.stack).await, 2);
        let key = add_key(engine).await?;
        assert!(engine.delete_key(&acme(), key.id).await?);
        assert_eq!(version_of_all_copies(&aws.stack).await, 3);
        assert_eq!(engine.delete(&acme(), made.id, None).await?, DeleteOutcome::Deleted);
        assert_eq!(version_of_all_copies(&aws.stack).await, 4);

        let stored = record(&aws.stack).await["changes"].as_l().expect("a list").clone();
        let stored: Vec<_> = stored.iter().map(|entry| entry.as_s().expect("a text").clone()).collect();
        let changes = [
            format!("1 {} 1", made.id),
            format!("2 {} 2", made.id),
            format!("3 key {}", key.id),
            format!("4 {} deleted", made.id),
        ];
        assert_eq!(stored, changes);
        Ok(())
    });
}

#[test]
fn whichever_copy_is_read_the_next_call_sees_a_change() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let key = add_key(aws.ports()).await?;
        let made = create(aws.ports(), "First", 0).await?;
        // Each reads copies by chance.
        let readers: Vec<_> = (0..2 * COPIES).map(|_| aws.stack.engine()).collect();
        let calls = || try_join_all(readers.iter().map(call));
        assert!(calls().await?.iter().all(|one| *one == found(&["First"])));
        retitle(aws.ports(), made.id, "Edited").await?;
        assert!(calls().await?.iter().all(|one| *one == found(&["Edited"])));
        create(aws.ports(), "Second", 1).await?;
        assert!(calls().await?.iter().all(|one| *one == found(&["Edited", "Second"])));
        assert_eq!(aws.ports().delete(&acme(), made.id, None).await?, DeleteOutcome::Deleted);
        assert!(calls().await?.iter().all(|one| *one == found(&["Second"])));
        assert!(aws.ports().delete_key(&acme(), key.id).await?);
        assert!(calls().await?.iter().all(Option::is_none));
        Ok(())
    });
}

#[test]
fn a_missing_copy_is_no_loss_and_is_back_after_the_next_change() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let made = create(aws.ports(), "First", 0).await?;
        let reader = aws.stack.engine();
        assert_eq!(call(&reader).await?, found(&["First"]));
        for index in 0..COPIES {
            match index % 2 {
                0 => remove(&aws.stack, &format!("S#acme#version-{index}"), "-").await,
                _ => {
                    let mut spoilt = copy(&aws.stack, index).await.expect("a copy");
                    spoilt.remove("version");
                    put(&aws.stack, spoilt).await;
                }
            }
        }
        assert_eq!(call(&reader).await?, found(&["First"]));
        retitle(aws.ports(), made.id, "Edited").await?;
        assert_eq!(version_of_all_copies(&aws.stack).await, 2);
        assert_eq!(call(&reader).await?, found(&["Edited"]));
        Ok(())
    });
}

#[test]
fn concurrent_changes_each_make_a_version() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        add_key(aws.ports()).await?;
        let reader = aws.stack.engine();
        let edited = create(aws.ports(), "First", 0).await?;
        let deleted = create(aws.ports(), "Second", 1).await?;
        assert_eq!(call(&reader).await?, found(&["First", "Second"]));

        let writers: Vec<_> = (2..8).map(|i| (aws.stack.engine(), i)).collect();
        let creates = try_join_all(writers.iter().map(|(engine, i)| create(engine, "Another", *i)));
        let (edit, delete) = (aws.stack.engine(), aws.stack.engine());
        let edit = retitle(&edit, edited.id, "Edited");
        let of = acme();
        let (created, edit, delete) = tokio::join!(creates, edit, delete.delete(&of, deleted.id, None));
        edit?;
        assert_eq!(delete?, DeleteOutcome::Deleted);
        assert_eq!(created?.len(), 6);

        assert_eq!(version_of_all_copies(&aws.stack).await, 2 + 8);
        let record = record(&aws.stack).await;
        assert_eq!(record["changes"].as_l().map(Vec::len), Ok(10));
        assert_eq!(get_number(&record, "subscriptions"), Some(7));
        let expected = found(&["Edited", "Another", "Another", "Another", "Another", "Another", "Another"]);
        for engine in [&reader, &aws.stack.engine()] {
            assert_eq!(call(engine).await?, expected);
        }
        let eighth = subscription(&acme(), "Eighth", &[], START + 9 * MILLISECOND);
        assert!(!aws.ports().create(eighth.clone(), 7).await?);
        assert!(aws.ports().create(eighth, MANY).await?);
        Ok(())
    });
}

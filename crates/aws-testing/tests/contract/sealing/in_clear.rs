//! What an earlier version of loanhook stored in clear: read as before, sealed when it is written and by a command.

use loanhook_aws::{NamedSecrets, SecretsAnswer, SecretsCommand};
use loanhook_aws_testing::stored_bytes::StoredBytes;
use loanhook_aws_testing::stored_documents::put_in_clear;
use loanhook_aws_testing::{AwsEngine, CountedEngine};
use loanhook_contract::engine::Engine as _;
use loanhook_core::ports::{DeleteOutcome, StoreResult, Subscriptions as _};

use super::{assert_sealed, newest, replace, seal, secrets_of, with_token};
use crate::settings::{acme, add_key, assert_cold, call, found};

/// A table with two subscriptions, one of them deleted, whose items and stored list are in clear.
async fn table_in_clear() -> StoreResult<(AwsEngine, Vec<loanhook_core::model::subscription::Subscription>)> {
    let aws = AwsEngine::fresh().await;
    add_key(aws.ports()).await?;
    let made: Vec<_> = [("First", "Bearer first"), ("Second", "Bearer second")]
        .into_iter()
        .zip(0..)
        .map(|((title, token), millisecond)| with_token(title, token, millisecond))
        .collect();
    for one in &made {
        assert!(aws.ports().create(one.clone(), 10).await?);
        put_in_clear(&aws.stack, one).await;
    }
    // Each change stores the list of what is there.
    let gone = with_token("Gone", "Bearer gone", 2);
    assert!(aws.ports().create(gone.clone(), 10).await?);
    put_in_clear(&aws.stack, &gone).await;
    assert_eq!(aws.ports().delete(&gone.tenant, gone.id, None).await?, DeleteOutcome::Deleted);
    Ok((aws, [made, vec![gone]].concat()))
}

#[test]
fn what_is_in_clear_is_read_and_sealed_by_the_command() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, made) = table_in_clear().await?;
        let before = StoredBytes::of(&aws.stack).await;
        for secret in ["Bearer first", "Bearer second", "Bearer gone"] {
            assert!(!before.places_of(secret).is_empty(), "the search finds {secret}");
        }
        let signing = made[0].secrets.current().expose();
        assert!(before.places_of(signing).len() > 1, "the search finds {signing}");
        for one in &made {
            assert_eq!(newest(&aws.stack.engine(), one).await?, *one);
        }
        // Nothing of them needs the data key.
        let cold = CountedEngine::new(&aws);
        assert_eq!(call(&cold.engine).await?, found(&["First", "Second"]));
        cold.assert_calls([("DynamoDB.GetItem", 3), ("DynamoDB.Query", 1)]);

        // Two items of each that is there, one of the deleted, and the list.
        assert_eq!(seal(&aws.stack.engine(), &aws.stack).await?, 6);
        let secrets: Vec<_> = made.iter().flat_map(secrets_of).collect();
        assert_sealed(&StoredBytes::of(&aws.stack).await, &secrets);
        assert_eq!(seal(&aws.stack.engine(), &aws.stack).await?, 0);
        for one in &made {
            assert_eq!(newest(&aws.stack.engine(), one).await?, *one);
        }
        // The list was stored anew.
        assert_cold(&aws, &["First", "Second"], 3, 1).await
    });
}

#[test]
fn a_subscription_in_clear_is_sealed_when_it_is_changed() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, made) = table_in_clear().await?;
        let mut next = made[0].clone();
        next.version += 1;
        next.settings.request.headers.insert("Authorization".into(), "Bearer newer".into());
        replace(aws.ports(), &next).await?;
        let stored = StoredBytes::of(&aws.stack).await;
        assert_sealed(&stored, &secrets_of(&next));
        assert_eq!(newest(&aws.stack.engine(), &next).await?, next);
        // The version before it is as it was, until the command seals it.
        let before =
            aws.stack.engine().subscription_version(&acme(), next.id, 1).await?.expect("the version");
        assert_eq!(before.settings, made[0].settings);
        Ok(())
    });
}

#[test]
fn an_item_that_cannot_be_sealed_is_named_and_stays_and_the_others_are_sealed() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, made) = table_in_clear().await?;
        let broken = format!("C#{}", made[0].id);
        let mut item = aws.stack.item("S#acme", &broken).await.expect("it");
        item.insert("doc".into(), aws_sdk_dynamodb::types::AttributeValue::S("\"Bearer first\"".into()));
        let put = aws.stack.dynamodb.put_item().table_name(&aws.stack.name);
        put.set_item(Some(item.clone())).send().await.expect("put");
        let named = |item: &str| NamedSecrets { tenant: "acme".into(), item: item.into() };
        let command = SecretsCommand::SealSecrets(vec![
            named(&broken),
            named(&format!("C#{}", made[1].id)),
            named("C#none"),
            named("-"),
            NamedSecrets { tenant: "no tenant".into(), item: "list".into() },
        ]);
        let SecretsAnswer::Sealed(answer) = aws.ports().run_secrets_command(command).await? else {
            panic!("another answer")
        };
        let failed: Vec<_> = answer.failed.iter().map(|one| one.item.as_str()).collect();
        // Also the list of the tenant, which was in clear.
        assert_eq!((answer.sealed, failed), (2, vec![broken.as_str(), "-", "list"]));
        assert!(answer.failed.iter().all(|one| !one.error.contains("Bearer")), "{:?}", answer.failed);
        assert_eq!(aws.stack.item("S#acme", &broken).await, Some(item));
        Ok(())
    });
}

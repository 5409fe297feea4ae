//! Secrets at rest: sealed wherever they are stored, with a data key that KMS protects.

mod another_kms_key;
mod faults;
mod first_key;
mod in_clear;
mod removed_keys;
mod rotation;
mod unavailable;

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::{Aws, NamedSecrets, SealedAnew, SecretsAnswer, SecretsCommand};
use loanhook_aws_testing::stored_bytes::StoredBytes;
use loanhook_aws_testing::{AwsEngine, TestStack};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{
    LEASE, MILLISECOND, SECOND, START, Scene, attempt_message, resend_message, secret, subscription, tenant,
};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{DeleteOutcome, ReplaceOutcome, StoreResult, Subscriptions as _};
use loanhook_seal::OpenError;

/// A subscription of the tenant `acme` with a header value of its own.
pub(crate) fn with_token(title: &str, token: &str, millisecond: u32) -> Subscription {
    let mut made = subscription(&tenant("acme"), title, &[300, 300, 300], START + millisecond * MILLISECOND);
    made.settings.request.headers.insert("Authorization".into(), token.into());
    made
}

/// The texts of all secrets of a subscription, and of a signing secret its key alone, too.
pub(crate) fn secrets_of(of: &Subscription) -> Vec<String> {
    let mut of = of.clone();
    let mut texts: Vec<String> = of.secret_texts_mut().map(|text| text.clone()).collect();
    let keys: Vec<_> =
        texts.iter().filter_map(|text| text.strip_prefix("whsec_")).map(str::to_owned).collect();
    texts.extend(keys);
    texts
}

/// Asserts that nothing of a stack holds one of these secrets.
#[track_caller]
pub(crate) fn assert_sealed(stored: &StoredBytes, secrets: &[String]) {
    for secret in secrets {
        assert_eq!(stored.places_of(secret), Vec::<&str>::new(), "{secret}");
    }
}

/// What the operator's command finds in a table (`infra/seal_secrets.py`), stored lists last.
pub(crate) async fn items_with_secrets(stack: &TestStack) -> Vec<NamedSecrets> {
    let scan = stack.dynamodb.scan().table_name(&stack.name).consistent_read(true);
    let found = scan.send().await.expect("a scan").items.unwrap_or_default();
    let text = |value: &AttributeValue| value.as_s().expect("a text").clone();
    let named = found.iter().filter_map(|item| {
        let (partition, item) = (text(&item["pk"]).strip_prefix("S#")?.to_owned(), text(&item["sk"]));
        match partition.strip_suffix("#list") {
            Some(tenant) if item == "00" => Some(NamedSecrets { tenant: tenant.into(), item: "list".into() }),
            None if ["C#", "V#"].iter().any(|kind| item.starts_with(kind)) => {
                Some(NamedSecrets { tenant: partition, item })
            }
            _ => None,
        }
    });
    let (lists, mut all): (Vec<_>, Vec<_>) = named.partition(|named| named.item == "list");
    all.extend(lists);
    all
}

/// Seals what is there, as that command does: how many items were sealed.
pub(crate) async fn seal(engine: &Aws, stack: &TestStack) -> StoreResult<u32> {
    let command = SecretsCommand::SealSecrets(items_with_secrets(stack).await);
    match engine.run_secrets_command(command).await? {
        SecretsAnswer::Sealed(SealedAnew { sealed, failed, .. }) => {
            assert_eq!(failed, []);
            Ok(sealed)
        }
        other => panic!("{other:?}"),
    }
}

/// The newest version of a subscription with its secrets, as an engine with empty caches reads it.
pub(crate) async fn newest(engine: &Aws, of: &Subscription) -> StoreResult<Subscription> {
    let newest = engine.newest_version(&of.tenant, of.id, of.version).await?;
    Ok((*newest.expect("it is there")).clone())
}

pub(crate) async fn replace(engine: &Aws, next: &Subscription) -> StoreResult<()> {
    assert_eq!(engine.replace(next.clone()).await?, ReplaceOutcome::Replaced);
    Ok(())
}

/// The IDs of the data keys in the table, as KMS encrypted them.
pub(crate) async fn data_keys(stack: &TestStack) -> Vec<String> {
    let Some(item) = stack.item("Z#", "-").await else { return Vec::new() };
    let mut ids: Vec<_> = item["keys"].as_m().expect("keys").keys().cloned().collect();
    ids.sort();
    ids
}

#[test]
fn no_secret_is_stored_in_clear_whatever_is_done() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let mut scene = Scene::<AwsEngine>::new(&[300, 300, 300]).await?;
        let engine = scene.engine.ports().clone();
        let mut secrets = Vec::new();
        let mut change = |scene: &mut Scene<AwsEngine>, token: &str| {
            scene.subscription.version += 1;
            scene.subscription.settings.request.headers.insert("Authorization".into(), token.into());
            secrets.extend(secrets_of(&scene.subscription));
        };
        change(&mut scene, "Bearer the-first-token");
        replace(&engine, &scene.subscription).await?;
        let deliver = scene.deliver(Some(LEASE));
        deliver.handle(scene.first.clone(), START).await?;
        // Another token, another host, and a signing secret that is new.
        change(&mut scene, "Bearer the-second-token");
        replace(&engine, &scene.subscription).await?;
        scene.subscription.secrets.rotate(secret(), START);
        change(&mut scene, "Bearer the-second-token");
        replace(&engine, &scene.subscription).await?;
        let second = START + 400 * SECOND;
        deliver.handle(attempt_message(&scene.accepted, 2, second), second).await?;
        let (row, _) = scene.resend(None, second + 10 * SECOND).await?;
        deliver.handle(resend_message(&row, second + 10 * SECOND), second + 10 * SECOND).await?;
        let other = with_token("Other", "Bearer the-third-token", 1);
        secrets.extend(secrets_of(&other));
        assert!(engine.create(other.clone(), 10).await?);
        assert_eq!(engine.delete(&other.tenant, other.id, None).await?, DeleteOutcome::Deleted);

        let sent = deliver.sender.take_sent();
        let tokens: Vec<_> = sent.iter().map(|request| request.headers["Authorization"].as_str()).collect();
        assert_eq!(tokens, ["Bearer the-first-token", "Bearer the-second-token", "Bearer the-second-token"]);
        let stored = StoredBytes::of(&scene.engine.stack).await;
        assert!(secrets.len() > 10);
        assert_sealed(&stored, &secrets);
        // What the search finds: texts that no secret is, and the sealed ones.
        assert!(stored.places_of("Core banking").len() > 5);
        assert!(
            stored.places_of(&format!("s1.A256GCM.{}", data_keys(&scene.engine.stack).await[0])).len() > 5
        );
        Ok(())
    });
}

#[test]
fn what_is_sealed_for_one_subscription_is_not_opened_as_that_of_another() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let (one, two) = (with_token("One", "Bearer one", 0), with_token("Two", "Bearer two", 1));
        for made in [&one, &two] {
            assert!(aws.ports().create(made.clone(), 10).await?);
        }
        let item = async |id: SubscriptionId| {
            aws.stack.item("S#acme", &format!("V#{id}#{:020}", 1)).await.expect("a version")
        };
        let mut swapped = item(one.id).await;
        swapped.insert("secrets".into(), item(two.id).await["secrets"].clone());
        let put = aws.stack.dynamodb.put_item().table_name(&aws.stack.name);
        put.set_item(Some(swapped)).send().await.expect("put");
        let reader = aws.stack.engine();
        let failed = reader.newest_version(&one.tenant, one.id, 1).await.expect_err("another's secret");
        assert!(failed.to_string().contains("another place"), "{failed}");
        assert_eq!(newest(&reader, &two).await?, two);

        let place = "acme/token";
        let sealed = reader.seal_text("a token", place).await?;
        assert_eq!(aws.stack.engine().open_text(&sealed, place).await?.as_deref(), Ok("a token"));
        assert_eq!(reader.open_text(&sealed, "acme/other").await?, Err(OpenError::Damaged));
        assert_eq!(reader.open_text("a token", place).await?, Err(OpenError::NotSealed));
        Ok(())
    });
}

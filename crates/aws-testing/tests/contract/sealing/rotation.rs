//! Rotation of the data key, while instances with the former one run on.

use loanhook_aws::{Aws, Refused, RotationState, SecretsAnswer, SecretsCommand, SeenKeys, Stack};
use loanhook_aws_testing::stored_bytes::StoredBytes;
use loanhook_aws_testing::{AwsEngine, TestStack};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::SECOND;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreResult, Subscriptions as _};

use super::{assert_sealed, data_keys, newest, replace, seal, secrets_of, with_token};
use crate::settings::acme;

/// When nothing can be sealed with a former key any more.
pub(crate) fn later() -> Timestamp {
    Timestamp::now() + 130 * SECOND
}

/// An engine that lives a little later, with empty caches.
pub(crate) fn later_engine(stack: &TestStack) -> Aws {
    Aws::new(&stack.config, Stack { clock: later, ..stack.resources() })
}

pub(crate) async fn command(engine: &Aws, command: SecretsCommand) -> StoreResult<RotationState> {
    match engine.run_secrets_command(command).await? {
        SecretsAnswer::Rotation(state) => Ok(state),
        other => panic!("{other:?}"),
    }
}

/// Why a command is refused.
pub(crate) async fn refusal(engine: &Aws, command: SecretsCommand) -> StoreResult<String> {
    match engine.run_secrets_command(command).await? {
        SecretsAnswer::Refused(Refused { refused }) => Ok(refused),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn begin(engine: &Aws) -> StoreResult<RotationState> {
    command(engine, SecretsCommand::BeginKeyRotation {}).await
}

/// The command that ends a rotation which began so.
pub(crate) fn ending(begun: &RotationState) -> SecretsCommand {
    SecretsCommand::EndKeyRotation(SeenKeys {
        current: begun.current.clone(),
        former: begun.former.clone(),
        since: begun.since,
    })
}

pub(crate) async fn end(engine: &Aws, begun: &RotationState) -> StoreResult<RotationState> {
    command(engine, ending(begun)).await
}

/// Asserts that nothing names a data key but the item that keeps it since it was removed.
#[track_caller]
pub(crate) fn assert_removed(stored: &StoredBytes, stack: &TestStack, key: &str) {
    assert_eq!(stored.places_of(key), [format!("{} Z# removed#{key}", stack.name)]);
}

#[test]
fn a_rotation_seals_everything_anew_while_instances_run() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let (mut first, second) =
            (with_token("First", "Bearer first", 0), with_token("Second", "Bearer second", 1));
        for made in [&first, &second] {
            assert!(aws.ports().create(made.clone(), 10).await?);
        }
        let [former] = data_keys(&aws.stack).await.try_into().expect("one data key");
        // An instance that knows the former key alone.
        let running = aws.stack.engine();
        assert_eq!(running.subscriptions(&acme()).await?.len(), 2);

        let operator = aws.stack.engine();
        let begun = begin(&operator).await?;
        assert_eq!(begun.former, std::slice::from_ref(&former));
        assert_ne!(begun.current, former);
        assert!((100..=120).contains(&begun.wait_seconds), "{begun:?}");
        let again = begin(&aws.stack.engine()).await?;
        assert_eq!((&again.current, &again.former), (&begun.current, &begun.former), "it is under way");
        // What is sealed from now on is sealed with the new key, also by who knew the former one.
        first.version += 1;
        replace(&running, &first).await?;
        let both = aws.stack.engine();
        assert_eq!(newest(&both, &first).await?, first);
        assert_eq!(newest(&both, &second).await?, second);

        // Too early for the former one to go.
        let refused = refusal(&operator, ending(&begun)).await?;
        assert!(refused.contains("Wait"), "{refused}");
        // Both items of the second, the version before of the first, and the list: in slices, as a command would be stopped.
        assert_eq!(seal(&operator, &aws.stack).await?, 4);
        assert_eq!(seal(&aws.stack.engine(), &aws.stack).await?, 0);
        let ended = end(&later_engine(&aws.stack), &begun).await?;
        assert_eq!(ended, RotationState { former: vec![], wait_seconds: 0, ..begun.clone() });
        assert_eq!(end(&later_engine(&aws.stack), &begun).await?, ended, "it may be repeated");

        let stored = StoredBytes::of(&aws.stack).await;
        assert_removed(&stored, &aws.stack, &former);
        assert_sealed(&stored, &[secrets_of(&first), secrets_of(&second)].concat());
        for engine in [&running, &both, &aws.stack.engine()] {
            assert_eq!(newest(engine, &first).await?, first);
            assert_eq!(newest(engine, &second).await?, second);
        }
        Ok(())
    });
}

/// A key that another instance made after this one had learned all there were is looked up in the table.
#[test]
fn an_unknown_key_is_looked_up_and_one_that_is_not_there_is_an_error_that_names_it() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let made = with_token("First", "Bearer first", 0);
        assert!(aws.ports().create(made.clone(), 10).await?);
        let running = aws.stack.engine();
        assert_eq!(newest(&running, &made).await?, made);
        let former = data_keys(&aws.stack).await.remove(0);
        begin(aws.ports()).await?;
        seal(aws.ports(), &aws.stack).await?;
        let mut next = made.clone();
        next.version += 1;
        replace(aws.ports(), &next).await?;
        assert_eq!(newest(&running, &next).await?, next);

        // As if the former key had gone while something was sealed with it.
        let cold = aws.stack.engine();
        let sealed = "s1.A256GCM.0123456789abcdef.AAAA";
        let failed = cold.open_text(sealed, "acme/1").await?.expect_err("the key is not there");
        assert!(failed.to_string().contains("0123456789abcdef"), "{failed}");
        let mut item = aws.stack.item("Z#", "-").await.expect("the data keys");
        let current = item["current"].as_s().expect("an ID").clone();
        let only_former = item["keys"].as_m().expect("keys").clone();
        let only_former = only_former.into_iter().filter(|(id, _)| *id == former && *id != current);
        item.insert("keys".into(), aws_sdk_dynamodb::types::AttributeValue::M(only_former.collect()));
        let put = aws.stack.dynamodb.put_item().table_name(&aws.stack.name);
        put.set_item(Some(item)).send().await.expect("put");
        // Nothing is read as if there were no subscription.
        let cold = aws.stack.engine();
        let failed = cold.subscriptions(&acme()).await.expect_err("the key is not there");
        assert!(failed.to_string().contains(&current), "{failed}");
        assert!(cold.newest_version(&acme(), next.id, next.version).await.is_err());
        Ok(())
    });
}

//! A rotation whose caller dies, whose response is lost, or beside which something is changed.

use loanhook_aws::SecretsCommand;
use loanhook_aws_testing::Fault::LoseResponse;
use loanhook_aws_testing::stored_bytes::StoredBytes;
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine as _;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{StoreResult, Subscriptions as _};

use super::rotation::{assert_removed, begin, end, later, later_engine};
use super::{assert_sealed, data_keys, items_with_secrets, newest, replace, seal, secrets_of, with_token};
use crate::faults::crash_before;

/// A table with two subscriptions, and its data key.
async fn table() -> StoreResult<(FaultyAwsEngine, [Subscription; 2], String)> {
    let engine = FaultyAwsEngine::fresh().await;
    let made = [with_token("First", "Bearer first", 0), with_token("Second", "Bearer second", 1)];
    for one in &made {
        assert!(engine.ports().create(one.clone(), 10).await?);
    }
    let [former] = data_keys(&engine.direct.stack).await.try_into().expect("one data key");
    Ok((engine, made, former))
}

/// Makes a rotation from its beginning to its end, and finds all secrets, and nothing of the former key.
async fn assert_rotates(engine: &FaultyAwsEngine, made: &[Subscription], former: &str) -> StoreResult<()> {
    let stack = &engine.direct.stack;
    let begun = begin(&stack.engine()).await?;
    while seal(&stack.engine(), stack).await? > 0 {}
    let ended = end(&later_engine(stack), &begun).await?;
    assert_eq!(ended.former, Vec::<String>::new());
    let stored = StoredBytes::of(stack).await;
    assert_removed(&stored, stack, former);
    for one in made {
        assert_sealed(&stored, &secrets_of(one));
        assert_eq!(newest(&stack.engine(), one).await?, *one);
    }
    Ok(())
}

#[test]
fn a_crash_between_any_two_calls_of_a_rotation_is_made_up_for_by_its_repetition() {
    run_with_faults(async {
        for call in ["GetItem Z", "GenerateDataKey", "PutItem Z"] {
            let (engine, made, former) = table().await?;
            let ports = engine.ports().clone();
            crash_before(&engine, (call, 1), async move { begin(&ports).await }).await;
            assert_rotates(&engine, &made, &former).await?;
        }
        // The items, one by one, and the list.
        let of_sealing = [
            ("GetItem Z", 1),
            ("UpdateItem S", 1),
            ("UpdateItem S", 3),
            ("Query S", 1),
            ("DeleteItem S", 1),
            ("GetItem S", 5),
            ("Query S", 2),
            ("PutItem S", 1),
        ];
        for call in of_sealing {
            let (engine, made, former) = table().await?;
            begin(engine.ports()).await?;
            let ports = engine.another(|_| ());
            let named = items_with_secrets(&engine.direct.stack).await;
            let command = SecretsCommand::SealSecrets(named);
            crash_before(&engine, call, async move { ports.run_secrets_command(command).await }).await;
            for one in &made {
                assert_eq!(newest(&engine.direct.stack.engine(), one).await?, *one, "{call:?}");
            }
            assert_rotates(&engine, &made, &former).await?;
        }
        // The former key is put where removed ones are kept, and then taken out.
        for call in [("GetItem Z", 1), ("PutItem Z", 1), ("PutItem Z", 2)] {
            let (engine, made, former) = table().await?;
            let begun = begin(engine.ports()).await?;
            while seal(engine.ports(), &engine.direct.stack).await? > 0 {}
            let ports = engine.another(|stack| stack.clock = later);
            crash_before(&engine, call, async move { end(&ports, &begun).await }).await;
            assert_eq!(data_keys(&engine.direct.stack).await.len(), 2);
            // It is gone on with: no third key is made.
            assert_rotates(&engine, &made, &former).await?;
        }
        Ok(())
    });
}

#[test]
fn a_lost_response_of_a_step_makes_no_third_key_and_loses_none() {
    run_with_faults(async {
        let (engine, made, former) = table().await?;
        let stack = &engine.direct.stack;
        engine.proxy.fault_nth("PutItem Z", 1, LoseResponse);
        let begun = begin(engine.ports()).await?;
        assert_eq!(data_keys(stack).await.len(), 2);
        engine.proxy.fault_nth("UpdateItem S", 1, LoseResponse);
        while seal(engine.ports(), stack).await? > 0 {}
        // The former key is put where removed ones are kept, that is repeated, and then it is taken out.
        for nth in [1, 3] {
            engine.proxy.fault_nth("PutItem Z", nth, LoseResponse);
        }
        end(&engine.another(|stack| stack.clock = later), &begun).await?;
        assert_eq!(data_keys(stack).await, [begun.current]);
        assert_removed(&StoredBytes::of(stack).await, stack, &former);
        for one in &made {
            assert_eq!(newest(&stack.engine(), one).await?, *one);
        }
        Ok(())
    });
}

#[test]
fn of_two_rotations_that_begin_at_once_there_is_one() {
    run_with_faults(async {
        let (engine, made, former) = table().await?;
        let held = engine.proxy.hold("PutItem Z", 1);
        let ports = engine.ports().clone();
        let slower = tokio::spawn(async move { begin(&ports).await });
        held.arrived().await;
        let first = begin(engine.direct.ports()).await?;
        held.pass();
        assert_eq!(slower.await.expect("it went on")?.current, first.current);
        assert_eq!(data_keys(&engine.direct.stack).await.len(), 2);
        assert_rotates(&engine, &made, &former).await
    });
}

#[test]
fn a_change_that_comes_between_is_not_undone() {
    run_with_faults(async {
        let (engine, [mut first, second], former) = table().await?;
        begin(engine.ports()).await?;
        let held = engine.proxy.hold("UpdateItem S", 1);
        let (ports, named) = (engine.another(|_| ()), items_with_secrets(&engine.direct.stack).await);
        let sealing =
            tokio::spawn(async move { ports.run_secrets_command(SecretsCommand::SealSecrets(named)).await });
        held.arrived().await;
        first.version += 1;
        first.settings.request.headers.insert("Authorization".into(), "Bearer changed".into());
        replace(engine.direct.ports(), &first).await?;
        held.pass();
        sealing.await.expect("it went on")?;
        assert_rotates(&engine, &[first, second], &former).await
    });
}

//! A key that is moved to another tenant: one that a tenant's API made, and with which the stack is then deployed, is of
//! the first tenant from its next use on.

use loanhook_aws::{Aws, Stack};
use loanhook_aws_testing::{FaultyAwsEngine, TestStack, run_with_faults};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::tenant;
use loanhook_core::model::key::KeyHash;
use loanhook_core::ports::{Keys, StoreResult};

use crate::settings::{API_KEY, acme, add_key, create, key_item, put};

/// A tenant with this key and several changes, so that its version is above those of the tenant that gets the key.
async fn with_key_of_acme() -> StoreResult<FaultyAwsEngine> {
    let engine = FaultyAwsEngine::fresh().await;
    add_key(engine.ports()).await?;
    for millisecond in 0..5 {
        create(engine.ports(), "Webhook", millisecond).await?;
    }
    Ok(engine)
}

/// Moves the key, by its first use in a function that was deployed with it.
async fn moved(stack: &TestStack) -> StoreResult<Aws> {
    let hash = KeyHash::of(API_KEY);
    let resources = Stack { deployed_key: Some(hash), ..stack.resources() };
    let deployed = Aws::new(&stack.config, resources);
    let key = deployed.key(hash).await?.expect("it is valid");
    assert_eq!(key.tenant, tenant("default"));
    Ok(deployed)
}

/// Asserts that a reader who has found the moved key refuses it once it is deleted.
async fn assert_end_is_seen(reader: &Aws, deployed: &Aws) -> StoreResult<()> {
    let hash = KeyHash::of(API_KEY);
    let key = reader.key(hash).await?.expect("it is valid");
    assert_eq!(key.tenant, tenant("default"));
    assert!(deployed.delete_key(&key.tenant, key.id).await?);
    assert_eq!(reader.key(hash).await?, None);
    Ok(())
}

#[test]
fn the_end_of_a_key_is_seen_by_who_had_cached_it_before_it_was_moved() {
    run_with_faults(async {
        let engine = with_key_of_acme().await?;
        let reader = engine.ports();
        assert_eq!(reader.key(KeyHash::of(API_KEY)).await?.map(|key| key.tenant.clone()), Some(acme()));
        let deployed = moved(&engine.direct.stack).await?;
        assert_end_is_seen(reader, &deployed).await
    });
}

#[test]
fn the_end_of_a_key_is_seen_by_who_read_it_while_it_was_moved() {
    run_with_faults(async {
        let engine = with_key_of_acme().await?;
        let reader = engine.another(|_| ());
        // It has read the key once, as of the tenant before.
        let held = engine.proxy.hold("GetItem S", 1);
        let reading = reader.clone();
        let key = tokio::spawn(async move { reading.key(KeyHash::of(API_KEY)).await });
        held.arrived().await;
        let deployed = moved(&engine.direct.stack).await?;
        held.pass();
        let key = key.await.expect("it ends")?.expect("it is valid");
        assert_eq!(key.tenant, tenant("default"));
        assert_end_is_seen(&reader, &deployed).await
    });
}

#[test]
fn a_key_whose_move_appears_in_the_version_first_is_not_cached_as_it_was() {
    run_with_faults(async {
        let engine = with_key_of_acme().await?;
        let stack = &engine.direct.stack;
        let before = key_item(stack).await;
        moved(stack).await?;
        let after = key_item(stack).await;
        put(stack, before).await;
        for reader in [engine.ports(), &stack.engine()] {
            assert_eq!(reader.key(KeyHash::of(API_KEY)).await?, None);
        }
        put(stack, after).await;
        for reader in [engine.ports(), &stack.engine()] {
            let key = reader.key(KeyHash::of(API_KEY)).await?.expect("it is valid");
            assert_eq!(key.tenant, tenant("default"));
        }
        Ok(())
    });
}

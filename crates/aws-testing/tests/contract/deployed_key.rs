//! The key that a stack was deployed with, over updates of the stack.

use loanhook_aws::{Aws, Stack};
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{START, tenant};
use loanhook_core::keys::authenticate;
use loanhook_core::model::key::{KeyHash, KeySource};
use loanhook_core::ports::{Keys as _, StoreResult};

/// The engine of a function of the stack as deployed with this key.
fn deployed_with(aws: &AwsEngine, key: Option<&str>) -> Aws {
    let stack = Stack { deployed_key: key.map(KeyHash::of), ..aws.stack.resources() };
    Aws::new(&aws.stack.config, stack)
}

async fn authenticates(function: &Aws, key: &str) -> StoreResult<bool> {
    Ok(authenticate(function, KeyHash::of(key), START).await?.is_some())
}

#[test]
fn a_stack_update_with_another_key_ends_the_one_before() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let before = deployed_with(&aws, Some("lh_one"));
        assert!(authenticates(&before, "lh_one").await? && !authenticates(&before, "lh_two").await?);

        // Before the new one was ever used.
        let after = deployed_with(&aws, Some("lh_two"));
        assert!(!authenticates(&after, "lh_one").await?);
        assert_eq!(after.keys(&tenant("default"), None, 10).await?, []);

        assert!(authenticates(&after, "lh_two").await?);
        let listed = after.keys(&tenant("default"), None, 10).await?;
        assert_eq!(
            listed.iter().map(|listed| listed.key.source).collect::<Vec<_>>(),
            [KeySource::Environment]
        );
        // In the table too: a function without a deployed key refuses the old one.
        let unset = deployed_with(&aws, None);
        assert!(!authenticates(&unset, "lh_one").await? && authenticates(&unset, "lh_two").await?);
        // The update is undone.
        let back = deployed_with(&aws, Some("lh_one"));
        assert!(authenticates(&back, "lh_one").await? && !authenticates(&back, "lh_two").await?);
        assert!(!authenticates(&unset, "lh_two").await?);
        Ok(())
    });
}

#[test]
fn a_deployed_key_that_was_deleted_stays_deleted() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let function = deployed_with(&aws, Some("lh_one"));
        assert!(authenticates(&function, "lh_one").await?);
        let listed = function.keys(&tenant("default"), None, 10).await?;
        assert!(function.delete_key(&listed[0].key.tenant, listed[0].key.id).await?);
        for function in [&function, &deployed_with(&aws, Some("lh_one"))] {
            assert!(!authenticates(function, "lh_one").await?);
        }
        Ok(())
    });
}

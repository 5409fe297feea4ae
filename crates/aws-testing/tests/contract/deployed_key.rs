//! The key that a stack was deployed with, and updates of the stack.

use loanhook_aws::{Aws, Stack};
use loanhook_core::keys::authenticate;
use loanhook_core::model::key::{KeyHash, KeySource};
use loanhook_core::ports::{Keys as _, StoreResult};

use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{START, tenant};

/// A function of the stack as it is deployed with this key.
fn deployed(aws: &AwsEngine, key: Option<&str>) -> Aws {
    let stack = Stack { deployed_key: key.map(KeyHash::of), ..aws.stack.resources() };
    Aws::new(&aws.stack.config, stack)
}

async fn opens(function: &Aws, key: &str) -> StoreResult<bool> {
    Ok(authenticate(function, KeyHash::of(key), START).await?.is_some())
}

#[test]
fn a_stack_update_with_another_key_ends_the_one_before() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let before = deployed(&aws, Some("lh_one"));
        assert!(opens(&before, "lh_one").await? && !opens(&before, "lh_two").await?);

        // Before anybody has shown the new one.
        let after = deployed(&aws, Some("lh_two"));
        assert!(!opens(&after, "lh_one").await?);
        assert_eq!(after.keys(&tenant("default"), None, 10).await?, []);

        assert!(opens(&after, "lh_two").await?);
        let listed = after.keys(&tenant("default"), None, 10).await?;
        assert_eq!(
            listed.iter().map(|listed| listed.key.source).collect::<Vec<_>>(),
            [KeySource::Environment]
        );
        // For good: a function that knows of no key takes the old one no more.
        let unset = deployed(&aws, None);
        assert!(!opens(&unset, "lh_one").await? && opens(&unset, "lh_two").await?);
        // The update is taken back.
        let back = deployed(&aws, Some("lh_one"));
        assert!(opens(&back, "lh_one").await? && !opens(&back, "lh_two").await?);
        assert!(!opens(&unset, "lh_two").await?);
        Ok(())
    });
}

#[test]
fn a_deployed_key_that_was_deleted_stays_deleted() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let function = deployed(&aws, Some("lh_one"));
        assert!(opens(&function, "lh_one").await?);
        let listed = function.keys(&tenant("default"), None, 10).await?;
        assert!(function.delete_key(&listed[0].key.tenant, listed[0].key.id).await?);
        for function in [&function, &deployed(&aws, Some("lh_one"))] {
            assert!(!opens(function, "lh_one").await?);
        }
        Ok(())
    });
}

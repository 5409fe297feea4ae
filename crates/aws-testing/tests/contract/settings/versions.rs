//! Retention of versions: one that was replaced is kept as long as deliveries, whatever host the next one goes to.

use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::DAY;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{ReplaceOutcome, Subscriptions};

use super::{acme, create, get_number, read, retitle};

/// The item of a version.
async fn version(aws: &AwsEngine, of: &Subscription, version: u64) -> super::Item {
    let sk = format!("V#{}#{version:020}", of.id);
    read(&aws.stack, "S#acme", &sk).await.expect("the version")
}

#[test]
fn a_replaced_version_is_kept_as_long_as_deliveries_without_its_signing_secret() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let first = create(aws.ports(), "First", 1).await?;
        retitle(aws.ports(), first.id, "Second").await?;
        let mut third = (*aws.ports().subscription(&acme(), first.id).await?.expect("it is there")).clone();
        third.version = 3;
        third.settings.request.url = "https://other.example.com/".into();
        assert_eq!(aws.ports().replace(third).await?, ReplaceOutcome::Replaced);
        let kept = Timestamp::now() + aws.stack.resources().retention + 2 * DAY;
        for number in [1, 2] {
            let item = version(&aws, &first, number).await;
            let expires =
                get_number(&item, "expires").and_then(|at| i64::try_from(at).ok()).expect("an expiry");
            assert!(
                (kept.seconds() - 600..=kept.seconds()).contains(&expires),
                "version {number}: {expires}"
            );
            assert!(!item.contains_key("secrets"));
        }
        assert!(!version(&aws, &first, 3).await.contains_key("expires"), "the newest stays");
        // An expired one that DynamoDB has not deleted yet is not shown.
        let mut expired = version(&aws, &first, 2).await;
        expired.insert("expires".into(), super::number(1));
        super::put(&aws.stack, expired).await;
        let found = aws.ports().subscription_versions(&acme(), first.id, None, 10).await?;
        assert_eq!(found.iter().map(|one| one.version).collect::<Vec<_>>(), [3, 1]);
        Ok(())
    });
}

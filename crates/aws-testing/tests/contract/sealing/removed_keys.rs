//! Data keys that a rotation removes: only those that its caller has seen, and kept for what is restored from a backup.

use std::time::Duration;

use loanhook_aws::{Aws, RotationState, SecretsCommand, SeenKeys, Stack};
use loanhook_aws_testing::stored_bytes::StoredBytes;
use loanhook_aws_testing::{AwsEngine, TestStack};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::SECOND;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreResult, Subscriptions as _};

use super::rotation::{assert_removed, begin, command, end, ending, later_engine, refusal};
use super::{data_keys, newest, seal, with_token};
use crate::settings::put;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn much_later() -> Timestamp {
    Timestamp::now() + 1000 * SECOND
}

/// An engine that lives so much later that a rotation which began on a later one may end.
fn much_later_engine(stack: &TestStack) -> Aws {
    Aws::new(&stack.config, Stack { clock: much_later, ..stack.resources() })
}

/// Rotates the data key of a table from the beginning to the end.
async fn rotate(stack: &TestStack) -> StoreResult<RotationState> {
    let begun = begin(&stack.engine()).await?;
    while seal(&stack.engine(), stack).await? > 0 {}
    end(&later_engine(stack), &begun).await
}

#[test]
fn of_two_operators_the_slower_removes_no_key_of_a_rotation_that_it_knows_nothing_of() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let made = with_token("First", "Bearer first", 0);
        assert!(aws.ports().create(made.clone(), 10).await?);
        // Both see one rotation, and the first ends it and begins the next one.
        let (first, slower) = (begin(&aws.stack.engine()).await?, begin(&aws.stack.engine()).await?);
        assert_eq!((&slower.current, &slower.former), (&first.current, &first.former));
        while seal(&aws.stack.engine(), &aws.stack).await? > 0 {}
        end(&later_engine(&aws.stack), &first).await?;
        let next = begin(&later_engine(&aws.stack)).await?;
        assert_eq!(next.former, std::slice::from_ref(&first.current));

        let operator = much_later_engine(&aws.stack);
        let refused = refusal(&operator, ending(&slower)).await?;
        assert!(refused.contains("Another rotation") && refused.contains(&next.current), "{refused}");
        let other_former =
            SeenKeys { current: next.current.clone(), former: slower.former, since: next.since };
        let refused = refusal(&operator, SecretsCommand::EndKeyRotation(other_former)).await?;
        assert!(refused.contains(&first.current), "{refused}");
        assert_eq!(data_keys(&aws.stack).await.len(), 2, "nothing was removed");
        assert_eq!(newest(&aws.stack.engine(), &made).await?, made);
        while seal(&aws.stack.engine(), &aws.stack).await? > 0 {}
        assert_eq!(end(&operator, &next).await?.former, Vec::<String>::new());
        assert_eq!(newest(&aws.stack.engine(), &made).await?, made);
        Ok(())
    });
}

#[test]
fn what_is_restored_from_before_a_rotation_can_be_opened_again() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let (made, other) = (with_token("First", "Bearer first", 0), with_token("Other", "Bearer other", 1));
        for one in [&made, &other] {
            assert!(aws.ports().create(one.clone(), 10).await?);
        }
        let [former] = data_keys(&aws.stack).await.try_into().expect("one data key");
        let item = format!("V#{}#{:020}", made.id, made.version);
        let backup = aws.stack.item("S#acme", &item).await.expect("a version");
        let rotated = rotate(&aws.stack).await?;
        let removed = aws.stack.item("Z#", &format!("removed#{former}")).await.expect("it is kept");
        let expires: i64 = removed["expires"].as_n().expect("a number").parse().expect("seconds");
        let days_35 = (Timestamp::now() + 35 * DAY).seconds();
        assert!((days_35..days_35 + 600).contains(&expires), "{expires}");

        put(&aws.stack, backup).await;
        let failed = aws.stack.engine().newest_version(&made.tenant, made.id, 1).await.expect_err("no key");
        assert!(failed.to_string().contains(&former), "{failed}");
        assert_eq!(newest(&aws.stack.engine(), &other).await?, other);
        let restored = command(aws.ports(), SecretsCommand::RestoreDataKey(former.clone())).await?;
        assert_eq!((&restored.current, &restored.former), (&rotated.current, &vec![former.clone()]));
        assert_eq!(newest(&aws.stack.engine(), &made).await?, made);
        assert_eq!(
            command(aws.ports(), SecretsCommand::RestoreDataKey(former.clone())).await?.former,
            restored.former
        );

        // The next command seals it anew, and removes the key again.
        let begun = begin(aws.ports()).await?;
        assert_eq!(
            (&begun.current, &begun.former),
            (&rotated.current, &restored.former),
            "no third key is made"
        );
        assert_eq!(seal(aws.ports(), &aws.stack).await?, 1);
        end(&later_engine(&aws.stack), &begun).await?;
        assert_removed(&StoredBytes::of(&aws.stack).await, &aws.stack, &former);
        assert_eq!(newest(&aws.stack.engine(), &made).await?, made);
        Ok(())
    });
}

#[test]
fn a_key_that_is_not_kept_is_not_restored() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        assert!(aws.ports().create(with_token("First", "Bearer first", 0), 10).await?);
        let before = data_keys(&aws.stack).await;
        let unknown = SecretsCommand::RestoreDataKey("0123456789abcdef".into());
        let refused = refusal(aws.ports(), unknown).await?;
        assert!(refused.contains("0123456789abcdef") && refused.contains("35 days"), "{refused}");
        assert_eq!(data_keys(&aws.stack).await, before);
        Ok(())
    });
}

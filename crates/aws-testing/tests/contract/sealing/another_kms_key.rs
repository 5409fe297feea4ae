//! Another key of KMS, and a table of another name: the operator's command has the data keys encrypted anew (`infra/seal_secrets.py`).

use std::path::Path;
use std::process::Command;

use aws_sdk_dynamodb::primitives::Blob;
use loanhook_aws::SecretsCommand;
use loanhook_aws_testing::{AwsEngine, TestStack};
use loanhook_contract::engine::Engine as _;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{StoreResult, Subscriptions as _};

use super::rotation::{begin, command, end, later_engine};
use super::{data_keys, newest, seal, with_token};
use crate::settings::put;

/// Runs the command for a table, which had a name before.
fn reencrypt(table: &str, former_table: &str, kms_key: &str) -> Result<String, String> {
    let infra = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra");
    let program = "import sys, seal_secrets; seal_secrets.reencrypt(*sys.argv[1:])";
    let mut python = Command::new("python3");
    python.args(["-c", program, table, former_table, kms_key]).env("PYTHONPATH", infra);
    let output = python.env("PYTHONDONTWRITEBYTECODE", "1").output().expect("Python runs");
    let [said, failed] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if output.status.success() { Ok(said) } else { Err(failed) }
}

async fn another_kms_key(stack: &TestStack) -> String {
    let made = stack.kms.create_key().send().await.expect("a key of KMS");
    made.key_metadata.expect("it").key_id
}

/// A table that has three data keys: one that was removed, a former one, and one that seals.
async fn table_in_rotation() -> StoreResult<(AwsEngine, [Subscription; 2], String)> {
    let aws = AwsEngine::fresh().await;
    let first = with_token("First", "Bearer first", 0);
    assert!(aws.ports().create(first.clone(), 10).await?);
    let [removed] = data_keys(&aws.stack).await.try_into().expect("one data key");
    let begun = begin(aws.ports()).await?;
    while seal(aws.ports(), &aws.stack).await? > 0 {}
    end(&later_engine(&aws.stack), &begun).await?;
    begin(aws.ports()).await?;
    let second = with_token("Second", "Bearer second", 1);
    assert!(aws.ports().create(second.clone(), 10).await?);
    assert_eq!(data_keys(&aws.stack).await.len(), 2);
    Ok((aws, [first, second], removed))
}

async fn assert_opened(stack: &TestStack, made: &[Subscription]) -> StoreResult<()> {
    for one in made {
        assert_eq!(newest(&stack.engine(), one).await?, *one);
    }
    Ok(())
}

#[test]
fn all_data_keys_are_encrypted_by_another_key_of_kms_however_often_that_is_done() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, made, removed) = table_in_rotation().await?;
        let [first, second] = [another_kms_key(&aws.stack).await, another_kms_key(&aws.stack).await];
        let table = &aws.stack.name;
        // As after a crash of the command, whose caller does not know how far it came.
        for key in [&first, &first, &second, &second] {
            let said = reencrypt(table, table, key).unwrap_or_else(|failed| panic!("{failed}"));
            assert_eq!(said.matches(key.as_str()).count(), 2, "{said}");
            assert!(said.contains(&removed), "{said}");
            assert_opened(&aws.stack, &made).await?;
        }
        aws.stack.kms.disable_key().key_id(&first).send().await.expect("disabled");
        assert_opened(&aws.stack, &made).await?;
        command(&aws.stack.engine(), SecretsCommand::RestoreDataKey(removed)).await?;
        assert_opened(&aws.stack, &made).await
    });
}

#[test]
fn a_table_that_was_restored_under_another_name_opens_what_it_has() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, made, removed) = table_in_rotation().await?;
        let restored = AwsEngine::fresh().await;
        let scan = aws.stack.dynamodb.scan().table_name(&aws.stack.name).consistent_read(true);
        for item in scan.send().await.expect("a scan").items.unwrap_or_default() {
            put(&restored.stack, item).await;
        }
        let (table, key) = (&restored.stack.name, &restored.stack.kms_key);
        assert!(
            newest(&restored.stack.engine(), &made[0]).await.is_err(),
            "it was encrypted for the other table"
        );
        let failed = reencrypt(table, table, key).expect_err("the former name is missing");
        assert!(failed.contains("name the table that it was encrypted for"), "{failed}");
        for _ in 0..2 {
            reencrypt(table, &aws.stack.name, key).unwrap_or_else(|failed| panic!("{failed}"));
            assert_opened(&restored.stack, &made).await?;
        }
        let restored_key = SecretsCommand::RestoreDataKey(removed.clone());
        assert!(command(&restored.stack.engine(), restored_key).await?.former.contains(&removed));
        assert_opened(&aws.stack, &made).await
    });
}

#[test]
fn a_table_whose_data_keys_cannot_be_decrypted_is_left_as_it_is() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, made, _) = table_in_rotation().await?;
        let good = aws.stack.item("Z#", "-").await.expect("the data keys");
        let mut spoilt = good.clone();
        let mut keys = good["keys"].as_m().expect("keys").clone();
        let last = keys.keys().max().expect("a key").clone();
        keys.insert(last, aws_sdk_dynamodb::types::AttributeValue::B(Blob::new([7; 100])));
        spoilt.insert("keys".into(), aws_sdk_dynamodb::types::AttributeValue::M(keys));
        put(&aws.stack, spoilt.clone()).await;
        let key = another_kms_key(&aws.stack).await;
        reencrypt(&aws.stack.name, &aws.stack.name, &key).expect_err("one of them is damaged");
        assert_eq!(aws.stack.item("Z#", "-").await, Some(spoilt), "none is changed without the others");
        put(&aws.stack, good).await;
        assert_opened(&aws.stack, &made).await
    });
}

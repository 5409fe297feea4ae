//! Encryption: at rest with the key of the parameter `KmsKeyArn` wherever something is kept, and TLS on the way.

use std::collections::BTreeSet;

use serde_norway::Value;

use crate::least_privilege::{granted, one_or_many};
use crate::template::{properties, reference, resources, template, walk};

/// Whether the value is chosen by the condition `HasKmsKey`, with the key as its first choice.
fn is_encrypted_with_the_key(value: &Value) -> bool {
    let mut found = false;
    walk(value, &mut |value| {
        if let Value::Tagged(tagged) = value
            && tagged.tag == "If"
            && tagged.value[0] == "HasKmsKey"
        {
            walk(&tagged.value[1], &mut |chosen| found |= reference(chosen) == "KmsKeyArn");
        }
    });
    found
}

#[test]
fn the_key_of_the_account_encrypts_all_that_is_kept() {
    let template = template();
    let mut kept = 0;
    for (kind, property) in [
        ("AWS::DynamoDB::Table", "SSESpecification"),
        ("AWS::S3::Bucket", "BucketEncryption"),
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
    ] {
        for (name, resource) in resources(&template, kind) {
            assert!(is_encrypted_with_the_key(&resource["Properties"][property]), "{name}");
            kept += 1;
        }
    }
    assert!(kept >= 11, "{kept}");
    assert!(is_encrypted_with_the_key(&template["Globals"]["Function"]["KmsKeyArn"]), "environments");
}

/// A queue without the key is encrypted with one of SQS, a table with one of DynamoDB, a bucket with one of S3.
#[test]
fn without_a_key_nothing_is_charged_for_encryption() {
    let template = template();
    for (name, queue) in resources(&template, "AWS::SQS::Queue") {
        let Value::Tagged(choice) = &queue["Properties"]["SqsManagedSseEnabled"] else { panic!("{name}") };
        assert_eq!((&choice.value[0], &choice.value[2]), (&"HasKmsKey".into(), &true.into()), "{name}");
    }
    for (name, table) in resources(&template, "AWS::DynamoDB::Table") {
        let Value::Tagged(choice) = &table["Properties"]["SSESpecification"] else { panic!("{name}") };
        let Value::Tagged(asked_for) = &choice.value[2] else { panic!("{name}") };
        assert_eq!(asked_for.value[0], "HasAwsManagedTableKey", "{name}");
        assert_eq!(reference(&asked_for.value[2]), "AWS::NoValue", "{name}");
    }
    assert_eq!(template["Parameters"]["AwsManagedTableKey"]["Default"], "false");
    assert_eq!(template["Parameters"]["KmsKeyArn"]["Default"], "");
}

/// DynamoDB, S3 and SQS call KMS in the name of the role.
#[test]
fn each_role_may_use_the_key() {
    let template = template();
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let role = properties(&template, reference(&function["Properties"]["Role"]).trim_end_matches(".Arn"));
        let key =
            granted(role).into_iter().find(|statement| reference(&statement["Resource"]) == "KmsKeyArn");
        let key = key.unwrap_or_else(|| panic!("the role of {name} has no statement for the key"));
        assert_eq!(one_or_many(&key["Action"]), ["kms:Decrypt", "kms:GenerateDataKey"], "{name}");
    }
}

#[test]
fn queues_and_bucket_refuse_calls_without_tls() {
    let template = template();
    let mut without_tls: BTreeSet<&str> = BTreeSet::new();
    for kind in ["AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"] {
        for (name, policy) in resources(&template, kind) {
            let policy = &policy["Properties"];
            let statement = &policy["PolicyDocument"]["Statement"][0];
            assert_eq!(
                (&statement["Effect"], &statement["Principal"]),
                (&"Deny".into(), &"*".into()),
                "{name}"
            );
            assert_eq!(statement["Condition"]["Bool"]["aws:SecureTransport"], "false", "{name}");
            let of = one_or_many(if kind.ends_with("QueuePolicy") {
                &policy["Queues"]
            } else {
                &policy["Bucket"]
            });
            assert_eq!(of.len(), 1, "{name}: the resource of a queue's policy is that queue");
            assert_eq!(one_or_many(&statement["Resource"])[0], format!("{}.Arn", of[0]), "{name}");
            assert!(matches!(one_or_many(&statement["Action"])[..], ["sqs:*" | "s3:*"]), "{name}");
            without_tls.extend(of);
        }
    }
    let queues = resources(&template, "AWS::SQS::Queue").into_iter();
    let all = queues.chain(resources(&template, "AWS::S3::Bucket")).map(|(name, _)| name);
    assert_eq!(without_tls, all.collect());
}

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
fn without_a_key_nothing_is_charged_for_encryption_but_the_key_of_secrets() {
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

/// What each function does with the data key of secrets: nothing, have it decrypted, or make one too.
const SECRETS: [(&str, &[&str], &[&str]); 7] = [
    ("Intake", &["kms:Decrypt"], &["dynamodb:GetItem"]),
    ("Delivery", &["kms:Decrypt"], &["dynamodb:GetItem"]),
    ("History", &["kms:Decrypt"], &["dynamodb:GetItem"]),
    ("Subscriptions", &["kms:Decrypt", "kms:GenerateDataKey"], &["dynamodb:GetItem", "dynamodb:PutItem"]),
    ("Resend", &["kms:Decrypt", "kms:GenerateDataKey"], &["dynamodb:GetItem", "dynamodb:PutItem"]),
    ("Sweep", &[], &[]),
    ("Reports", &["kms:Decrypt"], &["dynamodb:GetItem"]),
];

/// The name of the table in the encryption context (`crates/aws/src/sealing/kms.rs`).
const CONTEXT: &str = "kms:EncryptionContext:loanhook-table";

/// Whether a value is the key of the parameter, or where there is none that of the stack.
fn is_the_key_of_secrets(value: &Value) -> bool {
    let Value::Tagged(choice) = value else { return false };
    (&choice.value[0], reference(&choice.value[1]), reference(&choice.value[2]))
        == (&"HasKmsKey".into(), "KmsKeyArn", "SecretsKey.Arn")
}

#[test]
fn only_functions_that_need_secrets_may_use_the_key_for_the_data_key_of_their_table() {
    let template = template();
    for (function, calls, writes) in SECRETS {
        let granted = granted(properties(&template, &format!("{function}Role")));
        let with_sid =
            |sid: &str| granted.iter().filter(|one| one["Sid"] == sid).copied().collect::<Vec<_>>();
        let (secrets, data_keys) = (with_sid("Secrets"), with_sid("DataKeys"));
        assert_eq!(
            (secrets.len(), data_keys.len()),
            (usize::from(!calls.is_empty()), secrets.len()),
            "{function}"
        );
        for statement in secrets {
            assert_eq!(one_or_many(&statement["Action"]), calls, "{function}");
            assert!(is_the_key_of_secrets(&statement["Resource"]), "{function}");
            assert_eq!(reference(&statement["Condition"]["StringEquals"][CONTEXT]), "Table", "{function}");
        }
        for statement in data_keys {
            assert_eq!(one_or_many(&statement["Action"]), writes, "{function}");
        }
        let environment = &properties(&template, &format!("{function}Function"))["Environment"]["Variables"];
        let makes_keys = calls.contains(&"kms:GenerateDataKey");
        assert_eq!(is_the_key_of_secrets(&environment["LOANHOOK_KMS_KEY"]), makes_keys, "{function}");
        // The permission for what AWS does in the name of the role is none for data keys.
        for key in with_sid("Key") {
            assert_eq!(key["Condition"]["Null"][CONTEXT], "true", "{function}");
        }
    }
}

#[test]
fn the_key_of_the_stack_stays_is_rotated_and_serves_its_table_alone() {
    let template = template();
    let key = &template["Resources"]["SecretsKey"];
    assert_eq!((&key["DeletionPolicy"], &key["UpdateReplacePolicy"]), (&"Retain".into(), &"Retain".into()));
    assert_eq!(key["Properties"]["EnableKeyRotation"], true);
    for statement in granted(&key["Properties"]) {
        let uses = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"];
        let may_use = one_or_many(&statement["Action"]).iter().any(|action| uses.contains(action));
        let of_table = reference(&statement["Condition"]["StringEquals"][CONTEXT]) == "Table";
        assert_eq!(may_use, of_table, "{:?}", statement["Sid"]);
    }
}

/// While the key of KMS is changed, the functions read what is stored under the one before it: data keys, objects and messages.
#[test]
fn each_role_may_decrypt_and_no_more_with_the_former_key() {
    let template = template();
    assert_eq!(template["Parameters"]["FormerKmsKeyArn"]["Default"], "");
    for (function, calls, _) in SECRETS {
        let granted = granted(properties(&template, &format!("{function}Role")));
        let former: Vec<_> =
            granted.iter().filter(|one| reference(&one["Resource"]) == "FormerKmsKeyArn").collect();
        let [former] = former[..] else { panic!("{function}") };
        assert_eq!(one_or_many(&former["Action"]), ["kms:Decrypt"], "{function}");
        // Where the context is there, it names the table; a function without secrets decrypts no data key.
        let condition = &former["Condition"];
        let (of_table, without_context) =
            (&condition["StringEqualsIfExists"][CONTEXT], &condition["Null"][CONTEXT]);
        if calls.is_empty() {
            assert_eq!((of_table, without_context), (&Value::Null, &"true".into()), "{function}");
        } else {
            assert_eq!((reference(of_table), without_context), ("Table", &Value::Null), "{function}");
        }
    }
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

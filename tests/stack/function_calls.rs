//! Calls that each function makes, on what, and in which partitions of the table: exactly these are what its role must
//! allow.
//!
//! That none is missing is shown where the journeys run on an emulator that checks each call against the role. A
//! transaction is no permission of its own: each of its parts is one. `s3:ListBucket` makes a missing object a 404 and not
//! a 403. The calls that an event source mapping makes of SQS are made in the name of its function.

use std::collections::BTreeSet;

use serde_norway::Value;

use crate::least_privilege::{granted, one_or_many};
use crate::template::{properties, template};

const TABLE: &str = "Table.Arn";
const BY_TRACE: &str = "${Table.Arn}/index/by-trace";
const ACCEPTED: &str = "${Table.Arn}/index/accepted";
const ATTENTION: &str = "${Table.Arn}/index/attention";
const DUE: &str = "${Table.Arn}/index/due";
const SMALL_PAYLOADS: &str = "PayloadsTable.Arn";
const COUNTS: &str = "ReportsTable.Arn";
const STREAM: &str = "Table.StreamArn";
const BUCKET: &str = "Bucket.Arn";
const PAYLOADS: &str = "${Bucket.Arn}/*";
const QUEUE: &str = "Queue.Arn";
const SLOW_QUEUE: &str = "SlowQueue.Arn";
const JOB_QUEUE: &str = "JobQueue.Arn";
/// What an event source mapping does, and sending.
const RECEIVE_AND_SEND: &[&str] =
    &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"];
const DEAD_LETTERS: &str = "DeadLetterQueue.Arn";

/// Every call on items of a table that is not a batch.
const READS_AND_WRITES: &[&str] =
    &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"];

/// The same, and batches of reads.
const READS_WRITES_AND_BATCHES: &[&str] = &[
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:Query",
];

type Calls = &'static [(&'static str, &'static [&'static str])];

const INTAKE: Calls = &[
    (TABLE, READS_AND_WRITES),
    (SMALL_PAYLOADS, &["dynamodb:PutItem"]),
    (PAYLOADS, &["s3:PutObject"]),
    (QUEUE, &["sqs:SendMessage"]),
    (SLOW_QUEUE, &["sqs:SendMessage"]),
];
const DELIVERY: Calls = &[
    (TABLE, READS_WRITES_AND_BATCHES),
    (BY_TRACE, &["dynamodb:Query"]),
    (SMALL_PAYLOADS, &["dynamodb:GetItem", "dynamodb:PutItem"]),
    (PAYLOADS, &["s3:GetObject", "s3:PutObject"]),
    (BUCKET, &["s3:ListBucket"]),
    (QUEUE, RECEIVE_AND_SEND),
    (SLOW_QUEUE, RECEIVE_AND_SEND),
    (JOB_QUEUE, &["sqs:SendMessage"]),
    (DEAD_LETTERS, &["sqs:SendMessage"]),
];
const HISTORY: Calls = &[
    (TABLE, READS_WRITES_AND_BATCHES),
    (BY_TRACE, &["dynamodb:Query"]),
    (ACCEPTED, &["dynamodb:Query"]),
    (ATTENTION, &["dynamodb:Query"]),
    (SMALL_PAYLOADS, &["dynamodb:GetItem"]),
    (COUNTS, &["dynamodb:GetItem", "dynamodb:Query"]),
    (PAYLOADS, &["s3:GetObject"]),
    (BUCKET, &["s3:ListBucket"]),
    (QUEUE, &["sqs:SendMessage"]),
    (SLOW_QUEUE, &["sqs:SendMessage"]),
    (JOB_QUEUE, &["sqs:SendMessage"]),
    (DEAD_LETTERS, &["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"]),
    ("OidcClientSecretArn", &["secretsmanager:GetSecretValue"]),
];
const SUBSCRIPTIONS: Calls = &[
    (TABLE, READS_WRITES_AND_BATCHES),
    (ACCEPTED, &["dynamodb:Query"]),
    (DUE, &["dynamodb:Query"]),
    (SMALL_PAYLOADS, &["dynamodb:GetItem", "dynamodb:PutItem"]),
    (COUNTS, &["dynamodb:GetItem", "dynamodb:Query"]),
    (PAYLOADS, &["s3:GetObject", "s3:PutObject"]),
    (BUCKET, &["s3:ListBucket"]),
    (QUEUE, &["sqs:SendMessage"]),
    (SLOW_QUEUE, &["sqs:SendMessage"]),
    (JOB_QUEUE, &["sqs:SendMessage"]),
];
const RESEND: Calls = &[
    (TABLE, READS_WRITES_AND_BATCHES),
    (BY_TRACE, &["dynamodb:Query"]),
    (ACCEPTED, &["dynamodb:Query"]),
    (ATTENTION, &["dynamodb:Query"]),
    (SMALL_PAYLOADS, &["dynamodb:GetItem"]),
    (PAYLOADS, &["s3:GetObject"]),
    (BUCKET, &["s3:ListBucket"]),
    (QUEUE, &["sqs:SendMessage"]),
    (SLOW_QUEUE, &["sqs:SendMessage"]),
    (JOB_QUEUE, RECEIVE_AND_SEND),
    (DEAD_LETTERS, &["sqs:SendMessage"]),
];

const SWEEP: Calls = &[
    (
        TABLE,
        &[
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:Query",
        ],
    ),
    (DUE, &["dynamodb:Query"]),
    (QUEUE, &["sqs:SendMessage"]),
    (SLOW_QUEUE, &["sqs:SendMessage"]),
    (JOB_QUEUE, &["sqs:SendMessage"]),
];

const REPORTS: Calls = &[
    (STREAM, &["dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"]),
    (COUNTS, &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"]),
    (TABLE, READS_WRITES_AND_BATCHES),
    (SMALL_PAYLOADS, &["dynamodb:PutItem"]),
    (PAYLOADS, &["s3:PutObject"]),
    (QUEUE, &["sqs:SendMessage"]),
    (SLOW_QUEUE, &["sqs:SendMessage"]),
];

const FUNCTIONS: [(&str, Calls); 7] = [
    ("Intake", INTAKE),
    ("Delivery", DELIVERY),
    ("History", HISTORY),
    ("Subscriptions", SUBSCRIPTIONS),
    ("Resend", RESEND),
    ("Sweep", SWEEP),
    ("Reports", REPORTS),
];

/// The kinds of items that each function reads or writes, by the letters with which their partitions begin
/// (`crates/aws/src/items/key_schema.rs`): A keys in the list of their tenant, B flow states, places and what waits, E source addresses, F formula errors,
/// G portal links and sessions, H slow marks, I idempotency records, J recovery jobs, K keys by their hash, L rows, M trigger states,
/// N numbers and open deliveries of ordered loans, O turns of jobs that are not over
/// and of subscriptions of which something waits,
/// Q permits of receivers, R readiness, S subscriptions and the tenant's version, T deliveries, V events of the ledger, W how far the sweep has come,
/// Z the data keys.
const PARTITIONS: [(&str, &str); 7] = [
    ("Intake", "AFHIKMNSTVZ"),
    ("Delivery", "BEHLNOQSTYZ"),
    ("History", "ABEGHIJKLNORSTVZ"),
    ("Subscriptions", "ABFGHKLNOSTVZ"),
    ("Resend", "BHIJLNOSTVZ"),
    ("Sweep", "BHJLNOSTW"),
    ("Reports", "FHILSTVZ"),
];

/// What the statements allow that are for calls of the function's code: each action with each of its resources.
fn allowed(role: &Value) -> BTreeSet<(&str, &str)> {
    let of_others = |statement: &Value| {
        ["NetworkInterfaces", "Key", "FormerKey", "Secrets", "Traces"]
            .iter()
            .any(|sid| statement["Sid"] == *sid)
    };
    let statements = granted(role).into_iter().filter(|statement| !of_others(statement));
    statements
        .flat_map(|statement| {
            let resources = one_or_many(&statement["Resource"]);
            let actions = one_or_many(&statement["Action"]);
            resources
                .into_iter()
                .flat_map(move |on| actions.clone().into_iter().map(move |action| (on, action)))
        })
        .collect()
}

#[test]
fn each_role_allows_exactly_the_calls_of_its_function() {
    let template = template();
    for (function, calls) in FUNCTIONS {
        let logs = format!("{function}Logs.Arn");
        let mut wanted: BTreeSet<(&str, &str)> =
            calls.iter().flat_map(|(on, actions)| actions.iter().map(|action| (*on, *action))).collect();
        wanted.extend(["logs:CreateLogStream", "logs:PutLogEvents"].map(|action| (logs.as_str(), action)));
        assert_eq!(allowed(properties(&template, &format!("{function}Role"))), wanted, "{function}");
    }
}

/// The partitions that statements on this resource are limited to.
fn partitions<'a>(role: &'a Value, resource: &str) -> Vec<&'a str> {
    let on_it =
        granted(role).into_iter().filter(|statement| one_or_many(&statement["Resource"]).contains(&resource));
    on_it
        .flat_map(|statement| {
            let condition = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
            assert!(!condition.is_null(), "a statement on {resource} without partitions");
            one_or_many(condition)
        })
        .collect()
}

#[test]
fn each_role_allows_exactly_the_partitions_of_its_function() {
    let template = template();
    for (function, kinds) in PARTITIONS {
        let role = properties(&template, &format!("{function}Role"));
        let wanted: Vec<String> = kinds.chars().map(|kind| format!("{kind}#*")).collect();
        assert_eq!(partitions(role, TABLE), wanted, "{function}");
        // The partitions of these indexes are deliveries, days of events, shards of deliveries that failed, and times.
        assert!(partitions(role, BY_TRACE).iter().all(|partition| *partition == "T#*"), "{function}");
        // Counts of hours and of days, and how far the stream is counted. One function tells operational events: looks at tenants, the
        // outbox, states.
        let counts = partitions(role, COUNTS);
        let of_counts: &[&str] = match function {
            "Reports" => &["C#*", "D#*", "L#*", "O#*", "P#*", "S#*"],
            _ => &["C#*", "D#*", "P#*"],
        };
        assert!(counts.is_empty() || counts == of_counts, "{function}: {counts:?}");
        assert!(partitions(role, ACCEPTED).iter().all(|partition| *partition == "V#*"), "{function}");
        assert!(partitions(role, ATTENTION).iter().all(|partition| *partition == "X#*"), "{function}");
        assert!(
            partitions(role, DUE).iter().all(|partition| ["D#*", "Q#*"].contains(partition)),
            "{function}"
        );
    }
    let functions: Vec<_> = PARTITIONS.iter().map(|(function, _)| function).collect();
    assert_eq!(functions, FUNCTIONS.iter().map(|(function, _)| function).collect::<Vec<_>>());
}

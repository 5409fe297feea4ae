//! Numbers of the template that depend on each other, which CloudFormation cannot calculate.

use serde_norway::Value;

use crate::template::{number, properties, reference, resources, template};

const FOURTEEN_DAYS: u64 = 14 * 24 * 3600;
/// The longest that a subscription may let a request take, in seconds.
const LONGEST_REQUEST: u64 = 30;

#[test]
fn the_visibility_timeout_is_six_times_the_function_timeout() {
    let template = template();
    let timeout = number(&properties(&template, "DeliveryFunction")["Timeout"]);
    assert!(timeout >= LONGEST_REQUEST + 10, "a request of {LONGEST_REQUEST} s, and what is written of it");
    for queue in ["Queue", "SlowQueue"] {
        assert!(number(&properties(&template, queue)["VisibilityTimeout"]) >= 6 * timeout, "{queue}");
    }
    let environment = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(number(&environment["LOANHOOK_LEASE_SECONDS"]), timeout + 10);
    // The engine takes a message of a job for lost after 300 s, and its handler for gone after 60 s.
    let timeout = number(&properties(&template, "ResendFunction")["Timeout"]);
    let visibility = number(&properties(&template, "JobQueue")["VisibilityTimeout"]);
    assert!((6 * timeout..300).contains(&visibility) && timeout < 60, "{visibility} s");
}

#[test]
fn every_queue_retains_messages_for_14_days() {
    let template = template();
    for (name, queue) in resources(&template, "AWS::SQS::Queue") {
        assert_eq!(number(&queue["Properties"]["MessageRetentionPeriod"]), FOURTEEN_DAYS, "{name}");
    }
    for queue in ["Queue", "SlowQueue", "JobQueue"] {
        let redrive = &properties(&template, queue)["RedrivePolicy"];
        assert_eq!(number(&redrive["maxReceiveCount"]), 100);
        assert_eq!(reference(&redrive["deadLetterTargetArn"]), "DeadLetterQueue.Arn");
    }
}

#[test]
fn a_dead_letter_raises_an_alarm() {
    let template = template();
    let alarm = properties(&template, "DeadLetterAlarm");
    assert_eq!(reference(&alarm["Dimensions"][0]["Value"]), "DeadLetterQueue.QueueName");
    assert_eq!((number(&alarm["Threshold"]), number(&alarm["EvaluationPeriods"])), (0, 1));
    assert_eq!(alarm["ComparisonOperator"], "GreaterThanThreshold");
}

#[test]
fn batch_failures_are_reported_by_message_and_concurrency_is_limited() {
    let template = template();
    for (event, queue, limit) in
        [("Due", "Queue.Arn", "MaximumConcurrency"), ("DueSlowly", "SlowQueue.Arn", "SlowConcurrency")]
    {
        let source = &properties(&template, "DeliveryFunction")["Events"][event]["Properties"];
        assert_eq!(reference(&source["Queue"]), queue);
        assert_eq!(source["FunctionResponseTypes"][0], "ReportBatchItemFailures");
        assert_eq!(reference(&source["ScalingConfig"]["MaximumConcurrency"]), limit);
    }
    let jobs = &properties(&template, "ResendFunction")["Events"]["Jobs"]["Properties"];
    assert_eq!(reference(&jobs["Queue"]), "JobQueue.Arn");
    assert_eq!(jobs["FunctionResponseTypes"][0], "ReportBatchItemFailures");
    assert!(number(&jobs["ScalingConfig"]["MaximumConcurrency"]) > 1);
    // A receiver's share of the slow queue is a part of what its mapping allows.
    let environment = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(reference(&environment["LOANHOOK_SLOW_CONCURRENCY"]), "SlowConcurrency");
}

#[test]
fn payloads_outlive_rows_by_a_day() {
    let template = template();
    let choices = template["Parameters"]["RetentionDays"]["AllowedValues"].as_sequence().expect("choices");
    let days = template["Mappings"]["PayloadDays"].as_mapping().expect("a mapping");
    assert_eq!(choices.len(), days.len());
    for rows in choices.iter().map(number) {
        assert_eq!(number(&template["Mappings"]["PayloadDays"][rows.to_string().as_str()]["Days"]), rows + 1);
    }
}

#[test]
fn function_timeouts_are_shorter_than_the_gateways() {
    let template = template();
    for function in ["IntakeFunction", "HistoryFunction", "SubscriptionsFunction"] {
        assert!(number(&properties(&template, function)["Timeout"]) < 30, "{function}");
    }
}

#[test]
fn stored_data_is_private_and_recoverable() {
    let template = template();
    let bucket = properties(&template, "Bucket");
    let closed = bucket["PublicAccessBlockConfiguration"].as_mapping().expect("a bucket is closed");
    assert!(closed.len() == 4 && closed.values().all(|setting| setting == &Value::Bool(true)));
    let table = properties(&template, "Table");
    let recovery = &table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
    assert_eq!(reference(recovery), "PointInTimeRecovery");
    assert_eq!(template["Parameters"]["PointInTimeRecovery"]["Default"], "true");
    for table in [table, properties(&template, "PayloadsTable"), properties(&template, "ReportsTable")] {
        assert_eq!(table["TimeToLiveSpecification"]["Enabled"], true);
    }
    for kept in ["Bucket", "Table", "PayloadsTable", "ReportsTable"] {
        assert_eq!(template["Resources"][kept]["DeletionPolicy"], "Retain", "{kept}");
    }
}

#[test]
fn every_log_group_has_a_retention() {
    let template = template();
    for (name, group) in resources(&template, "AWS::Logs::LogGroup") {
        assert_eq!(reference(&group["Properties"]["RetentionInDays"]), "LogRetentionDays", "{name}");
    }
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        assert!(
            !function["Properties"]["LoggingConfig"]["LogGroup"].is_null(),
            "{name} logs to a group of ours"
        );
    }
}

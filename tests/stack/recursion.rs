//! Loops: functions that send to a queue that invokes them.
//!
//! Lambda stops such a chain of invocations after about 16, unless the function says `RecursiveLoop: Allow`.

use serde_norway::Value;

use crate::least_privilege::{granted, one_or_many};
use crate::template::{parse, properties, reference, resources, template};

/// Each function with the ARN of each queue that invokes it: an event of the function, or a mapping of its own.
fn invoked_by_queues(template: &Value) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (name, function) in resources(template, "AWS::Serverless::Function") {
        let events =
            function["Properties"]["Events"].as_mapping().into_iter().flat_map(|events| events.values());
        let queues = events.filter(|event| event["Type"] == "SQS");
        found.extend(queues.map(|event| (name, reference(&event["Properties"]["Queue"]))));
    }
    for (_, mapping) in resources(template, "AWS::Lambda::EventSourceMapping") {
        let mapping = &mapping["Properties"];
        let function = reference(&mapping["FunctionName"]).trim_end_matches(".Arn");
        found.push((function, reference(&mapping["EventSourceArn"])));
    }
    found
}

/// The functions that may send to a queue that invokes them, and whether Lambda lets them.
fn loops(template: &Value) -> Vec<(&str, bool)> {
    let invoked = invoked_by_queues(template).into_iter();
    let looped = invoked.filter(|(function, queue)| {
        let role = reference(&properties(template, function)["Role"]).trim_end_matches(".Arn");
        granted(properties(template, role)).into_iter().any(|statement| {
            one_or_many(&statement["Action"]).contains(&"sqs:SendMessage")
                && one_or_many(&statement["Resource"]).contains(queue)
        })
    });
    looped
        .map(|(function, _)| (function, properties(template, function)["RecursiveLoop"] == "Allow"))
        .collect()
}

#[test]
fn every_function_that_sends_to_its_own_queue_is_allowed_to_loop() {
    let template = template();
    let loops = loops(&template);
    for function in ["DeliveryFunction", "ResendFunction"] {
        assert!(loops.contains(&(function, true)), "{function}: {loops:?}");
    }
    assert!(loops.iter().all(|(_, allowed)| *allowed), "{loops:?}");
}

#[test]
fn the_check_finds_every_loop() {
    const EVENT: &str = "Events: {E: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}}";
    const MAPPING: &str = "M: {Type: 'AWS::Lambda::EventSourceMapping', \
                           Properties: {FunctionName: !Ref F, EventSourceArn: !GetAtt Q.Arn}},";
    for (function, mapping, sends_to, found) in [
        (EVENT, "", "Q", vec![("F", false)]),
        ("RecursiveLoop: Terminate", MAPPING, "Q", vec![("F", false)]),
        ("RecursiveLoop: Allow", MAPPING, "Q", vec![("F", true)]),
        (EVENT, "", "Other", vec![]),
        ("Timeout: 3", "", "Q", vec![]),
    ] {
        let template = parse(&format!(
            "Resources: {{{mapping} F: {{Type: 'AWS::Serverless::Function', \
             Properties: {{Role: !GetAtt R.Arn, {function}}}}}, R: {{Type: 'AWS::IAM::Role', Properties: {{Statement: \
             {{Effect: Allow, Action: 'sqs:SendMessage', Resource: [!GetAtt {sends_to}.Arn]}}}}}}}}"
        ));
        assert_eq!(loops(&template), found, "{function} {mapping} {sends_to}");
    }
}

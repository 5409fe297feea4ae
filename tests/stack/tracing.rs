//! Spans on AWS: with `CollectorLayer` the functions that record spans have the collector and may send to X-Ray; without it
//! nothing of it is there.

use serde_norway::Value;

use crate::least_privilege::{granted, one_or_many};
use crate::template::{properties, reference, resources, template, walk};

/// The functions that take events in or send webhooks.
const RECORDING: [&str; 3] = ["Intake", "Delivery", "Subscriptions"];

/// The value that stands there with a collector; without one nothing does.
#[track_caller]
fn with_collector(value: &Value) -> &Value {
    let Value::Tagged(choice) = value else { panic!("it is there without a collector: {value:?}") };
    let parts = choice.value.as_sequence().filter(|_| choice.tag == "!If");
    let Some([condition, with, without]) = parts.map(Vec::as_slice) else { panic!("no choice: {value:?}") };
    assert_eq!((condition.as_str(), reference(without)), (Some("HasCollector"), "AWS::NoValue"), "{value:?}");
    with
}

fn variables(function: &Value) -> Vec<(&str, &Value)> {
    let variables = function["Environment"]["Variables"].as_mapping();
    variables.into_iter().flatten().map(|(name, value)| (name.as_str().unwrap_or_default(), value)).collect()
}

#[test]
fn without_a_collector_nothing_of_it_is_there_and_with_one_it_is_in_each_function_that_records_spans() {
    let template = template();
    assert_eq!(template["Parameters"]["CollectorLayer"]["Default"], "");
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let (function, records) =
            (&function["Properties"], RECORDING.map(|of| format!("{of}Function")).contains(&name.to_owned()));
        let of_spans: Vec<_> =
            variables(function).into_iter().filter(|(name, _)| name.starts_with("OTEL_")).collect();
        let statements =
            granted(properties(&template, reference(&function["Role"]).trim_end_matches(".Arn")));
        let may_send = statements.iter().any(|statement| statement["Sid"] == "Traces");
        assert_eq!(
            (!function["Layers"].is_null(), !of_spans.is_empty(), may_send),
            (records, records, records),
            "{name}"
        );
        // The runtime of these functions takes no wrapper.
        assert!(variables(function).iter().all(|(name, _)| *name != "AWS_LAMBDA_EXEC_WRAPPER"), "{name}");
        if records {
            let layers = with_collector(&function["Layers"]).as_sequence().expect("a list of layers");
            assert_eq!(layers.iter().map(reference).collect::<Vec<_>>(), ["CollectorLayer"], "{name}");
            let values: Vec<_> =
                of_spans.iter().map(|(name, value)| (*name, reference(with_collector(value)))).collect();
            let expected = [
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"),
                ("OTEL_SERVICE_NAME", "AWS::StackName"),
                ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "TracedShare"),
            ];
            assert_eq!(values, expected, "{name}");
        }
    }
}

#[test]
fn only_with_a_collector_a_role_may_write_to_x_ray_and_nothing_more_of_it() {
    let template = template();
    for of in RECORDING {
        let mut choices = Vec::new();
        walk(properties(&template, &format!("{of}Role")), &mut |value| {
            let Value::Tagged(choice) = value else { return };
            if choice.value[1]["Sid"] == "Traces" {
                choices.push(with_collector(value));
            }
        });
        let [statement] = choices[..] else { panic!("{of} has one such statement in a choice: {choices:?}") };
        let actions = one_or_many(&statement["Action"]);
        assert_eq!(actions, ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "{of}");
    }
    let mut of_x_ray = 0;
    walk(&template["Resources"], &mut |value| {
        of_x_ray += usize::from(value.as_str().is_some_and(|text| text.starts_with("xray:")));
    });
    assert_eq!(of_x_ray, 2 * RECORDING.len(), "nothing else names X-Ray's calls");
}

//! The alarms and the dashboard of the template: each is on a metric that there is, with the dimensions that it has.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_norway::Value as Yaml;

use super::tests::written;
use super::{NAMESPACE, TABLE, all_names};

const TEMPLATE: &str = include_str!("../../../infra/template.yaml");
const RUNBOOK: &str = include_str!("../../../docs/runbook.md");

/// A namespace, names of metrics in it, and the dimensions that they have.
type MetricsOfAws = (&'static str, &'static [&'static str], &'static [(&'static str, Named)]);

/// Metrics of AWS's own that are watched: namespace, names, dimensions, and what their values name. By
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>,
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>,
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html> and
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html>.
const OF_AWS: [MetricsOfAws; 6] = [
    (
        "AWS/SQS",
        &[
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
        &[("QueueName", Named::QueueName)],
    ),
    (
        "AWS/Lambda",
        &["Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"],
        &[("FunctionName", Named::Resource("AWS::Serverless::Function"))],
    ),
    ("AWS/Lambda", &["ClaimedAccountConcurrency"], &[]),
    (
        "AWS/DynamoDB",
        &[
            "ReadThrottleEvents",
            "WriteThrottleEvents",
            "ConsumedReadCapacityUnits",
            "ConsumedWriteCapacityUnits",
        ],
        &[("TableName", TABLES)],
    ),
    (
        "AWS/DynamoDB",
        &[
            "ReadThrottleEvents",
            "WriteThrottleEvents",
            "ConsumedReadCapacityUnits",
            "ConsumedWriteCapacityUnits",
        ],
        &[("TableName", TABLES), ("GlobalSecondaryIndexName", Named::Index)],
    ),
    (
        "AWS/ApiGateway",
        &["Count", "4xx", "5xx", "Latency", "IntegrationLatency"],
        &[("ApiId", Named::Resource("AWS::ApiGatewayV2::Api"))],
    ),
];
const TABLES: Named = Named::Resource("AWS::DynamoDB::Table");

/// What the value of a dimension names.
#[derive(Debug, Clone, Copy)]
enum Named {
    /// A resource of this type.
    Resource(&'static str),
    QueueName,
    /// An index of the table.
    Index,
}

/// A metric with its dimensions, each with a value: a name of a resource or its attribute, or a text.
#[derive(Debug)]
struct Watched {
    by: String,
    namespace: String,
    name: String,
    dimensions: Vec<(String, String)>,
}

fn template() -> Yaml {
    serde_norway::from_str(TEMPLATE).expect("YAML")
}

fn resources(kind: &str) -> Vec<(String, Yaml)> {
    let all = template()["Resources"].as_mapping().expect("resources").clone();
    let of_kind = all.into_iter().filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(name, of)| (name.as_str().expect("a name").to_owned(), of["Properties"].clone())).collect()
}

fn dashboard() -> Value {
    let [(_, dashboard)] = &resources("AWS::CloudWatch::Dashboard")[..] else { panic!("one dashboard") };
    let Yaml::Tagged(body) = &dashboard["DashboardBody"] else { panic!("a text with references") };
    serde_json::from_str(body.value.as_str().expect("a text")).expect("a dashboard is JSON")
}

/// A text, or what a `!Ref` or a `!GetAtt` names.
fn text(value: &Yaml) -> String {
    match value {
        Yaml::Tagged(tagged) => text(&tagged.value),
        other => other.as_str().expect("a text").to_owned(),
    }
}

/// The metrics that an alarm is on.
fn metrics_of_alarm((by, alarm): &(String, Yaml)) -> Vec<Watched> {
    let of_several =
        alarm["Metrics"].as_sequence().into_iter().flatten().map(|metric| &metric["MetricStat"]["Metric"]);
    let metrics = of_several.chain([alarm]).filter(|metric| !metric["MetricName"].is_null());
    let metrics = metrics.map(|metric| {
        let dimensions = metric["Dimensions"].as_sequence().into_iter().flatten();
        let dimensions = dimensions.map(|of| (text(&of["Name"]), text(&of["Value"])));
        Watched {
            by: by.clone(),
            namespace: text(&metric["Namespace"]),
            name: text(&metric["MetricName"]),
            dimensions: dimensions.collect(),
        }
    });
    metrics.collect()
}

/// The metrics that a widget shows. A search has no value of the dimensions that it is for all values of.
fn metrics_of_widget(widget: &Value) -> Vec<Watched> {
    let by = widget["properties"]["title"].as_str().expect("a title").to_owned();
    let metrics = widget["properties"]["metrics"].as_array().expect("metrics").iter();
    let watched = metrics.map(|metric| {
        if let Some(search) = metric[0]["expression"].as_str() {
            return of_search(&by, search);
        }
        let texts: Vec<_> = metric.as_array().expect("a list").iter().map_while(Value::as_str).collect();
        let [namespace, name, dimensions @ ..] = &texts[..] else { panic!("{by}: {metric}") };
        let value = |text: &str| text.trim_start_matches("${").trim_end_matches('}').to_owned();
        let dimensions = dimensions.chunks(2).map(|of| (of[0].to_owned(), value(of[1])));
        Watched {
            by: by.clone(),
            namespace: (*namespace).to_owned(),
            name: (*name).to_owned(),
            dimensions: dimensions.collect(),
        }
    });
    watched.collect()
}

/// `SEARCH('{namespace,dimension,…} MetricName="name" Table="${Table}"', …)`.
fn of_search(by: &str, search: &str) -> Watched {
    let within = |from: &str, to: &str| {
        let (_, rest) = search.split_once(from).unwrap_or_else(|| panic!("{by}: no {from} in {search}"));
        rest.split_once(to).unwrap_or_else(|| panic!("{by}: no {to} in {search}")).0.to_owned()
    };
    let schema = within("SEARCH('{", "}");
    let mut names = schema.split(',').map(str::to_owned);
    let namespace = names.next().expect("a namespace");
    let value = |name: &str| if name == TABLE { within("Table=\"${", "}\"") } else { String::new() };
    let dimensions = names.map(|name| (name.clone(), value(&name))).collect();
    Watched { by: by.to_owned(), namespace, name: within("MetricName=\"", "\""), dimensions }
}

fn watched() -> Vec<Watched> {
    let alarms = resources("AWS::CloudWatch::Alarm");
    let dashboard = dashboard();
    let widgets = dashboard["widgets"].as_array().expect("widgets");
    let watched: Vec<_> =
        alarms.iter().flat_map(metrics_of_alarm).chain(widgets.iter().flat_map(metrics_of_widget)).collect();
    assert!(watched.len() >= 100, "the template is read");
    watched
}

#[test]
fn alarms_and_dashboard_are_on_metrics_that_the_functions_write() {
    let written = written();
    let mut names = BTreeSet::new();
    for Watched { by, namespace, name, dimensions } in watched() {
        if namespace != NAMESPACE {
            continue;
        }
        assert_eq!(dimensions[0], (TABLE.to_owned(), "Table".to_owned()), "{by}: {name}");
        let of = dimensions.into_iter().map(|(name, _)| name).collect();
        assert!(written.contains(&(name.clone(), of)), "{by}: {name} has no such dimensions");
        names.insert(name);
    }
    assert_eq!(names, all_names().map(str::to_owned).collect(), "each is watched, and no other");
}

#[test]
fn alarms_and_dashboard_are_on_metrics_of_aws_that_there_are_for_resources_of_the_stack() {
    let template = template();
    let is_index = |of: &str| {
        let indexes = template["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"].as_sequence();
        indexes.is_some_and(|all| all.iter().any(|index| index["IndexName"] == of))
    };
    for Watched { by, namespace, name, dimensions } in watched() {
        if namespace == NAMESPACE {
            continue;
        }
        let is_it = |(of, names, with): &&MetricsOfAws| {
            let same =
                with.iter().map(|(name, _)| *name).eq(dimensions.iter().map(|(name, _)| name.as_str()));
            *of == namespace && names.contains(&name.as_str()) && same
        };
        let known = OF_AWS.iter().find(is_it);
        let (_, _, with) =
            known.unwrap_or_else(|| panic!("{by}: {namespace} has no {name} by {dimensions:?}"));
        for ((_, named), (dimension, value)) in with.iter().zip(&dimensions) {
            let is_of = |resource: &str, kind: &str| template["Resources"][resource]["Type"] == kind;
            let is_right = match named {
                Named::Resource(kind) => is_of(value, kind),
                Named::QueueName => {
                    value.strip_suffix(".QueueName").is_some_and(|queue| is_of(queue, "AWS::SQS::Queue"))
                }
                Named::Index => is_index(value),
            };
            assert!(is_right, "{by}: {dimension} of {name} is {value}");
        }
    }
}

#[test]
fn each_alarm_says_what_to_do_and_stands_in_the_runbook() {
    let alarms = resources("AWS::CloudWatch::Alarm");
    for (name, alarm) in &alarms {
        let description = alarm["AlarmDescription"].as_str().expect(name);
        assert!(description.ends_with(&format!("runbook, {name}.")), "{name}: {description}");
        assert!(description.len() <= 1024, "{name}");
        let (_, section) = RUNBOOK
            .split_once(&format!("\n### {name}\n"))
            .unwrap_or_else(|| panic!("{name} is not in the runbook"));
        let section =
            section.split("\n## ").next().unwrap_or_default().split("\n### ").next().unwrap_or_default();
        for part in ["**Seen:**", "**Look at:**", "**Do:**", "**Over:**"] {
            assert!(section.contains(part), "{name} has no {part}");
        }
        assert_eq!(
            alarm["AlarmActions"], alarm["OKActions"],
            "{name}: who is called is told when it is over"
        );
    }
    let (_, on_aws) = RUNBOOK.split_once("\n## AWS\n").expect("a part of alarms");
    let on_aws = on_aws.split("\n## ").next().unwrap_or_default();
    assert_eq!(on_aws.matches("\n### ").count(), alarms.len(), "the runbook has no other");
}

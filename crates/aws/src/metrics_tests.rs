use std::collections::BTreeSet;

use loanhook_core::model::failure::ErrorKind;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// Names, each with what it has.
type Named<T> = Vec<(String, T)>;

/// The metrics of a line by the rules of the format: names with their values; the dimensions with theirs.
fn read(line: &str) -> (Named<Value>, Named<String>) {
    let root: Value = serde_json::from_str(line).expect("JSON");
    assert!(!line.contains('\n'), "one line is one event of the log");
    assert_eq!(root["_aws"]["Timestamp"], NOW.millis());
    let directive = &root["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], NAMESPACE);
    let metrics = directive["Metrics"].as_array().expect("metrics");
    assert!((1..=100).contains(&metrics.len()), "{line}");
    let metrics = metrics.iter().map(|metric| {
        let name = metric["Name"].as_str().expect("a name");
        assert!(
            name.ends_with("_total") && metric["Unit"] == "Count"
                || name.ends_with("_seconds") && metric["Unit"] == "Seconds"
        );
        let value = &root[name];
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        assert!((1..=100).contains(&values.len()) && values.iter().all(Value::is_number), "{name}: {value}");
        (name.to_owned(), value.clone())
    });
    let dimensions = directive["Dimensions"][0].as_array().expect("dimensions").iter().map(|name| {
        let name = name.as_str().expect("a name");
        (name.to_owned(), root[name].as_str().expect("a text").to_owned())
    });
    (metrics.collect(), dimensions.collect())
}

fn value(of: &[(String, Value)], name: &str) -> Value {
    of.iter().find(|(of, _)| of == name).unwrap_or_else(|| panic!("no {name}")).1.clone()
}

fn counts() -> Counts {
    let mut counts = Counts {
        events_accepted: 4,
        deliveries_accepted: 3,
        succeeded_first: 1,
        succeeded_later: 1,
        exhausted: 1,
        ..Counts::default()
    };
    counts.count_attempt(AttemptClass::Status(2));
    counts.count_attempt(AttemptClass::Status(2));
    counts.count_attempt(AttemptClass::Error(ErrorKind::Timeout));
    counts.record_response_time(12.5);
    for millis in 0..250 {
        counts.first_attempt.record(millis);
    }
    counts
}

#[test]
fn counts_are_lines_of_the_embedded_metric_format() {
    let report = CountReport { records: 9, transactions: 1, superseded: false };
    let lines = of_counts("hooks", &counts(), report, NOW);
    let [all, succeeded, timed_out] = &lines[..] else { panic!("{lines:?}") };
    let (metrics, dimensions) = read(all);
    assert_eq!(dimensions, [("Table".into(), "hooks".into())]);
    for (name, expected) in [
        ("loanhook_events_accepted_total", json!(4)),
        ("loanhook_events_unmatched_total", json!(0)),
        ("loanhook_deliveries_succeeded_total", json!(2)),
        ("loanhook_exhausted_total", json!(1)),
        ("loanhook_attempts_total", json!(3)),
        ("loanhook_response_seconds", json!([0.0125])),
        ("loanhook_counted_changes_total", json!(9)),
    ] {
        assert_eq!(value(&metrics, name), expected, "{name}");
    }
    let first_attempt = value(&metrics, "loanhook_first_attempt_seconds");
    assert_eq!(first_attempt.as_array().map(Vec::len), Some(100), "no line has more values of a metric");
    for (line, outcome, attempts) in [(succeeded, "2xx", 2), (timed_out, "timeout", 1)] {
        let (metrics, dimensions) = read(line);
        assert_eq!(metrics, [("loanhook_attempts_total".to_owned(), json!(attempts))]);
        assert_eq!(dimensions[1], ("Outcome".into(), outcome.into()));
    }
}

#[test]
fn a_run_that_found_nothing_says_so() {
    let [line] = &of_counts("hooks", &Counts::default(), CountReport::default(), NOW)[..] else {
        panic!("one line")
    };
    let (metrics, _) = read(line);
    assert!(metrics.iter().all(|(_, value)| *value == 0), "{line}");
}

#[test]
fn every_metric_has_its_name_in_the_list() {
    let report = CountReport::default();
    let mut lines = of_counts("hooks", &counts(), report, NOW);
    lines.push(of_sweep("hooks", SweepReport { oldest_due_seconds: 7, ..SweepReport::default() }, NOW));
    let written: BTreeSet<_> = lines.iter().flat_map(|line| read(line).0).map(|(name, _)| name).collect();
    assert_eq!(written, NAMES.map(str::to_owned).into(), "and no other");
}

/// The template as values, and the metrics of our namespace that its alarms and its dashboard name, each with its dimensions.
mod watched {
    use serde_norway::Value as Yaml;

    use super::*;

    const TEMPLATE: &str = include_str!("../../../infra/template.yaml");
    const RUNBOOK: &str = include_str!("../../../docs/runbook.md");

    fn resources(kind: &str) -> Vec<(String, Yaml)> {
        let template: Yaml = serde_norway::from_str(TEMPLATE).expect("YAML");
        let all = template["Resources"].as_mapping().expect("resources").clone();
        let of_kind = all.into_iter().filter(|(_, resource)| resource["Type"] == kind);
        of_kind
            .map(|(name, of)| (name.as_str().expect("a name").to_owned(), of["Properties"].clone()))
            .collect()
    }

    fn dashboard() -> Value {
        let [(_, dashboard)] = &resources("AWS::CloudWatch::Dashboard")[..] else { panic!("one dashboard") };
        let Yaml::Tagged(body) = &dashboard["DashboardBody"] else { panic!("a text with references") };
        serde_json::from_str(body.value.as_str().expect("a text")).expect("a dashboard is JSON")
    }

    /// Names and dimensions of the metrics of our namespace that an alarm is on.
    fn metrics_of_alarm(alarm: &Yaml) -> Vec<(String, Vec<String>)> {
        let of_several = alarm["Metrics"]
            .as_sequence()
            .into_iter()
            .flatten()
            .map(|metric| &metric["MetricStat"]["Metric"]);
        let ours = of_several.chain([alarm]).filter(|metric| metric["Namespace"] == NAMESPACE);
        let text = |value: &Yaml| value.as_str().expect("a text").to_owned();
        ours.map(|metric| {
            let dimensions = metric["Dimensions"].as_sequence().expect("dimensions").iter();
            (text(&metric["MetricName"]), dimensions.map(|dimension| text(&dimension["Name"])).collect())
        })
        .collect()
    }

    #[test]
    fn alarms_and_dashboard_are_on_metrics_that_the_functions_write() {
        let alarms = resources("AWS::CloudWatch::Alarm");
        let mut watched: BTreeSet<String> = BTreeSet::new();
        for (alarm, properties) in &alarms {
            for (name, dimensions) in metrics_of_alarm(properties) {
                assert_eq!(dimensions, [TABLE], "{alarm}: {name}");
                watched.insert(name);
            }
        }
        assert!(watched.len() >= 4, "{watched:?}");
        for widget in dashboard()["widgets"].as_array().expect("widgets") {
            for metric in widget["properties"]["metrics"].as_array().expect("metrics") {
                match metric[0].as_str() {
                    Some(NAMESPACE) => {
                        assert_eq!((&metric[2], &metric[3]), (&json!(TABLE), &json!("${Table}")), "{metric}");
                        watched.insert(metric[1].as_str().expect("a name").to_owned());
                    }
                    Some(_) => {}
                    None => {
                        let search = metric[0]["expression"].as_str().expect("an expression");
                        assert!(search.contains(&format!(
                            "{{{NAMESPACE},{TABLE},{OUTCOME}}} MetricName=\"{ATTEMPTS}\""
                        )));
                        watched.insert(ATTEMPTS.to_owned());
                    }
                }
            }
        }
        assert_eq!(watched, NAMES.map(str::to_owned).into(), "each is watched, and no other");
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
        let (on_aws, _) = RUNBOOK.split_once("\n## The one process").expect("two parts");
        assert_eq!(on_aws.matches("\n### ").count(), alarms.len(), "the runbook has no other");
    }
}

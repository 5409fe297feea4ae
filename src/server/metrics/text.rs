//! The text format of Prometheus, version 0.0.4: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;

use loanhook_core::model::metrics::{Family, Kind, Labels, Samples, TimeHistogram, Value};

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All samples as text.
pub(super) fn write(samples: &Samples) -> String {
    let mut text = String::new();
    samples.families().for_each(|family| write_family(&mut text, family));
    text
}

fn write_family(text: &mut String, Family { metric, series }: &Family) {
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Times(_) => "histogram",
    };
    let name = metric.name;
    line(text, format_args!("# HELP {name} {}", metric.help.replace('\\', r"\\")));
    line(text, format_args!("# TYPE {name} {kind}"));
    for (labels, value) in series {
        match value {
            Value::Number(number) => line(text, format_args!("{name}{} {number}", in_braces(labels, None))),
            Value::Times(times) => write_times(text, name, labels, times),
        }
    }
}

fn write_times(text: &mut String, name: &str, labels: &Labels, times: &TimeHistogram) {
    let mut bucket = |bound: &str, count: u64| {
        line(text, format_args!("{name}_bucket{} {count}", in_braces(labels, Some(bound))));
    };
    for (bound, count) in times.cumulative() {
        bucket(&bound.to_string(), count);
    }
    bucket("+Inf", times.count());
    let of = in_braces(labels, None);
    line(text, format_args!("{name}_sum{of} {}", times.sum()));
    line(text, format_args!("{name}_count{of} {}", times.count()));
}

/// The labels, with the bound of a bucket as the last; nothing without any.
fn in_braces(labels: &Labels, bound: Option<&str>) -> String {
    let of_bucket = bound.map(|bound| ("le", bound));
    let labels = labels.iter().map(|(name, value)| (*name, value.as_str())).chain(of_bucket);
    let labels: Vec<_> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::metrics::names;

    #[test]
    fn samples_are_written_as_prometheus_reads_them() {
        let mut samples = Samples::default();
        samples.set(&names::EVENTS_ACCEPTED, &[], 3.0);
        samples.set(&names::BUILD_INFO, &[("version", "a\"b\\c\nd")], 1.0);
        let mut times = TimeHistogram::new(&[0.5, 2.0]);
        times.record(0.25, 2);
        times.record(7.5, 1);
        samples.set_times(&names::RESPONSE, &[("tenant", "acme")], &times);
        let expected = r#"# HELP loanhook_build_info 1, with the version of loanhook.
# TYPE loanhook_build_info gauge
loanhook_build_info{version="a\"b\\c\nd"} 1
# HELP loanhook_events_accepted_total Events that were accepted, without test sends.
# TYPE loanhook_events_accepted_total counter
loanhook_events_accepted_total 3
# HELP loanhook_response_seconds Time that receivers took to answer, of attempts that have one.
# TYPE loanhook_response_seconds histogram
loanhook_response_seconds_bucket{tenant="acme",le="0.5"} 2
loanhook_response_seconds_bucket{tenant="acme",le="2"} 2
loanhook_response_seconds_bucket{tenant="acme",le="+Inf"} 3
loanhook_response_seconds_sum{tenant="acme"} 8
loanhook_response_seconds_count{tenant="acme"} 3
"#;
        assert_eq!(write(&samples), expected);
    }
}

//! The dashboard of `docs/grafana.json` asks for metrics that there are, and leaves none out.

use std::collections::BTreeSet;

use loanhook_core::model::metrics::Kind;
use loanhook_core::model::metrics::names::ALL;
use serde_json::Value;

const DASHBOARD: &str = include_str!("../../../docs/grafana.json");
/// Metrics that no panel shows.
const LEFT_OUT: [&str; 1] = ["loanhook_build_info"];

fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    dashboard["panels"].as_array().expect("panels").clone()
}

fn queries() -> impl Iterator<Item = String> {
    let of = |panel: Value| panel["targets"].as_array().cloned().unwrap_or_default();
    panels().into_iter().flat_map(of).map(|target| target["expr"].as_str().expect("a query").to_owned())
}

/// The names of samples in a query.
fn sample_names(query: &str) -> impl Iterator<Item = &str> {
    query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("loanhook_"))
}

/// The metric of a sample: a histogram has samples of three names, and a query names no other metric so.
fn metric_of(sample: &str) -> Option<&'static str> {
    ALL.iter().find_map(|metric| {
        let rest = sample.strip_prefix(metric.name)?;
        let is_named = match metric.kind {
            Kind::Times(_) => ["_bucket", "_sum", "_count"].contains(&rest),
            Kind::Counter | Kind::Gauge => rest.is_empty(),
        };
        is_named.then_some(metric.name)
    })
}

#[test]
fn every_query_names_a_metric_and_every_metric_is_shown_or_left_out() {
    let mut shown = BTreeSet::new();
    for query in queries() {
        assert!(sample_names(&query).next().is_some(), "it asks for nothing: {query}");
        for sample in sample_names(&query) {
            shown.insert(metric_of(sample).unwrap_or_else(|| panic!("no metric: {sample} in {query}")));
        }
    }
    shown.extend(LEFT_OUT);
    assert_eq!(shown, ALL.iter().map(|metric| metric.name).collect());
    assert!(
        LEFT_OUT.iter().all(|name| !queries().any(|query| query.contains(name))),
        "it is shown after all"
    );
}

#[test]
fn counters_are_asked_for_as_rates() {
    for query in queries() {
        for counter in ALL.iter().filter(|metric| metric.kind == Kind::Counter) {
            let mut parts = query.split(counter.name);
            let first = parts.next().unwrap_or_default();
            let is_rate = |before: &str| before.ends_with("rate(") || before.ends_with("increase(");
            assert!(query == first || is_rate(first), "{query}");
        }
    }
}

#[test]
fn panels_are_beside_each_other_and_named() {
    let place = |panel: &Value| {
        let of = |name: &str| panel["gridPos"][name].as_u64().expect("a place");
        (of("x"), of("y"), of("x") + of("w"), of("y") + of("h"))
    };
    let panels = panels();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().expect("an ID")).collect();
    assert_eq!(ids.len(), panels.len());
    for (index, panel) in panels.iter().enumerate() {
        assert!(panel["title"].as_str().is_some_and(|title| !title.is_empty()));
        let (left, top, right, bottom) = place(panel);
        assert!(right <= 24, "{panel}");
        for other in &panels[index + 1..] {
            let (l, t, r, b) = place(other);
            assert!(
                right <= l || r <= left || bottom <= t || b <= top,
                "{} is over {}",
                panel["title"],
                other["title"]
            );
        }
    }
}

//! Samples: the values of all metrics at one moment.

use std::collections::BTreeMap;

use super::names::Metric;
use super::time_histogram::TimeHistogram;

/// Names and values of labels, in the order of the metric.
pub type Labels = Vec<(&'static str, String)>;

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Number(f64),
    Times(TimeHistogram),
}

/// The samples of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    pub metric: &'static Metric,
    pub series: BTreeMap<Labels, Value>,
}

/// The values of metrics at one moment: each metric once, by name, and each of its series once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples(BTreeMap<&'static str, Family>);

impl Samples {
    /// Sets the value of a series. A later value of the same series replaces it.
    pub fn set(&mut self, metric: &'static Metric, labels: &[(&'static str, &str)], value: f64) {
        self.put(metric, labels, Value::Number(value));
    }

    /// Sets the times of a series.
    pub fn set_times(
        &mut self,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
        times: &TimeHistogram,
    ) {
        self.put(metric, labels, Value::Times(times.clone()));
    }

    fn put(&mut self, metric: &'static Metric, labels: &[(&'static str, &str)], value: Value) {
        let family = self.0.entry(metric.name).or_insert_with(|| Family { metric, series: BTreeMap::new() });
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        family.series.insert(labels, value);
    }

    /// By the names of the metrics.
    pub fn families(&self) -> impl Iterator<Item = &Family> {
        self.0.values()
    }
}

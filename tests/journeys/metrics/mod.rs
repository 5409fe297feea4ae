//! Metrics: `GET /metrics` on a listener of its own.

mod agreement;
mod format;
mod gauges;
mod labels;

use std::collections::BTreeMap;

use crate::harness::{Journey, Launch, Server};

/// What `/metrics` answered: the value of each series, by the name of the sample and its labels.
pub(crate) struct Metrics(Vec<Sample>);

pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// A journey on a process that serves metrics.
pub(crate) async fn journey() -> Option<Journey> {
    let arguments = ["--metrics-listen", "127.0.0.1:0"].map(str::to_owned).to_vec();
    let launch = Launch { arguments, ..Launch::default() };
    Some(Journey::on_server(Server::own_process_with(launch).await?).await)
}

/// The text of `/metrics`.
pub(crate) async fn text_of(server: &Server) -> String {
    let answer = reqwest::get(server.metrics_url()).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let content_type = answer.headers()["content-type"].to_str().expect("text").to_owned();
    assert!(content_type.starts_with("text/plain; version=0.0.4"), "{content_type}");
    answer.text().await.expect("a text")
}

impl Metrics {
    /// After a commit of its own: what was committed before it is counted, although a reader may have seen it a moment
    /// earlier.
    pub(crate) async fn read(j: &Journey) -> Self {
        j.api.with_new_key("reads metrics", &["history:read"]).await;
        let text = text_of(&j.server).await;
        Self(text.lines().filter(|line| !line.starts_with('#')).map(sample).collect())
    }

    pub(crate) fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.0.iter()
    }

    /// The sum of all series of this name that have these labels; 0 without any.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let has = |sample: &&Sample| {
            sample.name == name
                && labels.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|of| of == value))
        };
        self.0.iter().filter(has).map(|sample| sample.value).sum::<f64>().round() as u64
    }
}

/// One line; no value of a label here has a quotation mark or a comma.
fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("a sample: {line}"));
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.trim_end_matches('}')),
        None => (series, ""),
    };
    let labels = labels.split(',').filter(|label| !label.is_empty()).map(|label| {
        let (name, value) = label.split_once('=').unwrap_or_else(|| panic!("a label: {line}"));
        (name.to_owned(), value.trim_matches('"').to_owned())
    });
    Sample { name: name.to_owned(), labels: labels.collect(), value: value.parse().expect("a number") }
}

//! Figures: what a case measures, with a sample of each run.

use bench_measure::{Latencies, Samples, Spread};

/// One figure of a case.
pub(crate) struct Figure {
    pub(crate) name: String,
    /// As it is shown after the value: `/s`, `ms`, `MiB`, `%`, or nothing.
    pub(crate) unit: &'static str,
    samples: Samples,
}

/// Figures in the order in which they are read.
#[derive(Default)]
pub(crate) struct Figures(Vec<Figure>);

impl Figures {
    /// Adds a sample to the figure of this name.
    pub(crate) fn add(&mut self, name: impl Into<String>, unit: &'static str, sample: f64) {
        self.add_all(Figure { name: name.into(), unit, samples: [sample].into_iter().collect() });
    }

    /// Adds a sample to the figures p50, p95 and p99 of this name.
    pub(crate) fn add_latencies(&mut self, name: &str, latencies: Latencies) {
        let Latencies { p50, p95, p99 } = latencies;
        for (percentile, value) in [("p50", p50), ("p95", p95), ("p99", p99)] {
            self.add(format!("{name}: {percentile}"), "ms", value);
        }
    }

    pub(crate) fn merge(&mut self, others: Self) {
        others.0.into_iter().for_each(|figure| self.add_all(figure));
    }

    fn add_all(&mut self, figure: Figure) {
        match self.0.iter_mut().find(|known| known.name == figure.name) {
            Some(known) => known.samples.add_all(&figure.samples),
            None => self.0.push(figure),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Figure> {
        self.0.iter()
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Figure> {
        self.0.iter().find(|figure| figure.name == name)
    }
}

impl Figure {
    pub(crate) fn spread(&self) -> Spread {
        self.samples.spread()
    }

    /// The median with its unit, and the least and the most where they differ from it.
    pub(crate) fn value(&self) -> String {
        let Spread { median, least, most } = self.spread();
        let space = if self.unit.is_empty() || self.unit.starts_with('/') { "" } else { " " };
        let value = format!("{}{space}{}", number(median), self.unit);
        if least == most { value } else { format!("{value} ({} to {})", number(least), number(most)) }
    }
}

/// Three digits that count, or all of a thousand and more, with commas.
fn number(value: f64) -> String {
    match value {
        value if value >= 1000.0 => grouped(value as u64),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        value => format!("{value:.3}"),
    }
}

/// With commas between thousands.
pub(crate) fn grouped(value: u64) -> String {
    match value {
        0..1000 => value.to_string(),
        _ => format!("{},{:03}", grouped(value / 1000), value % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::Figures;

    #[test]
    fn samples_of_one_name_are_one_figure_with_its_median_and_spread() {
        let mut figures = Figures::default();
        for rate in [3000.0, 1_234_567.0, 3500.0] {
            let mut of_run = Figures::default();
            of_run.add("delivered", "/s", rate);
            of_run.add("refused", "/s", 0.0);
            figures.merge(of_run);
        }
        let values: Vec<String> =
            figures.iter().map(|figure| format!("{} {}", figure.name, figure.value())).collect();
        assert_eq!(values, ["delivered 3,500/s (3,000 to 1,234,567)", "refused 0/s"]);
    }
}

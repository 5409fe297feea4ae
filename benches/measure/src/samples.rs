//! Samples of one figure, and what is reported of them: the median, the quartiles, percentiles, the least and the most.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Samples of one figure, all in one unit.
#[derive(Clone, Default, Debug)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn add(&mut self, sample: f64) {
        self.0.push(sample);
    }

    pub fn add_all(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// Of an even number of samples the mean of the two in the middle; NaN where there is no sample.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let middle = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        f64::midpoint(middle(sorted.len().saturating_sub(1) / 2), middle(sorted.len() / 2))
    }

    /// The sample at this share of all, sorted (0 is the least, 1 the most); NaN where there is none.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    pub fn spread(&self) -> Spread {
        Spread { median: self.median(), least: self.quantile(0.0), most: self.quantile(1.0) }
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(samples: I) -> Self {
        Self(samples.into_iter().collect())
    }
}

/// The median, and the quartiles around it.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ({:.1} to {:.1})", self.median(), self.quantile(0.25), self.quantile(0.75))
    }
}

/// The median of several runs, with the least and the most of them.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Self {
        samples.into_iter().collect::<Samples>().spread()
    }
}

/// Percentiles of the latencies of many requests, in milliseconds.
#[derive(Serialize, Deserialize, Clone, Copy, Default, Debug)]
pub struct Latencies {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Latencies {
    /// Of latencies in nanoseconds, which are sorted in place: there may be millions. Zeros where there are none.
    pub fn of(nanoseconds: &mut [u64]) -> Self {
        nanoseconds.sort_unstable();
        let at = |share: f64| {
            let index = (nanoseconds.len() as f64 * share) as usize;
            nanoseconds
                .get(index.min(nanoseconds.len().saturating_sub(1)))
                .map_or(0.0, |nanoseconds| *nanoseconds as f64 / 1e6)
        };
        Self { p50: at(0.50), p95: at(0.95), p99: at(0.99) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Latencies, Samples, Spread};

    #[test]
    fn the_median_of_an_odd_number_of_samples_is_the_middle_one_in_any_order() {
        let Spread { median, least, most } = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!((median, least, most), (2.0, 1.0, 3.0));
    }

    #[test]
    fn the_median_of_an_even_number_of_samples_is_between_the_two_in_the_middle() {
        assert_eq!(Spread::of([9.0, 1.0]).median, 5.0);
        assert_eq!(Spread::of([8.0, 1.0, 2.0, 4.0]).median, 3.0);
    }

    #[test]
    fn quartiles_are_samples_a_quarter_from_either_end() {
        let samples: Samples = (0..=100).map(f64::from).collect();
        assert_eq!((samples.quantile(0.25), samples.quantile(0.75)), (25.0, 75.0));
        assert_eq!(samples.to_string(), "50.0 (25.0 to 75.0)");
    }

    #[test]
    fn no_samples_have_no_median() {
        assert!(Samples::default().median().is_nan());
    }

    #[test]
    fn percentiles_of_latencies_are_in_milliseconds() {
        let mut nanoseconds: Vec<u64> = (0..100).rev().map(|n| n * 1_000_000).collect();
        let Latencies { p50, p95, p99 } = Latencies::of(&mut nanoseconds);
        assert_eq!((p50, p95, p99), (50.0, 95.0, 99.0));
    }
}

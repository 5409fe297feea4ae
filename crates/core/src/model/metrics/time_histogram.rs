//! Histogram of times in a few fixed buckets, as metrics have it.

/// How many times fell into each bucket, and their sum.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeHistogram {
    /// The largest time of each bucket in seconds, ascending. A last bucket has what is longer.
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
}

impl TimeHistogram {
    /// Without a value; `bounds` are the largest time of each bucket in seconds, ascending.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// Takes a time in, so many times.
    pub fn record(&mut self, seconds: f64, times: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < seconds);
        self.counts[bucket] += times;
        self.sum += seconds * times as f64;
    }

    /// Each bound with how many times are at most that long.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let mut so_far = 0;
        self.bounds.iter().zip(&self.counts).map(move |(bound, count)| {
            so_far += count;
            (*bound, so_far)
        })
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum in seconds.
    pub const fn sum(&self) -> f64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_in_each_bucket_that_it_is_at_most_as_long_as() {
        let mut histogram = TimeHistogram::new(&[0.1, 1.0]);
        for (seconds, times) in [(0.05, 1), (0.1, 2), (0.11, 3), (1.0, 4), (7.0, 5)] {
            histogram.record(seconds, times);
        }
        assert_eq!(histogram.cumulative().collect::<Vec<_>>(), [(0.1, 3), (1.0, 10)]);
        assert_eq!(histogram.count(), 15);
        assert!((histogram.sum() - 39.58).abs() < 1e-9, "{}", histogram.sum());
    }
}

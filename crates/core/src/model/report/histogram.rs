//! Histogram of times, from which percentiles are read: how many values fell into each bucket.
//!
//! The buckets are those of HdrHistogram with two significant digits: values below 256 have one each, and each power of two
//! above that is divided into 128. A percentile is the middle of its bucket, so it is wrong by at most 0.4 % (1/256).
//! Histograms are added up bucket by bucket, with no further error, whichever hours and subscriptions they are of. Only
//! buckets with a value are kept: a dense one has more than three thousand.

use std::collections::BTreeMap;

/// Bits of a value that are kept. A bucket is at most 1/128 of its values wide.
const KEPT_BITS: u32 = 8;
const HALF: u32 = 1 << (KEPT_BITS - 1);
const FULL: u32 = 1 << KEPT_BITS;

/// A bucket, by its number: the larger it is, the larger are its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u16);

impl Bucket {
    /// The bucket with the largest values.
    pub const LAST: Self = Self::of(u32::MAX);

    /// The bucket of a value.
    pub const fn of(value: u32) -> Self {
        let shift = (u32::BITS - (value | (FULL - 1)).leading_zeros()) - KEPT_BITS;
        Self((shift * HALF + (value >> shift)) as u16)
    }

    /// The bucket of this number; none where there is none.
    pub fn from_number(number: u16) -> Option<Self> {
        Some(Self(number)).filter(|bucket| *bucket <= Self::LAST)
    }

    pub const fn number(self) -> u16 {
        self.0
    }

    /// The middle of its values.
    pub fn middle(self) -> f64 {
        let number = u32::from(self.0);
        let shift = (number / HALF).saturating_sub(1);
        let smallest = u64::from(number - shift * HALF) << shift;
        let largest = smallest + (1 << shift) - 1;
        (smallest + largest) as f64 / 2.0
    }
}

/// How many values fell into each bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram(BTreeMap<Bucket, u64>);

/// Values below which so many of a hundred are, in the unit of the histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Histogram {
    /// Takes a value in; one that is too large counts as the largest, 2^32 - 1.
    pub fn record(&mut self, value: u64) {
        self.add_to(Bucket::of(u32::try_from(value).unwrap_or(u32::MAX)), 1);
    }

    /// Takes so many values of a bucket in.
    pub fn add_to(&mut self, bucket: Bucket, count: u64) {
        *self.0.entry(bucket).or_default() += count;
    }

    /// Takes all values of another in.
    pub fn add(&mut self, other: &Self) {
        for (bucket, count) in other.buckets() {
            self.add_to(bucket, count);
        }
    }

    /// The buckets that have values, in ascending order, with how many.
    pub fn buckets(&self) -> impl ExactSizeIterator<Item = (Bucket, u64)> {
        self.0.iter().map(|(bucket, count)| (*bucket, *count))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The percentiles; none without a value.
    pub fn percentiles(&self) -> Option<Percentiles> {
        let total = self.total();
        let at = |percent: u64| self.at((total * percent).div_ceil(100).max(1));
        Some(Percentiles { p50: at(50)?, p95: at(95)?, p99: at(99)? })
    }

    /// At most so many values, in ascending order, that are spread as all of them are: all, where there are no more.
    pub fn sample(&self, most: u64) -> Vec<f64> {
        let total = self.total();
        let size = total.min(most);
        // The middle of each of `size` equal parts.
        (0..size).filter_map(|part| self.at((total * (2 * part + 1)).div_ceil(2 * size))).collect()
    }

    fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The value at a place among all, from 1.
    fn at(&self, place: u64) -> Option<f64> {
        let mut passed = 0;
        let found = self.0.iter().find(|(_, count)| {
            passed += **count;
            passed >= place
        });
        found.map(|(bucket, _)| bucket.middle())
    }
}

#[cfg(test)]
#[path = "histogram_tests.rs"]
mod tests;

use hdrhistogram::Histogram as HdrHistogram;
use proptest::prelude::*;

use super::*;

#[test]
fn buckets_by_table() {
    for (value, number, middle) in [
        (0, 0, 0.0),
        (1, 1, 1.0),
        (255, 255, 255.0),
        (256, 256, 256.5),
        (257, 256, 256.5),
        (258, 257, 258.5),
        (511, 383, 510.5),
        (512, 384, 513.5),
        (u32::MAX, 3327, 4_286_578_687.5),
    ] {
        let bucket = Bucket::of(value);
        assert_eq!((bucket.number(), bucket.middle()), (number, middle), "{value}");
        assert_eq!(Bucket::from_number(number), Some(bucket));
    }
    assert_eq!(Bucket::from_number(3328), None);
}

#[test]
fn without_values_there_are_no_percentiles() {
    assert_eq!(Histogram::default().percentiles(), None);
}

#[test]
fn percentiles_by_table() {
    let of = |values: &[u64]| {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.record(*value));
        histogram.percentiles().map(|Percentiles { p50, p95, p99 }| [p50, p95, p99])
    };
    assert_eq!(of(&[7]), Some([7.0, 7.0, 7.0]));
    assert_eq!(of(&[1, 2]), Some([1.0, 2.0, 2.0]));
    assert_eq!(of(&(1..=100).collect::<Vec<_>>()), Some([50.0, 95.0, 99.0]));
    assert_eq!(of(&[u64::MAX]), Some([4_286_578_687.5; 3]), "one that is too large");
}

#[test]
fn a_sample_is_spread_as_all_values_are() {
    let of = |values: &[u64], most| {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.record(*value));
        histogram.sample(most)
    };
    let hundred: Vec<_> = (1..=100).collect();
    assert_eq!(of(&[], 4), [0.0; 0]);
    assert_eq!(of(&[3, 1, 1], 4), [1.0, 1.0, 3.0], "all of them");
    assert_eq!(of(&hundred, 4), [13.0, 38.0, 63.0, 88.0]);
    assert_eq!(of(&[&hundred[..], &hundred[..]].concat(), 4), [13.0, 38.0, 63.0, 88.0], "each twice");
    assert_eq!(of(&hundred, 1), [50.0]);
}

fn values() -> impl Strategy<Value = Vec<u32>> {
    // As many small ones as large ones.
    proptest::collection::vec((0..32_u32, any::<u32>()).prop_map(|(shift, value)| value >> shift), 1..200)
}

fn histogram(values: &[u32]) -> Histogram {
    let mut histogram = Histogram::default();
    values.iter().for_each(|value| histogram.record(u64::from(*value)));
    histogram
}

proptest! {
    #[test]
    fn a_percentile_is_wrong_by_at_most_one_in_256(values in values()) {
        let percentiles = histogram(&values).percentiles().expect("values");
        let mut sorted = values;
        sorted.sort_unstable();
        for (percent, found) in [(50, percentiles.p50), (95, percentiles.p95), (99, percentiles.p99)] {
            let exact = f64::from(sorted[(sorted.len() * percent).div_ceil(100) - 1]);
            prop_assert!((found - exact).abs() <= exact / 256.0, "p{percent}: {found} for {exact}");
        }
    }

    #[test]
    fn the_buckets_are_those_of_hdr_histogram(value: u32) {
        let hdr = HdrHistogram::<u64>::new(2).expect("two digits");
        let of = Bucket::of(value);
        let lowest = hdr.lowest_equivalent(value.into());
        let highest = hdr.highest_equivalent(value.into());
        prop_assert_eq!(of, Bucket::of(u32::try_from(lowest).expect("smaller")));
        prop_assert_eq!(of.middle(), (lowest + highest) as f64 / 2.0);
        prop_assert!(lowest == 0 || Bucket::of(u32::try_from(lowest - 1).expect("smaller")) < of);
    }

    #[test]
    fn histograms_add_up_to_that_of_all_values(one in values(), other in values()) {
        let mut sum = histogram(&one);
        sum.add(&histogram(&other));
        prop_assert_eq!(sum, histogram(&[one, other].concat()));
    }
}

//! Stored retry policy: within the settings of a subscription, and in the snapshot of a delivery.

use std::borrow::Cow;

use loanhook_core::model::retry::{Exponential, RetryPolicy};
use serde::{Deserialize, Serialize};

/// One of three forms, told apart by their fields.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum StoredRetry<'a> {
    Delays {
        delays: Cow<'a, [u32]>,
    },
    #[serde(rename_all = "camelCase")]
    Interval {
        interval: u32,
        max_retries: u32,
    },
    Exponential {
        exponential: StoredExponential,
    },
}

/// A program of version 1 cannot read a field that is added here: it denies what it does not know.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StoredExponential {
    base: u32,
    factor: f64,
    cap: u32,
    max_retries: u32,
    /// Absent is none.
    #[serde(default)]
    jitter: f64,
}

impl<'a> From<&'a RetryPolicy> for StoredRetry<'a> {
    fn from(policy: &'a RetryPolicy) -> Self {
        match policy {
            RetryPolicy::Delays { delays } => Self::Delays { delays: Cow::Borrowed(delays) },
            RetryPolicy::Interval { interval, max_retries } => {
                Self::Interval { interval: *interval, max_retries: *max_retries }
            }
            RetryPolicy::Exponential {
                exponential: Exponential { base, factor, cap, max_retries, jitter },
            } => Self::Exponential {
                exponential: StoredExponential {
                    base: *base,
                    factor: *factor,
                    cap: *cap,
                    max_retries: *max_retries,
                    jitter: *jitter,
                },
            },
        }
    }
}

impl From<StoredRetry<'_>> for RetryPolicy {
    fn from(stored: StoredRetry<'_>) -> Self {
        match stored {
            StoredRetry::Delays { delays } => Self::Delays { delays: delays.into_owned() },
            StoredRetry::Interval { interval, max_retries } => Self::Interval { interval, max_retries },
            StoredRetry::Exponential {
                exponential: StoredExponential { base, factor, cap, max_retries, jitter },
            } => Self::Exponential { exponential: Exponential { base, factor, cap, max_retries, jitter } },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policies() -> impl Strategy<Value = RetryPolicy> {
        prop_oneof![
            prop::collection::vec(1..=604_800_u32, 0..=24).prop_map(|delays| RetryPolicy::Delays { delays }),
            (1..=604_800_u32, 0..=24_u32)
                .prop_map(|(interval, max_retries)| RetryPolicy::Interval { interval, max_retries }),
            (1..=604_800_u32, 1.0..=10.0, 1..=604_800_u32, 0..=24_u32, 0.0..=1.0).prop_map(
                |(base, factor, cap, max_retries, jitter)| RetryPolicy::Exponential {
                    exponential: Exponential { base, factor, cap, max_retries, jitter },
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn a_policy_reads_back_as_it_was_written(policy in policies()) {
            let json = serde_json::to_string(&StoredRetry::from(&policy)).expect("JSON");
            let stored: StoredRetry<'_> = serde_json::from_str(&json).expect("a policy");
            prop_assert_eq!(RetryPolicy::from(stored), policy);
        }
    }
}

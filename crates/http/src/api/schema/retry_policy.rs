//! Retry policies: as a request gives one, and as an answer shows it.

use serde::{Deserialize, Serialize};

use super::strict_object::optional_object;
use loanhook_core::model::retry as model;

/// A retry policy in one of its three forms. Delays are in seconds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(in crate::api) enum RetryPolicy {
    Delays {
        delays: Vec<u32>,
    },
    #[serde(rename_all = "camelCase")]
    Interval {
        interval: u32,
        max_retries: u32,
    },
    Exponential {
        exponential: Exponential,
    },
}

/// `base`, then `factor` times as long each time, up to `cap`.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct Exponential {
    #[schema(minimum = 1, maximum = 604_800)]
    base: u32,
    #[schema(minimum = 1, maximum = 10)]
    factor: f64,
    #[schema(minimum = 1, maximum = 604_800)]
    cap: u32,
    #[schema(maximum = 24)]
    max_retries: u32,
    /// A delay is shortened by up to this share of it.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1)]
    jitter: f64,
}

/// `{"delays"}`, `{"interval", "maxRetries"}` or `{"exponential"}`, in seconds; at most 30 days in all.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct RetryDraft {
    #[schema(max_items = 24)]
    delays: Option<Vec<u32>>,
    #[schema(minimum = 1, maximum = 604_800)]
    interval: Option<u32>,
    #[schema(maximum = 24)]
    max_retries: Option<u32>,
    #[serde(default, deserialize_with = "optional_object")]
    exponential: Option<Exponential>,
}

impl From<RetryDraft> for model::RetryInput {
    fn from(draft: RetryDraft) -> Self {
        let RetryDraft { delays, interval, max_retries, exponential } = draft;
        Self { delays, interval, max_retries, exponential: exponential.map(Into::into) }
    }
}

impl From<Exponential> for model::Exponential {
    fn from(exponential: Exponential) -> Self {
        let Exponential { base, factor, cap, max_retries, jitter } = exponential;
        Self { base, factor, cap, max_retries, jitter }
    }
}

impl From<model::RetryPolicy> for RetryPolicy {
    fn from(policy: model::RetryPolicy) -> Self {
        match policy {
            model::RetryPolicy::Delays { delays } => Self::Delays { delays },
            model::RetryPolicy::Interval { interval, max_retries } => {
                Self::Interval { interval, max_retries }
            }
            model::RetryPolicy::Exponential { exponential } => {
                let model::Exponential { base, factor, cap, max_retries, jitter } = exponential;
                Self::Exponential { exponential: Exponential { base, factor, cap, max_retries, jitter } }
            }
        }
    }
}

//! Recovery jobs as their makers ask for them.

use serde::Deserialize;

use super::strict_object::object;
use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::job::JobKind;
use loanhook_core::recovery::JobInput;

/// A bulk resend that is asked for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewResendJob)]
pub(in crate::api) struct ResendJobDraft {
    #[serde(deserialize_with = "object")]
    filter: JobFilterDraft,
    /// `original`, which is the default: the URL that was rendered at intake; or `current`: the one that the subscription has
    /// now.
    #[serde(default)]
    #[schema(pattern = "^(original|current)$")]
    to: Option<String>,
    /// How many are resent in a second at most; 10 where it is left out.
    #[serde(default)]
    #[schema(minimum = 0.1, maximum = 1000)]
    per_second: Option<f64>,
    /// Of each loan and subscription only the newest delivery of the list is resent.
    #[serde(default)]
    newest_per_loan: bool,
    /// After so many failures in a row the job stops.
    #[serde(default)]
    #[schema(minimum = 1)]
    stop_after_failures: Option<u32>,
    /// Resends also what succeeded by itself since it was listed.
    #[serde(default)]
    force: bool,
    /// Makes no job, and says what it would do.
    #[serde(default)]
    pub(in crate::api) dry_run: bool,
}

/// A bulk cancel that is asked for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewCancelJob)]
pub(in crate::api) struct CancelJobDraft {
    /// Of pending deliveries, with or without `status`.
    #[serde(deserialize_with = "object")]
    filter: JobFilterDraft,
    /// How many are canceled in a second at most; 10 where it is left out.
    #[serde(default)]
    #[schema(minimum = 0.1, maximum = 1000)]
    per_second: Option<f64>,
    /// Makes no job, and says what it would do.
    #[serde(default)]
    pub(in crate::api) dry_run: bool,
}

/// Which deliveries: those that pass all filters, of which there must be at least one, as in the list across loans. Or, alone,
/// the deliveries themselves by their trace IDs.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = JobFilter)]
pub(in crate::api) struct JobFilterDraft {
    #[serde(default)]
    #[schema(pattern = "^(pending|succeeded|failed|canceled)$")]
    status: Option<String>,
    #[serde(default)]
    #[schema(pattern = "^(limit|order|hold)$")]
    waiting: Option<String>,
    #[serde(default)]
    #[schema(format = "uuid")]
    subscription_id: Option<String>,
    #[serde(default)]
    event_name: Option<String>,
    #[serde(default)]
    #[schema(pattern = "loanId")]
    loan_id: Option<String>,
    /// Of the newest attempt: a code (404) or a class of them (4xx), from 100 to 999.
    #[serde(default)]
    #[schema(pattern = "^[1-9]([0-9]{2}|xx)$")]
    response_code: Option<String>,
    /// Of the newest attempt: a kind of error.
    #[serde(default)]
    #[schema(pattern = "^(dns|connect|tls|timeout|protocol|blocked|template|interrupted)$")]
    error: Option<String>,
    #[serde(default)]
    test: Option<bool>,
    /// The first moment of `acceptedAt`.
    #[serde(default)]
    #[schema(format = DateTime)]
    from: Option<String>,
    /// The moment before which `acceptedAt` must be.
    #[serde(default)]
    #[schema(format = DateTime)]
    to: Option<String>,
    #[serde(default)]
    #[schema(min_items = 1, max_items = 1000)]
    trace_ids: Option<Vec<String>>,
}

impl JobFilterDraft {
    /// The filters, and the deliveries that are named in place of them.
    fn parts(self) -> (DeliveryFilterInput, Option<Vec<String>>) {
        let Self {
            status,
            waiting,
            subscription_id,
            event_name,
            loan_id,
            response_code,
            error,
            test,
            from,
            to,
            trace_ids,
        } = self;
        let test = test.map(|test| test.to_string());
        let filter = DeliveryFilterInput {
            status,
            waiting,
            subscription_id,
            event_name,
            loan_id,
            response_code,
            error,
            test,
            from,
            to,
        };
        (filter, trace_ids)
    }
}

impl From<ResendJobDraft> for JobInput {
    fn from(draft: ResendJobDraft) -> Self {
        let ResendJobDraft {
            filter,
            to,
            per_second,
            newest_per_loan,
            stop_after_failures,
            force,
            dry_run: _,
        } = draft;
        let (filter, trace_ids) = filter.parts();
        let kind = JobKind::Resend;
        Self { kind, filter, trace_ids, to, per_second, newest_per_loan, stop_after_failures, force }
    }
}

impl From<CancelJobDraft> for JobInput {
    fn from(CancelJobDraft { filter, per_second, dry_run: _ }: CancelJobDraft) -> Self {
        let (filter, trace_ids) = filter.parts();
        Self {
            kind: JobKind::Cancel,
            filter,
            trace_ids,
            to: None,
            per_second,
            newest_per_loan: false,
            stop_after_failures: None,
            force: false,
        }
    }
}

//! Recovery jobs as the API shows them: the job, the items of its list, and the plan of one. Fields are null, never absent.

use serde::Serialize;

use super::delivery::ListedDeliveryView;
use super::enums_of_model;
use super::id::{AttemptId, JobId, LoanId, SubscriptionId, Timestamp, TraceId};
use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::{attempt, job};
use loanhook_core::recovery::Plan;

enums_of_model! {
    #[serde(rename_all = "lowercase")]
    JobStatus from job::JobStatus {
        Running,
        Done,
        Stopped,
    }

    /// Why a job sends nothing more before its list has ended.
    #[serde(rename_all = "kebab-case")]
    StopReason from job::StopReason {
        Requested,
        Failures,
        TooManyDeliveries,
    }

    /// What became of a delivery of the list.
    #[serde(rename_all = "lowercase")]
    ItemOutcome from job::ItemOutcome {
        Waiting,
        Succeeded,
        Failed,
        Skipped,
        Superseded,
    }

    /// Why a delivery was skipped: it succeeded since it was listed; it has no automatic attempts to cancel; it cannot be read;
    /// its template did not render; it has no attempt; its subscription has no current address for it.
    #[serde(rename_all = "kebab-case")]
    SkipReason from job::SkipReason {
        Succeeded,
        NotPending,
        Gone,
        NothingToSend,
        NotAttempted,
        NoCurrentAddress,
    }

    #[serde(rename_all = "lowercase")]
    ResendTo from attempt::ResendTo {
        Original,
        Current,
    }
}

/// A bulk cancel, and how far it has come.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CancelJob)]
pub(in crate::api) struct JobView {
    id: JobId,
    status: JobStatus,
    /// Why it was stopped; null where it was not.
    #[schema(required)]
    reason: Option<StopReason>,
    /// How many deliveries are on the list so far.
    total: u32,
    succeeded: u32,
    failed: u32,
    skipped: u32,
    superseded: u32,
    /// Those without an outcome: still to come, on their way, or left alone by a job that was stopped.
    left: u32,
    /// Whether the list is complete. It holds nothing that was accepted after `createdAt`.
    list_complete: bool,
    per_second: f64,
    /// As it was given; null where the deliveries were named one by one.
    #[schema(required)]
    filter: Option<JobFilterView>,
    /// The name of the key that asked.
    requested_by: String,
    created_at: Timestamp,
    /// Since when nothing of it is left to do: what was on its way when it was stopped has ended, too.
    #[schema(required)]
    ended_at: Option<Timestamp>,
}

/// A bulk resend, and how far it has come.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ResendJob)]
pub(in crate::api) struct ResendJobView {
    #[serde(flatten)]
    job: JobView,
    to: ResendTo,
    newest_per_loan: bool,
    #[schema(required)]
    stop_after_failures: Option<u32>,
    force: bool,
}

/// The filters of a job; null where there is none.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JobFilters)]
pub(in crate::api) struct JobFilterView {
    #[schema(required)]
    status: Option<String>,
    #[schema(required)]
    waiting: Option<String>,
    #[schema(required)]
    subscription_id: Option<String>,
    #[schema(required)]
    event_name: Option<String>,
    #[schema(required)]
    loan_id: Option<String>,
    #[schema(required)]
    response_code: Option<String>,
    #[schema(required)]
    error: Option<String>,
    #[schema(required)]
    test: Option<bool>,
    #[schema(required)]
    from: Option<String>,
    #[schema(required)]
    to: Option<String>,
}

impl From<DeliveryFilterInput> for JobFilterView {
    fn from(input: DeliveryFilterInput) -> Self {
        let DeliveryFilterInput {
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
        } = input;
        let test = test.map(|test| test == "true");
        Self { status, waiting, subscription_id, event_name, loan_id, response_code, error, test, from, to }
    }
}

impl From<job::Job> for JobView {
    fn from(job: job::Job) -> Self {
        let (status, left) = (job.status(), job.counts.left());
        let job::JobCounts { total, succeeded, failed, skipped, superseded } = job.counts;
        Self {
            id: job.id.into(),
            status: status.into(),
            reason: job.stopped.map(Into::into),
            total,
            succeeded,
            failed,
            skipped,
            superseded,
            left,
            list_complete: job.progress.listing.is_none(),
            per_second: job.request.per_second,
            filter: match job.request.selection {
                job::Selection::Filter(filter) => Some((*filter).into()),
                job::Selection::Traces => None,
            },
            requested_by: job.requested_by,
            created_at: job.created_at.into(),
            ended_at: job.ended_at.map(Into::into),
        }
    }
}

impl From<job::Job> for ResendJobView {
    fn from(job: job::Job) -> Self {
        let job::JobRequest { to, newest_per_loan, stop_after_failures, force, .. } = job.request;
        Self { to: to.into(), newest_per_loan, stop_after_failures, force, job: job.into() }
    }
}

/// A delivery on the list of a job.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JobItem)]
pub(in crate::api) struct JobItemView {
    trace_id: TraceId,
    /// Null of an operational event, which belongs to no loan.
    #[schema(required)]
    loan_id: Option<LoanId>,
    subscription_id: SubscriptionId,
    outcome: ItemOutcome,
    /// Why it was skipped; null where it was not.
    #[schema(required)]
    reason: Option<SkipReason>,
    /// The attempt that resent it; null where there is none yet, and of a cancel.
    #[schema(required)]
    attempt_id: Option<AttemptId>,
}

impl From<job::JobItem> for JobItemView {
    fn from(item: job::JobItem) -> Self {
        let job::JobItem { trace, subscription, loan, had_succeeded: _, state } = item;
        Self {
            trace_id: trace.into(),
            loan_id: LoanId::shown(loan),
            subscription_id: subscription.into(),
            outcome: state.outcome().into(),
            reason: state.skip_reason().map(Into::into),
            attempt_id: state.attempt().map(Into::into),
        }
    }
}

/// What a job would do now.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JobPlan)]
pub(in crate::api) struct PlanView {
    /// How many deliveries it would take, without those that are superseded.
    count: u32,
    /// There are more than the 100,000 that were counted; a job would take them, too.
    more: bool,
    superseded: u32,
    /// Of how many loans they are.
    loans: u32,
    /// The first 20 that it would take, the oldest first; of those that were counted, where there are more.
    deliveries: Vec<ListedDeliveryView>,
    /// How long it takes at least.
    seconds: f64,
}

impl PlanView {
    pub(in crate::api) fn new(plan: Plan) -> Self {
        let Plan { count, more, superseded, loans, deliveries, duration } = plan;
        let deliveries = deliveries.into_iter().map(ListedDeliveryView::new).collect();
        Self { count, more, superseded, loans, deliveries, seconds: duration.as_secs_f64() }
    }
}

//! Dead letters as the API shows them.

use loanhook_core::model::dead_letter::{DeadLetter, DeadLetterList, DeadLetterReason, DeadLetterSubject};
use serde::Serialize;

use super::id::{JobId, SubscriptionId, Timestamp, TraceId};

/// Dead letters.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DeadLetterList)]
pub(in crate::api) struct DeadLetterListView {
    items: Vec<DeadLetterView>,
    /// There may be others.
    more: bool,
}

/// A message that was put aside.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadLetter)]
struct DeadLetterView {
    id: String,
    /// It, or its delivery, cannot be read (`unreadable`); what handles it panicked (`panicked`); its handling never ended
    /// (`never_handled`). The log says more.
    reason: Reason,
    /// When it was put aside, where that is known.
    since: Option<Timestamp>,
    /// Whose it is; null where it is no message of loanhook's.
    tenant: Option<String>,
    /// The delivery that it is to wake.
    trace_id: Option<TraceId>,
    /// The number of the attempt that was due; null for a resend.
    attempt: Option<u32>,
    /// The recovery job that it is to drive.
    job_id: Option<JobId>,
    /// The subscription of which something waits that it is to wake.
    subscription_id: Option<SubscriptionId>,
}

super::enums_of_model! {
    /// Why a message was put aside.
    #[serde(rename_all = "snake_case")]
    #[schema(as = DeadLetterReason)]
    Reason from DeadLetterReason {
        /// It, or the delivery that it names, cannot be read.
        Unreadable,
        /// What handles it panicked, several times.
        Panicked,
        /// It was received again and again, and its handling never ended.
        NeverHandled,
    }
}

/// How many dead letters were redriven.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct Redriven {
    pub(in crate::api) redriven: u64,
    /// Those that are no messages of loanhook's.
    pub(in crate::api) left: u64,
    /// There may be others: ask again.
    pub(in crate::api) more: bool,
}

impl From<DeadLetterList> for DeadLetterListView {
    fn from(list: DeadLetterList) -> Self {
        let DeadLetterList { letters, more } = list;
        Self { items: letters.into_iter().map(DeadLetterView::from).collect(), more }
    }
}

impl From<DeadLetter> for DeadLetterView {
    fn from(letter: DeadLetter) -> Self {
        let DeadLetter { id, reason, about, since } = letter;
        let mut view = Self {
            id,
            reason: reason.into(),
            since: since.map(Timestamp::from),
            tenant: None,
            trace_id: None,
            attempt: None,
            job_id: None,
            subscription_id: None,
        };
        let tenant = match about {
            DeadLetterSubject::Delivery { tenant, trace, attempt } => {
                (view.trace_id, view.attempt) = (Some(trace.into()), attempt);
                tenant
            }
            DeadLetterSubject::Job { tenant, job } => {
                view.job_id = Some(job.into());
                tenant
            }
            DeadLetterSubject::Waiting { tenant, subscription } => {
                view.subscription_id = Some(subscription.into());
                tenant
            }
            DeadLetterSubject::Unknown => return view,
        };
        view.tenant = Some(tenant.to_string());
        view
    }
}

//! Samples of operational events: what the test of a subscription sends, and whose variables the documentation lists.

use std::time::Duration;

use uuid::Uuid;

use super::{
    AttemptEnd, EndOutcome, ExhaustedWindow, FailingRun, OperationalEvent, OperationalKind, Subject,
    certificate, state,
};
use crate::model::attempt::ResendTo;
use crate::model::flow::{EndedHold, HeldBy, Hold, Probe};
use crate::model::id::{AttemptId, JobId, SubscriptionId, TenantId, TraceId};
use crate::model::job::{Job, JobCounts, JobKind, JobRequest, Selection};
use crate::model::time::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);

impl OperationalKind {
    /// What an event of this kind looks like that tells of this subscription, now.
    pub fn sample(self, subject: &Subject, now: Timestamp) -> OperationalEvent {
        let earlier = now.minus(4 * MINUTE);
        match self {
            Self::SubscriptionFailing => {
                let run = FailingRun { count: state::TOLD_AT_FAILURES, since: earlier };
                let outcome = EndOutcome::Answered(503);
                state::failing_event(
                    subject,
                    run,
                    AttemptEnd { ended_at: now, attempt: AttemptId::at(now), outcome },
                )
            }
            Self::SubscriptionHeld => {
                let by = HeldBy::Failures(Probe { due: now, delay: MINUTE });
                OperationalEvent::held(subject, &Hold { by, since: now })
            }
            Self::SubscriptionRecovered => {
                OperationalEvent::recovered_from_hold(subject, EndedHold { since: earlier, at: now })
            }
            Self::DeliveryExhausted => {
                let trace = TraceId::from_uuid(Uuid::new_v5(&subject.subscription.uuid(), b"sample"));
                let (opened_at, title) = (now.minus(state::EXHAUSTED_WINDOW), subject.title.clone());
                let window = ExhaustedWindow { opened_at, title, count: 1, traces: vec![trace] };
                state::exhausted_event(subject, &window, state::EXHAUSTED_WINDOW)
            }
            Self::CertificateExpiring => {
                let certificate = certificate::Told {
                    name: "sample",
                    days: 30,
                    expires_at: now + 30 * 24 * 60 * MINUTE,
                    subject: Some("CN=loanhook".into()),
                };
                certificate::notice_event(subject, certificate, now)
            }
            Self::JobFinished => finished(subject.tenant.clone(), earlier, now),
        }
    }
}

fn finished(tenant: TenantId, created_at: Timestamp, ended_at: Timestamp) -> OperationalEvent {
    let request = JobRequest {
        kind: JobKind::Resend,
        selection: Selection::Traces,
        to: ResendTo::Original,
        per_second: 10.0,
        newest_per_loan: false,
        stop_after_failures: None,
        force: false,
    };
    let mut job = Job::new(JobId::at(created_at), tenant, request, "Sample".into(), created_at);
    job.counts = JobCounts { total: 3, succeeded: 2, failed: 1, skipped: 0, superseded: 0 };
    job.ended_at = Some(ended_at);
    OperationalEvent::of_ended_job(&job, ended_at)
}

impl Subject {
    /// One that there is not.
    pub(super) fn sample() -> Option<Self> {
        let tenant = TenantId::try_from("default".to_owned()).ok()?;
        let subscription = SubscriptionId::from_uuid(Uuid::nil());
        Some(Self { tenant, subscription, title: "Sample".into(), is_current: true })
    }
}

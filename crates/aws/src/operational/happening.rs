//! Happening: what a change of an item tells of its subscription, its job or its tenant.

use super::observers::SettingsChange;
use crate::items::item::{Item, document, parse};
use crate::items::key_schema::CHANGED_BY;
use crate::queue::Receiver;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::{EndedHold, FlowState, Hold};
use loanhook_core::model::id::{AttemptId, LoanId, TenantId, TraceId};
use loanhook_core::model::job::Job;
use loanhook_core::model::operational::{AttemptEnd, EndOutcome, OperationalEvent, is_exhausted_now};
use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// When a schedule ended: with its last attempt, whose row says it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ScheduleEnd {
    pub(super) loan: LoanId,
    pub(super) attempt: AttemptId,
    /// None until that row was read.
    pub(super) at: Option<Timestamp>,
}

/// Something that may be told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Happening {
    /// An attempt ended. The title is that of its subscription when its event was accepted.
    Ended { of: Receiver, title: String, end: AttemptEnd },
    /// The schedule of a delivery ended without success.
    Exhausted { of: Receiver, title: String, trace: TraceId, end: ScheduleEnd },
    /// A hold began.
    Held { of: Receiver, hold: Hold },
    /// The success of an attempt ended a hold.
    HoldEnded { of: Receiver, end: AttemptEnd, hold: EndedHold },
    /// A job is over: what it tells.
    JobFinished(OperationalEvent),
    /// A subscription of the tenant was made, changed or deleted.
    SettingsChanged(SettingsChange),
}

impl Happening {
    /// When it happened, where that is known without another read.
    pub(crate) const fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Ended { end, .. } | Self::HoldEnded { end, .. } => Some(end.ended_at),
            Self::Held { hold, .. } => Some(hold.since),
            Self::JobFinished(event) => Some(event.occurred_at),
            Self::Exhausted { end, .. } => end.at,
            Self::SettingsChanged(_) => None,
        }
    }

    /// What the change of a row tells: the end of its attempt.
    pub(crate) fn of_row(before: Option<&Attempt>, after: &Attempt) -> Option<Self> {
        if before.is_some_and(|before| before.completion().is_some()) {
            return None;
        }
        let end = AttemptEnd::of(after)?;
        let of = Receiver { tenant: after.tenant.clone(), subscription_id: after.subscription_id };
        Some(Self::Ended { of, title: after.event_title.clone(), end })
    }

    /// What the change of a delivery tells: the end of its schedule.
    pub(crate) fn of_delivery(before: Option<&Delivery>, after: Option<&Delivery>) -> Option<Self> {
        let (before, after) = (before?, after?);
        let Progress::Sending { claim, .. } = &before.progress else { return None };
        let snapshot = &after.snapshot;
        is_exhausted_now(before, after).then(|| Self::Exhausted {
            of: Receiver::of_snapshot(snapshot),
            title: snapshot.event_title.clone(),
            trace: snapshot.trace_id,
            end: ScheduleEnd { loan: snapshot.loan_id.clone(), attempt: claim.attempt_id, at: None },
        })
    }

    /// What the change of a flow state tells. `name` is its partition but for the kind: the state of a subscription has the name of
    /// the tenant and the ID; what else is of the flow has a longer one.
    ///
    /// # Errors
    ///
    /// Where an item cannot be read.
    pub(crate) fn of_flow(
        name: &str,
        before: Option<&Item>,
        after: Option<&Item>,
    ) -> StoreResult<Option<Self>> {
        let (Some(of), Some(item)) = (receiver(name), after) else { return Ok(None) };
        let before: Option<FlowState> = before.map(document).transpose()?;
        let (before, after): (_, FlowState) = (before.unwrap_or_default(), document(item)?);
        Ok(match (before.hold, after.hold) {
            // An automatic hold that no attempt is named for: what becomes of an operational event tells nothing.
            (None, Some(hold)) if hold.is_automatic() && !item.contains_key(CHANGED_BY) => None,
            (None, Some(hold)) => Some(Self::Held { of, hold }),
            // What an operator, a deletion or the attempt of an operational event ended is no recovery.
            (Some(_), None) if item.contains_key(CHANGED_BY) => {
                let attempt = parse(item, CHANGED_BY)?;
                after.ended.map(|hold| {
                    let end = AttemptEnd { ended_at: hold.at, attempt, outcome: EndOutcome::Succeeded };
                    Self::HoldEnded { of, end, hold }
                })
            }
            _ => None,
        })
    }

    /// What the change of a job tells. The chunks of its list have another partition.
    pub(crate) fn of_job(before: Option<&Job>, after: &Job) -> Option<Self> {
        let was_over = before.is_some_and(Job::is_over);
        OperationalEvent::job_finished(was_over, after).map(Self::JobFinished)
    }

    /// What the change of an item among the settings of a tenant tells.
    pub(crate) fn of_settings(name: &str, before: Option<&Item>, after: Option<&Item>) -> Option<Self> {
        SettingsChange::of(name, before, after).map(Self::SettingsChanged)
    }
}

/// The subscription of `tenant#id`.
fn receiver(name: &str) -> Option<Receiver> {
    let (tenant, id) = name.split_once('#')?;
    Some(Receiver { tenant: TenantId::try_from(tenant.to_owned()).ok()?, subscription_id: id.parse().ok()? })
}

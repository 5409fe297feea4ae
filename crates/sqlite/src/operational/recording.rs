//! Recording of what an operation tells, in its transaction.

use rusqlite::Connection;

use super::subscriptions::subject_now;
use super::{OperationalStates, Recorded, outbox, rows};
use crate::flow_states::ChangedState;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::job::Job;
use loanhook_core::model::operational::{AttemptEnd, OperationalEvent, Subject, is_observed};

/// An attempt that ended.
#[derive(Clone, Copy)]
pub(crate) struct Ended<'a> {
    pub(crate) row: &'a Attempt,
    /// Whether the schedule of its delivery ended with it, without success.
    pub(crate) exhausted: bool,
    /// The flow state of its subscription, where it changed.
    pub(crate) flow: Option<&'a ChangedState>,
}

impl OperationalStates {
    /// Records the end of an attempt.
    pub(crate) fn record_end(
        &self,
        connection: &Connection,
        Ended { row, exhausted, flow }: Ended<'_>,
    ) -> rusqlite::Result<Recorded> {
        let id = row.subscription_id;
        // What becomes of an operational event tells nothing, also where its subscription has other criteria by now.
        let flow = flow.filter(|_| !row.loan_id.is_operational());
        let began = flow.and_then(ChangedState::began_hold);
        let ended_hold = flow.and_then(ChangedState::ended_hold);
        let end = AttemptEnd::of(row);
        let is_news =
            end.is_some_and(|end| !end.succeeded() || ended_hold.is_some() || self.failing().contains(&id));
        if !is_news && !exhausted && began.is_none() {
            return Ok(Recorded::default());
        }
        let subscriptions = self.cache.subscriptions(&row.tenant);
        let subject = Subject::of(&subscriptions, (&row.tenant, id), &row.event_title);
        let subject = subject.map(|subject| subject_now(connection, &subscriptions, subject)).transpose()?;
        let Some(subject) = subject.flatten() else { return Ok(Recorded::default()) };
        let end = end.filter(|_| is_news && subject.is_current);
        if end.is_some_and(|end| !end.succeeded()) {
            self.failing().insert(id);
        }
        let ((told, opens), fails) = rows::change(connection, (&row.tenant, id), |state| {
            let opens = exhausted && state.exhausted.is_none();
            let ended = row.completion().filter(|_| exhausted).map(|completion| completion.ended_at);
            let of_window = ended
                .and_then(|at| state.record_exhausted(&subject, (row.trace_id, at), self.exhausted_window));
            let of_end = end.and_then(|end| state.record_end(&subject, end, ended_hold));
            (of_window.into_iter().chain(of_end), opens)
        })?;
        let held = began.map(|hold| OperationalEvent::held(&subject, hold));
        let events: Vec<_> = told.chain(held).collect();
        outbox::put(connection, &events)?;
        Ok(Recorded { failing: end.map(|_| (id, fails)), wakes: opens || !events.is_empty() })
    }

    /// Records a change of the flow state of a subscription by hand.
    pub(crate) fn record_hold(
        &self,
        connection: &Connection,
        (tenant, id): (&TenantId, SubscriptionId),
        changed: &ChangedState,
    ) -> rusqlite::Result<Recorded> {
        let Some(began) = changed.began_hold() else { return Ok(Recorded::default()) };
        let subscriptions = self.cache.subscriptions(tenant);
        let event = Subject::of(&subscriptions, (tenant, id), "")
            .filter(|subject| subject.is_current)
            .map(|subject| OperationalEvent::held(&subject, began));
        outbox::put(connection, event.as_slice())?;
        Ok(Recorded { failing: None, wakes: event.is_some() })
    }

    /// Records a job as it is stored now; `was_over` says whether it was over as it was stored before.
    pub(crate) fn record_job(
        &self,
        connection: &Connection,
        was_over: bool,
        job: &Job,
    ) -> rusqlite::Result<Recorded> {
        let event = OperationalEvent::job_finished(was_over, job)
            .filter(|event| is_observed(&self.cache.subscriptions(&event.tenant)));
        outbox::put(connection, event.as_slice())?;
        Ok(Recorded { failing: None, wakes: event.is_some() })
    }
}

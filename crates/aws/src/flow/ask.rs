//! Question whether a request may begin now, and the answer of its subscription's flow.

use super::known::KnownFlow;
use super::places::{Place, Taken};
use super::state::{ProbeRight, StoredState};
use super::waiting::Waiting;
use crate::engine::Aws;
use crate::queue::Receiver;
use loanhook_core::model::flow::HeldBy;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// What the flow says of a request.
pub(super) enum Answer {
    Begin(Option<Place>, Option<ProbeRight>),
    /// With the time at which what forbids it may end, where it ends by time.
    Wait(Option<Timestamp>),
}

impl Aws {
    /// Asks for an automatic attempt.
    pub(super) async fn ask(
        &self,
        of: &Receiver,
        flow: &KnownFlow,
        next: &Waiting,
        share: Option<u32>,
        over: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Answer> {
        let stored = if flow.keeps_state() { self.flow_state(of).await? } else { StoredState::default() };
        let mut probe = None;
        match stored.state.hold.as_ref().map(|hold| &hold.by) {
            Some(HeldBy::Operator(_)) => return Ok(Answer::Wait(None)),
            Some(HeldBy::Failures(due)) if now < due.due => return Ok(Answer::Wait(Some(due.due))),
            Some(HeldBy::Failures(_)) => {
                probe = self.take_probe(of, &stored, over, now).await?;
                if probe.is_none() {
                    return Ok(Answer::Wait(None));
                }
            }
            None if flow.settings.has_limit() || stored.state.ended.is_some() => {
                // What waits longer goes first.
                let oldest = self.oldest_waiting(of, 1).await?;
                if oldest.first().is_some_and(|oldest| (oldest.due, oldest.trace) < (next.due, next.trace)) {
                    return Ok(Answer::Wait(None));
                }
            }
            None => {}
        }
        match (self.take_limits(of, flow, share, over, now).await?, probe) {
            (Answer::Begin(place, _), probe) => Ok(Answer::Begin(place, probe)),
            (wait, Some(probe)) => {
                self.give_probe_back(of, probe).await?;
                Ok(wait)
            }
            (wait, None) => Ok(wait),
        }
    }

    /// Asks for what the limits leave, as a resend does.
    pub(super) async fn take_limits(
        &self,
        of: &Receiver,
        flow: &KnownFlow,
        share: Option<u32>,
        over: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Answer> {
        if !flow.settings.has_limit() {
            return Ok(Answer::Begin(None, None));
        }
        Ok(match self.take_place(of, &flow.settings, share, over, now).await? {
            Taken::Yes(place) => Answer::Begin(place, None),
            Taken::No(until) => Answer::Wait(until),
        })
    }
}

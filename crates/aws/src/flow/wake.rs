//! Waking of deliveries that wait: each gets a message again, the oldest first.
//!
//! The end of a request wakes one ([`Aws::wake_one`]). What ends by time, as a rate, the delay of a probe and the seconds after a
//! hold, is waited for by one message of the subscription, whose turns look at all that waits ([`Aws::wake_waiting`]). So does an
//! end of a hold by hand, and the sweep once a minute, which makes up for whatever was lost.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tracing::warn;
use uuid::Uuid;

use super::known::KnownFlow;
use super::pace::{Pace, SECOND, end_of_pace, pace_of};
use super::turn::WaitingTurn;
use super::waiting::Waiting;
use crate::engine::Aws;
use crate::items::item::number;
use crate::items::key_schema::{PACED, TURN};
use crate::items::write_outcome::write_outcome;
use crate::queue::Receiver;
use crate::sdk::MAX_CONCURRENT_CALLS;
use crate::turns::Turn as _;
use loanhook_core::model::flow::{EndedHold, FlowState, HeldBy, most_in_second_after_hold};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// When it is looked again whether what was woken waits again.
const LAST_LOOK_DELAY: Duration = Duration::from_secs(5);
/// After so long a probe that said nothing is made up for.
const PROBE_TIME: Duration = Duration::from_secs(60);
/// Of how many deliveries that waited longest the end of a request wakes one. Where many requests end at once they would all try
/// the oldest, so each begins at another of them.
const WOKEN_AMONG: u32 = 32;
/// How often they are read again where others woke all of them.
const MAX_TRIES: u32 = 6;
/// How many of those that were read are tried before they are read again.
const TRIES_PER_READ: usize = 8;

impl Aws {
    /// Wakes the delivery of a subscription that has waited longest, after a place of this share was given back.
    pub(super) async fn wake_one(&self, of: &Receiver, share: u32) -> StoreResult<()> {
        for try_index in 0..MAX_TRIES {
            let mut oldest = self.oldest_waiting(of, WOKEN_AMONG).await?;
            if oldest.is_empty() {
                return Ok(());
            }
            if try_index > 0 {
                let random = Uuid::new_v4().as_u128() % oldest.len() as u128;
                oldest.rotate_left(usize::try_from(random).unwrap_or_default());
            }
            for waiting in oldest.iter().take(TRIES_PER_READ) {
                if self.remove_waiting(of, waiting).await? {
                    return self.send_woken(of, std::slice::from_ref(waiting), Some(share)).await;
                }
            }
        }
        Ok(())
    }

    /// Wakes what may be woken of a subscription at this moment; gives when to look again, none where a later event says so.
    pub(crate) async fn wake_waiting(
        &self,
        turn: &WaitingTurn,
        now: Timestamp,
    ) -> StoreResult<Option<Timestamp>> {
        let of = &turn.of();
        let flow = self.read_flow(of).await?;
        let stored = self.flow_state(of).await?;
        if self.oldest_waiting(of, 1).await?.is_empty() {
            return self.end_waiting(turn, &flow, &stored.state, now).await;
        }
        let Some(pace) = self.pace(turn, &flow, &stored.state, now).await? else { return Ok(None) };
        if pace.most == 0 {
            return Ok(pace.next);
        }
        let waiting = self.oldest_waiting(of, pace.most.saturating_add(1)).await?;
        let most = usize::try_from(pace.most).unwrap_or(usize::MAX);
        let woken = self.wake(of, &waiting[..waiting.len().min(most)]).await?;
        tracing::debug!(tenant = of.tenant.as_str(), subscription_id = %of.subscription_id, woken, "subscription.woken");
        Ok(if waiting.len() > most { pace.next } else { Some(now + LAST_LOOK_DELAY) })
    }

    /// How fast what waits may be woken; none where it may not be until something else happens.
    async fn pace(
        &self,
        turn: &WaitingTurn,
        flow: &KnownFlow,
        state: &FlowState,
        now: Timestamp,
    ) -> StoreResult<Option<Pace>> {
        let hold = state.hold.as_ref().filter(|_| flow.keeps_state());
        let by_hold = match hold.map(|hold| &hold.by) {
            Some(HeldBy::Operator(_)) => return Ok(None),
            Some(HeldBy::Failures(probe)) if now < probe.due => {
                return Ok(Some(Pace { most: 0, next: Some(probe.due) }));
            }
            Some(HeldBy::Failures(_)) => return Ok(Some(Pace { most: 1, next: Some(now + PROBE_TIME) })),
            None => match state.ended.filter(|ended| ended.is_paced(now)) {
                Some(ended) => Some(self.pace_after(turn, ended, now).await?),
                None => None,
            },
        };
        let room = self.room(&turn.of(), &flow.settings, now).await?;
        Ok(Some(pace_of(by_hold, room, flow, now)))
    }

    /// The pace of a second after a hold; its deliveries are woken once.
    async fn pace_after(&self, turn: &WaitingTurn, ended: EndedHold, now: Timestamp) -> StoreResult<Pace> {
        let seconds = now.since(ended.at).as_secs();
        let second = ended.at + Duration::from_secs(seconds);
        let most = most_in_second_after_hold(seconds).unwrap_or(u64::MAX);
        let update = self
            .update(turn.key())
            .update_expression("SET #paced = :second")
            .condition_expression(
                "attribute_exists(#turn) AND (attribute_not_exists(#paced) OR #paced < :second)",
            )
            .expression_attribute_names("#turn", TURN)
            .expression_attribute_names("#paced", PACED)
            .expression_attribute_values(":second", number(second.millis()));
        // One whose response was lost counts as another's: nothing more is woken in this second.
        let is_first = write_outcome(update.send().await)?.is_done();
        let most = if is_first { u32::try_from(most).unwrap_or(u32::MAX) } else { 0 };
        Ok(Pace { most, next: Some(second + SECOND) })
    }

    /// Wakes these deliveries, as far as nobody else does; gives how many.
    async fn wake(&self, of: &Receiver, waiting: &[Waiting]) -> StoreResult<usize> {
        let removals = waiting.iter().map(|one| async move { (one, self.remove_waiting(of, one).await) });
        let removals: Vec<_> = removals.collect();
        let mut removed: Vec<_> = stream::iter(removals).buffered(MAX_CONCURRENT_CALLS).collect().await;
        let mut result = Ok(());
        removed.retain(|(_, removed)| match removed {
            Ok(is_own) => *is_own,
            Err(failure) => {
                result = Err(failure.clone());
                false
            }
        });
        // Those that were removed are sent in any case.
        let removed: Vec<Waiting> = removed.into_iter().map(|(one, _)| *one).collect();
        self.send_woken(of, &removed, None).await?;
        result.map(|()| removed.len())
    }

    /// Sends the messages of deliveries that were removed. Where that fails they wait as before; some may get two messages.
    async fn send_woken(&self, of: &Receiver, removed: &[Waiting], share: Option<u32>) -> StoreResult<()> {
        let messages = removed.iter().map(|one| one.message(of)).collect();
        let Err(failure) = self.enqueue_woken(messages, share).await else { return Ok(()) };
        for one in removed {
            self.put_waiting(of, one).await?;
        }
        Err(failure)
    }

    /// Ends the turns of a subscription of which nothing waits, and with them its mark.
    async fn end_waiting(
        &self,
        turn: &WaitingTurn,
        flow: &KnownFlow,
        state: &FlowState,
        now: Timestamp,
    ) -> StoreResult<Option<Timestamp>> {
        let of = &turn.of();
        if flow.is_marked && !flow.is_deleted {
            if state.hold.is_some() {
                return Ok(None);
            }
            if let Some(ended) = state.ended.filter(|ended| ended.is_paced(now)) {
                return Ok(Some(end_of_pace(ended, now)));
            }
            if !self.unmark_flow(of).await? {
                // It was held or changed meanwhile.
                return Ok(Some(now + LAST_LOOK_DELAY));
            }
        }
        if self.end_turns(turn).await? && !self.oldest_waiting(of, 1).await?.is_empty() {
            // It was noted meanwhile, and the turn was seen then.
            self.begin_turns(of, now, now).await?;
        }
        Ok(None)
    }

    /// Tells who looks at what waits of a subscription that its hold has changed.
    pub(super) async fn follow_hold(&self, of: &Receiver, at: Timestamp) {
        // It is changed: where the message is missing, the sweep sends one.
        if let Err(failure) = self.send_next_turn(of, at).await {
            warn!(tenant = of.tenant.as_str(), subscription_id = %of.subscription_id, %failure, "subscription.not_woken");
        }
    }
}

//! Store of a run: the engine in memory, with a deliberate error around it where one is asked for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{AttemptId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::progress::{NextAttempt, Progress};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AcceptOutcome, AcceptRequest, CancelOutcome, ClaimOutcome, Deliveries, DueWork, EarlierResend,
    EnqueueOutcome, IdempotencyKey, Intake, Payloads, QueueMessage, ReleaseOutcome, ResendClaimOutcome,
    Resends, StoreResult,
};
use loanhook_memory::Memory;
use uuid::Uuid;

use crate::breaks::{Break, change_waiting, claim_anyway, count_again, fire_every_time, with_current_token};
use crate::world::{TaskKind, World};

#[derive(Clone)]
pub(crate) struct Store(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) memory: Memory,
    world: World,
    deliberate: Option<Break>,
}

impl Store {
    pub(crate) fn new(world: World, memory: Memory, deliberate: Option<Break>) -> Self {
        Self(Arc::new(Shared { memory, world, deliberate }))
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    pub(crate) fn breaks(&self, deliberate: Break) -> bool {
        self.0.deliberate == Some(deliberate)
    }
}

impl Intake for Store {
    type Room = ();

    async fn wait_for_room(
        &self,
        tenant: &TenantId,
        subscriptions: BTreeSet<SubscriptionId>,
        bytes: usize,
    ) -> StoreResult<()> {
        self.memory().wait_for_room(tenant, subscriptions, bytes).await
    }

    async fn accept(&self, mut request: AcceptRequest, (): ()) -> StoreResult<AcceptOutcome> {
        if self.breaks(Break::KeyForgotten) {
            request.idempotency = None;
        }
        if self.breaks(Break::AnswerBeforeCommit) {
            let memory = self.memory().clone();
            self.0.world.spawn("late commit".into(), TaskKind::Server, async move {
                // Nobody hears of its failure.
                let _ = memory.accept(request, ()).await;
            });
            return Ok(AcceptOutcome::Stored { fired: Vec::new() });
        }
        if self.breaks(Break::TriggerStateForgotten) {
            let (request, fired) = fire_every_time(request);
            let fired = fired.iter().map(|delivery| delivery.snapshot.subscription_id).collect();
            return Ok(match self.memory().accept(request, ()).await? {
                AcceptOutcome::Stored { .. } => AcceptOutcome::Stored { fired },
                known @ AcceptOutcome::Duplicate(_) => known,
            });
        }
        let messages = request.deliveries.iter().filter(|_| self.breaks(Break::OrderIgnored));
        let messages: Vec<_> =
            messages.filter_map(|(delivery, _)| QueueMessage::for_next_attempt(delivery)).collect();
        let accepted = self.memory().accept(request, ()).await;
        self.memory().state().messages.extend(messages);
        accepted
    }
}

impl Deliveries for Store {
    async fn claim(
        &self,
        message: &QueueMessage,
        number: u32,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ClaimOutcome> {
        let claimed = self.memory().claim(message, number, token, now).await?;
        let may = |progress: &Progress| match progress {
            Progress::Sending { claim, .. } => {
                self.breaks(Break::ClaimWithoutCondition) && claim.number == number
            }
            Progress::Canceled => self.breaks(Break::ClaimOfCanceled),
            Progress::Waiting(next) => self.breaks(Break::OrderIgnored) && next.number == number,
            _ => false,
        };
        let state = &mut *self.memory().state();
        match claimed {
            ClaimOutcome::Claimed(won) => {
                if self.breaks(Break::ClaimWithoutRow) {
                    state.lose_row(&won.1);
                }
                Ok(ClaimOutcome::Claimed(won))
            }
            not_claimed => {
                let anyway = claim_anyway(state, message, number, token, now, may);
                Ok(anyway.map_or(not_claimed, |won| ClaimOutcome::Claimed(Box::new(won))))
            }
        }
    }

    async fn complete(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: Attempt,
        response: Option<Bytes>,
    ) -> StoreResult<bool> {
        let (claimed, token) = match self.breaks(Break::CompletionIgnoresToken) {
            true => with_current_token(&self.memory().state(), claimed, token),
            false => (claimed.clone(), token),
        };
        let completed = self.memory().complete(&claimed, token, row.clone(), response).await?;
        if self.breaks(Break::LostSuccessor) {
            let queue = &mut self.0.world.lock().queue;
            queue.lose(|message| {
                message.trace_id == row.trace_id && matches!(message.work, DueWork::Attempt(2..))
            });
        }
        if self.breaks(Break::NumberUsedTwice) {
            let used = |next: NextAttempt| Progress::Waiting(NextAttempt { number: next.number - 1, ..next });
            change_waiting(&mut self.memory().state(), &row, used);
        }
        if self.breaks(Break::CountedTwice) && !completed {
            count_again(&mut self.memory().state(), &row);
        }
        Ok(completed)
    }

    async fn release(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> StoreResult<ReleaseOutcome> {
        self.memory().release(claimed, token, row, due).await
    }

    async fn replace_frozen_headers(&self, delivery: &Delivery) -> StoreResult<()> {
        self.memory().replace_frozen_headers(delivery).await
    }

    async fn cancel(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<CancelOutcome> {
        self.memory().cancel(tenant, trace).await
    }
}

impl Resends for Store {
    async fn enqueue_resend(
        &self,
        row: Attempt,
        key: Option<IdempotencyKey>,
        now: Timestamp,
    ) -> StoreResult<EnqueueOutcome> {
        let is_forgotten =
            |key: &IdempotencyKey| self.breaks(Break::JobKeyForgotten) && key.key.starts_with("job·");
        let key = key.filter(|key| !is_forgotten(key));
        let queued = self.memory().enqueue_resend(row.clone(), key, now).await?;
        if self.breaks(Break::ResendMovesSchedule) {
            let later = |next: NextAttempt| {
                Progress::Waiting(NextAttempt { due: next.due + Duration::from_secs(60), ..next })
            };
            change_waiting(&mut self.memory().state(), &row, later);
        }
        Ok(queued)
    }

    async fn earlier_resend(
        &self,
        asked: &Attempt,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> StoreResult<Option<EarlierResend>> {
        self.memory().earlier_resend(asked, key, now).await
    }

    async fn claim_resend(
        &self,
        message: &QueueMessage,
        loan: &LoanId,
        id: AttemptId,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ResendClaimOutcome> {
        self.memory().claim_resend(message, loan, id, token, now).await
    }

    async fn complete_resend(&self, token: Uuid, row: Attempt, response: Option<Bytes>) -> StoreResult<bool> {
        let completed = self.memory().complete_resend(token, row.clone(), response).await?;
        if self.breaks(Break::ResendEndsSchedule) && row.completion().is_some_and(|end| end.succeeded()) {
            change_waiting(&mut self.memory().state(), &row, |_| Progress::Succeeded);
        }
        Ok(completed)
    }

    async fn release_resend(&self, token: Uuid, row: Attempt, due: Timestamp) -> StoreResult<bool> {
        self.memory().release_resend(token, row, due).await
    }
}

impl Payloads for Store {
    async fn payload(&self, tenant: &TenantId, key: PayloadKey) -> StoreResult<Option<Bytes>> {
        let payload = self.memory().payload(tenant, key).await?;
        Ok(match self.breaks(Break::OtherBytes) {
            true => payload.map(|bytes| [&bytes[..], b"\n"].concat().into()),
            false => payload,
        })
    }
}

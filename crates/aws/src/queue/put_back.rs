//! Messages for which there was no permit: they are looked at again.
//!
//! For a quarter of an hour a message waits in the slow queue, 10 seconds at first and then up to 30 each time. Then its
//! delivery waits in the index of what is due, and the sweep queues it again: a message that stayed in the queue would not be
//! the only one, since the sweep wakes what is long overdue. A resend is in no index; it is looked at every ten seconds, as
//! it is not sent any more after a quarter of an hour.
//!
//! A message whose attempt does not wait any more needs no permit, since nothing is sent for it: an attempt in flight whose
//! sender died is completed as interrupted, and for one that is over there is nothing to do.

use std::future::ready;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::MAX_DELAY;
use super::route::QueueKind;
use super::sending::Outgoing;
use crate::engine::Aws;
use crate::flow::FlowNotes;
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage, StoreResult};

/// How long a message waits in the queue each time, at least and at most.
const MIN_DELAY: Duration = Duration::from_secs(10);
const MAX_QUEUE_DELAY: Duration = Duration::from_secs(30);
/// When it has waited for so long, its delivery waits in the index of what is due.
const MAX_QUEUE_WAIT: Duration = MAX_DELAY;
/// How long it waits there each time. The sweep queues it some minutes before that.
const INDEX_DELAY: Duration = Duration::from_secs(MAX_DELAY.as_secs() + 60);
/// How long after its time a message may still be in the slow queue for want of a permit: its last wait there, and a backlog.
pub(crate) const MAX_PERMIT_WAIT: Duration = Duration::from_secs(MAX_QUEUE_WAIT.as_secs() + 360);

/// Where a message waits that has no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    InQueue(Duration),
    /// The delivery of the attempt of this number, in the index.
    InIndex(u32),
}

/// How long a message waits that has waited for a permit since it was due, or since it was let go.
fn wait(message: &QueueMessage, notes: FlowNotes, now: Timestamp) -> Wait {
    let waited = now.since(notes.woken_at.map_or(message.due, |woken| woken.max(message.due)));
    match message.work {
        DueWork::Resend { .. } => Wait::InQueue(MIN_DELAY),
        DueWork::Attempt(number) if waited >= MAX_QUEUE_WAIT => Wait::InIndex(number),
        DueWork::Attempt(_) => Wait::InQueue(waited.clamp(MIN_DELAY, MAX_QUEUE_DELAY)),
    }
}

impl Aws {
    /// Has messages wait until they are looked at again. Gives the indices of those whose attempt does not wait any more, for
    /// which nothing was done.
    pub(super) async fn put_back(
        &self,
        messages: &[(QueueMessage, FlowNotes)],
        now: Timestamp,
    ) -> StoreResult<Vec<usize>> {
        let (mut in_queue, mut puts) = (Vec::new(), Vec::new());
        for (i, (message, notes)) in messages.iter().enumerate() {
            let (message, notes) = (message.clone(), *notes);
            match wait(&message, notes, now) {
                Wait::InQueue(delay) => {
                    in_queue.push(Outgoing { notes, ..Outgoing::at(message, now + delay) });
                }
                Wait::InIndex(number) => puts.push(async move {
                    let later = QueueMessage { due: now + INDEX_DELAY, ..message };
                    let is_put = self.put_in_due_index(&later, number, now).await?;
                    Ok((!is_put).then_some(i))
                }),
            }
        }
        // The puts can be repeated: where one fails, the messages are received again, and none was sent a second time.
        let not_waiting = stream::iter(puts).buffer_unordered(MAX_CONCURRENT_CALLS);
        let not_waiting = not_waiting.try_filter_map(|i| ready(Ok(i))).try_collect().await?;
        self.send_all(QueueKind::Slow, &in_queue).await?;
        Ok(not_waiting)
    }
}

#[cfg(test)]
mod tests {
    use loanhook_core::model::id::{AttemptId, LoanId, SubscriptionId, TenantId, TraceId};
    use uuid::Uuid;

    use super::*;
    use crate::due_index::is_deferred;

    const DUE: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn message(work: DueWork) -> QueueMessage {
        QueueMessage {
            tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
            trace_id: TraceId::from_uuid(Uuid::from_u128(1)),
            subscription_id: SubscriptionId::from_uuid(Uuid::from_u128(2)),
            due: DUE,
            work,
        }
    }

    fn wait_after(work: DueWork, waited_seconds: u64) -> Wait {
        wait(&message(work), FlowNotes::default(), DUE + Duration::from_secs(waited_seconds))
    }

    #[test]
    fn what_waited_for_a_hold_waits_for_a_permit_from_when_it_was_let_go() {
        let woken = DUE + Duration::from_secs(86_400);
        let notes = FlowNotes { woken_at: Some(woken), ..FlowNotes::default() };
        for (waited, delay) in [(0, 10), (25, 25), (899, 30)] {
            let now = woken + Duration::from_secs(waited);
            let delay = Wait::InQueue(Duration::from_secs(delay));
            assert_eq!(wait(&message(DueWork::Attempt(1)), notes, now), delay, "{waited} s");
        }
        let later = woken + Duration::from_secs(900);
        assert_eq!(wait(&message(DueWork::Attempt(1)), notes, later), Wait::InIndex(1));
    }

    #[test]
    fn an_attempt_waits_as_long_as_it_has_waited_and_in_the_index_after_15_minutes() {
        for (waited, delay) in [(0, 10), (10, 10), (25, 25), (30, 30), (899, 30)] {
            let delay = Wait::InQueue(Duration::from_secs(delay));
            assert_eq!(wait_after(DueWork::Attempt(2), waited), delay, "{waited} s");
        }
        for waited in [900, 86_400] {
            assert_eq!(wait_after(DueWork::Attempt(2), waited), Wait::InIndex(2), "{waited} s");
        }
        assert!(
            is_deferred(DUE + INDEX_DELAY, DUE),
            "the sweep queues only what no message can be delayed by"
        );
    }

    #[test]
    fn a_resend_is_looked_at_every_10_seconds() {
        let loan_id = LoanId::try_from("727".to_owned()).expect("a loan");
        let resend = DueWork::Resend { loan_id, attempt_id: AttemptId::from_uuid(Uuid::from_u128(3)) };
        for waited in [0, 600, 899, 900] {
            assert_eq!(wait_after(resend.clone(), waited), Wait::InQueue(Duration::from_secs(10)));
        }
    }
}

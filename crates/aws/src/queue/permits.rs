//! Permits of the slow queue: in how many of its batches a receiver may be sent to at the same time.
//!
//! A batch ends with its slowest request, so a receiver that hangs holds every instance that sends to it. A batch
//! sends to a receiver only with a permit of it, which it gives back when its requests have ended. With `k` receivers that
//! have slow marks, each has the instances divided by `k + 1`, at least one: however they hang, some instances are
//! left, unless there are as many such receivers as instances. Resends have one permit more, so that they do not wait behind
//! a backlog of retries: a resend that waits for 15 minutes is not sent any more.
//!
//! The permits that are taken are a set in one item, each with the time at which its invocation is over, by which the
//! permit of a sender that died is known: two write units a batch and receiver. What becomes of a message without a permit is
//! in [`super::put_back`].
//!
//! A receiver that answers soon gives its permits back soon, so a batch waits for one for a moment. While its receiver has a
//! slow mark it does not: it would hold its instance for the slowest receivers of all.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use tracing::warn;
use uuid::Uuid;

use super::route::Receiver;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, number};
use crate::items::key_schema::{self, EXPIRES, TAKEN};
use crate::items::write_outcome::{WriteOutcome, write_outcome};
use crate::sdk::back_off::back_off;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage, StoreResult};

/// How often a batch asks for a permit of a receiver without a slow mark: for three quarters of a second at most.
const MAX_REQUESTS: u32 = 5;
/// How often permits of senders that died are removed before there is none.
const MAX_TRIES: u32 = 2;
/// How long the item of a receiver's permits outlives the last one.
const ITEM_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// A permit to send to a receiver.
#[derive(Debug)]
pub(super) struct Permit {
    receiver: Receiver,
    /// When its invocation is over, in milliseconds since 1970, and a random ID.
    name: String,
}

/// What a batch needs a permit for: the requests to a receiver that are resends, or those that are not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PermitUse {
    receiver: Receiver,
    is_resend: bool,
}

impl PermitUse {
    pub(super) fn of(message: &QueueMessage) -> Self {
        let is_resend = matches!(message.work, DueWork::Resend { .. });
        Self { receiver: Receiver::of(message), is_resend }
    }

    /// How many permits of the receiver may be taken; `others` is how many other receivers have slow marks.
    fn share(&self, instances: u32, others: usize) -> u32 {
        // The others, this one, and a part that nobody holds.
        let parts = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(2);
        (instances / parts).max(1) + u32::from(self.is_resend)
    }
}

impl Aws {
    /// Takes a permit that is over at `end`; none where the receiver's share is taken.
    pub(super) async fn take_permit(
        &self,
        permit_use: &PermitUse,
        end: Timestamp,
    ) -> StoreResult<Option<Permit>> {
        let is_slow = self.slow_marks().contains(&permit_use.receiver, (self.stack().clock)());
        for request in 1.. {
            let permit = self.try_take_permit(permit_use, end).await?;
            if permit.is_some() || is_slow || request == MAX_REQUESTS {
                return Ok(permit);
            }
            back_off(request - 1).await;
        }
        Ok(None)
    }

    async fn try_take_permit(&self, permit_use: &PermitUse, end: Timestamp) -> StoreResult<Option<Permit>> {
        let receiver = &permit_use.receiver;
        let others = self.slow_marks().count_others(receiver, (self.stack().clock)());
        let share = permit_use.share(self.stack().slow_instances, others);
        let name = format!("{}#{}", end.millis(), Uuid::new_v4());
        for _ in 0..MAX_TRIES {
            let item = match self.add_permit(receiver, &name, share, end).await? {
                WriteOutcome::Done(()) => return Ok(Some(Permit { receiver: receiver.clone(), name })),
                WriteOutcome::Refused(item) => item.unwrap_or_default(),
            };
            let over = permits_over(&item, (self.stack().clock)());
            if over.is_empty() {
                return Ok(None);
            }
            self.remove_permits(receiver, over).await?;
        }
        Ok(None)
    }

    /// Gives a permit back, in the background.
    pub(super) fn give_permit_back(&self, permit: Permit) {
        let engine = self.clone();
        self.spawn_background(async move {
            let Permit { receiver, name } = permit;
            if let Err(failure) = engine.remove_permits(&receiver, vec![name]).await {
                let Receiver { tenant, subscription_id } = receiver;
                warn!(tenant = tenant.as_str(), %subscription_id, %failure, "permit.kept");
            }
        });
    }

    async fn add_permit(
        &self,
        receiver: &Receiver,
        name: &str,
        share: u32,
        end: Timestamp,
    ) -> StoreResult<WriteOutcome<()>> {
        let update = self
            .update(key_schema::permits(&receiver.tenant, receiver.subscription_id))
            .update_expression("ADD #taken :permit SET #expires = :expires")
            .condition_expression("attribute_not_exists(#taken) OR size(#taken) < :share")
            .expression_attribute_names("#taken", TAKEN)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":permit", AttributeValue::Ss(vec![name.to_owned()]))
            .expression_attribute_values(":share", number(share))
            .expression_attribute_values(":expires", number((end + ITEM_LIFETIME).seconds()))
            .return_values_on_condition_check_failure(AllOld);
        let outcome = write_outcome(update.send().await)?.map(|_| ());
        outcome.or_own_write(|item| Ok(taken(item).iter().any(|permit| permit == name)), drop)
    }

    async fn remove_permits(&self, receiver: &Receiver, names: Vec<String>) -> StoreResult<()> {
        self.update(key_schema::permits(&receiver.tenant, receiver.subscription_id))
            .update_expression("DELETE #taken :permits")
            .expression_attribute_names("#taken", TAKEN)
            .expression_attribute_values(":permits", AttributeValue::Ss(names))
            .send()
            .await
            .map(|_| ())
            .map_err(store_error)
    }
}

fn taken(item: &Item) -> &[String] {
    item.get(TAKEN).and_then(|value| value.as_ss().ok()).map_or(&[], Vec::as_slice)
}

/// The permits of an item whose invocation is over.
fn permits_over(item: &Item, now: Timestamp) -> Vec<String> {
    let is_over = |name: &&String| {
        let end = name.split_once('#').and_then(|(end, _)| end.parse().ok());
        end.is_none_or(|end| Timestamp::from_millis(end) <= now)
    };
    taken(item).iter().filter(is_over).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::id::{SubscriptionId, TenantId};

    fn permit_use(is_resend: bool) -> PermitUse {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        let receiver = Receiver { tenant, subscription_id: SubscriptionId::from_uuid(Uuid::from_u128(1)) };
        PermitUse { receiver, is_resend }
    }

    #[test]
    fn receivers_with_marks_hold_all_but_one_part_of_the_instances() {
        let share = |instances, others| permit_use(false).share(instances, others);
        for (others, each) in [(0, 12), (1, 8), (2, 6), (3, 5), (23, 1), (100, 1)] {
            assert_eq!(share(25, others), each, "{others} others");
            assert_eq!(permit_use(true).share(25, others), each + 1, "resends, {others} others");
        }
        assert_eq!((share(2, 0), share(1, 0), share(0, 0)), (1, 1, 1));
        assert_eq!(share(25, usize::MAX), 1);
    }

    #[test]
    fn permits_are_over_with_their_invocation() {
        let names = ["1000#a", "2000#b", "none of ours"].map(str::to_owned).to_vec();
        let item = Item::from([(TAKEN.to_owned(), AttributeValue::Ss(names))]);
        let over = |millis| permits_over(&item, Timestamp::from_millis(millis));
        assert_eq!(over(999), ["none of ours"]);
        assert_eq!(over(1000), ["1000#a", "none of ours"]);
        assert!(permits_over(&Item::new(), Timestamp::from_millis(1000)).is_empty());
    }
}

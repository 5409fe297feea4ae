//! Turns: which message drives something that goes on in steps, so that one does at a time and a lost one is replaced. It is a
//! recovery job ([`crate::jobs`]), or what wakes the deliveries of a subscription that wait ([`crate::flow`]).
//!
//! Each message has a number, and whoever handled one sends the next before SQS deletes it. The turn, an item, knows the newest
//! number that somebody took, and when. A message is taken where its number is higher: so a second delivery of it, or a second
//! message of its number, does nothing, and there is never more than one chain of messages for long. One whose handler died is
//! delivered again, and taken again once its handler is certainly gone. Where all messages are lost the sweep finds it, and sends
//! the one that is next.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;

use crate::engine::Aws;
use crate::items::call_errors::{failed, store_error};
use crate::items::item::{Item, get_number, get_text, missing_attribute, number, parse_number, unexpired};
use crate::items::key_schema::{ItemKey, SEEN, SK, TURN};
use crate::items::unreadable::readable;
use crate::items::write_outcome::write_outcome;
use crate::queue::delay_seconds;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;
use loanhook_stored::Document;

/// After so long a handler is certainly gone: it has 29 s, the time limit of its function.
const MAX_HANDLING: Duration = Duration::from_secs(60);

/// A turn of something; its document is the body of its message. Each has one number higher than the one before it.
pub(crate) trait Turn: Document + Clone {
    /// The partition of the turns of its kind.
    const PARTITION: &'static str;
    /// Where no message was taken for so long, one is sent.
    const LOST_AFTER: Duration;

    fn tenant(&self) -> &TenantId;
    fn number(&self) -> u64;

    /// The turn after this one.
    #[must_use]
    fn next(self) -> Self;

    /// The key of its item.
    fn key(&self) -> ItemKey;

    /// The turn of this number of what the sort key names; none where it is none of these.
    fn read(sk: &str, number: u64) -> Option<Self>;
}

impl Aws {
    /// Sends the message of a turn, which is received at `at` or up to a second later.
    pub(crate) async fn send_turn<T: Turn>(&self, turn: &T, at: Timestamp) -> StoreResult<()> {
        let send = self
            .sqs()
            .send_message()
            .queue_url(&self.stack().job_queue_url)
            .message_body(loanhook_stored::write(turn).map_err(failed)?)
            // What is of one tenant does not hold up others.
            .message_group_id(turn.tenant().as_str())
            .delay_seconds(delay_seconds(at, (self.stack().clock)()));
        send.send().await.map(drop).map_err(store_error)
    }

    /// Takes a turn. False where it was taken before, a later one was, or there is nothing to drive any more.
    pub(crate) async fn take_turn<T: Turn>(&self, turn: &T, now: Timestamp) -> StoreResult<bool> {
        let update = self
            .update(turn.key())
            .update_expression("SET #turn = :turn, #seen = :now")
            .condition_expression("#turn < :turn OR (#turn = :turn AND #seen <= :gone)")
            .expression_attribute_names("#turn", TURN)
            .expression_attribute_names("#seen", SEEN)
            .expression_attribute_values(":turn", number(turn.number()))
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":gone", number(now.minus(MAX_HANDLING).millis()))
            .return_values_on_condition_check_failure(AllOld);
        let is_own = |item: &Item| {
            let (taken, seen) = (get_number(item, TURN), get_number(item, SEEN));
            Ok((taken, seen) == (Some(turn.number()), Some(now.millis())))
        };
        Ok(write_outcome(update.send().await)?.map(drop).or_own_write(is_own, drop)?.is_done())
    }

    /// The turns of this kind, the newest that was taken of each, and when that was.
    pub(crate) async fn turns<T: Turn>(&self) -> StoreResult<Vec<(T, Timestamp)>> {
        let items = self.query_all(self.query_partition(T::PARTITION)).await?;
        let items: Vec<Item> = items.into_iter().filter_map(unexpired).collect();
        Ok(readable(&items, read))
    }

    /// Sends the messages of those whose messages were lost; gives how many.
    ///
    /// # Errors
    ///
    /// When one could not be sent; the others were.
    pub(crate) async fn wake_turns<T: Turn>(&self, now: Timestamp) -> StoreResult<u64> {
        let (mut woken, mut result) = (0, Ok(()));
        for (turn, seen) in self.turns::<T>().await? {
            if now.since(seen) < T::LOST_AFTER {
                continue;
            }
            match self.wake_turn(turn, seen, now).await {
                Ok(true) => woken += 1,
                Ok(false) => {}
                Err(failure) => result = Err(failure),
            }
        }
        result.map(|()| woken)
    }

    /// Sends the message that is next, unless the turn has moved on since it was read.
    async fn wake_turn<T: Turn>(&self, turn: T, seen: Timestamp, now: Timestamp) -> StoreResult<bool> {
        // It is not sent again each minute while it waits to be received.
        let update = self
            .update(turn.key())
            .update_expression("SET #seen = :now")
            .condition_expression("#turn = :turn AND #seen = :seen")
            .expression_attribute_names("#turn", TURN)
            .expression_attribute_names("#seen", SEEN)
            .expression_attribute_values(":turn", number(turn.number()))
            .expression_attribute_values(":seen", number(seen.millis()))
            .expression_attribute_values(":now", number(now.millis()));
        let is_lost = write_outcome(update.send().await)?.is_done();
        if is_lost {
            self.send_turn(&turn.next(), now).await?;
        }
        Ok(is_lost)
    }
}

fn read<T: Turn>(item: &Item) -> StoreResult<(T, Timestamp)> {
    let number = parse_number(item, TURN)?;
    let turn = get_text(item, SK).and_then(|sk| T::read(sk, number)).ok_or_else(|| missing_attribute(SK))?;
    Ok((turn, Timestamp::from_millis(parse_number(item, SEEN)?)))
}

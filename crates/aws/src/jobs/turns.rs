//! Turns of a job: which message drives it, so that one does at a time and a lost one is replaced.
//!
//! Each message has a number, and whoever handled one sends the next before SQS deletes it. The turn of a job, an item beside it,
//! knows the newest number that somebody took, and when. A message is taken where its number is higher: so a second delivery of
//! it, or a second message of its number, does nothing, and there is never more than one chain of messages for long. One
//! whose handler died is delivered again, and taken again once its handler is certainly gone. A job whose messages are all lost is
//! found by the sweep, which sends the one that is next.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;

use super::message::JobTurn;
use crate::engine::Aws;
use crate::items::call_errors::{failed, store_error};
use crate::items::item::{Item, get_number, get_text, missing_attribute, number, parse_number, unexpired};
use crate::items::key_schema::{self, SEEN, SK, TURN, TURNS_PK};
use crate::items::unreadable::readable;
use crate::items::write_outcome::write_outcome;
use crate::queue::delay_seconds;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// After so long a handler is certainly gone: it has 29 s, the time limit of its function.
const MAX_HANDLING: Duration = Duration::from_secs(60);
/// A job of which no message was taken for so long is sent one: longer than until SQS delivers one again that was not handled,
/// which is 3 minutes, and than any step is waited for.
const LOST_AFTER: Duration = Duration::from_secs(300);

impl Aws {
    /// Sends the message of a turn, which is received at `at` or up to a second later.
    pub(super) async fn send_turn(&self, turn: &JobTurn, at: Timestamp) -> StoreResult<()> {
        let send = self
            .sqs()
            .send_message()
            .queue_url(&self.stack().job_queue_url)
            .message_body(loanhook_stored::write(turn).map_err(failed)?)
            // The jobs of one tenant do not hold up those of others.
            .message_group_id(turn.tenant.as_str())
            .delay_seconds(delay_seconds(at, (self.stack().clock)()));
        send.send().await.map(drop).map_err(store_error)
    }

    /// Takes a turn. False where it was taken before, a later one was, or the job is over.
    pub(super) async fn take_turn(&self, turn: &JobTurn, now: Timestamp) -> StoreResult<bool> {
        let update = self
            .update(key_schema::turn(&turn.tenant, turn.job))
            .update_expression("SET #turn = :turn, #seen = :now")
            .condition_expression("#turn < :turn OR (#turn = :turn AND #seen <= :gone)")
            .expression_attribute_names("#turn", TURN)
            .expression_attribute_names("#seen", SEEN)
            .expression_attribute_values(":turn", number(turn.number))
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":gone", number(now.minus(MAX_HANDLING).millis()))
            .return_values_on_condition_check_failure(AllOld);
        let is_own = |item: &Item| {
            let (taken, seen) = (get_number(item, TURN), get_number(item, SEEN));
            Ok((taken, seen) == (Some(turn.number), Some(now.millis())))
        };
        Ok(write_outcome(update.send().await)?.map(drop).or_own_write(is_own, drop)?.is_done())
    }

    /// The turns of all jobs that are not over, the newest that was taken of each, and when that was.
    pub(super) async fn turns(&self) -> StoreResult<Vec<(JobTurn, Timestamp)>> {
        let items = self.query_all(self.query_partition(TURNS_PK)).await?;
        let items: Vec<Item> = items.into_iter().filter_map(unexpired).collect();
        Ok(readable(&items, read))
    }

    /// Sends a message to each job that is not over and whose messages were lost; gives how many.
    ///
    /// # Errors
    ///
    /// When one could not be sent; the others were.
    pub(crate) async fn wake_jobs(&self, now: Timestamp) -> StoreResult<u64> {
        let (mut woken, mut result) = (0, Ok(()));
        for (turn, seen) in self.turns().await? {
            if now.since(seen) < LOST_AFTER {
                continue;
            }
            match self.wake_job(turn, seen, now).await {
                Ok(true) => woken += 1,
                Ok(false) => {}
                Err(failure) => result = Err(failure),
            }
        }
        result.map(|()| woken)
    }

    /// Sends the message that is next, unless the turn has moved on since it was read.
    async fn wake_job(&self, turn: JobTurn, seen: Timestamp, now: Timestamp) -> StoreResult<bool> {
        // It is not sent again each minute while it waits to be received.
        let update = self
            .update(key_schema::turn(&turn.tenant, turn.job))
            .update_expression("SET #seen = :now")
            .condition_expression("#turn = :turn AND #seen = :seen")
            .expression_attribute_names("#turn", TURN)
            .expression_attribute_names("#seen", SEEN)
            .expression_attribute_values(":turn", number(turn.number))
            .expression_attribute_values(":seen", number(seen.millis()))
            .expression_attribute_values(":now", number(now.millis()));
        let is_lost = write_outcome(update.send().await)?.is_done();
        if is_lost {
            self.send_turn(&turn.next(), now).await?;
        }
        Ok(is_lost)
    }
}

fn read(item: &Item) -> StoreResult<(JobTurn, Timestamp)> {
    let named = get_text(item, SK).and_then(key_schema::read_turn_sk);
    let (tenant, job) = named.ok_or_else(|| missing_attribute(SK))?;
    let seen = Timestamp::from_millis(parse_number(item, SEEN)?);
    Ok((JobTurn { tenant, job, number: parse_number(item, TURN)? }, seen))
}

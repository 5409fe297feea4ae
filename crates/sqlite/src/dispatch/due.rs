//! Due messages of a queue: found, claimed and started, as many as there are permits for.

use std::sync::Arc;

use rusqlite::Connection;

use super::claim::{DueClaim, claim_due_message};
use super::send::Dispatcher;
use crate::SqliteEngine;
use crate::order;
use crate::queue::messages::{first_messages, quarantine_message};
use crate::queue::{ProcessPermit, QueueId, QueueScheduler, WirePermits};
use crate::unreadable::{describe, is_content_error};
use crate::writer::Priority;
use loanhook_core::deliver::ClaimedAttempt;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult};

/// Due messages that are handed out after the commit.
#[derive(Default)]
struct DueMessages {
    messages: Vec<DueMessage>,
    /// When the first message that was left in its queue is due.
    next_due: Option<Timestamp>,
    /// Messages that were put in the place of some, or of deliveries behind them.
    put: Vec<QueueMessage>,
}

/// A due message, claimed if it could be, with the permits of its request.
struct DueMessage {
    id: i64,
    message: QueueMessage,
    claimed: Option<Box<ClaimedAttempt>>,
    wire_permit: WirePermits,
    process_permit: ProcessPermit,
}

impl SqliteEngine {
    /// Claims due messages of a queue, as many as there are permits for, and starts them after the commit. What cannot be
    /// claimed is given to its handler as a message, as resends are.
    ///
    /// It needs no savepoint, until it fails: from then on it has one until it succeeds, since a claim that always fails
    /// (a damaged page) would fail the others of its commit each time.
    pub(super) async fn dispatch_due(
        &self,
        queue: &QueueId,
        wire_permits: WirePermits,
        process_permits: Vec<ProcessPermit>,
        dispatcher: Arc<Dispatcher>,
    ) -> StoreResult<()> {
        let scheduler = Arc::clone(&self.0.scheduler);
        let (finding, queue_found, queue_started) = (Arc::clone(&scheduler), queue.clone(), queue.clone());
        let (acquiring, starting) = (Arc::clone(&dispatcher), Arc::clone(&dispatcher));
        let work = move |connection: &Connection| {
            let (mut wire_permits, mut process_permits) = (wire_permits, process_permits);
            // A limit or a hold may have come since they were reserved.
            wire_permits.keep_allowed();
            // Some came free while this operation waited for its commit.
            let more = wire_permits.reserve_more(acquiring.limits.initial_share, acquiring.permits.counts());
            process_permits.extend((0..more).map_while(|_| acquiring.permits.try_acquire()));
            find_due(connection, &finding, &queue_found, wire_permits, process_permits)
        };
        let after_commit = move |due: &mut DueMessages| {
            let all = due.next_due.is_none_or(|next_due| next_due > Timestamp::now());
            scheduler.remove_queued(&queue_started, due.messages.len(), all);
            scheduler.add_messages(&due.put);
            if let Some(next_due) = due.next_due {
                scheduler.schedule(queue_started.clone(), next_due);
            }
            for DueMessage { id, message, claimed, wire_permit, process_permit } in due.messages.drain(..) {
                match claimed {
                    Some(claimed) => {
                        starting.start_claimed(message, claimed, wire_permit, process_permit);
                    }
                    // While it is handled, it counts as in flight without a wire permit.
                    None if scheduler.begin_handling(&queue_started, id) => {
                        wire_permit.hand_over();
                        starting.start_message(message, id, process_permit);
                    }
                    None => {}
                }
            }
        };
        let (writer, priority) = (&self.0.writer, Priority::ExistingWork);
        let result = match dispatcher.failed_queues.contains(queue) {
            true => writer.run(priority, work, after_commit).await,
            false => writer.run_without_savepoint(priority, work, after_commit).await,
        };
        dispatcher.failed_queues.record(queue, result.is_err());
        result.map(|_| ())
    }
}

/// Finds and claims due messages. Permits that are left over are given back at once.
fn find_due(
    connection: &Connection,
    scheduler: &QueueScheduler,
    queue: &QueueId,
    mut wire_permits: WirePermits,
    mut process_permits: Vec<ProcessPermit>,
) -> rusqlite::Result<DueMessages> {
    let mut due = DueMessages::default();
    let mut waits_for_order = false;
    let now = Timestamp::now();
    // Those that are being handled may be the first ones; and one more says when the next is due.
    let limit = process_permits.len() + scheduler.handling_count(queue) + 1;
    for (id, message) in first_messages(connection, queue, limit)? {
        if scheduler.is_handling(queue, id) {
            continue;
        }
        if message.due > now {
            due.next_due = Some(message.due);
            break;
        }
        let (Some(process_permit), Some(wire_permit)) = (process_permits.pop(), wire_permits.split_one())
        else {
            due.next_due = Some(message.due);
            break;
        };
        let claimed = match claim_due_message(connection, id, &message, now) {
            Err(fault) if is_content_error(&fault) => {
                // Its delivery cannot be read, and it must not hold up the messages behind it, nor the deliveries of its loan.
                quarantine_message(connection, queue, id, &describe(&fault))?;
                due.put.extend(order::forget_unreadable(connection, &message, now)?);
                continue;
            }
            claimed => claimed?,
        };
        let claimed = match claimed {
            DueClaim::Claimed(claimed) => Some(claimed),
            DueClaim::ForHandler => None,
            DueClaim::WaitsForOrder(later) => {
                due.put.extend(later);
                waits_for_order = true;
                process_permits.push(process_permit);
                continue;
            }
        };
        due.messages.push(DueMessage { id, message, claimed, wire_permit, process_permit });
    }
    if waits_for_order {
        // In the place of what may not begin more can: there may be messages behind those that were read.
        due.next_due = Some(now);
    }
    Ok(due)
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;

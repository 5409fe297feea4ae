//! Deliveries of one loan and subscription that have a number and have not ended, in their order.

use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::settings;
use crate::queue::messages::{delete_message, put_message};
use loanhook_core::model::id::{LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};

/// A delivery that blocks the one of this number: it is an earlier one that has not ended and does not step aside yet. There is none
/// where the subscription keeps no order. The nearest is looked at first: nearly always that is one that waits itself.
pub(crate) const FIND_BLOCKING: &str = "SELECT 1 FROM ordered, orders
     WHERE ordered.tenant = ?1 AND ordered.subscription = ?2 AND ordered.loan = ?3 AND ordered.sequence < ?4
         AND orders.tenant = ?1 AND orders.subscription = ?2
         AND (failed IS NULL OR step_aside IS NULL OR failed + step_aside > ?5)
     ORDER BY ordered.sequence DESC LIMIT 1";
pub(crate) const IN_ORDER: &str = "SELECT sequence, trace, due, failed, waits, wakes FROM ordered
     WHERE tenant = ?1 AND subscription = ?2 AND loan = ?3 ORDER BY sequence";

/// A loan, for one subscription.
#[derive(Debug, Clone, Copy)]
pub(super) struct OrderedLoan<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) subscription: SubscriptionId,
    pub(super) loan: &'a LoanId,
}

/// A delivery that has not ended, as its row has it. Times are in milliseconds.
struct OpenDelivery {
    sequence: u64,
    trace: TraceId,
    due: i64,
    failed: Option<i64>,
    waits: bool,
    wakes: Option<i64>,
}

impl OpenDelivery {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            sequence: row.get(0)?,
            trace: TraceId::from_uuid(Uuid::from_bytes(row.get(1)?)),
            due: row.get(2)?,
            failed: row.get(3)?,
            waits: row.get(4)?,
            wakes: row.get(5)?,
        })
    }
}

impl OrderedLoan<'_> {
    /// The message for the first attempt of a delivery.
    pub(super) fn message(&self, trace: TraceId, due: Timestamp) -> QueueMessage {
        QueueMessage {
            tenant: self.tenant.clone(),
            trace_id: trace,
            subscription_id: self.subscription,
            due,
            work: DueWork::Attempt(super::FIRST_ATTEMPT_NUMBER),
        }
    }

    /// Lets the first delivery that waits go, if nothing before it blocks it any more; where all before it have failed, its message
    /// is to be due when they step aside. Gives the message that was put.
    pub(super) fn advance(
        &self,
        connection: &Connection,
        now: Timestamp,
    ) -> rusqlite::Result<Option<QueueMessage>> {
        let Some(step_aside) = settings::step_aside(connection, self.tenant, self.subscription)? else {
            return Ok(None);
        };
        let Some((next, may_begin)) = self.next(connection, step_aside)? else { return Ok(None) };
        let at_once = may_begin.is_none_or(|time| time <= now.millis());
        let wakes = may_begin.filter(|_| !at_once);
        if wakes.is_some() && wakes == next.wakes {
            return Ok(None);
        }
        if let Some(before) = next.wakes {
            delete_message(connection, &self.message(next.trace, Timestamp::from_millis(before)))?;
        }
        connection
            .prepare_cached(
                "UPDATE ordered SET waits = ?5, wakes = ?6
                 WHERE tenant = ?1 AND subscription = ?2 AND loan = ?3 AND sequence = ?4",
            )?
            .execute(params![
                self.tenant.as_str(),
                self.subscription.uuid().as_bytes(),
                self.loan.as_str(),
                next.sequence,
                !at_once,
                wakes,
            ])?;
        let message = self.message(next.trace, Timestamp::from_millis(wakes.unwrap_or(next.due)));
        put_message(connection, &message)?;
        Ok(Some(message))
    }

    /// The first delivery that waits, and the time in milliseconds when those before it step aside; no time where there are none. None
    /// where nothing waits, or where it is not known when those before it step aside.
    fn next(
        &self,
        connection: &Connection,
        step_aside: Option<i64>,
    ) -> rusqlite::Result<Option<(OpenDelivery, Option<i64>)>> {
        let mut statement = connection.prepare_cached(IN_ORDER)?;
        let mut rows = statement.query(params![
            self.tenant.as_str(),
            self.subscription.uuid().as_bytes(),
            self.loan.as_str()
        ])?;
        let mut may_begin = None;
        while let Some(row) = rows.next()? {
            let open = OpenDelivery::read(row)?;
            if open.waits {
                return Ok(Some((open, may_begin)));
            }
            match open.failed.zip(step_aside) {
                Some((failed, after)) => may_begin = may_begin.max(Some(failed.saturating_add(after))),
                None => return Ok(None),
            }
        }
        Ok(None)
    }
}

//! Order of deliveries: their numbers, and which first attempts wait for earlier deliveries of their loan and subscription.
//!
//! Only subscriptions whose flow settings have an order are here. Each function runs in the transaction of what it belongs to:
//!
//! 1. **Intake** numbers a delivery and says whether its first attempt may begin ([`number_new`]). One that may not has no message.
//! 2. **A claim** of a first attempt asks again ([`may_begin`]): a message may be there although the order forbids its attempt, as
//!    where the order was turned off and on again. Then the message is deleted, and the delivery waits ([`hold_back`]).
//! 3. **The end** of a delivery, or the failure of its first attempt, wakes the one that waits behind it ([`record_change`],
//!    [`end()`]): its message is put, to be due at once, or when the deliveries before it step aside.
//! 4. **Settings** that change are followed for all that waits ([`settings`]).
//!
//! Nothing holds up retries. Of one loan and subscription at most one delivery that waits has a message: the first.

mod claim;
mod end;
mod intake;
mod loan;
pub(crate) mod readers;
pub(crate) mod settings;

use rusqlite::{Connection, params};

pub(crate) use self::claim::{hold_back, may_begin};
pub(crate) use self::end::{OrderChange, end, forget_unreadable, record_change};
pub(crate) use self::intake::{NewInOrder, number_new};
pub(crate) use self::loan::FIND_BLOCKING;
#[cfg(test)]
pub(crate) use self::loan::IN_ORDER;
use self::loan::OrderedLoan;
use loanhook_core::model::delivery::DeliverySnapshot;
use loanhook_core::model::id::{LoanId, SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;

/// The number of the first attempt.
const FIRST_ATTEMPT_NUMBER: u32 = 1;

/// A delivery with a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbered<'a> {
    loan: OrderedLoan<'a>,
    sequence: u64,
}

impl<'a> Numbered<'a> {
    /// None where the delivery has no number.
    pub(crate) fn of(snapshot: &'a DeliverySnapshot) -> Option<Self> {
        let loan = OrderedLoan {
            tenant: &snapshot.tenant,
            subscription: snapshot.subscription_id,
            loan: &snapshot.loan_id,
        };
        Some(Self { loan, sequence: snapshot.sequence? })
    }

    fn new(tenant: &'a TenantId, subscription: SubscriptionId, loan: &'a LoanId, sequence: u64) -> Self {
        Self { loan: OrderedLoan { tenant, subscription, loan }, sequence }
    }
}

impl Numbered<'_> {
    fn may_begin(self, connection: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
        let Self { loan, sequence } = self;
        connection
            .prepare_cached(FIND_BLOCKING)?
            .exists(params![
                loan.tenant.as_str(),
                loan.subscription.uuid().as_bytes(),
                loan.loan.as_str(),
                sequence,
                now.millis(),
            ])
            .map(|is_blocked| !is_blocked)
    }

    fn set_waits(self, connection: &Connection, waits: bool) -> rusqlite::Result<()> {
        let Self { loan, sequence } = self;
        connection
            .prepare_cached(
                "UPDATE ordered SET waits = ?5, wakes = NULL
                 WHERE tenant = ?1 AND subscription = ?2 AND loan = ?3 AND sequence = ?4 AND waits <> ?5",
            )?
            .execute(params![
                loan.tenant.as_str(),
                loan.subscription.uuid().as_bytes(),
                loan.loan.as_str(),
                sequence,
                waits
            ])
            .map(|_| ())
    }
}

//! An open delivery as an item: one with a number that has not ended, from intake to its end.

use super::item::{Item, expiry, get_number, get_text, missing_attribute, number, parse, parse_number, text};
use super::key_schema::{EXPIRES, FAILED, OPEN_TRACE, OrderedLoan, SK};
use crate::items::delivery_item::DUE;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// A delivery that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenDelivery {
    pub(crate) sequence: u64,
    pub(crate) trace: TraceId,
    /// When its first attempt is due, whatever it waits for.
    pub(crate) due: Timestamp,
    /// When its first attempt ended, if that did not succeed.
    pub(crate) failed: Option<Timestamp>,
    /// When it expires, as its delivery does; whole seconds.
    pub(crate) expires: Timestamp,
}

pub(crate) fn new(loan: &OrderedLoan, open: OpenDelivery) -> Item {
    let mut item = loan.open_delivery(open.sequence).attributes();
    item.insert(OPEN_TRACE.into(), text(open.trace.to_string()));
    item.insert(DUE.into(), number(open.due.millis()));
    item.insert(EXPIRES.into(), number(open.expires.seconds()));
    if let Some(failed) = open.failed {
        item.insert(FAILED.into(), number(failed.millis()));
    }
    item
}

pub(crate) fn read(item: &Item) -> StoreResult<OpenDelivery> {
    let sequence = get_text(item, SK).and_then(|sk| sk.parse().ok()).ok_or_else(|| missing_attribute(SK))?;
    Ok(OpenDelivery {
        sequence,
        trace: parse(item, OPEN_TRACE)?,
        due: Timestamp::from_millis(parse_number(item, DUE)?),
        failed: get_number(item, FAILED).map(Timestamp::from_millis),
        expires: expiry(item)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::id::{LoanId, TenantId};

    #[test]
    fn an_open_delivery_reads_as_it_was_written() {
        let loan = OrderedLoan {
            tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
            subscription: "01a207d9-217b-7000-8000-00000000002f".parse().expect("an ID"),
            loan: LoanId::try_from("727".to_owned()).expect("a loan"),
        };
        let (due, expires) =
            (Timestamp::from_millis(1_795_428_000_123), Timestamp::from_millis(1_795_429_000_000));
        let trace = "01a207d9-217b-8000-8000-00000000002f".parse().expect("a trace");
        for (sequence, failed) in [(1, None), (u64::MAX, Some(due))] {
            let open = OpenDelivery { sequence, trace, due, failed, expires };
            assert_eq!(read(&new(&loan, open)).expect("an open delivery"), open);
        }
    }
}

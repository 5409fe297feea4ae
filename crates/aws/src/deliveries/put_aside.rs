//! Mark of a delivery whose message was put aside: its handler panicked each time.
//!
//! Without it the sweep, which finds nothing under way for the delivery, would wake it into one dead letter after another. While it
//! stands, the delivery waits for an operator: who redrives the dead letter takes the mark off, who deletes it cancels the
//! delivery. It counts as long as the dead letter is kept, and for one attempt alone.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::engine::Aws;
use crate::items::delivery_item::{self, NUMBER};
use crate::items::item::{Item, get_number, number};
use crate::items::key_schema::{self, PUT_ASIDE};
use crate::items::write_outcome::write_outcome;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// For so long the dead-letter queue keeps a message.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);
const AT: &str = "at";

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PutAside {
    attempt: u32,
    at: Timestamp,
}

impl PutAside {
    /// The mark of a delivery, by its item.
    pub(crate) fn read(item: &Item) -> Option<Self> {
        let mark = item.get(PUT_ASIDE)?.as_m().ok()?;
        let at = get_number(mark, AT).map(Timestamp::from_millis)?;
        Some(Self { attempt: get_number(mark, NUMBER)?, at })
    }

    /// Whether there is a dead letter for this attempt.
    pub(crate) fn holds(&self, attempt: u32, now: Timestamp) -> bool {
        self.attempt == attempt && now < self.at + KEPT
    }
}

impl Aws {
    /// Marks a delivery whose next attempt is that of this number and waits; any other stays as it is.
    pub(crate) async fn mark_put_aside(
        &self,
        tenant: &TenantId,
        trace: TraceId,
        attempt: u32,
        now: Timestamp,
    ) -> StoreResult<()> {
        let mark = HashMap::from([(NUMBER.into(), number(attempt)), (AT.into(), number(now.millis()))]);
        let update = self
            .update(key_schema::delivery(tenant, trace))
            .update_expression("SET #aside = :aside")
            .expression_attribute_names("#aside", PUT_ASIDE)
            .expression_attribute_values(":aside", AttributeValue::M(mark));
        write_outcome(delivery_item::if_waiting_for(attempt, update).send().await).map(drop)
    }

    /// Takes the mark of an attempt off.
    pub(crate) async fn unmark_put_aside(
        &self,
        tenant: &TenantId,
        trace: TraceId,
        attempt: u32,
    ) -> StoreResult<()> {
        let update = self
            .update(key_schema::delivery(tenant, trace))
            .update_expression("REMOVE #aside")
            .condition_expression("#aside.#number = :number")
            .expression_attribute_names("#aside", PUT_ASIDE)
            .expression_attribute_names("#number", NUMBER)
            .expression_attribute_values(":number", number(attempt));
        write_outcome(update.send().await).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_holds_for_its_attempt_as_long_as_the_dead_letter_is_kept() {
        let at = Timestamp::from_millis(1_795_428_000_000);
        let mark = HashMap::from([(NUMBER.into(), number(3)), (AT.into(), number(at.millis()))]);
        let item = Item::from([(PUT_ASIDE.into(), AttributeValue::M(mark))]);
        let mark = PutAside::read(&item).expect("a mark");
        let last = (at + KEPT).minus(Duration::from_millis(1));
        for (attempt, now, expected) in
            [(3, at, true), (3, last, true), (3, at + KEPT, false), (2, at, false), (4, at, false)]
        {
            assert_eq!(mark.holds(attempt, now), expected, "{attempt} at {now}");
        }
        assert_eq!(PutAside::read(&Item::new()), None);
    }
}

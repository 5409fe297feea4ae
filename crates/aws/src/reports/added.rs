//! Sum of what the transactions of a run added, of all groups together: its metrics say it.

use super::changes::Changes;
use loanhook_core::model::metrics::{FactTotals, exhausted};
use loanhook_core::model::report::Counts;

#[derive(Debug, Default, Clone, PartialEq)]
pub struct Added {
    /// As reports have it: what became of a delivery later is taken back.
    pub counts: Counts,
    /// Deliveries whose retries ran out, whatever came later. A resend that delivers one takes it out of the counts alone.
    pub exhausted: u64,
    pub facts: FactTotals,
}

impl Added {
    pub(super) fn add_changes(&mut self, changes: &Changes) {
        for change in &changes.counts {
            self.counts.add(&change.counts);
            self.exhausted += exhausted(&change.counts);
        }
        changes.facts.iter().for_each(|fact| self.facts.add(fact));
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.exhausted += other.exhausted;
        self.facts.add_totals(&other.facts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::id::TenantId;
    use loanhook_core::model::report::{CountChange, CountGroup};
    use loanhook_core::model::time::Timestamp;

    #[test]
    fn a_delivery_that_a_resend_delivers_stays_counted_as_exhausted() {
        let change = |exhausted, succeeded_later| {
            let group = CountGroup {
                tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
                hour: Timestamp::from_millis(0),
                subscription: None,
                event_name: "Posted".into(),
            };
            let counts = Counts { exhausted, succeeded_later, ..Counts::default() };
            Changes::from(vec![CountChange { group, counts }])
        };
        let mut first = Added::default();
        first.add_changes(&change(1, 0));
        first.add_changes(&change(-1, 1));
        let mut all = Added::default();
        all.add(&first);
        all.add(&first);
        assert_eq!((all.exhausted, all.counts.exhausted, all.counts.succeeded_later), (2, 0, 2));
    }
}

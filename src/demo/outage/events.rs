//! Events of the drill: which loan each is of, its text, and the payload that its webhook must arrive with.

use std::ops::Range;

use clap::Args;

/// The event name of all of them.
pub(super) const EVENT_NAME: &str = "Payment Posted to Account";
/// The payload of the drill's webhook, as [`DrillEvents::payload`] writes it.
pub(super) const TEMPLATE: &str = r#"{"payment": [[v('payment-number')]], "loan": "[[v('loan-display-id')]]", "amount": [[v('last-payment-amount')]]}"#;

/// The most deliveries that run out of retries in the drill: three times as many failures hold the webhook, which may be at
/// most 1,000.
const MAX_FAILING: usize = 300;
/// The events of a tenth of the loans come in turn, then those of the next tenth.
const LOAN_GROUPS: usize = 10;

/// How large the drill is.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct DrillSize {
    /// How many deliveries the drill has (100 to 100000)
    #[arg(long, value_name = "N", default_value = "10000", requires = "outage",
        value_parser = clap::value_parser!(u32).range(100..=100_000))]
    deliveries: u32,
    /// Of how many loans they are (1 to 100000)
    #[arg(long, value_name = "N", default_value = "2000", requires = "outage",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    loans: u32,
}

/// The events, by their numbers from 0 in the order in which they are posted. Each has one delivery.
#[derive(Debug, Clone, Copy)]
pub(super) struct DrillEvents {
    pub(super) deliveries: usize,
    pub(super) loans: usize,
}

impl From<DrillSize> for DrillEvents {
    fn from(size: DrillSize) -> Self {
        // Each loan has a delivery.
        let loans = size.loans.min(size.deliveries);
        Self { deliveries: size.deliveries as usize, loans: loans as usize }
    }
}

impl DrillEvents {
    /// How many webhooks the receiver takes before it dies.
    pub(super) const fn served(self) -> usize {
        self.deliveries / 4
    }

    /// How many deliveries after these run out of retries before the other events come.
    pub(super) fn failing(self) -> usize {
        (self.deliveries * 3 / 100).min(MAX_FAILING)
    }

    /// How many failures in a row hold the webhook: more than the two attempts of those that run out of retries.
    pub(super) fn hold_after_failures(self) -> usize {
        self.failing() * 3
    }

    /// How many loans take turns.
    fn group(self) -> usize {
        (self.loans / LOAN_GROUPS).max(1)
    }

    /// Batches of events that have no loan twice, so that the events of a loan are accepted one after the other.
    pub(super) fn batches(self, events: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let length = self.group().min(100);
        let end = events.end;
        events.step_by(length).map(move |start| start..(start + length).min(end))
    }

    /// The loan of an event.
    pub(super) fn loan(self, number: usize) -> String {
        let group = self.group();
        let turns = self.deliveries / self.loans;
        let loan = number / (group * turns) * group + number % group;
        format!("L-{}", 10_000 + loan % self.loans)
    }

    /// The text of an event.
    pub(super) fn text(self, number: usize) -> String {
        let (loan, amount) = (self.loan(number), amount(number));
        format!(
            r#"{{"eventName": "{EVENT_NAME}", "loanId": "{loan}", "context": {{"loan-display-id": "{loan}", "last-payment-amount": {amount}, "payment-number": {number}}}}}"#
        )
    }

    /// The payload of its webhook.
    pub(super) fn payload(self, number: usize) -> String {
        let (loan, amount) = (self.loan(number), amount(number));
        format!(r#"{{"payment": {number}, "loan": "{loan}", "amount": {amount}}}"#)
    }
}

/// Some have zeros at their end, which must arrive too.
fn amount(number: usize) -> String {
    format!("{}.{:02}", 100 + number % 900, number % 20 * 5)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_loan_has_its_deliveries_and_none_is_in_a_batch_twice() {
        for (deliveries, loans) in
            [(10_000, 2000), (10_000, 3000), (200, 40), (100, 25), (100, 100), (137, 7), (100, 1)]
        {
            let events = DrillEvents { deliveries, loans };
            let mut of_loans: HashMap<String, usize> = HashMap::new();
            let mut all = 0..0;
            for batch in events.batches(0..deliveries) {
                assert_eq!(batch.start, all.end, "one batch after the other");
                all.end = batch.end;
                let mut loans: Vec<_> = batch.map(|number| events.loan(number)).collect();
                loans.iter().for_each(|loan| *of_loans.entry(loan.clone()).or_default() += 1);
                let length = loans.len();
                loans.sort_unstable();
                loans.dedup();
                assert_eq!(loans.len(), length);
            }
            assert_eq!((all.end, of_loans.len()), (deliveries, loans));
            let rest = events.deliveries - events.served() - events.failing();
            assert!((3..=1000).contains(&events.hold_after_failures()), "{events:?}");
            assert!(events.hold_after_failures() > 2 * events.failing() && rest >= events.failing());
        }
    }
}

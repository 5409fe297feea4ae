//! Triggers of the kind `on-change`, from outside: between two events that fired one, there was one at which it was false.

use std::collections::BTreeMap;

use loanhook_core::model::id::SubscriptionId;

use super::Rule;
use crate::model::{Model, SeenEvent};

pub(crate) fn check(model: &Model, triggered: &[SubscriptionId]) -> Result<(), (Rule, String)> {
    let mut fired: BTreeMap<_, Vec<&SeenEvent>> = BTreeMap::new();
    for event in model.events.values() {
        for (subscription, _) in event.promised.iter().filter(|(id, _)| triggered.contains(id)) {
            fired.entry((&event.tenant, event.loan.as_str(), subscription)).or_default().push(event);
        }
    }
    for ((tenant, loan, subscription), events) in fired {
        let falls = |from: u64, to: u64| {
            let of_loan = model.events.values().filter(|other| {
                (&other.tenant, other.loan.as_str()) == (tenant, loan)
                    && !other.triggers
                    && other.began < to
                    && other.ended.is_none_or(|ended| ended > from)
            });
            of_loan.count()
        };
        // Which of two came first is not known from outside where their calls overlap.
        let span = |events: &[&SeenEvent]| {
            let from = events.iter().map(|event| event.began).min().unwrap_or(0);
            (from, events.iter().map(|event| event.ended.unwrap_or(u64::MAX)).max().unwrap_or(u64::MAX))
        };
        let of_pairs = events.iter().zip(events.iter().skip(1)).map(|(one, other)| span(&[one, other]));
        let fell_between = of_pairs.into_iter().all(|(from, to)| falls(from, to) > 0);
        let (from, to) = span(&events);
        if !fell_between || falls(from, to) + 1 < events.len() {
            let detail = format!(
                "{subscription} fired {} times for loan {loan} and was not false between",
                events.len()
            );
            return Err((Rule::TriggerFiresOnce, detail));
        }
    }
    Ok(())
}

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
    for ((tenant, loan, subscription), mut events) in fired {
        events.sort_by_key(|event| event.began);
        for pair in events.windows(2) {
            let (from, to) = (pair[0].began, pair[1].ended.unwrap_or(u64::MAX));
            let fell = model.events.values().any(|other| {
                (&other.tenant, other.loan.as_str()) == (tenant, loan)
                    && !other.triggers
                    && other.began < to
                    && other.ended.is_none_or(|ended| ended > from)
            });
            if !fell {
                let detail =
                    format!("{subscription} fired twice for loan {loan} and was never false between");
                return Err((Rule::TriggerFiresOnce, detail));
            }
        }
    }
    Ok(())
}

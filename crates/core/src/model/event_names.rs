//! Names of events that are nearly the same: names are compared exactly, so a sender that spells a name in another
//! case reaches no subscription, and is told so.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use icu_normalizer::ComposingNormalizerBorrowed;

use super::catalogue;
use super::subscription::Subscription;

/// How many warnings an event gets at most.
const MAX_WARNINGS: usize = 5;

/// Names of events that are in use, found by what they have in common with those that differ only in case, in
/// their Unicode normal form, or in blanks around or between words.
#[derive(Debug, Default)]
pub(super) struct EventNames(HashMap<String, Vec<String>>);

impl EventNames {
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut by_folded: HashMap<String, Vec<String>> = HashMap::new();
        for name in names {
            by_folded.entry(folded(name)).or_default().push(name.to_owned());
        }
        Self(by_folded)
    }

    fn alike(&self, folded: &str) -> &[String] {
        self.0.get(folded).map(Vec::as_slice).unwrap_or_default()
    }
}

/// What names have in common that look the same. NFKC, as a blank that does not break is one of its
/// compatibility characters.
fn folded(name: &str) -> String {
    let lower = if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        ComposingNormalizerBorrowed::new_nfkc().normalize(&name.to_lowercase()).into_owned()
    };
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether events of this name are, or would be, taken for real: the catalogue or a subscription of the tenant names
/// them, or a name that looks the same.
pub fn is_real(name: &str, subscriptions: &[Arc<Subscription>]) -> bool {
    let folded = folded(name);
    !catalogue::NAMES.alike(&folded).is_empty()
        || subscriptions.iter().any(|subscription| !subscription.event_names().alike(&folded).is_empty())
}

/// A sentence for each name in use that an event's name only nearly is. Of the catalogue's names only where no
/// subscription names the event exactly: then the author means that name.
pub fn warnings(name: &str, subscriptions: &[Arc<Subscription>]) -> Vec<String> {
    let folded = folded(name);
    let named: BTreeSet<&String> =
        subscriptions.iter().flat_map(|subscription| subscription.event_names().alike(&folded)).collect();
    let is_meant = named.iter().any(|other| *other == name);
    let catalogue =
        catalogue::NAMES.alike(&folded).iter().filter(|other| !is_meant && !named.contains(other));
    let of_subscriptions = named.iter().map(|other| (other.as_str(), "a subscription asks for"));
    of_subscriptions
        .chain(catalogue.map(|other| (other.as_str(), "the catalogue has")))
        .filter(|(other, _)| *other != name)
        .take(MAX_WARNINGS)
        .map(|(other, who)| {
            format!(
                "{name:?} is not the name {other:?} that {who}, and differs from it only in case, blanks or \
                 Unicode form: names are compared exactly"
            )
        })
        .collect()
}

#[cfg(test)]
#[path = "event_names_tests.rs"]
mod tests;

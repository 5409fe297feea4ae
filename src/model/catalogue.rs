//! The catalogue of event types: names of events and the variables of their contexts. Events of other names are
//! accepted all the same.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

/// The events that LoanPro documents for its webhooks, with the variables its articles show, as a JSON list of
/// `{"eventName", "variables"}`.
pub const EVENT_TYPES: &str = include_str!("../reference/event-types.json");

static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        event_name: String,
    }
    let listed: Vec<Named> = serde_json::from_str(EVENT_TYPES).unwrap_or_default();
    listed.into_iter().map(|named| comparable(&named.event_name)).collect()
});

/// Whether the catalogue has an event of this name, in any case.
pub fn has(name: &str) -> bool {
    NAMES.contains(&comparable(name))
}

/// A name as it is compared where what looks the same must count as the same: in lower case, without blanks around it.
pub fn comparable(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_case() {
        for (name, there) in [
            ("Payment Posted to Account", true),
            (" payment posted TO account ", true),
            ("Payment Posted", false),
            ("Test", false),
        ] {
            assert_eq!(has(name), there, "{name}");
        }
        assert!(NAMES.len() > 10, "the catalogue was read");
    }
}

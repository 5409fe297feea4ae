//! What of Clojure's names formulas do not have, so that they are refused by name and not as misspelt.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The rest of `clojure.core` 1.11, and its special forms.
static NAMES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("outside.txt").split_whitespace().collect());

pub(super) fn is_outside(name: &str) -> bool {
    NAMES.contains(name)
}

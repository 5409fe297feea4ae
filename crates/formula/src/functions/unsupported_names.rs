//! Names of Clojure that formulas do not have, so that they are refused as unsupported and not as misspelt.

use std::collections::HashSet;
use std::sync::LazyLock;

/// What `clojure.core` 1.11 has besides the functions of the subset, and Clojure's special forms.
static NAMES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("unsupported_names.txt").split_whitespace().collect());

pub(super) fn is_unsupported(name: &str) -> bool {
    NAMES.contains(name)
}

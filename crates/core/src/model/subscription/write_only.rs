//! Write-only values: reads show them as `***`, which in a change keeps what is stored.

use crate::model::destination::HIDDEN;
use crate::model::validation::ValidationErrors;

/// Which address of a request a change gives another scheme, host or port: the credentials that go there are given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    Nowhere,
    Url,
    TokenUrl,
}

/// The value that `told` stands for: itself, or where it is `***` the stored one. What is wrong is added to `errors`.
pub(super) fn keep_stored(
    told: String,
    stored: Option<&String>,
    moved: Moved,
    pointer: &str,
    errors: &mut ValidationErrors,
) -> String {
    if told != HIDDEN {
        return told;
    }
    let moved = match moved {
        Moved::Nowhere => None,
        Moved::Url => Some("request.url"),
        Moved::TokenUrl => Some("request.auth.tokenUrl"),
    };
    match (stored, moved) {
        (Some(_), Some(moved)) => errors.add(
            pointer,
            format!(
                "its stored value is kept only where requests go to the same scheme, host and port, and \
                 {moved} has another: give the value again"
            ),
        ),
        (Some(stored), None) => return stored.clone(),
        (None, _) => errors.add(pointer, "*** keeps a stored value, and there is none: give the value"),
    }
    told
}

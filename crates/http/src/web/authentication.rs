//! Authentication by an API key, the same at the API and at the sign-in of the pages.

use std::sync::Arc;
use std::time::Instant;

use http::Extensions;

use super::call_limits::{CallLimits, Face, Shown, TooMany};
use super::client::Source;
use loanhook_core::model::key::{Key, KeyHash};
use loanhook_core::ports::{Keys, StoreError};

/// The valid key that this text is, and the hash it is found by; none where it is no valid key. `extensions` are those
/// of the request that showed it.
///
/// # Errors
///
/// The store failed, or too many wrong keys came from the address of the request.
pub(crate) async fn authenticate<S: Keys, E: From<StoreError> + From<TooMany>>(
    store: &S,
    extensions: &Extensions,
    face: Face,
    shown: &str,
) -> Result<Option<(Arc<Key>, KeyHash)>, E> {
    let (limits, source) = (CallLimits::of(extensions), Source::of(extensions));
    match limits.check_key(store, (face, &source), shown, Instant::now()).await? {
        Shown::Valid(key, hash) => Ok(Some((key, hash))),
        Shown::Invalid => Ok(None),
        Shown::TooMany(wait) => Err(wait.into()),
    }
}

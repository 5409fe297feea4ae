//! Authentication by an API key, the same at the API and at the sign-in of the pages, within the limits of wrong keys.

use std::sync::Arc;
use std::time::Instant;

use http::Extensions;

use super::call_limits::{CallLimits, EntryPoint, KeyCheck, RateLimited};
use super::client::Client;
use loanhook_core::model::key::{Key, KeyHash};
use loanhook_core::ports::{Keys, StoreError};

/// The valid key that this text is, and the hash it is found by; none where it is no valid key. `extensions` are those
/// of the request that showed it.
///
/// # Errors
///
/// The store failed, or too many wrong keys came from the address of the request.
pub(crate) async fn authenticate<S: Keys, E: From<StoreError> + From<RateLimited>>(
    store: &S,
    extensions: &Extensions,
    entry_point: EntryPoint,
    shown: &str,
) -> Result<Option<(Arc<Key>, KeyHash)>, E> {
    let (limits, client) = (CallLimits::of(extensions), Client::of(extensions));
    match limits.check_key(store, (entry_point, &client), shown, Instant::now()).await? {
        KeyCheck::Valid(key, hash) => Ok(Some((key, hash))),
        KeyCheck::Invalid => Ok(None),
        KeyCheck::RateLimited(wait) => Err(wait.into()),
    }
}

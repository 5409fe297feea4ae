//! Keys and attributes of OAuth tokens.

use super::ItemKey;
use loanhook_core::ports::TokenKey;

/// How many fetches of a token have ended.
pub(crate) const GENERATION: &str = "generation";
/// While one is under way: its ID, and until when its lease lasts, in milliseconds since 1970.
pub(crate) const FETCH: &str = "fetch";
pub(crate) const FETCH_UNTIL: &str = "fetchUntil";
/// When the newest fetch ended, in milliseconds since 1970.
pub(crate) const ENDED: &str = "ended";
/// Where it gave a token: its value, and until when it may be used, in milliseconds since 1970.
pub(crate) const TOKEN_VALUE: &str = "value";
pub(crate) const USE_UNTIL: &str = "useUntil";
/// Where it failed: the kind of the failure, and its sentence.
pub(crate) const KIND: &str = "kind";
pub(crate) const DETAIL: &str = "detail";

/// The token of a version of a subscription. In a partition of its own: all of its attempts read it.
pub(crate) fn token(key: &TokenKey) -> ItemKey {
    ItemKey::only(format!("Y#{}#{}#{}", key.tenant, key.subscription_id, key.version))
}

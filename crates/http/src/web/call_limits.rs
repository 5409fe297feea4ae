//! Limits of what a caller may do in a time: showing keys that are not valid, asking for resends, opening sessions.
//!
//! One set of limits stands for one process (on AWS for one instance of a function); both faces share it. Wrong keys
//! are counted by the address that they come from, at the API and at the sign-in each by itself; at a sign-out, tokens of
//! sessions that are nobody's count too. Where an address has
//! used up its failures, a key is refused unread, except one that was valid from that address before: a flood of
//! guesses does not stop the integrations beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Extensions;

use super::client::{AddressGroup, Client};
use super::rate_limiter::{Rate, RateLimiter};
use super::repeat_counter::RepeatCounter;
use super::verified_keys::VerifiedKeys;
use loanhook_core::keys;
use loanhook_core::log;
use loanhook_core::model::id::{KeyId, TenantId};
use loanhook_core::model::key::{Key, KeyHash};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Keys, StoreResult};

/// Wrong keys from one address.
const WRONG_KEYS_PER_ADDRESS: Rate = Rate { burst: 10, per_second: 1.0 };
/// Resends that one API key asks for.
const RESENDS_PER_KEY: Rate = Rate { burst: 600, per_second: 10.0 };
/// Resends that one viewer of pages asks for.
const RESENDS_PER_VIEWER: Rate = Rate { burst: 60, per_second: 1.0 };
/// Sessions that one portal link, or one key that signs in, opens.
const SESSIONS_PER_LINK_OR_KEY: Rate = Rate { burst: 60, per_second: 1.0 };

/// How many addresses, keys and viewers are told apart.
const MAX_TRACKED: usize = 10_000;
/// How many names the log tells of in a minute.
const MAX_LOGGED_PER_WINDOW: usize = 200;

/// Where a key is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EntryPoint {
    Api,
    SignIn,
}

impl EntryPoint {
    const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::SignIn => "sign-in",
        }
    }
}

/// What a key comes to that a caller shows.
#[derive(Debug)]
pub(crate) enum KeyCheck {
    Valid(Arc<Key>, KeyHash),
    Invalid,
    /// It was not looked at: when it can be.
    RateLimited(RateLimited),
}

/// Something happened too often: how long until it may happen again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimited(Duration);

impl RateLimited {
    /// Whole seconds, at least one, as `Retry-After` has them.
    pub(crate) fn retry_after_seconds(self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)
    }
}

/// Who asks for a resend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Requester {
    Key(KeyId),
    /// A viewer of pages: the key that made its sessions, and its name.
    Viewer(KeyHash, String),
}

/// The limits. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct CallLimits(Arc<SharedLimits>);

#[derive(Debug)]
struct SharedLimits {
    wrong_keys: RateLimiter<(EntryPoint, AddressGroup)>,
    verified_keys: VerifiedKeys,
    resends_of_keys: RateLimiter<KeyId>,
    resends_of_viewers: RateLimiter<(KeyHash, String)>,
    sessions: RateLimiter<KeyHash>,
    wrong_key_counter: RepeatCounter<(EntryPoint, AddressGroup)>,
    /// Those who were refused: what, of which tenant, by name.
    rate_limited_counter: RepeatCounter<(&'static str, TenantId, String)>,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self(Arc::new(SharedLimits {
            wrong_keys: RateLimiter::new(WRONG_KEYS_PER_ADDRESS, MAX_TRACKED),
            verified_keys: VerifiedKeys::new(MAX_TRACKED),
            resends_of_keys: RateLimiter::new(RESENDS_PER_KEY, MAX_TRACKED),
            resends_of_viewers: RateLimiter::new(RESENDS_PER_VIEWER, MAX_TRACKED),
            sessions: RateLimiter::new(SESSIONS_PER_LINK_OR_KEY, MAX_TRACKED),
            wrong_key_counter: RepeatCounter::new(MAX_LOGGED_PER_WINDOW),
            rate_limited_counter: RepeatCounter::new(MAX_LOGGED_PER_WINDOW),
        }))
    }
}

impl CallLimits {
    /// Those of the process that answers a request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Looks a key up, unless too many wrong ones came from there.
    pub(crate) async fn check_key<S: Keys>(
        &self,
        store: &S,
        (face, source): (EntryPoint, &Client),
        shown: &str,
        now: Instant,
    ) -> StoreResult<KeyCheck> {
        self.log_repeats(now);
        let (hash, group) = (KeyHash::of(shown), source.address_group());
        let pair = (hash, group);
        let known = self.0.verified_keys.contains(&pair);
        // Taken before the key is looked up, so that many at once are no more than many one after the other.
        if !known && let Err(wait) = self.0.wrong_keys.take_token(&(face, group), now) {
            self.count_wrong_key(face, group, now);
            return Ok(KeyCheck::RateLimited(RateLimited(wait)));
        }
        let found = keys::authenticate(store, hash, Timestamp::now()).await;
        match &found {
            Ok(None) => {
                if known {
                    self.0.verified_keys.remove(&pair);
                    // It was valid once, so it is no guess: that there is no token to take is no matter.
                    let _ = self.0.wrong_keys.take_token(&(face, group), now);
                }
                self.count_wrong_key(face, group, now);
            }
            Ok(Some(_)) | Err(_) if !known => self.0.wrong_keys.return_token(&(face, group)),
            Ok(Some(_)) | Err(_) => {}
        }
        let Some(key) = found? else { return Ok(KeyCheck::Invalid) };
        self.0.verified_keys.insert(pair);
        source.notify_authenticated();
        Ok(KeyCheck::Valid(key, hash))
    }

    /// Counts the token of a session that is nobody's as a wrong key at the sign-in.
    ///
    /// # Errors
    ///
    /// Too many came from there.
    pub(crate) fn count_unknown_token(&self, source: &Client, now: Instant) -> Result<(), RateLimited> {
        self.log_repeats(now);
        let group = source.address_group();
        self.count_wrong_key(EntryPoint::SignIn, group, now);
        self.0.wrong_keys.take_token(&(EntryPoint::SignIn, group), now).map_err(RateLimited)
    }

    /// Whether this caller may ask for one more resend.
    pub(crate) fn take_resend(
        &self,
        asker: &Requester,
        tenant: &TenantId,
        name: &str,
        now: Instant,
    ) -> Result<(), RateLimited> {
        let taken = match asker {
            Requester::Key(id) => self.0.resends_of_keys.take_token(id, now),
            Requester::Viewer(key, name) => self.0.resends_of_viewers.take_token(&(*key, name.clone()), now),
        };
        self.log_rate_limited(taken, "resend", (tenant, name), now)
    }

    /// Whether this link, or key, may open one more session.
    pub(crate) fn take_session(
        &self,
        opened_by: KeyHash,
        tenant: &TenantId,
        name: &str,
        now: Instant,
    ) -> Result<(), RateLimited> {
        self.log_rate_limited(self.0.sessions.take_token(&opened_by, now), "session", (tenant, name), now)
    }

    fn log_rate_limited(
        &self,
        taken: Result<(), Duration>,
        what: &'static str,
        (tenant, name): (&TenantId, &str),
        now: Instant,
    ) -> Result<(), RateLimited> {
        self.log_repeats(now);
        taken.map_err(|wait| {
            if self.0.rate_limited_counter.count(&(what, tenant.clone(), name.to_owned()), now) {
                log::too_many(what, tenant, name, 1);
            }
            RateLimited(wait)
        })
    }

    fn count_wrong_key(&self, face: EntryPoint, group: AddressGroup, now: Instant) {
        if self.0.wrong_key_counter.count(&(face, group), now) {
            log::wrong_keys(face.name(), &group, 1);
        }
    }

    /// Tells the log of what happened again and again, and has stopped being news.
    fn log_repeats(&self, now: Instant) {
        let wrong_keys = self.0.wrong_key_counter.take_ended(now);
        for ((face, group), times) in wrong_keys.names {
            log::wrong_keys(face.name(), &group, times);
        }
        if wrong_keys.unnamed > 0 {
            log::others("key.refused", wrong_keys.unnamed);
        }
        let refused = self.0.rate_limited_counter.take_ended(now);
        for ((what, tenant, name), times) in refused.names {
            log::too_many(what, &tenant, &name, times);
        }
        if refused.unnamed > 0 {
            log::others("caller.limited", refused.unnamed);
        }
    }
}

#[cfg(test)]
#[path = "call_limits_tests.rs"]
mod tests;

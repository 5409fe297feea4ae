//! Limits of what a caller may do in a time: showing keys that are not valid, asking for resends, opening sessions.
//!
//! One set of limits stands for one process (on AWS for one instance of a function); API and pages share it. Wrong keys
//! are counted by the address that they come from, for the API and the sign-in apart; at a sign-out, unknown tokens of
//! sessions count too. An address over its limit has its keys refused without a look-up, except a key that was valid
//! from that address before: many guesses do not stop the integrations at the same address.

mod codes;

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
/// Sessions that one portal link opens, or one key or person that signs in.
const SESSIONS_PER_LINK_OR_KEY: Rate = Rate { burst: 60, per_second: 1.0 };

/// How many addresses, keys and viewers each limit counts by themselves.
const MAX_TRACKED: usize = 10_000;
/// How many names have lines of their own in the log, in each minute.
const MAX_LOGGED_PER_WINDOW: usize = 200;

/// Where a key is shown: each has wrong keys of its own.
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

/// The result of the check of a key.
#[derive(Debug)]
pub(crate) enum KeyCheck {
    Valid(Arc<Key>, KeyHash),
    Invalid,
    /// The key was not looked up.
    RateLimited(RateLimited),
}

/// A caller is over a limit: the time until the next call is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimited(Duration);

impl RateLimited {
    /// Whole seconds, at least one, for the header `Retry-After`.
    pub(crate) fn retry_after_seconds(self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)
    }
}

/// Who asks for a resend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Requester {
    Key(KeyId),
    /// A viewer of pages: the key (or the person) that made its sessions, and its name.
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
    begun_sign_ins: RateLimiter<AddressGroup>,
    returned_sign_ins: RateLimiter<AddressGroup>,
    wrong_key_counter: RepeatCounter<(EntryPoint, AddressGroup)>,
    /// What was refused, of which tenant, and the name of the caller.
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
            begun_sign_ins: RateLimiter::new(codes::SIGN_INS_PER_ADDRESS, MAX_TRACKED),
            returned_sign_ins: RateLimiter::new(codes::SIGN_INS_PER_ADDRESS, MAX_TRACKED),
            wrong_key_counter: RepeatCounter::new(MAX_LOGGED_PER_WINDOW),
            rate_limited_counter: RepeatCounter::new(MAX_LOGGED_PER_WINDOW),
        }))
    }
}

impl CallLimits {
    /// The limits of this process, from the extensions of a request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Looks a key up, unless too many wrong ones came from the address of the client.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub(crate) async fn check_key<S: Keys>(
        &self,
        store: &S,
        (entry_point, client): (EntryPoint, &Client),
        shown: &str,
        now: Instant,
    ) -> StoreResult<KeyCheck> {
        self.log_repeats(now);
        let (hash, group) = (KeyHash::of(shown), client.address_group());
        let pair = (hash, group);
        let known = self.0.verified_keys.contains(&pair);
        // A token is taken before the look-up, so that concurrent guesses are limited as sequential ones are.
        if !known && let Err(wait) = self.0.wrong_keys.take_token(&(entry_point, group), now) {
            self.count_wrong_key(entry_point, group, now);
            return Ok(KeyCheck::RateLimited(RateLimited(wait)));
        }
        let found = keys::authenticate(store, hash, Timestamp::now()).await;
        match &found {
            Ok(None) => {
                if known {
                    self.0.verified_keys.remove(&pair);
                    // The key was valid once, so this is no guess: an empty bucket changes nothing.
                    let _ = self.0.wrong_keys.take_token(&(entry_point, group), now);
                }
                self.count_wrong_key(entry_point, group, now);
            }
            Ok(Some(_)) | Err(_) if !known => self.0.wrong_keys.return_token(&(entry_point, group)),
            Ok(Some(_)) | Err(_) => {}
        }
        let Some(key) = found? else { return Ok(KeyCheck::Invalid) };
        self.0.verified_keys.insert(pair);
        client.notify_authenticated();
        Ok(KeyCheck::Valid(key, hash))
    }

    /// Takes one resend of those that a requester may ask for.
    ///
    /// # Errors
    ///
    /// The requester is over the limit.
    pub(crate) fn take_resend(
        &self,
        requester: &Requester,
        tenant: &TenantId,
        name: &str,
        now: Instant,
    ) -> Result<(), RateLimited> {
        let taken = match requester {
            Requester::Key(id) => self.0.resends_of_keys.take_token(id, now),
            Requester::Viewer(key, name) => self.0.resends_of_viewers.take_token(&(*key, name.clone()), now),
        };
        self.log_rate_limited(taken, "resend", (tenant, name), now)
    }

    /// Takes one session of those that a link, a key or a person may open.
    ///
    /// # Errors
    ///
    /// The link or key is over the limit.
    pub(crate) fn take_session(
        &self,
        opened_by: KeyHash,
        tenant: &TenantId,
        name: &str,
        now: Instant,
    ) -> Result<(), RateLimited> {
        self.log_rate_limited(self.0.sessions.take_token(&opened_by, now), "session", (tenant, name), now)
    }

    /// Makes the result of a limiter an error, and logs the first refusal of each caller in a minute.
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

    fn count_wrong_key(&self, entry_point: EntryPoint, group: AddressGroup, now: Instant) {
        if self.0.wrong_key_counter.count(&(entry_point, group), now) {
            log::wrong_keys(entry_point.name(), &group, 1);
        }
    }

    /// Logs the counts of the windows that have ended.
    fn log_repeats(&self, now: Instant) {
        let wrong_keys = self.0.wrong_key_counter.take_ended(now);
        for ((entry_point, group), times) in wrong_keys.names {
            log::wrong_keys(entry_point.name(), &group, times);
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

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

use super::client::{Group, Source};
use super::rate_limiter::{Buckets, Rate};
use super::repeat_counter::Windows;
use super::verified_keys::KnownKeys;
use loanhook_core::keys;
use loanhook_core::log;
use loanhook_core::model::id::{KeyId, TenantId};
use loanhook_core::model::key::{Key, KeyHash};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Keys, StoreResult};

/// Wrong keys from one address.
const FAILURES: Rate = Rate { burst: 10, per_second: 1.0 };
/// Resends that one API key asks for.
const RESENDS_OF_A_KEY: Rate = Rate { burst: 600, per_second: 10.0 };
/// Resends that one viewer of pages asks for.
const RESENDS_OF_A_VIEWER: Rate = Rate { burst: 60, per_second: 1.0 };
/// Sessions that one portal link, or one key that signs in, opens.
const SESSIONS: Rate = Rate { burst: 60, per_second: 1.0 };

/// How many addresses, keys and viewers are told apart.
const TOLD_APART: usize = 10_000;
/// How many names the log tells of in a minute.
const TOLD_OF: usize = 200;

/// Where a key is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Face {
    Api,
    SignIn,
}

impl Face {
    const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::SignIn => "sign-in",
        }
    }
}

/// What a key comes to that a caller shows.
#[derive(Debug)]
pub(crate) enum Shown {
    Valid(Arc<Key>, KeyHash),
    Invalid,
    /// It was not looked at: when it can be.
    TooMany(TooMany),
}

/// Something happened too often: how long until it may happen again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany(Duration);

impl TooMany {
    /// Whole seconds, at least one, as `Retry-After` has them.
    pub(crate) fn seconds(self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)
    }
}

/// Who asks for a resend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    Key(KeyId),
    /// A viewer of pages: the key that made its sessions, and its name.
    Viewer(KeyHash, String),
}

/// The limits. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct CallLimits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    failures: Buckets<(Face, Group)>,
    known: KnownKeys,
    resends_of_keys: Buckets<KeyId>,
    resends_of_viewers: Buckets<(KeyHash, String)>,
    sessions: Buckets<KeyHash>,
    wrong_keys: Windows<(Face, Group)>,
    /// Those who were refused: what, of which tenant, by name.
    refused: Windows<(&'static str, TenantId, String)>,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self(Arc::new(Inner {
            failures: Buckets::new(FAILURES, TOLD_APART),
            known: KnownKeys::new(TOLD_APART),
            resends_of_keys: Buckets::new(RESENDS_OF_A_KEY, TOLD_APART),
            resends_of_viewers: Buckets::new(RESENDS_OF_A_VIEWER, TOLD_APART),
            sessions: Buckets::new(SESSIONS, TOLD_APART),
            wrong_keys: Windows::new(TOLD_OF),
            refused: Windows::new(TOLD_OF),
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
        (face, source): (Face, &Source),
        shown: &str,
        now: Instant,
    ) -> StoreResult<Shown> {
        self.tell(now);
        let (hash, group) = (KeyHash::of(shown), source.group());
        let pair = (hash, group);
        let known = self.0.known.contains(&pair);
        // Taken before the key is looked up, so that many at once are no more than many one after the other.
        if !known && let Err(wait) = self.0.failures.take(&(face, group), now) {
            self.count_wrong_key(face, group, now);
            return Ok(Shown::TooMany(TooMany(wait)));
        }
        let found = keys::authenticate(store, hash, Timestamp::now()).await;
        match &found {
            Ok(None) => {
                if known {
                    self.0.known.forget(&pair);
                    // It was valid once, so it is no guess: that there is no token to take is no matter.
                    let _ = self.0.failures.take(&(face, group), now);
                }
                self.count_wrong_key(face, group, now);
            }
            Ok(Some(_)) | Err(_) if !known => self.0.failures.give_back(&(face, group)),
            Ok(Some(_)) | Err(_) => {}
        }
        let Some(key) = found? else { return Ok(Shown::Invalid) };
        self.0.known.keep(pair);
        source.authenticated();
        Ok(Shown::Valid(key, hash))
    }

    /// Counts the token of a session that is nobody's as a wrong key at the sign-in.
    ///
    /// # Errors
    ///
    /// Too many came from there.
    pub(crate) fn unknown_token(&self, source: &Source, now: Instant) -> Result<(), TooMany> {
        self.tell(now);
        let group = source.group();
        self.count_wrong_key(Face::SignIn, group, now);
        self.0.failures.take(&(Face::SignIn, group), now).map_err(TooMany)
    }

    /// Whether this caller may ask for one more resend.
    pub(crate) fn resend(
        &self,
        asker: &Asker,
        tenant: &TenantId,
        name: &str,
        now: Instant,
    ) -> Result<(), TooMany> {
        let taken = match asker {
            Asker::Key(id) => self.0.resends_of_keys.take(id, now),
            Asker::Viewer(key, name) => self.0.resends_of_viewers.take(&(*key, name.clone()), now),
        };
        self.refuse(taken, "resend", (tenant, name), now)
    }

    /// Whether this link, or key, may open one more session.
    pub(crate) fn session(
        &self,
        opened_by: KeyHash,
        tenant: &TenantId,
        name: &str,
        now: Instant,
    ) -> Result<(), TooMany> {
        self.refuse(self.0.sessions.take(&opened_by, now), "session", (tenant, name), now)
    }

    fn refuse(
        &self,
        taken: Result<(), Duration>,
        what: &'static str,
        (tenant, name): (&TenantId, &str),
        now: Instant,
    ) -> Result<(), TooMany> {
        self.tell(now);
        taken.map_err(|wait| {
            if self.0.refused.count(&(what, tenant.clone(), name.to_owned()), now) {
                log::too_many(what, tenant, name, 1);
            }
            TooMany(wait)
        })
    }

    fn count_wrong_key(&self, face: Face, group: Group, now: Instant) {
        if self.0.wrong_keys.count(&(face, group), now) {
            log::wrong_keys(face.name(), &group, 1);
        }
    }

    /// Tells the log of what happened again and again, and has stopped being news.
    fn tell(&self, now: Instant) {
        let wrong_keys = self.0.wrong_keys.ended(now);
        for ((face, group), times) in wrong_keys.names {
            log::wrong_keys(face.name(), &group, times);
        }
        if wrong_keys.others > 0 {
            log::others("key.refused", wrong_keys.others);
        }
        let refused = self.0.refused.ended(now);
        for ((what, tenant, name), times) in refused.names {
            log::too_many(what, &tenant, &name, times);
        }
        if refused.others > 0 {
            log::others("caller.limited", refused.others);
        }
    }
}

#[cfg(test)]
#[path = "call_limits_tests.rs"]
mod tests;

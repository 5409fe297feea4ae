//! Limits of the sign-in and sign-out beside those of keys: unknown tokens, and the sign-in at the OpenID provider. Wrong codes that
//! browsers bring back count as wrong keys at the sign-in: so guesses of both kinds are limited together. Sign-ins that begin, and
//! browsers that come back, have limits of their own, as each costs the provider a call.

use std::time::Instant;

use super::{CallLimits, EntryPoint, RateLimited};
use crate::web::Client;
use crate::web::rate_limiter::Rate;

/// Sign-ins at the OpenID provider that begin at one address, of a whole office perhaps; and as many browsers that come back.
pub(super) const SIGN_INS_PER_ADDRESS: Rate = Rate { burst: 60, per_second: 1.0 };

impl CallLimits {
    /// Counts an unknown token of a session as a wrong key at the sign-in.
    ///
    /// # Errors
    ///
    /// Too many came from the address of the client.
    pub(crate) fn count_unknown_token(&self, client: &Client, now: Instant) -> Result<(), RateLimited> {
        self.log_repeats(now);
        let group = client.address_group();
        self.count_wrong_key(EntryPoint::SignIn, group, now);
        self.0.wrong_keys.take_token(&(EntryPoint::SignIn, group), now).map_err(RateLimited)
    }

    /// Takes one code of those that the address of the client may show.
    ///
    /// # Errors
    ///
    /// Too many wrong codes, keys or tokens came from there.
    pub(crate) fn take_code(&self, client: &Client, now: Instant) -> Result<(), RateLimited> {
        let entry = (EntryPoint::SignIn, client.address_group());
        self.0.wrong_keys.take_token(&entry, now).map_err(RateLimited)
    }

    /// Takes one of the sign-ins that may begin from the address of the client.
    ///
    /// # Errors
    ///
    /// Too many began there.
    pub(crate) fn take_begun_sign_in(&self, client: &Client, now: Instant) -> Result<(), RateLimited> {
        self.0.begun_sign_ins.take_token(&client.address_group(), now).map_err(RateLimited)
    }

    /// Takes one of the browsers that may come back to the address of the client, whatever comes of it.
    ///
    /// # Errors
    ///
    /// Too many came back there.
    pub(crate) fn take_returned_sign_in(&self, client: &Client, now: Instant) -> Result<(), RateLimited> {
        self.0.returned_sign_ins.take_token(&client.address_group(), now).map_err(RateLimited)
    }

    /// Gives a code back: the code was valid, or was not looked at.
    pub(crate) fn return_code(&self, client: &Client) {
        self.0.wrong_keys.return_token(&(EntryPoint::SignIn, client.address_group()));
    }
}

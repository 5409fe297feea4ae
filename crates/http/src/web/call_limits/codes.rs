//! Limit of codes that browsers bring back from the OpenID provider: each costs it a call. They count in the limit of wrong keys at the
//! sign-in, so that guesses of both kinds are limited together.

use std::time::Instant;

use super::{CallLimits, EntryPoint, RateLimited};
use crate::web::Client;

impl CallLimits {
    /// Takes one code of those that the address of the client may show.
    ///
    /// # Errors
    ///
    /// Too many wrong codes, keys or tokens came from there.
    pub(crate) fn take_code(&self, client: &Client, now: Instant) -> Result<(), RateLimited> {
        let entry = (EntryPoint::SignIn, client.address_group());
        self.0.wrong_keys.take_token(&entry, now).map_err(RateLimited)
    }

    /// Gives it back: the code was valid.
    pub(crate) fn return_code(&self, client: &Client) {
        self.0.wrong_keys.return_token(&(EntryPoint::SignIn, client.address_group()));
    }
}

//! Limits of the sign-in at the OpenID provider. Codes that browsers bring back count in the limit of wrong keys at the sign-in, as each
//! costs the provider a call: so guesses of both kinds are limited together. Sign-ins that begin have a limit of their own.

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

    /// Takes one of the sign-ins that may begin from the address of the client.
    ///
    /// # Errors
    ///
    /// Too many began there.
    pub(crate) fn take_begun_sign_in(&self, client: &Client, now: Instant) -> Result<(), RateLimited> {
        self.0.begun_sign_ins.take_token(&client.address_group(), now).map_err(RateLimited)
    }

    /// Gives it back: the code was valid, or was not looked at.
    pub(crate) fn return_code(&self, client: &Client) {
        self.0.wrong_keys.return_token(&(EntryPoint::SignIn, client.address_group()));
    }
}

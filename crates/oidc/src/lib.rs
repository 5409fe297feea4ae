//! Sign-in by OpenID Connect: what the provider says of a person, and what the operator's rules give for it.
//!
//! # The way of a sign-in
//!
//! 1. [`Provider::authorization_url`] is where the browser goes: the provider's page, with a state, a nonce and a PKCE
//!    challenge. Whoever asks for it makes those three and keeps them with the browser.
//! 2. The provider sends the browser back with a code. [`Provider::person`] exchanges it (`code_exchange`), checks the ID token
//!    (`id_token`) and asks the userinfo endpoint for claims that the rules name and the ID token lacks.
//! 3. [`Provider::access`] says what the operator's rules (`access_rule`) give to the person, by tenant.
//! 4. [`Provider::sign_out_url`] is where a browser ends its session at the provider.
//!
//! What the provider says of itself, and its keys, are read when they are first needed and kept (`known_provider`). Nothing is asked
//! when the program starts: a provider that is down stops nothing but the sign-in with it.
//!
//! # Guarantees
//!
//! - An ID token stands only with a signature by a key of the provider, with its issuer, our client ID as audience and authorized
//!   party, the nonce of this sign-in, and times that hold with a leeway of one minute. A key shared with us signs none.
//! - A request takes at most 10 seconds and 256 KiB of answer, and follows no redirect (`http_client`). A sign-in takes the
//!   provider at most 20 seconds in all.
//! - No code, token or secret is in a log line, an error or a `Debug`. An error says what was wrong in words of ours.

mod access_rule;
mod claims;
mod code_exchange;
mod http_client;
mod id_token;
mod known_provider;
mod metadata;
mod person;
mod provider;
mod settings;
#[cfg(test)]
mod tests;

pub use access_rule::{Access, AccessRule, AccessRuleError, read_rules};
pub use code_exchange::SignInError;
pub use id_token::IdTokenFault;
pub use known_provider::ProviderUnavailable;
pub use person::Person;
pub use provider::{AuthorizationRequest, Provider, ReturnedCode};
pub use settings::{ClientSecret, OidcSettings, OidcSettingsError, SecretReader};

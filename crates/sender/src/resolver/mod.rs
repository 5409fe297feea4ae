//! The resolver: finds the addresses of a host name, as the operating system is configured to.
//!
//! `connector` asks the [`lookup_limiter`], which limits how many lookups run at once and shares them. Behind it,
//! [`system_resolver`] reads the hosts file and the name servers' addresses (`resolver_files`), reloads them when they
//! change, and keeps one [`configured_resolver`] for each version of them, which asks the name servers and caches what
//! they say. Whether an address may be connected to is for the address guard to decide.

pub(crate) mod configured_resolver;
pub(crate) mod lookup_cache;
pub(crate) mod lookup_errors;
pub(crate) mod lookup_limiter;
pub(crate) mod resolver_files;
pub(crate) mod resolver_trait;
pub(crate) mod system_resolver;
#[cfg(test)]
mod test_name_server;

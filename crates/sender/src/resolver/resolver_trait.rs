//! The resolver of names, and the guard's judgement of the addresses that it finds.
//!
//! A name may have a public address when it is checked, and a private one when it is connected to ("DNS rebinding"). So
//! it is looked up once for each connection: the client asks a [`Resolver`], the guard judges the answer, and the client
//! connects to those same addresses.
//!
//! A name that has both permitted and refused addresses is refused whole. Otherwise it would depend on chance to which
//! address the connection goes, and whether the webhook is sent.

use std::{io, net::IpAddr};

use futures_util::future::BoxFuture;

use crate::address_guard::{AddressGuard, AddressRefusal, Scheme};

/// Looks names up. A closure `Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>` is one too.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of `name`, best first. None at all means that the name has none. An error is a sentence's end
    /// after "the name … does not resolve:", or an error of the operating system.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

    /// The same where it is known without asking anybody.
    fn resolve_locally(&self, _name: &str) -> Option<io::Result<Vec<IpAddr>>> {
        None
    }
}

impl<F> Resolver for F
where
    F: Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync + 'static,
{
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self(name)
    }
}

/// Judges a name's addresses.
///
/// # Errors
///
/// The refusal of the first of them that may not be connected to.
pub(crate) fn permitted(
    guard: &AddressGuard,
    scheme: Scheme,
    addresses: &[IpAddr],
) -> Result<(), AddressRefusal> {
    addresses.iter().try_for_each(|address| guard.check(scheme, *address))
}

//! Names become addresses here, and nowhere else.
//!
//! A name that answers with a public address when it is checked and with a private one when it is connected to
//! ("DNS rebinding") defeats a guard that only looks first. So there is no looking first: the client asks a
//! [`Resolver`] once for each connection, the guard judges the answer, and the client connects to those very
//! addresses.
//!
//! A name that resolves to both permitted and refused addresses is refused whole: which of them the connection would
//! have gone to is a matter of luck, and a webhook that works by luck is not one to debug at night.

use std::{io, net::IpAddr};

use futures_util::future::BoxFuture;

use super::guard::{Guard, Refusal, Scheme};

/// Looks names up. A closure `Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>` is one too.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of `name`, best first. None at all means that the name has none. An error is a sentence's end
    /// after "the name … does not resolve:", or an error of the operating system.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

    /// The same where it is known without asking anybody.
    fn known(&self, _name: &str) -> Option<io::Result<Vec<IpAddr>>> {
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
pub(super) fn permitted(guard: &Guard, scheme: Scheme, addresses: &[IpAddr]) -> Result<(), Refusal> {
    addresses.iter().try_for_each(|address| guard.check(scheme, *address))
}

//! The interface of a resolver of names: the system's in a process, a scripted one in tests.

use std::{io, net::IpAddr};

use futures_util::future::BoxFuture;

/// Looks names up. A closure `Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>` is a resolver too.
pub(crate) trait Resolver: Send + Sync + 'static {
    /// The addresses of `name`, best first; none where the name has no address or does not exist.
    ///
    /// # Errors
    ///
    /// An error of the operating system where this machine lacks something, else the end of a sentence that begins
    /// "the name … does not resolve:".
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

    /// The result of [`Self::resolve`] where no name server must be asked for it.
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

//! Names become addresses here, and nowhere else.
//!
//! A name that answers with a public address when it is checked and with a private one when it is connected to
//! ("DNS rebinding") defeats a guard that only looks first. So there is no looking first: the HTTP client asks this
//! resolver once for each connection, the guard judges the answer, and the client connects to those very addresses.
//!
//! A name that resolves to both permitted and refused addresses is refused whole: which of them the connection would
//! have gone to is a matter of luck, and a webhook that works by luck is not one to debug at night.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt, Shared};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use super::guard::{Guard, Refusal, Scheme};

/// Looks names up. A closure `Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>` is one too.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of `name`, best first. None at all is the same as an error: the name does not resolve.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

impl<F> Resolver for F
where
    F: Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync + 'static,
{
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self(name)
    }
}

/// The resolver of the operating system (`getaddrinfo`), with its hosts file, search order and timeouts.
///
/// A look-up cannot be called off, and holds a thread until it is answered. So whoever asks for a name that is
/// being looked up shares that look-up: a name server that never answers holds one thread a name, not one a webhook.
#[derive(Debug, Clone, Default)]
pub struct SystemResolver {
    under_way: Arc<Mutex<HashMap<String, Lookup>>>,
}

type Lookup = Shared<BoxFuture<'static, Result<Vec<IpAddr>, Arc<io::Error>>>>;

impl SystemResolver {
    fn lookup(&self, name: String) -> Lookup {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lookup) = under_way.get(&name) {
            return lookup.clone();
        }
        let (all, asked) = (Arc::clone(&self.under_way), name.clone());
        let answer = tokio::spawn(async move {
            let found = tokio::net::lookup_host((asked.as_str(), 0)).await;
            all.lock().unwrap_or_else(PoisonError::into_inner).remove(&asked);
            found.map(|found| found.map(|address| address.ip()).collect())
        });
        let answer = answer.map(|answer| answer.unwrap_or_else(|error| Err(error.into())).map_err(Arc::new));
        let lookup = answer.boxed().shared();
        under_way.insert(name, lookup.clone());
        lookup
    }
}

impl Resolver for SystemResolver {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let shared = self.lookup(name);
        Box::pin(async move { shared.await.map_err(|error| io::Error::new(error.kind(), error.to_string())) })
    }
}

/// Why a name gave no address to connect to.
#[derive(Debug, Error)]
pub(super) enum LookupError {
    #[error("the name {0} does not resolve")]
    Unknown(String),
    #[error("the name {name} does not resolve: {}", reason(.error))]
    Failed { name: String, error: io::Error },
    #[error("the name {name} resolves to {refusal}")]
    Refused { name: String, refusal: Refusal },
}

/// What `getaddrinfo` says, without the introduction that the standard library puts before it.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.strip_prefix("failed to lookup address information: ") {
        Some(reason) => reason.to_owned(),
        None => text,
    }
}

/// The HTTP client's resolver: a [`Resolver`] whose every answer the guard has judged.
pub(super) struct Guarded {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) guard: Arc<Guard>,
    pub(super) scheme: Scheme,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let answer = self.resolver.resolve(name.clone());
        let (guard, scheme) = (Arc::clone(&self.guard), self.scheme);
        Box::pin(async move {
            let addresses = permitted(name, answer.await, &guard, scheme)?;
            // Port 0 means the port of the URL.
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

fn permitted(
    name: String,
    answer: io::Result<Vec<IpAddr>>,
    guard: &Guard,
    scheme: Scheme,
) -> Result<Vec<IpAddr>, LookupError> {
    let addresses = match answer {
        Ok(addresses) if addresses.is_empty() => return Err(LookupError::Unknown(name)),
        Ok(addresses) => addresses,
        Err(error) => return Err(LookupError::Failed { name, error }),
    };
    match addresses.iter().try_for_each(|address| guard.check(scheme, *address)) {
        Ok(()) => Ok(addresses),
        Err(refusal) => Err(LookupError::Refused { name, refusal }),
    }
}

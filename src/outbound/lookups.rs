//! Look-ups under way, and how many there may be.
//!
//! Whoever asks for a name that is being looked up shares that look-up, so a name has one at most. A tenant has
//! [`PER_TENANT`] at most, so that names of one tenant that are never answered leave room for those of others; in all
//! there are [`IN_ALL`], each of which may take two descriptors. Who waits for room waits within the time of its
//! request; what is known without asking needs none. A look-up that nobody waits for any more is called off.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::resolve::Resolver;
use crate::model::id::TenantId;

const PER_TENANT: usize = 16;
const IN_ALL: usize = 128;

type Found = Result<Vec<IpAddr>, Arc<io::Error>>;
type Lookup = BoxFuture<'static, Found>;

/// A [`Resolver`] behind bounds.
pub(super) struct Lookups {
    resolver: Arc<dyn Resolver>,
    in_all: Arc<Semaphore>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    under_way: HashMap<String, (u64, WeakShared<Lookup>)>,
    begun: u64,
    /// The room of each tenant that has look-ups under way.
    tenants: HashMap<TenantId, Arc<Semaphore>>,
}

impl Lookups {
    pub(super) fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self { resolver, in_all: Arc::new(Semaphore::new(IN_ALL)), state: Arc::default() }
    }

    fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses of a name, for a webhook of this tenant.
    pub(super) async fn addresses(&self, tenant: &TenantId, name: &str) -> Found {
        if let Some(known) = self.resolver.known(name) {
            return known.map_err(Arc::new);
        }
        let joined = Self::lock(&self.state).joined(name);
        if let Some(lookup) = joined {
            return lookup.await;
        }
        let room = Self::lock(&self.state).room(tenant);
        let (Ok(one), Ok(of_all)) =
            (room.acquire_owned().await, Arc::clone(&self.in_all).acquire_owned().await)
        else {
            return Err(Arc::new(io::Error::other("there is no room for the look-up")));
        };
        let place =
            Place { state: Arc::clone(&self.state), tenant: tenant.clone(), permits: Some((one, of_all)) };
        self.begin(name, place).await
    }

    /// Somebody else may have begun meanwhile.
    fn begin(&self, name: &str, place: Place) -> Shared<Lookup> {
        let mut state = Self::lock(&self.state);
        if let Some(lookup) = state.joined(name) {
            // The place must not be given back while this is locked.
            drop(state);
            return lookup;
        }
        let (resolving, name) = (self.resolver.resolve(name.to_owned()), name.to_owned());
        state.begun += 1;
        let id = state.begun;
        let under_way = UnderWay { name: name.clone(), id, place };
        let lookup = async move {
            let found = resolving.await.map_err(Arc::new);
            drop(under_way);
            found
        };
        let lookup = lookup.boxed().shared();
        if let Some(weak) = lookup.downgrade() {
            state.under_way.insert(name, (id, weak));
        }
        lookup
    }
}

impl State {
    fn joined(&self, name: &str) -> Option<Shared<Lookup>> {
        self.under_way.get(name)?.1.upgrade()
    }

    fn room(&mut self, tenant: &TenantId) -> Arc<Semaphore> {
        let room = self.tenants.entry(tenant.clone());
        Arc::clone(room.or_insert_with(|| Arc::new(Semaphore::new(PER_TENANT))))
    }
}

/// A look-up's share of the room, given back when this is dropped.
struct Place {
    state: Arc<Mutex<State>>,
    tenant: TenantId,
    permits: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permits.take();
        let mut state = Lookups::lock(&self.state);
        // Nobody else has it, and nobody can get it while this is locked.
        if state.tenants.get(&self.tenant).is_some_and(|room| Arc::strong_count(room) == 1) {
            state.tenants.remove(&self.tenant);
        }
    }
}

/// A look-up is known as long as this lives: until it has ended, or nobody waits for it.
struct UnderWay {
    name: String,
    id: u64,
    place: Place,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = Lookups::lock(&self.place.state);
        // Another may have begun after the last who waited went away.
        if state.under_way.get(&self.name).is_some_and(|(id, _)| *id == self.id) {
            state.under_way.remove(&self.name);
        }
    }
}

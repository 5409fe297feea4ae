//! Look-ups under way, and how many there may be.
//!
//! Whoever asks for a name that is being looked up shares that look-up, so a name has one at most. A tenant has
//! [`PER_TENANT`] at most, and in all there are [`IN_ALL`], each of which may take two descriptors. [`RESERVED`] of those
//! are for the first look-up of a tenant: tenants whose names are never answered leave room for those of others, however
//! many look-ups each of them has.
//!
//! Who waits for room waits within the time of its request; what is known without asking needs none. A look-up that
//! nobody waits for any more is called off.

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
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::resolver::resolver_trait::Resolver;
use loanhook_core::{model::id::TenantId, ports::NotSent};

const PER_TENANT: usize = 16;
const IN_ALL: usize = 128;
/// How many of all are for a tenant's first look-up alone.
const RESERVED: usize = 32;
const NO_ROOM: &str = "this machine has no room left for another look-up of a name";

type Found = Result<Vec<IpAddr>, Arc<io::Error>>;
type Lookup = BoxFuture<'static, Found>;

/// A [`Resolver`] behind bounds.
pub(crate) struct Lookups {
    resolver: Arc<dyn Resolver>,
    reserved: Arc<Semaphore>,
    shared: Arc<Semaphore>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    under_way: HashMap<String, (u64, WeakShared<Lookup>)>,
    begun: u64,
    /// The room of each tenant that has look-ups under way, or waits for room.
    tenants: HashMap<TenantId, Room>,
}

/// A tenant's room for look-ups.
struct Room {
    /// For one look-up, which may take what is reserved.
    first: Arc<Semaphore>,
    others: Arc<Semaphore>,
    /// How many have a look-up in it, or wait for that.
    places: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            first: Arc::new(Semaphore::new(1)),
            others: Arc::new(Semaphore::new(PER_TENANT - 1)),
            places: 0,
        }
    }
}

impl Lookups {
    pub(crate) fn new(resolver: Arc<dyn Resolver>) -> Self {
        let (reserved, shared) = (Semaphore::new(RESERVED), Semaphore::new(IN_ALL - RESERVED));
        Self { resolver, reserved: Arc::new(reserved), shared: Arc::new(shared), state: Arc::default() }
    }

    fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses of a name, for a webhook of this tenant. `lacking` says what is missing while there is no room for
    /// the look-up.
    pub(crate) async fn addresses(
        &self,
        tenant: &TenantId,
        name: &str,
        lacking: &mut Option<NotSent>,
    ) -> Found {
        if let Some(known) = self.resolver.known(name) {
            return known.map_err(Arc::new);
        }
        let joined = Self::lock(&self.state).joined(name);
        if let Some(lookup) = joined {
            return lookup.await;
        }
        *lacking = Some(NotSent(NO_ROOM.to_owned()));
        let place = self.place(tenant).await.map_err(|error| Arc::new(io::Error::other(error)))?;
        *lacking = None;
        self.begin(name, place).await
    }

    /// Waits for room for one look-up.
    async fn place(&self, tenant: &TenantId) -> Result<Place, AcquireError> {
        let (mut place, first, others) = Place::waiting(&self.state, tenant);
        let room = |of_tenant: Arc<Semaphore>, of_all: &Arc<Semaphore>| {
            let of_all = Arc::clone(of_all);
            async move { Ok((of_tenant.acquire_owned().await?, of_all.acquire_owned().await?)) }
        };
        let permits = tokio::select! {
            biased;
            permits = room(first, &self.reserved) => permits,
            permits = room(others, &self.shared) => permits,
        };
        place.permits = Some(permits?);
        Ok(place)
    }

    /// How many tenants are known here.
    #[cfg(test)]
    pub(crate) fn tenants(&self) -> usize {
        Self::lock(&self.state).tenants.len()
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
}

/// A look-up's share of the room, given back when this is dropped.
struct Place {
    state: Arc<Mutex<State>>,
    tenant: TenantId,
    /// Of the tenant, and of all; none while they are waited for.
    permits: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl Place {
    /// A place that has no room yet, and where that is to be had: for the tenant's first look-up, and for others.
    fn waiting(state: &Arc<Mutex<State>>, tenant: &TenantId) -> (Self, Arc<Semaphore>, Arc<Semaphore>) {
        let mut locked = Lookups::lock(state);
        let room = locked.tenants.entry(tenant.clone()).or_default();
        room.places += 1;
        let (first, others) = (Arc::clone(&room.first), Arc::clone(&room.others));
        (Self { state: Arc::clone(state), tenant: tenant.clone(), permits: None }, first, others)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permits.take();
        let mut state = Lookups::lock(&self.state);
        if let Some(room) = state.tenants.get_mut(&self.tenant) {
            room.places -= 1;
            if room.places == 0 {
                state.tenants.remove(&self.tenant);
            }
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

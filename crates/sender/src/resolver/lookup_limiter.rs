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

const MAX_LOOKUPS_PER_TENANT: usize = 16;
const MAX_LOOKUPS: usize = 128;
/// How many of all are for a tenant's first look-up alone.
const RESERVED_FIRST_LOOKUPS: usize = 32;
const NO_PERMIT_DETAIL: &str = "this machine has no room left for another look-up of a name";

type LookupResult = Result<Vec<IpAddr>, Arc<io::Error>>;
type Lookup = BoxFuture<'static, LookupResult>;

/// A [`Resolver`] behind bounds.
pub(crate) struct LookupLimiter {
    resolver: Arc<dyn Resolver>,
    reserved_permits: Arc<Semaphore>,
    shared_permits: Arc<Semaphore>,
    state: Arc<Mutex<LimiterState>>,
}

#[derive(Default)]
struct LimiterState {
    in_flight: HashMap<String, (u64, WeakShared<Lookup>)>,
    started_count: u64,
    /// The room of each tenant that has look-ups under way, or waits for room.
    tenants: HashMap<TenantId, TenantPermits>,
}

/// A tenant's room for look-ups.
struct TenantPermits {
    /// For one look-up, which may take what is reserved.
    first: Arc<Semaphore>,
    others: Arc<Semaphore>,
    /// How many have a look-up in it, or wait for that.
    users: usize,
}

impl Default for TenantPermits {
    fn default() -> Self {
        Self {
            first: Arc::new(Semaphore::new(1)),
            others: Arc::new(Semaphore::new(MAX_LOOKUPS_PER_TENANT - 1)),
            users: 0,
        }
    }
}

impl LookupLimiter {
    pub(crate) fn new(resolver: Arc<dyn Resolver>) -> Self {
        let (reserved, shared) =
            (Semaphore::new(RESERVED_FIRST_LOOKUPS), Semaphore::new(MAX_LOOKUPS - RESERVED_FIRST_LOOKUPS));
        Self {
            resolver,
            reserved_permits: Arc::new(reserved),
            shared_permits: Arc::new(shared),
            state: Arc::default(),
        }
    }

    fn lock(state: &Mutex<LimiterState>) -> MutexGuard<'_, LimiterState> {
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses of a name, for a webhook of this tenant. `lacking` says what is missing while there is no room for
    /// the look-up.
    pub(crate) async fn addresses(
        &self,
        tenant: &TenantId,
        name: &str,
        lacking: &mut Option<NotSent>,
    ) -> LookupResult {
        if let Some(known) = self.resolver.resolve_locally(name) {
            return known.map_err(Arc::new);
        }
        let joined = Self::lock(&self.state).join_in_flight(name);
        if let Some(lookup) = joined {
            return lookup.await;
        }
        *lacking = Some(NotSent(NO_PERMIT_DETAIL.to_owned()));
        let place = self.acquire_permit(tenant).await.map_err(|error| Arc::new(io::Error::other(error)))?;
        *lacking = None;
        self.start_lookup(name, place).await
    }

    /// Waits for room for one look-up.
    async fn acquire_permit(&self, tenant: &TenantId) -> Result<LookupPermit, AcquireError> {
        let (mut place, first, others) = LookupPermit::waiting(&self.state, tenant);
        let room = |of_tenant: Arc<Semaphore>, of_all: &Arc<Semaphore>| {
            let of_all = Arc::clone(of_all);
            async move { Ok((of_tenant.acquire_owned().await?, of_all.acquire_owned().await?)) }
        };
        let permits = tokio::select! {
            biased;
            permits = room(first, &self.reserved_permits) => permits,
            permits = room(others, &self.shared_permits) => permits,
        };
        place.permits = Some(permits?);
        Ok(place)
    }

    /// How many tenants are known here.
    #[cfg(test)]
    pub(crate) fn tenant_count(&self) -> usize {
        Self::lock(&self.state).tenants.len()
    }

    /// Somebody else may have begun meanwhile.
    fn start_lookup(&self, name: &str, place: LookupPermit) -> Shared<Lookup> {
        let mut state = Self::lock(&self.state);
        if let Some(lookup) = state.join_in_flight(name) {
            // The place must not be given back while this is locked.
            drop(state);
            return lookup;
        }
        let (resolving, name) = (self.resolver.resolve(name.to_owned()), name.to_owned());
        state.started_count += 1;
        let id = state.started_count;
        let under_way = InFlightLookup { name: name.clone(), id, place };
        let lookup = async move {
            let found = resolving.await.map_err(Arc::new);
            drop(under_way);
            found
        };
        let lookup = lookup.boxed().shared();
        if let Some(weak) = lookup.downgrade() {
            state.in_flight.insert(name, (id, weak));
        }
        lookup
    }
}

impl LimiterState {
    fn join_in_flight(&self, name: &str) -> Option<Shared<Lookup>> {
        self.in_flight.get(name)?.1.upgrade()
    }
}

/// A look-up's share of the room, given back when this is dropped.
struct LookupPermit {
    state: Arc<Mutex<LimiterState>>,
    tenant: TenantId,
    /// Of the tenant, and of all; none while they are waited for.
    permits: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl LookupPermit {
    /// A place that has no room yet, and where that is to be had: for the tenant's first look-up, and for others.
    fn waiting(
        state: &Arc<Mutex<LimiterState>>,
        tenant: &TenantId,
    ) -> (Self, Arc<Semaphore>, Arc<Semaphore>) {
        let mut locked = LookupLimiter::lock(state);
        let room = locked.tenants.entry(tenant.clone()).or_default();
        room.users += 1;
        let (first, others) = (Arc::clone(&room.first), Arc::clone(&room.others));
        (Self { state: Arc::clone(state), tenant: tenant.clone(), permits: None }, first, others)
    }
}

impl Drop for LookupPermit {
    fn drop(&mut self) {
        self.permits.take();
        let mut state = LookupLimiter::lock(&self.state);
        if let Some(room) = state.tenants.get_mut(&self.tenant) {
            room.users -= 1;
            if room.users == 0 {
                state.tenants.remove(&self.tenant);
            }
        }
    }
}

/// A look-up is known as long as this lives: until it has ended, or nobody waits for it.
struct InFlightLookup {
    name: String,
    id: u64,
    place: LookupPermit,
}

impl Drop for InFlightLookup {
    fn drop(&mut self) {
        let mut state = LookupLimiter::lock(&self.place.state);
        // Another may have begun after the last who waited went away.
        if state.in_flight.get(&self.name).is_some_and(|(id, _)| *id == self.id) {
            state.in_flight.remove(&self.name);
        }
    }
}

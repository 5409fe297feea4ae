//! The limiter of name lookups: how many run at once, and for whom.
//!
//! Whoever asks for a name that is being looked up shares that lookup, so one runs for each name at most. A tenant has
//! at most [`MAX_LOOKUPS_PER_TENANT`], and there are at most [`MAX_LOOKUPS`], each of which may take two file descriptors.
//! [`RESERVED_FIRST_LOOKUPS`] of those are for the first lookup of a tenant. So tenants whose names never get an answer
//! leave room for those of others, however many lookups each of them has.
//!
//! Waiting for a permit counts in the timeout of the request. What the resolver knows locally needs no permit. A lookup
//! that nobody waits for any more is dropped.

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
/// How many of all are for a tenant's first lookup alone.
const RESERVED_FIRST_LOOKUPS: usize = 32;
const NO_PERMIT_DETAIL: &str = "this machine has no room left for another look-up of a name";

/// Shared by all who wait for a lookup, hence the `Arc`. Without an address, the name has none or does not exist.
type LookupResult = Result<Vec<IpAddr>, Arc<io::Error>>;
type Lookup = BoxFuture<'static, LookupResult>;

/// A [`Resolver`] with limits.
pub(crate) struct LookupLimiter {
    resolver: Arc<dyn Resolver>,
    reserved_permits: Arc<Semaphore>,
    shared_permits: Arc<Semaphore>,
    state: Arc<Mutex<LimiterState>>,
}

#[derive(Default)]
struct LimiterState {
    /// By name, each with its number.
    in_flight: HashMap<String, (u64, WeakShared<Lookup>)>,
    started_count: u64,
    /// Of each tenant that has lookups in flight, or waits for a permit.
    tenants: HashMap<TenantId, TenantPermits>,
}

struct TenantPermits {
    /// For one lookup, which may use a reserved permit.
    first: Arc<Semaphore>,
    others: Arc<Semaphore>,
    /// How many [`LookupPermit`]s there are of this tenant.
    user_count: usize,
}

impl Default for TenantPermits {
    fn default() -> Self {
        Self {
            first: Arc::new(Semaphore::new(1)),
            others: Arc::new(Semaphore::new(MAX_LOOKUPS_PER_TENANT - 1)),
            user_count: 0,
        }
    }
}

impl LookupLimiter {
    pub(crate) fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self {
            resolver,
            reserved_permits: Arc::new(Semaphore::new(RESERVED_FIRST_LOOKUPS)),
            shared_permits: Arc::new(Semaphore::new(MAX_LOOKUPS - RESERVED_FIRST_LOOKUPS)),
            state: Arc::default(),
        }
    }

    /// The addresses of a name, for a webhook of this tenant. While it waits for a permit, `missing_resource` says so:
    /// a request whose timeout ends then was not sent, and no name server is to blame.
    ///
    /// # Errors
    ///
    /// Those of [`Resolver::resolve`].
    pub(crate) async fn addresses(
        &self,
        tenant: &TenantId,
        name: &str,
        missing_resource: &mut Option<NotSent>,
    ) -> LookupResult {
        if let Some(known) = self.resolver.resolve_locally(name) {
            return known.map_err(Arc::new);
        }
        let in_flight = lock(&self.state).join_in_flight(name);
        if let Some(lookup) = in_flight {
            return lookup.await;
        }
        *missing_resource = Some(NotSent(NO_PERMIT_DETAIL.to_owned()));
        let permit = self.acquire_permit(tenant).await.map_err(|error| Arc::new(io::Error::other(error)))?;
        *missing_resource = None;
        self.start_lookup(name, permit).await
    }

    /// Waits for a permit for one lookup: a reserved one if it is the tenant's first, or a shared one.
    async fn acquire_permit(&self, tenant: &TenantId) -> Result<LookupPermit, AcquireError> {
        let (mut permit, first, others) = LookupPermit::waiting(&self.state, tenant);
        let acquire = |of_tenant: Arc<Semaphore>, of_all: &Arc<Semaphore>| {
            let of_all = Arc::clone(of_all);
            async move { Ok((of_tenant.acquire_owned().await?, of_all.acquire_owned().await?)) }
        };
        let acquired = tokio::select! {
            biased;
            acquired = acquire(first, &self.reserved_permits) => acquired,
            acquired = acquire(others, &self.shared_permits) => acquired,
        };
        permit.acquired = Some(acquired?);
        Ok(permit)
    }

    /// Starts a lookup, unless another caller has started one for this name meanwhile.
    fn start_lookup(&self, name: &str, permit: LookupPermit) -> Shared<Lookup> {
        let mut state = lock(&self.state);
        if let Some(lookup) = state.join_in_flight(name) {
            // Dropping the permit locks the state again.
            drop(state);
            return lookup;
        }
        let (resolving, name) = (self.resolver.resolve(name.to_owned()), name.to_owned());
        state.started_count += 1;
        let number = state.started_count;
        let in_flight = InFlightLookup { name: name.clone(), number, permit };
        let lookup = async move {
            let result = resolving.await.map_err(Arc::new);
            drop(in_flight);
            result
        };
        let lookup = lookup.boxed().shared();
        if let Some(weak) = lookup.downgrade() {
            state.in_flight.insert(name, (number, weak));
        }
        lookup
    }

    /// How many tenants have lookups in flight, or wait for a permit.
    #[cfg(test)]
    pub(crate) fn tenant_count(&self) -> usize {
        lock(&self.state).tenants.len()
    }
}

fn lock(state: &Mutex<LimiterState>) -> MutexGuard<'_, LimiterState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LimiterState {
    fn join_in_flight(&self, name: &str) -> Option<Shared<Lookup>> {
        self.in_flight.get(name)?.1.upgrade()
    }
}

/// The permit for one lookup, or the wait for it. Given back when this is dropped.
struct LookupPermit {
    state: Arc<Mutex<LimiterState>>,
    tenant: TenantId,
    /// The tenant's permit and one of all; none while they are waited for.
    acquired: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl LookupPermit {
    /// A permit that is still to be acquired, and the tenant's semaphores: for the first lookup, and for the others.
    fn waiting(
        state: &Arc<Mutex<LimiterState>>,
        tenant: &TenantId,
    ) -> (Self, Arc<Semaphore>, Arc<Semaphore>) {
        let mut locked = lock(state);
        let permits = locked.tenants.entry(tenant.clone()).or_default();
        permits.user_count += 1;
        let (first, others) = (Arc::clone(&permits.first), Arc::clone(&permits.others));
        (Self { state: Arc::clone(state), tenant: tenant.clone(), acquired: None }, first, others)
    }
}

impl Drop for LookupPermit {
    fn drop(&mut self) {
        self.acquired.take();
        let mut state = lock(&self.state);
        if let Some(permits) = state.tenants.get_mut(&self.tenant) {
            permits.user_count -= 1;
            if permits.user_count == 0 {
                state.tenants.remove(&self.tenant);
            }
        }
    }
}

/// The registration of a lookup as in flight. It is dropped when the lookup has ended, or when nobody waits for it.
struct InFlightLookup {
    name: String,
    number: u64,
    permit: LookupPermit,
}

impl Drop for InFlightLookup {
    fn drop(&mut self) {
        let mut state = lock(&self.permit.state);
        // Another lookup of the name may have started since nobody waits for this one.
        if state.in_flight.get(&self.name).is_some_and(|(number, _)| *number == self.number) {
            state.in_flight.remove(&self.name);
        }
    }
}

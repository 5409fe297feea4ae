//! Permits of memory for the bodies of authenticated callers, over all requests of this process.
//!
//! Memory is reserved before a body is read, for as many bytes as its headers say, and freed once the request is
//! answered. A request waits a few seconds for it, and is then refused as busy. A tenant has at most half of the
//! memory, so that a tenant whose bodies arrive slowly leaves some to others.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use loanhook_core::model::id::TenantId;

/// The unit in which memory is reserved, in bytes.
const UNIT_BYTES: usize = 1024;
/// The memory of this process for bodies, in units: 64 MiB.
const TOTAL_UNITS: usize = 64 * 1024;
/// The time that a request waits for memory.
const MAX_WAIT: Duration = Duration::from_secs(5);

static MEMORY: LazyLock<BodyMemory> = LazyLock::new(|| BodyMemory::new(TOTAL_UNITS, MAX_WAIT));

/// Reserves memory for so many bytes, at most the tenant's share of it; none where there is none in time.
pub(crate) async fn reserve(tenant: &TenantId, bytes: usize) -> Option<MemoryPermit<'static>> {
    MEMORY.reserve(tenant, bytes.div_ceil(UNIT_BYTES)).await
}

#[derive(Debug)]
struct BodyMemory {
    free_units: Arc<Semaphore>,
    units_per_tenant: usize,
    max_wait: Duration,
    /// The free units of each tenant that has reserved some, or waits for some.
    tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
}

impl BodyMemory {
    fn new(units: usize, patience: Duration) -> Self {
        let in_all = Arc::new(Semaphore::new(units));
        Self {
            free_units: in_all,
            units_per_tenant: units / 2,
            max_wait: patience,
            tenants: Mutex::default(),
        }
    }

    fn tenants(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<Semaphore>>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn reserve(&self, tenant: &TenantId, units: usize) -> Option<MemoryPermit<'_>> {
        let units = u32::try_from(units.min(self.units_per_tenant)).unwrap_or(u32::MAX);
        let mut reserved = MemoryPermit { memory: self, tenant: tenant.clone(), permits: None };
        let tenant_units = {
            let mut tenants = self.tenants();
            let tenant_units = tenants.entry(tenant.clone());
            Arc::clone(tenant_units.or_insert_with(|| Arc::new(Semaphore::new(self.units_per_tenant))))
        };
        // First the tenant's own: a request that waits for those holds nothing that others need.
        let both = async {
            let own = tenant_units.acquire_many_owned(units).await.ok()?;
            let of_all = Arc::clone(&self.free_units).acquire_many_owned(units).await.ok()?;
            Some((own, of_all))
        };
        reserved.permits = Some(timeout(self.max_wait, both).await.ok()??);
        Some(reserved)
    }
}

/// Memory that is reserved for a body, until this is dropped.
#[derive(Debug)]
pub(crate) struct MemoryPermit<'a> {
    memory: &'a BodyMemory,
    tenant: TenantId,
    permits: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl Drop for MemoryPermit<'_> {
    fn drop(&mut self) {
        self.permits.take();
        let mut tenants = self.memory.tenants();
        // No other request has it, and none can get it while the table is locked.
        if tenants.get(&self.tenant).is_some_and(|tenant_units| Arc::strong_count(tenant_units) == 1) {
            tenants.remove(&self.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::try_from(name.to_owned()).expect("a tenant")
    }

    #[tokio::test]
    async fn a_tenant_has_half_of_the_memory_and_leaves_the_rest_to_others() {
        let memory = BodyMemory::new(8, Duration::from_millis(10));
        let (first, second, third) = (tenant("first"), tenant("second"), tenant("third"));
        let taken = memory.reserve(&first, 4).await.expect("room");
        assert!(memory.reserve(&first, 1).await.is_none());
        let more = memory.reserve(&second, 100).await.expect("no more than its half is asked for");
        assert!(memory.reserve(&third, 1).await.is_none());
        drop(taken);
        assert!(memory.reserve(&third, 1).await.is_some() && memory.reserve(&first, 4).await.is_some());
        drop(more);
        assert!(memory.tenants().is_empty(), "a tenant without reservations is not remembered");
    }

    #[tokio::test]
    async fn a_request_that_waits_gets_memory_as_soon_as_some_is_free() {
        let memory = BodyMemory::new(8, Duration::from_secs(60));
        let first = tenant("first");
        let taken = memory.reserve(&first, 4).await.expect("room");
        let give_back = async { drop(taken) };
        let (waited, ()) = tokio::join!(memory.reserve(&first, 4), give_back);
        assert!(waited.is_some());
    }
}

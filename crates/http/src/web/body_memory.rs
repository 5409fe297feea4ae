//! Memory for bodies of known callers: how much of it all requests of this process may take until they are answered.
//!
//! Room is reserved before a body is read, for as many bytes as it says it has, and given back once the request is
//! answered. Who finds none waits a little, and is refused as busy where that takes too long. A tenant has half of it
//! at most, so that one whose bodies come slowly leaves room for others.

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
/// How long room is waited for.
const MAX_WAIT: Duration = Duration::from_secs(5);

static MEMORY: LazyLock<BodyMemory> = LazyLock::new(|| BodyMemory::new(TOTAL_UNITS, MAX_WAIT));

/// Reserves room for so many bytes; none where there is none in time.
pub(crate) async fn reserve(tenant: &TenantId, bytes: usize) -> Option<MemoryPermit<'static>> {
    MEMORY.reserve(tenant, bytes.div_ceil(UNIT_BYTES)).await
}

#[derive(Debug)]
struct BodyMemory {
    free_units: Arc<Semaphore>,
    units_per_tenant: usize,
    max_wait: Duration,
    /// The room of each tenant that has reserved some of it, or waits for it.
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
        let room = {
            let mut tenants = self.tenants();
            let room = tenants.entry(tenant.clone());
            Arc::clone(room.or_insert_with(|| Arc::new(Semaphore::new(self.units_per_tenant))))
        };
        // First the tenant's own: who waits for that holds nothing of what others need.
        let both = async {
            let own = room.acquire_many_owned(units).await.ok()?;
            let of_all = Arc::clone(&self.free_units).acquire_many_owned(units).await.ok()?;
            Some((own, of_all))
        };
        reserved.permits = Some(timeout(self.max_wait, both).await.ok()??);
        Some(reserved)
    }
}

/// Room for a body, until this is dropped.
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
        // Nobody else has it, and nobody can get it while this is locked.
        if tenants.get(&self.tenant).is_some_and(|room| Arc::strong_count(room) == 1) {
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
        assert!(memory.tenants().is_empty(), "who has reserved nothing is not remembered");
    }

    #[tokio::test]
    async fn who_waits_has_room_as_soon_as_there_is_some() {
        let memory = BodyMemory::new(8, Duration::from_secs(60));
        let first = tenant("first");
        let taken = memory.reserve(&first, 4).await.expect("room");
        let give_back = async { drop(taken) };
        let (waited, ()) = tokio::join!(memory.reserve(&first, 4), give_back);
        assert!(waited.is_some());
    }
}

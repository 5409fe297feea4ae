//! Holds by hand of a run: clients hold and release webhooks, and at the end of a run all are released.

use loanhook_core::holds;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::Subscriptions as _;

use crate::Simulation;

/// The name of the key that holds.
const HELD_BY: &str = "Servicing";

/// Holds one of the webhooks of a tenant.
pub(crate) async fn hold(simulation: Simulation, tenant: TenantId, choice: usize) {
    let Some(id) = chosen(&simulation, &tenant, choice).await else { return };
    let held = holds::hold(&simulation.store, &tenant, id, HELD_BY, Timestamp::now()).await;
    simulation.world.trace(|_| match held {
        Ok((of, _)) => format!("answers: {} is held", of.settings.title),
        Err(error) => format!("answers: {error}"),
    });
}

/// Releases one of the webhooks of a tenant, whether it is held or not.
pub(crate) async fn release(simulation: Simulation, tenant: TenantId, choice: usize) {
    if let Some(id) = chosen(&simulation, &tenant, choice).await {
        release_one(&simulation, &tenant, id).await;
    }
}

/// Releases every webhook that is held by hand.
pub(crate) async fn release_all(simulation: &Simulation) {
    let held: Vec<_> = {
        let state = simulation.memory.state();
        let by_hand = state.flow_states.iter().filter(|(_, flow)| {
            let hold = flow.hold.as_ref();
            hold.is_some_and(|hold| !hold.is_automatic())
        });
        by_hand.map(|(of, _)| of.clone()).collect()
    };
    for (tenant, id) in held {
        release_one(simulation, &tenant, id).await;
    }
}

async fn release_one(simulation: &Simulation, tenant: &TenantId, id: SubscriptionId) {
    let released = holds::release(&simulation.store, tenant, id, Timestamp::now()).await;
    simulation.world.trace(|_| match released {
        Ok((of, _)) => format!("answers: {} is released", of.settings.title),
        Err(error) => format!("answers: {error}"),
    });
}

async fn chosen(simulation: &Simulation, tenant: &TenantId, choice: usize) -> Option<SubscriptionId> {
    let subscriptions = simulation.store.subscriptions(tenant).await.ok()?;
    subscriptions.get(choice % subscriptions.len().max(1)).map(|subscription| subscription.id)
}

//! What the cases of operational events have in common, and what the tests of an engine need of it.

use loanhook_core::model::id::TenantId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    ClaimOutcome, Deliveries as _, FlowControl as _, StoreResult, Subscriptions as _,
};
use uuid::Uuid;

use crate::delivery_list::FAILED;
use crate::engine::Engine;
use crate::operational_facts::observer;
use crate::scene::{SECOND, START, accept, attempt_message, ended, subscription};

/// A subscription of this tenant whose attempts fail four times, each the only one of its delivery, and which is then held; with an
/// observer, or with none.
pub async fn fail_and_hold<E: Engine>(engine: &E, of: &TenantId, is_observed: bool) -> StoreResult<()> {
    let core = subscription(of, "Core", &[], START);
    let observer = Subscription { tenant: of.clone(), ..observer() };
    for one in [Some(&core), Some(&observer).filter(|_| is_observed)].into_iter().flatten() {
        assert!(engine.ports().create(one.clone(), 10).await?);
    }
    fail_four_times(engine, &core, START + SECOND).await?;
    assert!(engine.ports().hold(of, core.id, "Night shift", START + 60 * SECOND).await?);
    engine.count().await;
    Ok(())
}

/// Four deliveries of a subscription without retries, of which each fails.
pub async fn fail_four_times<E: Engine>(engine: &E, core: &Subscription, from: Timestamp) -> StoreResult<()> {
    for number in 0..4 {
        let (token, due) = (Uuid::new_v4(), from + number * SECOND);
        let message = attempt_message(&accept(engine, core, "727", due).await?, 1, due);
        let ClaimOutcome::Claimed(claimed) = engine.ports().claim(&message, 1, token, due).await? else {
            panic!("the claim was lost")
        };
        let row = ended(claimed.1, FAILED, due + SECOND);
        assert!(engine.ports().complete(&claimed.0, token, row, None).await?);
    }
    Ok(())
}

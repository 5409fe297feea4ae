//! Events of the outbox that cannot be taken in: they stay, and hold up no other, though they are more than are read at once.

use loanhook_contract::engine::Engine as _;
use loanhook_contract::operational_facts::observer;
use loanhook_contract::scene::{SECOND, START, subscription, tenant};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::operational;
use loanhook_core::ports::{FlowControl as _, OperationalEvents as _, Subscriptions as _};

use super::OnDisk;

const STUCK: usize = 1_500;

#[test]
fn events_that_cannot_be_taken_in_hold_up_no_other() {
    loanhook_contract::run(async {
        let engine = OnDisk::fresh().await;
        for name in ["stuck", "acme"] {
            let (tenant, core) = (tenant(name), subscription(&tenant(name), "Core", &[], START));
            for one in [core.clone(), Subscription { tenant: tenant.clone(), ..observer() }] {
                assert!(engine.ports().create(one, 10).await?);
            }
            assert!(engine.ports().hold(&tenant, core.id, "Night shift", START + SECOND).await?);
            if name == "stuck" {
                let copy = "WITH RECURSIVE other(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM other WHERE n < ?1)
                    INSERT INTO outbox (id, tenant, doc) SELECT randomblob(16), tenant, doc FROM outbox, other";
                engine.file().execute(copy, [STUCK]).expect("copied");
                let damage = "UPDATE outbox SET doc = json_set(doc, '$.context', 'no JSON')";
                assert_eq!(engine.file().execute(damage, []).expect("damaged"), STUCK);
            }
        }
        let left = engine.ports().outbox(2 * STUCK, None).await?.events;
        assert_eq!(left.len(), STUCK + 1);
        let failed = operational::advance(engine.ports(), START + 2 * SECOND).await?.failed;
        let failed = failed.expect("events that failed");
        assert_eq!((failed.count, &failed.tenant), (STUCK, &tenant("stuck")));
        let left = engine.ports().outbox(2 * STUCK, None).await?.events;
        assert_eq!(left.len(), STUCK, "the one of the other tenant was taken in");
        assert!(left.iter().all(|event| event.tenant == tenant("stuck")));
        Ok(())
    });
}

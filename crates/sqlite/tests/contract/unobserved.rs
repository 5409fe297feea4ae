//! A tenant without a subscription to operational events: nothing is stored of it.

use loanhook_contract::engine::Engine as _;
use loanhook_contract::operational_scene::fail_and_hold;
use loanhook_contract::scene::tenant;

use super::OnDisk;

#[test]
fn nothing_is_stored_of_a_tenant_that_nobody_observes() {
    loanhook_contract::run(async {
        let engine = OnDisk::fresh().await;
        let count = |table: &str| {
            let count = format!("SELECT count(*) FROM {table}");
            engine.file().query_row(&count, [], |row| row.get::<_, u32>(0)).expect("a count")
        };
        for (name, is_observed, expected) in [("unseen", false, (0, 0)), ("acme", true, (1, 2))] {
            fail_and_hold(&engine, &tenant(name), is_observed).await?;
            assert_eq!((count("operational_states"), count("outbox")), expected, "{name}");
        }
        Ok(())
    });
}

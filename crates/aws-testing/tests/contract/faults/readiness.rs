//! Readiness: whether the table takes writes, found out by one.

use loanhook_aws_testing::fault_proxy::BROKEN;
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::tenant;
use loanhook_core::ports::{Health as _, Keys as _, NotReady};

#[test]
fn an_engine_is_ready_where_the_table_takes_writes() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        let ask = async || engine.another(|_| ()).readiness().await;
        // Another instance may have written a moment ago: then this one is refused, and ready too.
        for _ in 0..2 {
            assert_eq!(ask().await, Ok(()));
            assert_eq!(engine.proxy.take_call_names(), ["UpdateItem R"]);
        }
        engine.proxy.fault_from("UpdateItem R", 1, BROKEN);
        assert_eq!(ask().await, Err(NotReady::Failed), "though it can be read");
        assert_eq!(engine.ports().keys(&tenant("acme"), None, 1).await?, []);
        Ok(())
    });
}

//! The calls to AWS of a long delay and of the sweep, counted in the SDK clients: these are numbers of `docs/cost.md`.

use std::time::Instant;

use loanhook_aws::sweep::{SHARDS, Sweep};
use loanhook_aws_testing::{AwsEngine, CountedEngine};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{LEASE, SECOND, accept, subscription, tenant};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreResult, Subscriptions as _};

/// The shard that is swept: one of all, so that the first sweep of a table, which looks back an hour, is short.
const SHARD: u8 = 3;

fn run(case: impl Future<Output = StoreResult<()>>) {
    loanhook_contract::run_on::<AwsEngine>(case);
}

#[test]
fn a_failed_attempt_whose_retry_is_due_in_an_hour_sends_no_message() {
    run(async {
        let aws = AwsEngine::fresh().await;
        let webhook = subscription(&tenant("acme"), "Core banking", &[3600], Timestamp::now());
        assert!(aws.ports().create(webhook.clone(), 200).await?);
        accept(&aws, &webhook, "727", Timestamp::now()).await?;
        let function = CountedEngine::new(&aws);
        let (store, sender) = (function.engine.clone(), Scripted::always(500));
        let deliver = Deliver { store, sender, lease: Some(LEASE), deadline: None };
        deliver.handle(aws.receive().await, Timestamp::now()).await?;
        // Cold: the query is that of the secrets.
        function.assert_calls_and_data_key([
            ("DynamoDB.GetItem", 1),
            ("DynamoDB.UpdateItem", 3),
            ("DynamoDB.PutItem", 1),
            ("DynamoDB.Query", 1),
        ]);
        Ok(())
    });
}

#[test]
fn a_sweep_with_nothing_due() {
    run(async {
        let aws = AwsEngine::fresh().await;
        let function = CountedEngine::new(&aws);
        let sweep = Sweep { engine: function.engine.clone(), lease: LEASE, shards: SHARD..SHARD + 1 };
        // Its minutes are those in which no cursor is put in between, as every tenth minute one is.
        let now = Timestamp::from_millis(59_847_605 * 30_000);
        let end = || Instant::now() + 60 * SECOND;
        aws.put_sweep_cursors(SHARD..SHARD + 1, now).await;
        for minute in 0..2 {
            sweep.run(now + minute * 60 * SECOND, end()).await?;
        }
        function.forget_calls();
        sweep.run(now + 120 * SECOND, end()).await?;
        // The cursors, and of each shard two buckets to hand over and two of each kind to look at.
        function.assert_calls([("DynamoDB.Query", 1 + 2 + 4), ("DynamoDB.UpdateItem", 1)]);
        // Where the first shard is swept, jobs and subscriptions are woken, by a query of their turns each. For metrics these turns are
        // read again, and the ordered loans of which something waits: twelve half minutes of eight shards.
        aws.put_sweep_cursors(0..1, now).await;
        let first = Sweep { shards: 0..1, ..sweep };
        for minute in 0..3 {
            function.forget_calls();
            first.run(now + minute * 60 * SECOND, end()).await?;
        }
        let (woken, metrics) = (2, 2 + 12 * 8);
        function.assert_calls([("DynamoDB.Query", 1 + 2 + 4 + woken + metrics), ("DynamoDB.UpdateItem", 1)]);
        let all = 1 + u32::from(SHARDS) * (2 + 4) + woken + metrics;
        assert_eq!((all, SHARDS), (485, 64), "queries and writes of all shards");
        Ok(())
    });
}

//! The calls to AWS of reports and of their counting, counted in the SDK clients: these are numbers of `docs/cost.md`.

use std::time::{Duration, Instant};

use loanhook_aws::Added;
use loanhook_aws_testing::CountedEngine;
use loanhook_contract::engine::Engine;
use loanhook_core::operational;

use super::call_counts::{delivery_function, history_function, now, post, run, tenant_with_subscriptions};

const GET: &str = "DynamoDB.GetItem";
const QUERY: &str = "DynamoDB.Query";
const TRANSACT: &str = "DynamoDB.TransactWriteItems";
const DESCRIBE: &str = "DynamoDB Streams.DescribeStream";
const POSITION: &str = "DynamoDB Streams.GetShardIterator";
const READ: &str = "DynamoDB Streams.GetRecords";

#[test]
fn counting_and_reading_a_report() {
    run(async {
        let (aws, http, _) = tenant_with_subscriptions(10).await?;
        for _ in 0..2 {
            post(&http, "").await;
        }
        let (_, deliver) = delivery_function(&aws, &[]);
        for message in aws.drain().await {
            deliver.handle(message, now()).await?;
        }
        let function = CountedEngine::new(&aws);
        let end = || Instant::now() + Duration::from_secs(60);
        let counted = function.engine.count_changes(end(), &mut Added::default()).await?;
        assert!(counted.records >= 2 + 20 * 5, "{counted:?}");
        // One shard, whose records are one page, in one transaction however many webhooks there were.
        // What is told of them costs nothing where nothing failed: the second query is for who fails.
        function.assert_calls([(QUERY, 2), (DESCRIBE, 1), (POSITION, 1), (READ, 5), (TRANSACT, 1)]);
        function.engine.count_changes(end(), &mut Added::default()).await?;
        function.assert_calls([(QUERY, 2), (DESCRIBE, 1), (POSITION, 1), (READ, 4)]);
        // The first looks at the tenant, whose subscriptions are new.
        operational::advance(&function.engine, now()).await?;
        function.forget_calls();
        operational::advance(&function.engine, now()).await?;
        function.assert_calls([(QUERY, 3)]);

        let (function, http) = history_function(&aws).await;
        let (_, report) = http.get("/v1/reports/deliveries?by=day").await;
        assert_eq!(report["items"][0]["succeededFirst"], 20, "{report}");
        // A week may lie in two partitions of days.
        let queries = function.take_calls();
        assert_eq!(queries.get(GET), Some(&2));
        assert!(matches!(queries.get(QUERY), Some(1 | 2)), "{queries:?}");
        let day = "from=2026-11-28T00:00:00Z&to=2026-11-29T00:00:00Z";
        assert_eq!(http.get(&format!("/v1/reports/deliveries?{day}")).await.0, 200);
        function.assert_calls([(GET, 2), (QUERY, 1)]);
        Ok(())
    });
}

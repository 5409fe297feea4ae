//! The calls to AWS of reads of the history and the ledger, counted as those of [`call_counts`](super::call_counts): they are
//! in `docs/cost.md` too.

use loanhook_contract::engine::Engine;
use loanhook_contract::scene::SECOND;
use loanhook_core::ports::{DueWork, QueueMessage};

use super::call_counts::{
    delivery_function, exhausted_delivery, history_function, now, post, run, tenant_with_subscriptions,
};

const GET: &str = "DynamoDB.GetItem";
const GET_MANY: &str = "DynamoDB.BatchGetItem";
const QUERY: &str = "DynamoDB.Query";
const UPDATE: &str = "DynamoDB.UpdateItem";

#[test]
fn a_page_of_the_history_of_50_rows() {
    run(async {
        let (aws, http, _) = tenant_with_subscriptions(10).await?;
        for _ in 0..6 {
            post(&http, "").await;
        }
        let (_, deliver) = delivery_function(&aws, &[]);
        for message in aws.drain().await {
            deliver.handle(message, now()).await?;
        }
        let (function, http) = history_function(&aws).await;
        let (_, page) = http.get("/v1/loans/727/webhooks").await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(50));
        function.assert_calls([(GET, 1), (QUERY, 1), (GET_MANY, 1)]);
        Ok(())
    });
}

#[test]
fn reads_of_events() {
    run(async {
        let (aws, http, _) = tenant_with_subscriptions(2).await?;
        let mut receipts = Vec::new();
        for _ in 0..50 {
            receipts.push(post(&http, "").await);
        }
        let (function, http) = history_function(&aws).await;
        let (_, page) = http.get("/v1/loans/727/events").await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(50));
        function.assert_calls([(GET, 1), (QUERY, 1), (GET_MANY, 1)]);
        let id = receipts[0]["eventId"].as_str().expect("an ID");
        assert_eq!(http.get(&format!("/v1/events/{id}")).await.1["eventId"], id);
        function.assert_calls([(GET, 2), (QUERY, 1), (GET_MANY, 1)]);
        assert_eq!(http.get(&format!("/v1/events/{id}/context")).await.0, 200);
        function.assert_calls([(GET, 3), (QUERY, 1), (GET_MANY, 1)]);
        Ok(())
    });
}

/// 60 deliveries of today that failed once, one of which then failed for good.
#[test]
fn a_page_of_50_deliveries_across_loans() {
    run(async {
        let (aws, http, _) = tenant_with_subscriptions(1).await?;
        for _ in 0..60 {
            post(&http, "").await;
        }
        let (_, deliver) = delivery_function(&aws, &[500; 61]);
        let messages = aws.drain().await;
        let due = now() + 301 * SECOND;
        let second = QueueMessage { due, work: DueWork::Attempt(2), ..messages[0].clone() };
        for message in messages {
            deliver.handle(message, now()).await?;
        }
        deliver.handle(second, due).await?;
        let (function, http) = history_function(&aws).await;
        let (_, page) = http.get("/v1/webhooks").await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(50));
        // The first subscription and 16 shards of a day; the events, their deliveries, the newest attempts of these.
        function.assert_calls([(GET, 1), (QUERY, 17), (GET_MANY, 3)]);
        let (_, page) = http.get("/v1/webhooks?status=failed").await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
        // The 16 shards, the one that failed, its newest attempt: the others are retried, and not looked at.
        function.assert_calls([(GET, 1), (QUERY, 16), (GET_MANY, 2)]);
        let (_, page) = http.get("/v1/webhooks?loanId=727").await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(50));
        function.assert_calls([(GET, 1), (QUERY, 1), (GET_MANY, 2)]);
        Ok(())
    });
}

#[test]
fn reads_of_a_delivery_a_row_and_its_payloads() {
    run(async {
        let (aws, _, trace) = exhausted_delivery().await?;
        let (function, http) = history_function(&aws).await;
        let (_, delivery) = http.get(&format!("/v1/webhooks/{trace}")).await;
        function.assert_calls([(GET, 2), (QUERY, 1), (GET_MANY, 1)]);

        let row = &delivery["attempts"][0];
        let href = |of: &str| row[of]["href"].as_str().expect("a link").to_owned();
        let source = href("source");
        let (path, _) = source.rsplit_once('/').expect("a row");
        assert_eq!(http.get(path).await.1["id"], row["id"]);
        function.assert_calls([(GET, 2), (GET_MANY, 1)]);
        for href in [&source, &href("response")] {
            assert_eq!(http.get(href).await.0, 200);
            function.assert_calls([(GET, 3), (GET_MANY, 1)]);
        }
        assert_eq!(http.get("/v1/egress").await.0, 200);
        function.assert_calls([(GET, 1), (QUERY, 1)]);
        assert_eq!(http.get("/health").await.0, 200);
        function.assert_calls([]);
        assert_eq!(http.get("/ready").await.0, 200);
        function.assert_calls([(UPDATE, 1)]);
        Ok(())
    });
}

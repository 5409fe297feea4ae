//! The calls to AWS of recovery jobs, counted in the SDK clients: these are numbers of `docs/cost.md`.

use std::time::SystemTime;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use loanhook_aws::{JobTurn, run_job_batch};
use loanhook_aws_testing::{AwsEngine, CountedEngine};
use loanhook_contract::engine::Engine as _;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;
use loanhook_core::recovery::{self, SeenLoans};
use serde_json::{Value, json};

use super::call_counts::{delivery_function, history_function, now, run, tenant_with_subscriptions};

const GET: &str = "DynamoDB.GetItem";
const GET_MANY: &str = "DynamoDB.BatchGetItem";
const QUERY: &str = "DynamoDB.Query";
const UPDATE: &str = "DynamoDB.UpdateItem";
const TRANSACT: &str = "DynamoDB.TransactWriteItems";
const SEND: &str = "SQS.SendMessage";

/// A job of so many exhausted deliveries of one subscription, each of a call of its own.
struct Scene {
    aws: AwsEngine,
    job: Value,
    /// The function that drives jobs.
    resend: CountedEngine,
}

impl Scene {
    async fn new(deliveries: usize) -> StoreResult<Self> {
        let (aws, http, _) = tenant_with_subscriptions(1).await?;
        let (_, deliver) = delivery_function(&aws, &vec![404; deliveries]);
        let mut traces = Vec::new();
        for loan in 0..deliveries {
            let (_, receipt) = http.post_event_of_loan(&loan.to_string()).await;
            traces.push(receipt["deliveries"][0]["traceId"].clone());
            deliver.handle(aws.receive().await, now()).await?;
        }
        let (history, http) = history_function(&aws).await;
        let body = json!({"filter": {"traceIds": traces}, "perSecond": 1000}).to_string();
        let (status, job) = http.post_json("/v1/resends", &body).await;
        assert_eq!(status, 202, "{job}");
        // Key, jobs under way, deliveries, newest attempts.
        history.assert_calls([(GET, 1), (QUERY, 1), (GET_MANY, 2), (TRANSACT, 1), (SEND, 1)]);
        Ok(Self { resend: CountedEngine::new(&aws), aws, job })
    }

    /// Hands the message of a turn to the function, with time for one step only.
    async fn handle(&self, turn: u64) -> StoreResult<()> {
        let store = &self.resend.engine;
        let step = move |JobTurn { tenant, job, .. }: JobTurn, mut seen: SeenLoans, now: Timestamp| async move {
            let next = recovery::advance(store, &tenant, job, &mut seen, now).await;
            (seen, next)
        };
        let mut record = SqsMessage::default();
        record.message_id = Some("1".into());
        record.body = Some(json!({"tenant": "acme", "job": self.job["id"], "turn": turn}).to_string());
        let mut batch = SqsEvent::default();
        batch.records.push(record);
        let response = run_job_batch(store, batch, SystemTime::now(), step).await?;
        assert!(response.batch_item_failures.is_empty());
        Ok(())
    }
}

#[test]
fn a_bulk_resend() {
    run(async {
        for deliveries in [1, 3] {
            let s = Scene::new(deliveries).await?;
            let of_each = u32::try_from(deliveries).expect("few");
            // Taken and resent: beside each resend, the turn, the job, its list, and twice what changed.
            s.handle(1).await?;
            s.resend.assert_calls([
                (UPDATE, 1),
                (GET_MANY, 3),
                (GET, 2 * of_each),
                (TRANSACT, 2 + of_each),
                (SEND, 1 + of_each),
            ]);
            let (_, deliver) = delivery_function(&s.aws, &[]);
            for _ in 0..deliveries {
                deliver.handle(s.aws.receive().await, now()).await?;
            }
            // What became of each, and the end.
            s.handle(2).await?;
            s.resend.assert_calls([(UPDATE, 1), (GET_MANY, 2), (QUERY, of_each), (TRANSACT, 1)]);
        }
        Ok(())
    });
}

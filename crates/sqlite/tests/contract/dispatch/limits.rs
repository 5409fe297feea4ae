//! Limits and holds while a worker runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loanhook_core::deliver::Deliver;
use loanhook_core::model::delivery::{Delivery, DeliverySnapshot};
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::progress::Status;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    ClaimOutcome, Deliveries, EnqueueOutcome, FlowControl, NotSent, Resends, SendOutcome, Sender,
    StoreResult, Subscriptions, WebhookRequest,
};
use loanhook_sqlite::Task;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{RunningWorker, start_worker};
use crate::OnDisk;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{
    MILLISECOND, SECOND, START, accept, attempt_message, delivery_of, ended, subscription, tenant,
};

const LIMIT: usize = 3;

/// A sender that counts the requests which are under way at once.
#[derive(Clone)]
struct Counting {
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
    /// Requests end as it has permits.
    may_end: Arc<Semaphore>,
}

impl Counting {
    fn new() -> Self {
        let may_end = Arc::new(Semaphore::new(0));
        Self { under_way: Arc::default(), most: Arc::default(), sent: Arc::default(), may_end }
    }
}

impl Sender for Counting {
    async fn send(&self, _: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.sent.fetch_add(1, Ordering::SeqCst);
        self.may_end.acquire().await.expect("open").forget();
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        Ok(SendOutcome { elapsed: MILLISECOND, source_ip: None, result: Ok(200), response: None })
    }
}

async fn with_flow(flow: FlowSettings) -> StoreResult<(OnDisk, Subscription)> {
    let engine = OnDisk::fresh().await;
    let mut subscription = subscription(&tenant("acme"), "Core banking", &[300], START);
    subscription.settings.flow = flow;
    assert!(engine.ports().create(subscription.clone(), 1).await?);
    Ok((engine, subscription))
}

/// A worker that delivers with this sender.
fn start_delivering(engine: &OnDisk, sender: &Counting) -> RunningWorker {
    let (store, sender) = (engine.ports().clone(), sender.clone());
    let deliver = Arc::new(Deliver { store, sender, lease: None, deadline: None });
    start_worker(engine.ports(), move |task: Task, now: Timestamp| {
        let deliver = Arc::clone(&deliver);
        async move { task.run(&deliver, now).await }
    })
}

/// Waits until none of these deliveries is pending.
pub(super) async fn all_ended(engine: &OnDisk, deliveries: &[Delivery]) -> StoreResult<()> {
    for DeliverySnapshot { tenant, trace_id, .. } in deliveries.iter().map(|delivery| &delivery.snapshot) {
        let status = async || {
            let delivery = delivery_of(engine.ports(), tenant, *trace_id).await?;
            StoreResult::Ok(delivery.expect("it is stored").progress.status())
        };
        while status().await? == Status::Pending {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// Some are admitted in the commit of their event, and some go through the queue.
#[test]
fn no_more_requests_are_under_way_than_the_limit_says_and_all_are_sent() {
    loanhook_contract::run(async {
        let flow = FlowSettings { max_in_flight: Some(LIMIT as u32), ..FlowSettings::default() };
        let (engine, subscription) = with_flow(flow).await?;
        let sender = Counting::new();
        let mut deliveries = Vec::new();
        for place in 0..10 {
            deliveries.push(accept(&engine, &subscription, "727", START + place * SECOND).await?);
        }
        let worker = start_delivering(&engine, &sender);
        for place in 10..20 {
            deliveries.push(accept(&engine, &subscription, "727", START + place * SECOND).await?);
        }
        for _ in 0..deliveries.len() {
            sender.may_end.add_permits(1);
            tokio::task::yield_now().await;
        }
        all_ended(&engine, &deliveries).await?;
        worker.stop().await;
        assert_eq!(sender.sent.load(Ordering::SeqCst), deliveries.len());
        let most = sender.most.load(Ordering::SeqCst);
        assert!((1..=LIMIT).contains(&most), "{most} at once");
        Ok(())
    });
}

/// There is a token in a thousand seconds.
#[test]
fn a_resend_that_expired_leaves_its_token_to_the_next() {
    loanhook_contract::run(async {
        let flow = FlowSettings { max_per_second: Some(0.001), ..FlowSettings::default() };
        let (engine, subscription) = with_flow(flow).await?;
        let (store, token) = (engine.ports(), Uuid::new_v4());
        let accepted = accept(&engine, &subscription, "727", START).await?;
        let message = attempt_message(&accepted, 1, START);
        let ClaimOutcome::Claimed(won) = store.claim(&message, 1, token, START).await? else {
            panic!("not claimed")
        };
        let (claimed, row) = *won;
        let newest = row.id;
        assert!(store.complete(&claimed, token, ended(row, Ok(200), START + SECOND), None).await?);
        let now = Timestamp::now();
        for asked in [now.plus_millis(-3_600_000), now] {
            let row = claimed.resend_row(AttemptId::at(asked), newest, "Servicing".into(), asked);
            assert_eq!(store.enqueue_resend(row, None, asked).await?, EnqueueOutcome::Enqueued);
        }
        let sender = Counting::new();
        sender.may_end.add_permits(2);
        let worker = start_delivering(&engine, &sender);
        while sender.sent.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        worker.stop().await;
        assert_eq!(sender.sent.load(Ordering::SeqCst), 1);
        Ok(())
    });
}

#[test]
fn what_is_held_is_sent_after_the_release_also_by_another_process() {
    loanhook_contract::run(async {
        let (engine, subscription) = with_flow(FlowSettings::default()).await?;
        let acme = tenant("acme");
        let sender = Counting::new();
        sender.may_end.add_permits(100);
        assert!(engine.ports().hold(&acme, subscription.id, "Ann", Timestamp::now()).await?);
        let first = accept(&engine, &subscription, "727", START).await?;
        let engine = engine.restart();
        let worker = start_delivering(&engine, &sender);
        let second = accept(&engine, &subscription, "728", START + SECOND).await?;
        assert_eq!(engine.ports().count_waiting(&acme, subscription.id, Timestamp::now()).await?, 2);
        assert_eq!(sender.sent.load(Ordering::SeqCst), 0);
        assert!(engine.ports().release_hold(&acme, subscription.id, Timestamp::now()).await?);
        all_ended(&engine, &[first, second]).await?;
        worker.stop().await;
        assert_eq!(sender.sent.load(Ordering::SeqCst), 2);
        Ok(())
    });
}

#[test]
fn the_limits_of_a_deleted_subscription_outlive_the_process() {
    loanhook_contract::run(async {
        let flow = FlowSettings { max_in_flight: Some(1), ..FlowSettings::default() };
        let (engine, subscription) = with_flow(flow).await?;
        let mut deliveries = Vec::new();
        for place in 0..8 {
            deliveries.push(accept(&engine, &subscription, "727", START + place * SECOND).await?);
        }
        engine.ports().delete(&tenant("acme"), subscription.id, None).await?;
        let engine = engine.restart();
        let sender = Counting::new();
        let worker = start_delivering(&engine, &sender);
        for _ in 0..deliveries.len() {
            sender.may_end.add_permits(1);
            tokio::task::yield_now().await;
        }
        all_ended(&engine, &deliveries).await?;
        worker.stop().await;
        let (sent, most) = (sender.sent.load(Ordering::SeqCst), sender.most.load(Ordering::SeqCst));
        assert_eq!((sent, most), (deliveries.len(), 1));
        Ok(())
    });
}

//! Order of deliveries while a worker runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use loanhook_core::deliver::Deliver;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{NotSent, SendOutcome, Sender, StoreResult, Subscriptions, WebhookRequest};
use loanhook_sqlite::Task;
use rusqlite::params;

use super::limits::all_ended;
use super::{RunningWorker, start_worker};
use crate::OnDisk;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, START, accept, subscription, tenant};

/// A sender that keeps the numbers of what it sent, for each loan in the order in which it left.
#[derive(Clone, Default)]
struct Recording(Arc<Mutex<BTreeMap<String, Vec<u64>>>>);

impl Recording {
    fn sequences(&self) -> BTreeMap<String, Vec<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sender for Recording {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let (loan, sequence) = (request.loan_id.as_str().to_owned(), request.sequence.expect("a number"));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(loan).or_default().push(sequence);
        tokio::task::yield_now().await;
        Ok(SendOutcome { elapsed: MILLISECOND, source_ip: None, result: Ok(200), response: None })
    }
}

async fn in_order() -> StoreResult<(OnDisk, Subscription)> {
    let engine = OnDisk::fresh().await;
    let mut subscription = subscription(&tenant("acme"), "Core banking", &[300], START);
    subscription.settings.flow.order = DeliveryOrder::Loan;
    assert!(engine.ports().create(subscription.clone(), 1).await?);
    Ok((engine, subscription))
}

/// A worker that delivers with this sender.
fn start_delivering(engine: &OnDisk, sender: &Recording) -> RunningWorker {
    let (store, sender) = (engine.ports().clone(), sender.clone());
    let deliver = Arc::new(Deliver { store, sender, lease: None, deadline: None });
    start_worker(engine.ports(), move |task: Task, now: Timestamp| {
        let deliver = Arc::clone(&deliver);
        async move { task.run(&deliver, now).await }
    })
}

async fn accept_in_turn(
    engine: &OnDisk,
    subscription: &Subscription,
    places: std::ops::Range<u32>,
    loans: u32,
) -> StoreResult<Vec<Delivery>> {
    let mut accepted = Vec::new();
    for place in places {
        let loan = (place % loans).to_string();
        accepted.push(accept(engine, subscription, &loan, START + place * MILLISECOND).await?);
    }
    Ok(accepted)
}

/// The first of each loan go through the queue or are admitted with their event; each that follows is woken.
#[test]
fn what_waits_has_no_message_and_leaves_in_its_order() {
    loanhook_contract::run(async {
        let (engine, subscription) = in_order().await?;
        let mut accepted = accept_in_turn(&engine, &subscription, 0..30, 3).await?;
        assert_eq!(engine.put_into_queue(), 3, "one for each loan");
        let sender = Recording::default();
        let worker = start_delivering(&engine, &sender);
        accepted.extend(accept_in_turn(&engine, &subscription, 30..60, 3).await?);
        all_ended(&engine, &accepted).await?;
        worker.stop().await;
        let expected: Vec<u64> = (1..=20).collect();
        for (loan, sequences) in sender.sequences() {
            assert_eq!(sequences, expected, "of loan {loan}");
        }
        assert_eq!(sender.sequences().len(), 3);
        let open = "SELECT count(*) FROM ordered";
        let open: i64 = engine.file().query_row(open, [], |row| row.get(0)).expect("counted");
        assert_eq!(open, 0, "what has ended is kept no longer");
        Ok(())
    });
}

/// All have messages, as the order was off for a moment; more of them than there are permits.
#[test]
fn due_messages_that_the_order_forbids_are_taken_back() {
    loanhook_contract::run(async {
        let (engine, mut subscription) = in_order().await?;
        let accepted = accept_in_turn(&engine, &subscription, 0..200, 2).await?;
        for order in [DeliveryOrder::None, DeliveryOrder::Loan] {
            subscription.version += 1;
            subscription.settings.flow.order = order;
            engine.ports().replace(subscription.clone()).await?;
        }
        assert_eq!(engine.put_into_queue(), 200);
        let sender = Recording::default();
        let worker = start_delivering(&engine, &sender);
        all_ended(&engine, &accepted).await?;
        worker.stop().await;
        let expected: Vec<u64> = (1..=100).collect();
        for (loan, sequences) in sender.sequences() {
            assert_eq!(sequences, expected, "of loan {loan}");
        }
        Ok(())
    });
}

#[test]
fn a_delivery_that_cannot_be_read_does_not_block_its_loan() {
    loanhook_contract::run(async {
        let (engine, subscription) = in_order().await?;
        let accepted = accept_in_turn(&engine, &subscription, 0..2, 1).await?;
        let trace = accepted[0].snapshot.trace_id.uuid().into_bytes();
        engine.change("UPDATE deliveries SET frozen = '{' WHERE trace = ?1", params![trace]);
        let sender = Recording::default();
        let worker = start_delivering(&engine, &sender);
        all_ended(&engine, &accepted[1..]).await?;
        worker.stop().await;
        assert_eq!(sender.sequences(), BTreeMap::from([("0".to_owned(), vec![2])]));
        Ok(())
    });
}

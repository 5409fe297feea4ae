use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::value::RawValue;

use super::*;
use crate::model::event::EventInput;
use crate::model::formula_errors::{FormulaErrors, SubscriptionFormulaError};
use crate::model::id::{LoanId, SubscriptionId, TraceId};
use crate::model::ledger::LedgerEvent;
use crate::model::progress::Status;
use crate::model::secret::Secrets;
use crate::model::subscription::{CriteriaInput, Origin, SubscriptionInput};
use crate::ports::{DeleteOutcome, ReplaceOutcome};

/// A store of one subscription that notes how much memory was free when it was asked for room, and when for the intake.
struct Store {
    subscription: Arc<Subscription>,
    asked_for_room: AtomicUsize,
    accepted: AtomicUsize,
}

const NOT_ASKED: &str = "no test asks for it";

impl Intake for Store {
    type Room = ();

    async fn wait_for_room(
        &self,
        _: &TenantId,
        of: BTreeSet<SubscriptionId>,
        bytes: usize,
    ) -> StoreResult<()> {
        assert!(of.contains(&self.subscription.id) && bytes > 0);
        self.asked_for_room.store(render_memory::free_units(), Ordering::SeqCst);
        Ok(())
    }

    async fn accept(&self, request: AcceptRequest, (): ()) -> StoreResult<AcceptOutcome> {
        assert_eq!(request.deliveries.len(), 1);
        self.accepted.store(render_memory::free_units(), Ordering::SeqCst);
        Ok(AcceptOutcome::Stored { fired: Vec::new() })
    }
}

impl Subscriptions for Store {
    async fn subscriptions(&self, _: &TenantId) -> StoreResult<Arc<Vec<Arc<Subscription>>>> {
        Ok(Arc::new(vec![Arc::clone(&self.subscription)]))
    }

    async fn subscription(&self, _: &TenantId, _: SubscriptionId) -> StoreResult<Option<Arc<Subscription>>> {
        unimplemented!("{NOT_ASKED}")
    }

    async fn subscription_version(
        &self,
        _: &TenantId,
        _: SubscriptionId,
        _: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        unimplemented!("{NOT_ASKED}")
    }

    async fn subscription_versions(
        &self,
        _: &TenantId,
        _: SubscriptionId,
        _: Option<u64>,
        _: usize,
    ) -> StoreResult<Vec<Arc<Subscription>>> {
        unimplemented!("{NOT_ASKED}")
    }

    async fn newest_version(
        &self,
        _: &TenantId,
        _: SubscriptionId,
        _: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        unimplemented!("{NOT_ASKED}")
    }

    async fn newest_version_to(
        &self,
        _: &TenantId,
        _: SubscriptionId,
        _: &Origin,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        unimplemented!("{NOT_ASKED}")
    }

    async fn create(&self, _: Subscription, _: usize) -> StoreResult<bool> {
        unimplemented!("{NOT_ASKED}")
    }

    async fn replace(&self, _: Subscription) -> StoreResult<ReplaceOutcome> {
        unimplemented!("{NOT_ASKED}")
    }

    async fn delete(&self, _: &TenantId, _: SubscriptionId, _: Option<u64>) -> StoreResult<DeleteOutcome> {
        unimplemented!("{NOT_ASKED}")
    }
}

impl Ledger for Store {
    async fn events(
        &self,
        _: &TenantId,
        _: &LoanId,
        _: Option<EventId>,
        _: Option<EventId>,
        _: usize,
    ) -> StoreResult<Vec<LedgerEvent>> {
        unimplemented!("{NOT_ASKED}")
    }

    async fn event(&self, _: &TenantId, _: EventId) -> StoreResult<Option<LedgerEvent>> {
        unimplemented!("{NOT_ASKED}")
    }

    async fn has_event(&self, _: &TenantId, _: &LoanId, _: EventId) -> StoreResult<bool> {
        unimplemented!("{NOT_ASKED}")
    }

    async fn delivery_statuses(&self, _: &TenantId, _: &[TraceId]) -> StoreResult<Vec<Option<Status>>> {
        unimplemented!("{NOT_ASKED}")
    }
}

impl FormulaErrorLog for Store {
    async fn record_formula_errors(
        &self,
        _: &TenantId,
        errors: Vec<SubscriptionFormulaError>,
    ) -> StoreResult<()> {
        assert!(errors.is_empty());
        Ok(())
    }

    async fn formula_errors(&self, _: &TenantId, _: SubscriptionId) -> StoreResult<Option<FormulaErrors>> {
        unimplemented!("{NOT_ASKED}")
    }
}

#[tokio::test]
async fn an_event_that_waits_for_room_holds_no_memory_for_what_it_renders_to() {
    let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
    let criteria = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
    let input = SubscriptionInput::with_defaults("All".into(), criteria, "https://core.example.com/".into());
    let now = Timestamp::from_millis(0);
    let subscription = Arc::new(Subscription {
        id: SubscriptionId::at(now),
        tenant: tenant.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
        updated_by: None,
        settings: input.check(None).expect("settings"),
        secrets: Secrets::without_expired(),
    });
    let event = EventInput {
        event_name: "Payment Posted to Account".into(),
        loan_id: "727".into(),
        context: RawValue::from_string(format!("{{\"text\": \"{}\"}}", "x".repeat(10_000))).expect("JSON"),
        occurred_at: None,
    };
    let event = event.check().expect("an event");
    let (asked_for_room, accepted) = Default::default();
    let store = Store { subscription: Arc::clone(&subscription), asked_for_room, accepted };
    let all = render_memory::free_units();
    let assert_order = || {
        assert_eq!(store.asked_for_room.swap(0, Ordering::SeqCst), all, "none is reserved yet");
        assert!((1..all).contains(&store.accepted.swap(0, Ordering::SeqCst)), "some is reserved");
        assert_eq!(render_memory::free_units(), all, "it is given back");
    };
    accept(&store, &tenant, Submission { event: event.clone(), key: None }, now).await.expect("accepted");
    assert_order();
    accept_test(&store, subscription, &event, now).await.expect("accepted");
    assert_order();
}

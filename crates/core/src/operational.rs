//! Operational events as a use case: those of the outbox are taken in, matched, rendered and stored as deliveries.
//!
//! 1. The step that stores a change puts what it tells into the outbox ([`OperationalEvents`]), with an ID that is made of what
//!    happened.
//! 2. [`advance`] puts there what time has brought, and takes every event of the outbox in, as intake does any event, under an
//!    idempotency key made of its ID; then it deletes the event there. What is cut off between the two is found in the outbox
//!    again, and its key is known: so each event is taken in once, through a crash at any point.
//!
//! Whoever calls [`advance`] calls it again when something was put into the outbox, and when it says.

use std::collections::HashMap;
use std::str::FromStr as _;

use crate::intake::{self, IntakeError, Submission};
use crate::model::event::Event;
use crate::model::id::TenantId;
use crate::model::operational::{OperationalEvent, OperationalKind, Subject};
use crate::model::subscription::{Criteria, Subscription};
use crate::model::time::Timestamp;
use crate::model::validation::ValidationErrors;
use crate::ports::{
    FailedTenants, FormulaErrorLog, Intake, Ledger, OperationalEvents, OutboxPage, StatesAdvanced,
    StoreError, StoreResult, Subscriptions,
};

/// How many events of the outbox are read at once.
const EVENTS_PER_READ: usize = 100;
/// Once so many events of a tenant could not be taken in, a step leaves the others of that tenant to the next.
const MAX_FAILURES_PER_TENANT: usize = 10;

/// What is left after a step.
#[derive(Debug)]
pub struct Advanced {
    /// When time brings something next; none where nothing is to come.
    pub next_due: Option<Timestamp>,
    /// Those of the outbox that could not be taken in: they are to be tried again.
    pub failed: Option<FailedEvents>,
    /// Tenants of which it could not be told what time has brought: that is to be tried again.
    pub failed_tenants: Option<FailedTenants>,
}

impl Advanced {
    /// What failed, for the log; none where all was done.
    pub fn failure(&self) -> Option<String> {
        let events = self.failed.as_ref().map(ToString::to_string);
        let tenants = self.failed_tenants.as_ref().map(ToString::to_string);
        events.into_iter().chain(tenants).reduce(|events, tenants| format!("{events}; {tenants}"))
    }
}

/// Events that were not taken in: those that could not be, and others of their tenants. `Display` is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{count} events were not taken in, {first} of {tenant} first: {failure}")]
pub struct FailedEvents {
    pub count: usize,
    /// The name of the first.
    pub first: OperationalKind,
    pub tenant: TenantId,
    pub failure: StoreError,
}

/// Events of a step that were not taken in.
#[derive(Default)]
struct Failures {
    by_tenant: HashMap<TenantId, usize>,
    all: Option<FailedEvents>,
}

impl Failures {
    /// Whether so many of a tenant failed that the others would, too.
    fn leaves_out(&self, tenant: &TenantId) -> bool {
        self.by_tenant.get(tenant).is_some_and(|count| *count >= MAX_FAILURES_PER_TENANT)
    }

    fn add(&mut self, event: &OperationalEvent, failure: StoreError) {
        *self.by_tenant.entry(event.tenant.clone()).or_default() += 1;
        let (first, tenant) = (event.kind, event.tenant.clone());
        self.all.get_or_insert(FailedEvents { count: 0, first, tenant, failure }).count += 1;
    }

    fn leave_out(&mut self) {
        self.all.iter_mut().for_each(|all| all.count += 1);
    }
}

/// Puts what time has brought into the outbox, and takes in what is there. An event that cannot be taken in stays, and holds up no
/// other, however many there are; nor does a tenant that cannot be looked at. Of a tenant of which many cannot be taken in, those
/// after them stay, too.
///
/// # Errors
///
/// The store failed before all of the outbox was looked at.
pub async fn advance<S>(store: &S, now: Timestamp) -> StoreResult<Advanced>
where
    S: OperationalEvents + Intake + Subscriptions + Ledger + FormulaErrorLog,
{
    let StatesAdvanced { next_due, failed: failed_tenants } = store.advance_operational_states(now).await?;
    let (mut failures, mut after) = (Failures::default(), None);
    loop {
        let OutboxPage { events, next } = store.outbox(EVENTS_PER_READ, after.as_ref()).await?;
        for event in &events {
            if failures.leaves_out(&event.tenant) {
                failures.leave_out();
            } else if let Err(failure) = take_in(store, event, now).await {
                failures.add(event, failure);
            }
        }
        after = next;
        if after.is_none() {
            return Ok(Advanced { next_due, failed: failures.all, failed_tenants });
        }
    }
}

/// Takes one event in for the tenant's subscriptions to such events, and deletes it from the outbox.
///
/// # Errors
///
/// The store failed; the event is in the outbox still, and taking it in again makes no second delivery.
pub async fn take_in<S>(store: &S, event: &OperationalEvent, now: Timestamp) -> StoreResult<()>
where
    S: OperationalEvents + Intake + Subscriptions + Ledger + FormulaErrorLog,
{
    let tenant = &event.tenant;
    let subscriptions = store.subscriptions(tenant).await?;
    // Nobody could find one of which nobody asked to hear.
    if subscriptions.iter().any(|subscription| asks_for(&subscription.settings.criteria, event.kind)) {
        let unreadable = || StoreError::Failed("the facts of an operational event are no JSON".into());
        let submission = Submission {
            event: event.to_event().ok_or_else(unreadable)?,
            key: Some(event.idempotency_key()),
        };
        match intake::accept(store, tenant, submission, now).await {
            // One that was seen by two paths may tell of it in two ways. The outbox keeps the first while it waits there, so a key with
            // another body is that of an event that was taken in as a whole and deleted: the first stands.
            Ok(_) | Err(IntakeError::KeyReused) => {}
            Err(IntakeError::Store(failure)) => return Err(failure),
        }
    }
    store.delete_from_outbox(event).await
}

/// The event that a test of a subscription to operational events sends: a sample of the kind of this name, else of the first that
/// it asks for.
///
/// # Errors
///
/// Where the name is none of an operational event.
pub fn sample(
    subscription: &Subscription,
    name: Option<&str>,
    now: Timestamp,
) -> Result<Event, ValidationErrors> {
    let first = match &subscription.settings.criteria {
        Criteria::Operational(kinds) => kinds.first().copied(),
        Criteria::Events(_) | Criteria::Trigger { .. } => None,
    };
    let named = name.map(OperationalKind::from_str).transpose();
    let named = named.map_err(|unknown| ValidationErrors::one("/eventName", unknown.to_string()))?;
    let kind = named.or(first).unwrap_or(OperationalKind::SubscriptionFailing);
    let sample = kind.sample(&Subject::current(subscription), now).to_event();
    sample.ok_or_else(|| ValidationErrors::one("/eventName", "has no sample"))
}

fn asks_for(criteria: &Criteria, kind: OperationalKind) -> bool {
    matches!(criteria, Criteria::Operational(kinds) if kinds.contains(&kind))
}

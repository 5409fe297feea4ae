//! Time: what it brings, which is windows that end, and notice of certificates.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use super::{OperationalStates, outbox, rows};
use crate::SqliteEngine;
use crate::writer::Priority;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::operational::{OperationalEvent, OperationalState, Subject, is_observed};
use loanhook_core::model::subscription::{ClientCertificate, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// A subscription of which time has something to tell, now or later.
struct Pending {
    subject: Subject,
    /// Where it has a client certificate.
    subscription: Option<Arc<Subscription>>,
    window: Duration,
}

impl Pending {
    fn certificate(&self) -> Option<&ClientCertificate> {
        self.subscription.as_deref().and_then(Subscription::client_certificate)
    }

    fn next_due(&self, state: &OperationalState) -> Option<Timestamp> {
        state.next_due(self.certificate(), self.window)
    }

    /// Tells what is due, in this transaction, and gives when the next is.
    fn advance(&self, connection: &Connection, now: Timestamp) -> rusqlite::Result<Option<Timestamp>> {
        let of = (&self.subject.tenant, self.subject.subscription);
        let advance = |state: &mut OperationalState| {
            let events = state.advance(&self.subject, self.certificate(), self.window, now);
            (events, self.next_due(state))
        };
        let ((events, next_due), _): ((Vec<OperationalEvent>, _), _) = rows::change(connection, of, advance)?;
        outbox::put(connection, &events)?;
        Ok(next_due)
    }
}

impl OperationalStates {
    /// All of which time has something to tell, of tenants that somebody observes, each with its state.
    fn pending(
        &self,
        states: Vec<(TenantId, SubscriptionId, OperationalState)>,
    ) -> Vec<(Pending, OperationalState)> {
        let mut states: HashMap<_, _> =
            states.into_iter().map(|(tenant, id, state)| ((tenant, id), state)).collect();
        let window = self.exhausted_window;
        let mut pending = Vec::new();
        for of_tenant in self.cache.all_subscriptions() {
            let certified = of_tenant.iter().filter(|one| one.client_certificate().is_some());
            for subscription in certified.filter(|_| is_observed(&of_tenant)) {
                let state = states.remove(&(subscription.tenant.clone(), subscription.id));
                let (subject, subscription) =
                    (Subject::current(subscription), Some(Arc::clone(subscription)));
                pending.push((Pending { subject, subscription, window }, state.unwrap_or_default()));
            }
        }
        for ((tenant, id), state) in states {
            let subscriptions = self.cache.subscriptions(&tenant);
            let title = state.exhausted.as_ref().map(|open| open.title.clone()).unwrap_or_default();
            if state.exhausted.is_some() && is_observed(&subscriptions) {
                let subject = Subject::as_then(&subscriptions, (&tenant, id), &title);
                pending.push((Pending { subject, subscription: None, window }, state));
            }
        }
        pending
    }
}

impl SqliteEngine {
    pub(super) async fn advance_states(&self, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let states = self.read(rows::states).await?;
        let (mut due, mut next_due) = (Vec::new(), None);
        for (pending, state) in self.0.operational.pending(states) {
            match pending.next_due(&state) {
                Some(at) if at <= now => due.push(pending),
                at => next_due = Timestamp::first_of(next_due, at),
            }
        }
        if due.is_empty() {
            return Ok(next_due);
        }
        let work = move |connection: &Connection| {
            let mut next_due = None;
            for pending in &due {
                next_due = Timestamp::first_of(next_due, pending.advance(connection, now)?);
            }
            Ok(next_due)
        };
        let after = self.0.writer.run(Priority::ExistingWork, work, |_| ()).await?;
        Ok(Timestamp::first_of(next_due, after))
    }
}

//! Search: what of a tenant an ID or a title names. It looks by keys, and at the titles of the at most 200 webhooks; it scans
//! nothing.

use std::sync::Arc;

use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::id::{AttemptId, EventId, LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::ledger::LedgerEvent;
use crate::model::subscription::Subscription;
use crate::ports::{Attempts, Ledger, StoreResult, Subscriptions};

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// A loan that has an event or an attempt.
    pub loan: Option<LoanId>,
    pub delivery: Option<Delivery>,
    pub event: Option<LedgerEvent>,
    /// Only where its loan was named before it.
    pub attempt: Option<Attempt>,
    /// Of this ID, or with this text in their titles; the oldest first.
    pub webhooks: Vec<Arc<Subscription>>,
}

impl Found {
    /// How many things were found.
    pub fn count(&self) -> usize {
        let single =
            [self.loan.is_some(), self.delivery.is_some(), self.event.is_some(), self.attempt.is_some()];
        single.into_iter().filter(|found| *found).count() + self.webhooks.len()
    }
}

/// What a text names: the ID of a loan, the trace ID of a delivery, the ID of an event or of a webhook, the IDs of a loan and
/// of an attempt of it with a space between, or a part of the title of webhooks in upper or lower case. Attempts are
/// stored with their loans, so the ID of an attempt alone finds nothing.
///
/// # Errors
///
/// When the store fails.
pub async fn search<S: Attempts + Ledger + Subscriptions>(
    store: &S,
    tenant: &TenantId,
    text: &str,
) -> StoreResult<Found> {
    let text = text.trim();
    let mut found = Found::default();
    if text.is_empty() {
        return Ok(found);
    }
    if let Ok(loan) = LoanId::try_from(text.to_owned())
        && is_known(store, tenant, &loan).await?
    {
        found.loan = Some(loan);
    }
    if let Ok(trace) = text.parse::<TraceId>() {
        found.delivery = store.delivery(tenant, trace).await?;
    }
    if let Ok(event) = text.parse::<EventId>() {
        found.event = store.event(tenant, event).await?;
    }
    found.attempt = attempt(store, tenant, text).await?;
    let id = text.parse::<SubscriptionId>().ok();
    let part = text.to_lowercase();
    let is_named =
        |of: &&Arc<Subscription>| Some(of.id) == id || of.settings.title.to_lowercase().contains(&part);
    found.webhooks = store.subscriptions(tenant).await?.iter().filter(is_named).map(Arc::clone).collect();
    Ok(found)
}

/// Whether something is known of a loan.
async fn is_known<S: Attempts + Ledger>(store: &S, tenant: &TenantId, loan: &LoanId) -> StoreResult<bool> {
    let has_event = !store.events(tenant, loan, None, None, 1).await?.is_empty();
    Ok(has_event || !store.rows(tenant, loan, None, None, 1).await?.is_empty())
}

/// The attempt that a text names after its loan.
async fn attempt<S: Attempts>(store: &S, tenant: &TenantId, text: &str) -> StoreResult<Option<Attempt>> {
    let Some((loan, id)) = text.rsplit_once(char::is_whitespace) else { return Ok(None) };
    let (Ok(loan), Ok(id)) = (LoanId::try_from(loan.trim().to_owned()), id.parse::<AttemptId>()) else {
        return Ok(None);
    };
    Ok(store.row(tenant, &loan, id).await?.map(|row| row.attempt))
}

//! The check of a webhook's connection: whether a request could leave, without one and without an event.
//!
//! The receiver is reached as a request reaches it, up to a secured connection, and where the webhook has OAuth a token is
//! fetched, which nobody uses. Nothing is stored.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::id::{SubscriptionId, TenantId};
use crate::model::subscription::{Auth, OAuth2, Tls};
use crate::ports::{
    CheckRequest, CheckStep, CheckStepName, ConnectionCheck, FormSender, StoreResult, Subscriptions,
};
use crate::tokens::exchange;

/// The most that the steps up to a secured connection may take, and a token: who waits for the answer waits for both.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Checks a subscription as it is now; none where the tenant has no such subscription.
///
/// # Errors
///
/// When the store fails.
pub async fn check<S: Subscriptions, O: ConnectionCheck + FormSender>(
    store: &S,
    sender: &O,
    tenant: &TenantId,
    id: SubscriptionId,
) -> StoreResult<Option<Vec<CheckStep>>> {
    let Some(subscription) = store.subscription(tenant, id).await? else { return Ok(None) };
    let settings = &subscription.settings;
    let timeout = Duration::from_secs(settings.timeout_seconds.into()).min(MAX_TIME);
    let tls = settings.request.tls.clone().map(Arc::new);
    let url = settings.sample_url();
    let request = CheckRequest { tenant: tenant.clone(), url, tls: tls.clone(), timeout };
    let mut steps = sender.check_connection(request).await;
    if let Some(oauth2) = settings.request.auth.as_ref().and_then(Auth::oauth2) {
        steps.push(token(sender, tenant, oauth2, tls.as_ref(), timeout).await);
    }
    Ok(Some(steps))
}

async fn token<O: FormSender>(
    sender: &O,
    tenant: &TenantId,
    oauth2: &OAuth2,
    tls: Option<&Arc<Tls>>,
    timeout: Duration,
) -> CheckStep {
    let began = Instant::now();
    let exchanged = exchange(sender, tenant, oauth2, tls, (timeout, Duration::ZERO)).await;
    let result = match exchanged {
        Ok(exchanged) => exchanged.result.map_err(|failure| failure.detail),
        Err(not_sent) => Err(not_sent.to_string()),
    };
    let ok = result.is_ok();
    let detail = result.map_or_else(|detail| detail, |_| "a token was issued".to_owned());
    CheckStep { step: CheckStepName::Token, ok, detail, took: began.elapsed() }
}

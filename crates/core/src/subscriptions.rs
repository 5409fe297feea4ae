//! Subscriptions as a use case: created, read, replaced, deleted, their secrets rotated.

use crate::model::id::{SubscriptionId, TenantId};
use crate::model::secret::{Secrets, SigningSecret};
use crate::model::subscription::{MAX_SUBSCRIPTIONS, Subscription, SubscriptionInput};
use crate::model::time::Timestamp;
use crate::model::validation::ValidationErrors;
use crate::ports::{ReplaceOutcome, StoreError, Subscriptions};

#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    #[error("there is no such subscription")]
    Unknown,
    #[error("the settings are wrong")]
    Invalid(ValidationErrors),
    #[error("the tenant has {MAX_SUBSCRIPTIONS} subscriptions already")]
    TooMany,
    #[error("the subscription was changed at the same time")]
    Changed,
    #[error("no randomness for a secret: {0}")]
    Randomness(#[from] getrandom::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub async fn create<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    input: SubscriptionInput,
    now: Timestamp,
) -> Result<Subscription, SubscriptionError> {
    let subscription = Subscription {
        id: SubscriptionId::at(now),
        tenant: tenant.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
        settings: input.check(None).map_err(SubscriptionError::Invalid)?,
        secrets: Secrets::new(SigningSecret::generate()?),
    };
    if store.create(subscription.clone(), MAX_SUBSCRIPTIONS).await? {
        Ok(subscription)
    } else {
        Err(SubscriptionError::TooMany)
    }
}

/// Replaces all settings; what the input leaves out has its default.
pub async fn replace<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    input: SubscriptionInput,
    now: Timestamp,
) -> Result<Subscription, SubscriptionError> {
    let current = store.subscription(tenant, id).await?.ok_or(SubscriptionError::Unknown)?;
    let mut settings = input.check(Some(&current.settings)).map_err(SubscriptionError::Invalid)?;
    let version = current.version + 1;
    settings.criteria.carry_over_since(&current.settings.criteria, version);
    put(store, Subscription { settings, version, updated_at: now, ..(*current).clone() }).await
}

/// Gives a new signing secret; the one before it signs for 24 h more.
pub async fn rotate_secret<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    now: Timestamp,
) -> Result<Subscription, SubscriptionError> {
    let current = store.subscription(tenant, id).await?.ok_or(SubscriptionError::Unknown)?;
    let mut next = (*current).clone();
    next.secrets.rotate(SigningSecret::generate()?, now);
    next.version += 1;
    next.updated_at = now;
    put(store, next).await
}

/// Deletes a subscription. Deliveries that were accepted before go on.
///
/// # Errors
///
/// [`SubscriptionError::Unknown`] where the tenant has none of this ID.
pub async fn delete<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
) -> Result<(), SubscriptionError> {
    if store.delete(tenant, id).await? { Ok(()) } else { Err(SubscriptionError::Unknown) }
}

async fn put<S: Subscriptions>(store: &S, next: Subscription) -> Result<Subscription, SubscriptionError> {
    match store.replace(next.clone()).await? {
        ReplaceOutcome::Replaced => Ok(next),
        ReplaceOutcome::VersionConflict => Err(SubscriptionError::Changed),
        ReplaceOutcome::NotFound => Err(SubscriptionError::Unknown),
    }
}

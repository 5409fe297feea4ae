//! Subscriptions as a use case: created, changed, deleted, their secrets rotated.
//!
//! A change is made of the version that it read, and is stored on condition that this is the version still. Where another
//! change came first it is made anew, of the version that is there then. So no change is lost, and a version that the
//! caller expects is compared with the one that the change replaces. Each version has the name of who made it, `by`: of a key, or
//! of the viewer of a page.

use tracing::warn;

use crate::model::id::{SubscriptionId, TenantId};
use crate::model::secret::{Secrets, SigningSecret};
use crate::model::subscription::{MAX_SUBSCRIPTIONS, Subscription, SubscriptionInput};
use crate::model::time::Timestamp;
use crate::model::validation::ValidationErrors;
use crate::ports::{DeleteOutcome, ReplaceOutcome, StoreError, Subscriptions};

/// How often a change is made anew because another one came first.
const MAX_TRIES: u32 = 16;

/// The versions of a subscription that its caller lets a change replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedVersions {
    Any,
    OneOf(Vec<u64>),
}

impl ExpectedVersions {
    fn allow(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    #[error("there is no such subscription")]
    Unknown,
    /// It has this version, which is none of those that the caller expected.
    #[error("the subscription is at version {0}")]
    OtherVersion(u64),
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

/// Makes a subscription with an ID of its own.
///
/// # Errors
///
/// [`SubscriptionError::Invalid`] where the settings break a rule; [`SubscriptionError::TooMany`] where the tenant has as many as it
/// may have.
pub async fn create<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    input: SubscriptionInput,
    by: &str,
    now: Timestamp,
) -> Result<Subscription, SubscriptionError> {
    create_as(store, tenant, SubscriptionId::at(now), input, by, now).await
}

/// Makes a subscription with this ID, which the caller made before, so that it is made once.
///
/// # Errors
///
/// As [`create`]; the store fails where the tenant has a subscription of this ID, or had one.
pub async fn create_as<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    input: SubscriptionInput,
    by: &str,
    now: Timestamp,
) -> Result<Subscription, SubscriptionError> {
    let subscription = Subscription {
        id,
        tenant: tenant.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
        updated_by: Some(by.to_owned()),
        settings: input.check(None).map_err(SubscriptionError::Invalid)?,
        secrets: Secrets::new(SigningSecret::generate()?),
    };
    if store.create(subscription.clone(), MAX_SUBSCRIPTIONS).await? {
        Ok(subscription)
    } else {
        Err(SubscriptionError::TooMany)
    }
}

/// Changes the settings to those that `settings_after` makes of a version: all of them, where what it makes leaves
/// something out that has its default. It is called again for each version that another change puts in between. Settings that
/// are as they were make no new version.
///
/// # Errors
///
/// [`SubscriptionError::OtherVersion`] where the version is none of the `expected` ones, whatever else is wrong;
/// [`SubscriptionError::Invalid`] where the settings, or what they are made of, break a rule;
/// [`SubscriptionError::Changed`] where other changes came first again and again.
pub async fn change<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    expected: &ExpectedVersions,
    settings_after: impl Fn(&Subscription) -> Result<SubscriptionInput, ValidationErrors> + Send + Sync,
    by: &str,
    now: Timestamp,
) -> Result<Subscription, SubscriptionError> {
    put_next(store, tenant, id, |current| {
        if !expected.allow(current.version) {
            return Err(SubscriptionError::OtherVersion(current.version));
        }
        let input = settings_after(current).map_err(SubscriptionError::Invalid)?;
        let mut settings = input.check(Some(&current.settings)).map_err(SubscriptionError::Invalid)?;
        let version = current.version + 1;
        settings.criteria.carry_over_since(&current.settings.criteria, version);
        if settings == current.settings {
            return Ok(current.clone());
        }
        let updated_by = Some(by.to_owned());
        Ok(Subscription { settings, version, updated_at: now, updated_by, ..current.clone() })
    })
    .await
}

/// Gives a new signing secret; the one before it signs for 24 h more.
///
/// # Errors
///
/// [`SubscriptionError::OtherVersion`] where the version is none of the `expected` ones; [`SubscriptionError::Changed`] where other
/// changes came first again and again.
pub async fn rotate_secret<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    expected: &ExpectedVersions,
    by: &str,
    now: Timestamp,
) -> Result<Subscription, SubscriptionError> {
    put_next(store, tenant, id, |current| {
        if !expected.allow(current.version) {
            return Err(SubscriptionError::OtherVersion(current.version));
        }
        let mut next = current.clone();
        next.secrets.rotate(SigningSecret::generate()?, now);
        next.version += 1;
        next.updated_at = now;
        next.updated_by = Some(by.to_owned());
        Ok(next)
    })
    .await
}

/// Deletes a subscription. Deliveries that were accepted before go on.
///
/// # Errors
///
/// [`SubscriptionError::Unknown`] where the tenant has none of this ID; [`SubscriptionError::OtherVersion`] where its version
/// is none of the `expected` ones; [`SubscriptionError::Changed`] where changes came first again and again.
pub async fn delete<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    expected: &ExpectedVersions,
) -> Result<(), SubscriptionError> {
    for _ in 0..MAX_TRIES {
        // Without a condition it is not read: one that cannot be read can be deleted, too.
        let version = match expected {
            ExpectedVersions::Any => None,
            ExpectedVersions::OneOf(_) => {
                let current = store.subscription(tenant, id).await?.ok_or(SubscriptionError::Unknown)?;
                if !expected.allow(current.version) {
                    return Err(SubscriptionError::OtherVersion(current.version));
                }
                Some(current.version)
            }
        };
        match store.delete(tenant, id, version).await? {
            DeleteOutcome::Deleted => return Ok(()),
            DeleteOutcome::VersionConflict => {}
            DeleteOutcome::NotFound => return Err(SubscriptionError::Unknown),
        }
    }
    Err(SubscriptionError::Changed)
}

/// Lets the deliveries go that a change of the order no longer holds up. Where that fails they go some minutes later, and the change is
/// stored.
async fn follow_order<S: Subscriptions>(store: &S, before: &Subscription, after: &Subscription) {
    let order_of = |subscription: &Subscription| {
        let flow = subscription.settings.flow;
        (flow.order, flow.step_aside_after_seconds)
    };
    if order_of(before) != order_of(after)
        && let Err(failure) = store.follow_order(&after.tenant, after.id).await
    {
        warn!(tenant = %after.tenant, subscription_id = %after.id, %failure, "order.change_not_followed");
    }
}

/// Stores what `next` makes of the current version, once no other change came in between. What has the same version is
/// unchanged, and not stored.
async fn put_next<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    next: impl Fn(&Subscription) -> Result<Subscription, SubscriptionError> + Send,
) -> Result<Subscription, SubscriptionError> {
    for _ in 0..MAX_TRIES {
        let current = store.subscription(tenant, id).await?.ok_or(SubscriptionError::Unknown)?;
        let next = next(&current)?;
        if next.version == current.version {
            return Ok(next);
        }
        match store.replace(next.clone()).await? {
            ReplaceOutcome::Replaced => {
                follow_order(store, &current, &next).await;
                return Ok(next);
            }
            ReplaceOutcome::VersionConflict => {}
            ReplaceOutcome::NotFound => return Err(SubscriptionError::Unknown),
        }
    }
    Err(SubscriptionError::Changed)
}

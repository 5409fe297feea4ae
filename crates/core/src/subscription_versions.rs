//! Versions of a webhook, and what changed between them.

use std::sync::Arc;

use crate::model::id::{SubscriptionId, TenantId};
use crate::model::subscription::{SettingChange, Subscription, changes};
use crate::ports::{StoreResult, Subscriptions};

/// How many versions between two that are compared are read at most, to find rotations of the signing secret.
pub const MAX_BETWEEN: usize = 200;

/// A version, and what it changed.
#[derive(Debug)]
pub struct ListedVersion {
    pub version: Arc<Subscription>,
    pub change: VersionChange,
}

/// What a version changed of the one before it.
#[derive(Debug, PartialEq)]
pub enum VersionChange {
    /// It is the first one.
    Created,
    Settings(Vec<SettingChange>),
    /// The signing secret alone: whatever changes no setting makes no version but for that.
    SigningSecret,
    /// The version before it is not kept.
    Unknown,
}

impl VersionChange {
    fn between(before: Option<&Subscription>, version: &Subscription) -> Self {
        match before.filter(|before| before.version + 1 == version.version) {
            _ if version.version == 1 => Self::Created,
            None => Self::Unknown,
            Some(before) => match changes(&before.settings, &version.settings) {
                none if none.is_empty() => Self::SigningSecret,
                changed => Self::Settings(changed),
            },
        }
    }
}

/// A page of versions, the newest first.
#[derive(Debug)]
pub struct VersionPage {
    pub versions: Vec<ListedVersion>,
    /// The version before which the next page begins; none where no more are kept.
    pub next: Option<u64>,
}

/// Versions from before `before`: at most `limit`.
///
/// # Errors
///
/// When the store fails.
pub async fn page<S: Subscriptions>(
    store: &S,
    (tenant, id): (&TenantId, SubscriptionId),
    before: Option<u64>,
    limit: usize,
) -> StoreResult<VersionPage> {
    let found = store.subscription_versions(tenant, id, before, limit + 1).await?;
    let next = found.get(limit).and_then(|_| found.get(limit - 1)).map(|last| last.version);
    let listed = found.iter().take(limit).enumerate().map(|(place, version)| {
        let before = found.get(place + 1).map(Arc::as_ref);
        ListedVersion { version: Arc::clone(version), change: VersionChange::between(before, version) }
    });
    Ok(VersionPage { versions: listed.collect(), next })
}

/// Two versions of a webhook.
#[derive(Debug)]
pub struct Comparison {
    pub before: Arc<Subscription>,
    pub after: Arc<Subscription>,
    pub changes: Vec<SettingChange>,
    /// Whether the signing secret was rotated between them; none where more versions lie between them than are read, or one of
    /// them is not kept.
    pub secret_rotated: Option<bool>,
}

/// What changed from one version to a later one; none where one of them is not kept, or the first is not the earlier one.
///
/// # Errors
///
/// When the store fails.
pub async fn compare<S: Subscriptions>(
    store: &S,
    (tenant, id): (&TenantId, SubscriptionId),
    (from, to): (u64, u64),
) -> StoreResult<Option<Comparison>> {
    let found = (
        store.subscription_version(tenant, id, from).await?,
        store.subscription_version(tenant, id, to).await?,
    );
    let (Some(before), Some(after)) = found else { return Ok(None) };
    if from >= to {
        return Ok(None);
    }
    let changes = changes(&before.settings, &after.settings);
    let between = usize::try_from(to - from).ok().filter(|between| *between <= MAX_BETWEEN);
    let secret_rotated = match between {
        // Those from the earlier one on: one more than lie between.
        Some(between) => {
            let all = store.subscription_versions(tenant, id, Some(to + 1), between + 1).await?;
            let is_whole = all.len() == between + 1;
            let rotated = all
                .windows(2)
                .any(|pair| VersionChange::between(Some(&pair[1]), &pair[0]) == VersionChange::SigningSecret);
            (is_whole || rotated).then_some(rotated)
        }
        None => None,
    };
    Ok(Some(Comparison { before, after, changes, secret_rotated }))
}

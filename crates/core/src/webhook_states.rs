//! States of webhooks: how each subscription of a tenant does, by its hold and by the counts of its attempts.
//!
//! Nothing is scanned: counts, flows and subscriptions are read, whatever the history is.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::holds::{self, ShownHold};
use crate::model::id::{SubscriptionId, TenantId};
use crate::model::report::{AttemptClass, Counts, Grouping, Period, ReportKey, ReportQuery};
use crate::model::subscription::Subscription;
use crate::model::time::Timestamp;
use crate::ports::{FlowControl, Reports, StoreResult, Subscriptions};

/// Days of which each webhook shows its attempts: today, and the six before.
pub const DAYS: u32 = 7;
/// Hours by which a webhook is said to fail: this one, and the one before.
const RECENT_HOURS: u32 = 2;

/// How many attempts ended, and how many of them succeeded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttemptTally {
    pub attempts: i64,
    pub succeeded: i64,
}

impl AttemptTally {
    pub fn of(counts: &Counts) -> Self {
        let attempts = counts.attempts_in(|_| true).max(0);
        Self { attempts, succeeded: counts.attempts_in(AttemptClass::is_success).clamp(0, attempts) }
    }

    /// The part that succeeded, 0 to 1; none without an attempt.
    pub fn success_rate(self) -> Option<f64> {
        (self.attempts > 0).then(|| self.succeeded as f64 / self.attempts as f64)
    }

    /// Whether at least half failed.
    pub const fn is_failing(self) -> bool {
        self.attempts > 0 && 2 * self.succeeded <= self.attempts
    }

    pub const fn failed(self) -> i64 {
        self.attempts - self.succeeded
    }

    const fn plus(self, other: Self) -> Self {
        Self { attempts: self.attempts + other.attempts, succeeded: self.succeeded + other.succeeded }
    }
}

/// How one webhook does.
#[derive(Debug)]
pub struct WebhookState {
    pub subscription: Arc<Subscription>,
    pub hold: Option<ShownHold>,
    /// In this hour and the one before, UTC.
    pub recent: AttemptTally,
}

impl WebhookState {
    /// Whether at least half of its recent attempts failed.
    pub const fn is_failing(&self) -> bool {
        self.recent.is_failing()
    }
}

/// The state of each webhook of a tenant, the oldest webhook first.
///
/// # Errors
///
/// When the store fails.
pub async fn states<S: FlowControl + Reports + Subscriptions>(
    store: &S,
    tenant: &TenantId,
    now: Timestamp,
) -> StoreResult<Vec<WebhookState>> {
    let subscriptions = store.subscriptions(tenant).await?;
    if subscriptions.is_empty() {
        return Ok(Vec::new());
    }
    let recent =
        tallies(store, tenant, ReportQuery::last(Period::Hour, RECENT_HOURS, Grouping::Subscription, now))
            .await?;
    let mut holds = holds::holds(store, tenant, now).await?;
    let state = |subscription: &Arc<Subscription>| WebhookState {
        subscription: Arc::clone(subscription),
        hold: holds.remove(&subscription.id),
        recent: recent.get(&subscription.id).map_or_else(AttemptTally::default, |days| sum(days.values())),
    };
    Ok(subscriptions.iter().map(state).collect())
}

/// The tally of this hour and the one before of one webhook.
///
/// # Errors
///
/// When the store fails.
pub async fn recent<S: Reports>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    now: Timestamp,
) -> StoreResult<AttemptTally> {
    let query = ReportQuery::last(Period::Hour, RECENT_HOURS, Grouping::Subscription, now);
    let hours = tallies(store, tenant, query).await?.remove(&id);
    Ok(hours.map_or_else(AttemptTally::default, |hours| sum(hours.values())))
}

/// The tallies of the last [`DAYS`] days of one webhook, the oldest day first.
pub type Week = Vec<(Timestamp, AttemptTally)>;

/// The last days of each webhook that had attempts in them.
///
/// # Errors
///
/// When the store fails.
pub async fn weeks<S: Reports>(
    store: &S,
    tenant: &TenantId,
    now: Timestamp,
) -> StoreResult<BTreeMap<SubscriptionId, Week>> {
    let query = ReportQuery::last(Period::Day, DAYS, Grouping::Subscription, now);
    let found = tallies(store, tenant, query).await?;
    let week = |days: &BTreeMap<Timestamp, AttemptTally>| {
        query.periods().map(|day| (day, days.get(&day).copied().unwrap_or_default())).collect()
    };
    Ok(found.iter().map(|(id, days)| (*id, week(days))).collect())
}

/// The sum of tallies.
pub fn sum<'a>(tallies: impl IntoIterator<Item = &'a AttemptTally>) -> AttemptTally {
    tallies.into_iter().fold(AttemptTally::default(), |sum, tally| sum.plus(*tally))
}

async fn tallies<S: Reports>(
    store: &S,
    tenant: &TenantId,
    query: ReportQuery,
) -> StoreResult<BTreeMap<SubscriptionId, BTreeMap<Timestamp, AttemptTally>>> {
    let rows = store.report_rows(tenant, query).await?;
    let mut tallies: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for (period, key, counts) in rows.iter() {
        if let ReportKey::Subscription(id) = key {
            tallies.entry(*id).or_default().insert(period, AttemptTally::of(counts));
        }
    }
    Ok(tallies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_fails_where_at_least_half_of_its_attempts_failed() {
        for (attempts, succeeded, failing, rate) in [
            (0, 0, false, None),
            (1, 0, true, Some(0.0)),
            (2, 1, true, Some(0.5)),
            (3, 2, false, Some(2.0 / 3.0)),
            (4, 4, false, Some(1.0)),
        ] {
            let tally = AttemptTally { attempts, succeeded };
            assert_eq!((tally.is_failing(), tally.success_rate()), (failing, rate), "{tally:?}");
        }
    }
}

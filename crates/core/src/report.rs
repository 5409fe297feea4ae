//! Report of a tenant: counts by period and group, with the titles of the subscriptions.

use crate::model::id::{SubscriptionId, TenantId};
use crate::model::report::{Counts, Grouping, ReportKey, ReportQuery, ReportRows};
use crate::model::time::Timestamp;
use crate::ports::{Reports, StoreError, StoreResult, Subscriptions};

/// How many rows a report has at most: a month of days of as many subscriptions as a tenant may have, and some more. One
/// answer of a Lambda function, at most 6 MB, holds them.
pub const MAX_ROWS: usize = 6500;

/// A report, with its rows by period and within that by group.
#[derive(Debug)]
pub struct Report {
    pub query: ReportQuery,
    /// The moment since which is counted; none where everything is.
    pub counted_since: Option<Timestamp>,
    pub rows: Vec<ReportRow>,
}

#[derive(Debug)]
pub struct ReportRow {
    pub period: Timestamp,
    pub key: ReportKey,
    /// Of a subscription that is not deleted.
    pub title: Option<String>,
    /// Whether the counts of events mean something: not for a subscription.
    pub has_events: bool,
    pub counts: Counts,
}

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It would have so many rows.
    #[error("the report would have {0} rows")]
    TooLarge(usize),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a report of what was counted.
///
/// # Errors
///
/// Where it has more than [`MAX_ROWS`] rows, and when the store fails.
pub async fn report<S: Reports + Subscriptions>(
    store: &S,
    tenant: &TenantId,
    query: ReportQuery,
) -> Result<Report, ReportError> {
    let rows = store.report_rows(tenant, query).await?;
    let count = rows.iter().count();
    if count > MAX_ROWS {
        return Err(ReportError::TooLarge(count));
    }
    let titles = titles(store, tenant, &rows).await?;
    let has_events = rows.events_are_counted && query.group != Grouping::Subscription;
    let made = rows.iter().map(|(period, key, counts)| {
        let title = match key {
            ReportKey::Subscription(id) => titles.iter().find(|(of, _)| of == id),
            ReportKey::Event(_) | ReportKey::All => None,
        };
        let title = title.map(|(_, title)| title.clone());
        ReportRow { period, key: key.clone(), title, has_events, counts: counts.clone() }
    });
    Ok(Report { query, counted_since: rows.counted_since, rows: made.collect() })
}

/// The titles of the tenant's subscriptions, where a report by subscription has rows.
async fn titles<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
    rows: &ReportRows,
) -> StoreResult<Vec<(SubscriptionId, String)>> {
    if rows.query().group != Grouping::Subscription || rows.iter().next().is_none() {
        return Ok(Vec::new());
    }
    let subscriptions = store.subscriptions(tenant).await?;
    Ok(subscriptions.iter().map(|of| (of.id, of.settings.title.clone())).collect())
}

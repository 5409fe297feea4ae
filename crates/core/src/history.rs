//! History of a loan: pages of rows, single rows, and the attempts of one delivery.
//!
//! Used by the API and the page. It filters what the engine reads, and leaves masking of what is shown to the HTTP interface.

use std::collections::BTreeSet;

use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::filter::HistoryFilter;
use crate::model::id::{AttemptId, LoanId, TenantId, TraceId};
use crate::model::time::Timestamp;
use crate::paging::{Paging, goes_on};
use crate::ports::{AttemptRange, Attempts, HistoryRow, StoreResult};

/// A part of a history, the newest first.
#[derive(Debug, Default)]
pub struct HistoryPage {
    pub rows: Vec<HistoryRow>,
    /// The event titles of all the rows that were looked at, whether they passed the filter or not.
    pub titles: BTreeSet<String>,
    /// Where the next page begins: before the row with this ID.
    pub next: Option<AttemptId>,
}

/// A page of a loan's history: at most `limit` rows that pass the filter, from before `before`. It is full
/// unless the history ends or 5,000 rows were looked at.
pub async fn page<S: Attempts>(
    store: &S,
    (tenant, loan): (&TenantId, &LoanId),
    filter: &HistoryFilter,
    before: Option<AttemptId>,
    limit: usize,
    now: Timestamp,
) -> StoreResult<HistoryPage> {
    let (oldest, newest) = filter.bounds();
    let before = [before, newest].into_iter().flatten().min();
    let mut titles = BTreeSet::new();
    let mut paging = Paging::new(limit, *filter != HistoryFilter::default(), before);
    while let Some(wanted) = paging.wanted() {
        let found = store.rows(tenant, loan, oldest, paging.before(), wanted).await?;
        let (examined, goes_on) = (found.len(), goes_on(&found, wanted, |attempt| attempt.id));
        let passing = passing(found, filter, &mut titles, now);
        paging.add(passing.map(|attempt| (attempt.id, attempt)), examined, goes_on);
    }
    let (matching, next) = paging.end();
    Ok(HistoryPage { rows: store.history_rows(tenant, matching).await?, titles, next })
}

/// The attempts as they read now that pass the filter; collects the titles of all.
fn passing(
    attempts: Vec<Attempt>,
    filter: &HistoryFilter,
    titles: &mut BTreeSet<String>,
    now: Timestamp,
) -> impl Iterator<Item = Attempt> {
    attempts.into_iter().map(move |attempt| attempt.as_of(now)).filter(move |attempt| {
        if !titles.contains(&attempt.event_title) {
            titles.insert(attempt.event_title.clone());
        }
        filter.matches(attempt)
    })
}

/// A page of the rows of one delivery that pass the filter, read by its trace ID: however far back they are,
/// no other delivery is looked at. Nothing where the delivery is not the loan's. It is full as any page is.
pub async fn page_of_delivery<S: Attempts>(
    store: &S,
    (tenant, loan, trace): (&TenantId, &LoanId, TraceId),
    filter: &HistoryFilter,
    before: Option<AttemptId>,
    limit: usize,
    now: Timestamp,
) -> StoreResult<HistoryPage> {
    let mut titles = BTreeSet::new();
    // However many rows the page has: nearly all deliveries have fewer than are read at once.
    let mut paging = Paging::new(limit, true, before);
    while let Some(wanted) = paging.wanted() {
        let range = AttemptRange::NewestFirst { before: paging.before() };
        let story = store.delivery_with_attempts(tenant, trace, range, wanted).await?;
        let Some((delivery, attempts)) = story.filter(|(of, _)| of.snapshot.loan_id == *loan) else { break };
        let (examined, goes_on) = (attempts.len(), goes_on(&attempts, wanted, |attempt| attempt.id));
        let rows = passing(attempts, filter, &mut titles, now)
            .map(|attempt| (attempt.id, HistoryRow::new(attempt, &delivery)));
        paging.add(rows, examined, goes_on);
    }
    let (rows, next) = paging.end();
    Ok(HistoryPage { rows, titles, next })
}

/// One row of a loan.
pub async fn row<S: Attempts>(
    store: &S,
    tenant: &TenantId,
    loan: &LoanId,
    id: AttemptId,
    now: Timestamp,
) -> StoreResult<Option<HistoryRow>> {
    let row = store.row(tenant, loan, id).await?;
    Ok(row.map(|row| HistoryRow { attempt: row.attempt.as_of(now), ..row }))
}

/// One row of a delivery, whichever loan that is of, and of an operational event too.
pub async fn row_of_delivery<S: Attempts>(
    store: &S,
    tenant: &TenantId,
    trace: TraceId,
    id: AttemptId,
    now: Timestamp,
) -> StoreResult<Option<HistoryRow>> {
    let from_it = AttemptRange::NewestFirst { before: Some(id.next()) };
    let Some((delivery, attempts)) = store.delivery_with_attempts(tenant, trace, from_it, 1).await? else {
        return Ok(None);
    };
    let found = attempts.into_iter().find(|attempt| attempt.id == id);
    Ok(found.map(|attempt| HistoryRow::new(attempt.as_of(now), &delivery)))
}

/// A delivery and a part of its attempts.
#[derive(Debug)]
pub struct DeliveryAttempts {
    pub delivery: Delivery,
    pub attempts: Vec<Attempt>,
    /// There are more beyond the last of these.
    pub more: bool,
}

/// A delivery and at most `limit` of its attempts.
pub async fn delivery_attempts<S: Attempts>(
    store: &S,
    tenant: &TenantId,
    trace: TraceId,
    span: AttemptRange,
    limit: usize,
    now: Timestamp,
) -> StoreResult<Option<DeliveryAttempts>> {
    let story = store.delivery_with_attempts(tenant, trace, span, limit + 1).await?;
    Ok(story.map(|(delivery, attempts)| DeliveryAttempts {
        delivery,
        more: attempts.len() > limit,
        attempts: attempts.into_iter().take(limit).map(|attempt| attempt.as_of(now)).collect(),
    }))
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;

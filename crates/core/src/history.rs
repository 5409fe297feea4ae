//! History of a loan: pages of rows, single rows, and the attempts of one delivery.
//!
//! Used by the API and the page. It filters what the engine reads, and leaves masking of what is shown to the HTTP interface.

use std::collections::BTreeSet;

use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::filter::HistoryFilter;
use crate::model::id::{AttemptId, LoanId, TenantId, TraceId};
use crate::model::time::Timestamp;
use crate::ports::{AttemptRange, Attempts, HistoryRow, StoreResult};

/// A filtered page looks at this many rows at most.
const MAX_EXAMINED_ROWS: usize = 5000;
/// How many rows a filtered page reads at once.
const FILTERED_READ_ROWS: usize = 500;

/// A part of a history, the newest first.
#[derive(Debug, Default)]
pub struct HistoryPage {
    pub rows: Vec<HistoryRow>,
    /// The event titles of all the rows that were looked at, whether they passed the filter or not.
    pub titles: BTreeSet<String>,
    /// Where the next page begins: before the row with this ID.
    pub next: Option<AttemptId>,
}

impl HistoryPage {
    fn saw(&mut self, row: &Attempt) {
        if !self.titles.contains(&row.event_title) {
            self.titles.insert(row.event_title.clone());
        }
    }
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
    let mut before = [before, newest].into_iter().flatten().min();
    let chunk = if *filter == HistoryFilter::default() { limit + 1 } else { FILTERED_READ_ROWS };
    let mut page = HistoryPage::default();
    let mut matching: Vec<Attempt> = Vec::new();
    let mut examined = 0;
    'full: while examined < MAX_EXAMINED_ROWS {
        let wanted = chunk.min(MAX_EXAMINED_ROWS - examined);
        let found = store.rows(tenant, loan, oldest, before, wanted).await?;
        let ended = found.len() < wanted;
        examined += found.len();
        for attempt in found {
            before = Some(attempt.id);
            let attempt = attempt.as_of(now);
            page.saw(&attempt);
            if !filter.matches(&attempt) {
                continue;
            }
            if matching.len() == limit {
                page.next = matching.last().map(|attempt| attempt.id);
                break 'full;
            }
            matching.push(attempt);
        }
        if ended {
            break;
        }
        // Where this was the last, the next page goes on here.
        page.next = before.filter(|_| examined == MAX_EXAMINED_ROWS);
    }
    page.rows = store.history_rows(tenant, matching).await?;
    Ok(page)
}

/// A page of the rows of one delivery that pass the filter, read by its trace ID: however far back they are,
/// no other delivery is looked at. Nothing where the delivery is not the loan's. It is full as any page is.
pub async fn page_of_delivery<S: Attempts>(
    store: &S,
    (tenant, loan, trace): (&TenantId, &LoanId, TraceId),
    filter: &HistoryFilter,
    mut before: Option<AttemptId>,
    limit: usize,
    now: Timestamp,
) -> StoreResult<HistoryPage> {
    let mut page = HistoryPage::default();
    let mut examined = 0;
    while examined < MAX_EXAMINED_ROWS {
        let story = store
            .delivery_with_attempts(tenant, trace, AttemptRange::NewestFirst { before }, FILTERED_READ_ROWS)
            .await?;
        let Some((delivery, attempts)) = story.filter(|(of, _)| of.snapshot.loan_id == *loan) else { break };
        let ended = attempts.len() < FILTERED_READ_ROWS;
        examined += attempts.len();
        for attempt in attempts {
            before = Some(attempt.id);
            let attempt = attempt.as_of(now);
            page.saw(&attempt);
            if !filter.matches(&attempt) {
                continue;
            }
            if page.rows.len() == limit {
                page.next = page.rows.last().map(|row| row.attempt.id);
                return Ok(page);
            }
            page.rows.push(HistoryRow::new(attempt, &delivery));
        }
        if ended {
            break;
        }
        page.next = before.filter(|_| examined >= MAX_EXAMINED_ROWS);
    }
    Ok(page)
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

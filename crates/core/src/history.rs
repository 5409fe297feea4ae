//! What was sent for a loan, and what came back.

use std::collections::BTreeSet;

use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::filter::HistoryFilter;
use crate::model::id::{AttemptId, LoanId, TenantId, TraceId};
use crate::model::time::Timestamp;
use crate::ports::{Attempts, Row, Span, Stored};

/// A filtered page looks at this many rows at most.
const EXAMINED_AT_MOST: usize = 5000;
/// How many rows a filtered page reads at once.
const CHUNK: usize = 500;

/// A part of a history, the newest first.
#[derive(Debug, Default)]
pub struct Page {
    pub rows: Vec<Row>,
    /// The event titles of all the rows that were looked at, whether they passed the filter or not.
    pub titles: BTreeSet<String>,
    /// Where the next page begins: before the row with this ID.
    pub next: Option<AttemptId>,
}

impl Page {
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
) -> Stored<Page> {
    let (oldest, newest) = filter.bounds();
    let mut before = [before, newest].into_iter().flatten().min();
    let chunk = if *filter == HistoryFilter::default() { limit + 1 } else { CHUNK };
    let mut page = Page::default();
    let mut matching: Vec<Attempt> = Vec::new();
    let mut examined = 0;
    'full: while examined < EXAMINED_AT_MOST {
        let wanted = chunk.min(EXAMINED_AT_MOST - examined);
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
        page.next = before.filter(|_| examined == EXAMINED_AT_MOST);
    }
    page.rows = store.counted(tenant, matching).await?;
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
) -> Stored<Page> {
    let mut page = Page::default();
    let mut examined = 0;
    while examined < EXAMINED_AT_MOST {
        let story = store.story(tenant, trace, Span::NewestFirst { before }, CHUNK).await?;
        let Some((delivery, attempts)) = story.filter(|(of, _)| of.frozen.loan_id == *loan) else { break };
        let ended = attempts.len() < CHUNK;
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
            page.rows.push(Row { attempt, resends: delivery.progress.resends });
        }
        if ended {
            break;
        }
        page.next = before.filter(|_| examined >= EXAMINED_AT_MOST);
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
) -> Stored<Option<Row>> {
    let row = store.row(tenant, loan, id).await?;
    Ok(row.map(|row| Row { attempt: row.attempt.as_of(now), ..row }))
}

/// A delivery and a part of its attempts.
#[derive(Debug)]
pub struct Story {
    pub delivery: Delivery,
    pub attempts: Vec<Attempt>,
    /// There are more beyond the last of these.
    pub more: bool,
}

/// A delivery and at most `limit` of its attempts.
pub async fn story<S: Attempts>(
    store: &S,
    tenant: &TenantId,
    trace: TraceId,
    span: Span,
    limit: usize,
    now: Timestamp,
) -> Stored<Option<Story>> {
    let story = store.story(tenant, trace, span, limit + 1).await?;
    Ok(story.map(|(delivery, attempts)| Story {
        delivery,
        more: attempts.len() > limit,
        attempts: attempts.into_iter().take(limit).map(|attempt| attempt.as_of(now)).collect(),
    }))
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;

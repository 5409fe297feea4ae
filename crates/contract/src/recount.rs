//! Recount: what a report should say, computed from the history as anybody can read it.
//!
//! It shares with the engines how counts are added up and how times fall into buckets, and nothing of what is counted when:
//! it looks at the end alone.

use std::collections::BTreeSet;

use loanhook_core::model::attempt::{Attempt, AttemptNumber, AttemptState};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::progress::Status;
use loanhook_core::model::report::{AttemptClass, Counts, ReportQuery, ReportRows};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{AttemptRange, Attempts, Ledger, StoreResult};

/// More than any case has of a loan or a delivery.
const MANY: usize = 10_000;

/// A report that is counted from what is stored.
pub struct Recount(ReportRows);

impl Recount {
    pub const fn new(query: ReportQuery) -> Self {
        Self(ReportRows::new(query, None))
    }

    /// Counts an event of the ledger.
    pub fn event(&mut self, event: &LedgerEvent) {
        if event.test {
            return;
        }
        let unmatched = event.verdicts.iter().all(|verdict| verdict.decision.trace().is_none());
        let counts = Counts { events_accepted: 1, events_unmatched: unmatched.into(), ..Counts::default() };
        self.0.add(event.accepted_at, None, &event.name, &counts);
    }

    /// Counts a delivery with all its rows.
    pub fn delivery(&mut self, delivery: &Delivery, rows: &[Attempt]) {
        if delivery.snapshot.test {
            return;
        }
        let accepted_at = delivery.snapshot.accepted_at;
        let ended = |row: &&Attempt| matches!(row.state, AttemptState::Complete(_));
        let first = rows.iter().filter(ended).find(|row| row.number == AttemptNumber::Auto(1));
        let succeeded_first = first.and_then(Attempt::completion).is_some_and(|end| end.succeeded());
        let mut counts = Counts { deliveries_accepted: 1, ..Counts::default() };
        match delivery.progress.status() {
            Status::Pending => {}
            Status::Succeeded if succeeded_first => counts.succeeded_first = 1,
            Status::Succeeded => counts.succeeded_later = 1,
            Status::Failed => counts.exhausted = 1,
            Status::Canceled => counts.canceled = 1,
        }
        if let Some(first) = first {
            let waited = first.sent_at.since(accepted_at).as_millis();
            counts.first_attempt.record(u64::try_from(waited).expect("less than an age"));
        }
        self.add(delivery, accepted_at, &counts);
        for row in rows {
            let mut counts = Counts { resends: row.is_manual().into(), ..Counts::default() };
            if let Some(completion) = row.completion() {
                counts.count_attempt(AttemptClass::of(completion));
                completion.response_time_ms.into_iter().for_each(|time| counts.record_response_time(time));
            }
            self.add(delivery, row.sent_at, &counts);
        }
    }

    fn add(&mut self, delivery: &Delivery, at: Timestamp, counts: &Counts) {
        let of: Option<SubscriptionId> = Some(delivery.snapshot.subscription_id);
        self.0.add(at, of, &delivery.snapshot.event_name, counts);
    }

    pub fn rows(self) -> ReportRows {
        self.0
    }
}

/// What a report of a tenant should say: all of these loans, and these deliveries.
pub async fn recount<P: Attempts + Ledger>(
    ports: &P,
    tenant: &TenantId,
    (loans, traces): (&[LoanId], &[TraceId]),
    query: ReportQuery,
) -> StoreResult<ReportRows> {
    let mut recount = Recount::new(query);
    let mut traces: BTreeSet<_> = traces.iter().copied().collect();
    for loan in loans {
        for event in ports.events(tenant, loan, None, None, MANY).await? {
            recount.event(&event);
            traces.extend(event.traces());
        }
        traces.extend(ports.rows(tenant, loan, None, None, MANY).await?.iter().map(|row| row.trace_id));
    }
    for trace in traces {
        let found = ports.delivery_with_attempts(tenant, trace, AttemptRange::OLDEST_FIRST, MANY).await?;
        if let Some((delivery, rows)) = found {
            recount.delivery(&delivery, &rows);
        }
    }
    Ok(recount.rows())
}

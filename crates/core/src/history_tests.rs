use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::model::attempt::{AttemptNumber, AttemptState, Completion, Outcome};
use crate::model::credentials::CredentialsVersion;
use crate::model::failure::{ErrorKind, Failure};
use crate::model::filter::{AttemptFilter, CodeFilter};
use crate::model::id::SubscriptionId;
use crate::model::payload::Payload;
use crate::model::subscription::Method;

const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);
/// The span of the rows' times, and of what filters ask for.
const SPAN: u64 = 3600;

/// The rows of one loan, the newest first.
struct Loan {
    rows: Mutex<Vec<Attempt>>,
    /// How many rows were given in all.
    given: Mutex<usize>,
}

impl Loan {
    fn new(mut rows: Vec<Attempt>) -> Self {
        rows.sort_by_key(|row| std::cmp::Reverse(row.id));
        Self { rows: Mutex::new(rows), given: Mutex::new(0) }
    }

    fn rows_now(&self) -> Vec<Attempt> {
        self.rows.lock().expect("unharmed").clone()
    }
}

impl Attempts for Loan {
    async fn rows(
        &self,
        _: &TenantId,
        _: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> StoreResult<Vec<Attempt>> {
        let rows = self.rows.lock().expect("unharmed");
        let within = |row: &&Attempt| {
            oldest.is_none_or(|oldest| oldest <= row.id) && before.is_none_or(|before| row.id < before)
        };
        let found: Vec<_> = rows.iter().filter(within).take(limit).cloned().collect();
        *self.given.lock().expect("unharmed") += found.len();
        Ok(found)
    }

    async fn history_rows(&self, _: &TenantId, attempts: Vec<Attempt>) -> StoreResult<Vec<HistoryRow>> {
        Ok(attempts
            .into_iter()
            .map(|attempt| HistoryRow { attempt, resends: 0, subscription_version: None })
            .collect())
    }

    async fn row(&self, _: &TenantId, _: &LoanId, _: AttemptId) -> StoreResult<Option<HistoryRow>> {
        unreachable!("a page reads rows")
    }

    async fn delivery(&self, _: &TenantId, _: TraceId) -> StoreResult<Option<Delivery>> {
        unreachable!("a page reads rows")
    }

    async fn delivery_with_attempts(
        &self,
        _: &TenantId,
        _: TraceId,
        _: AttemptRange,
        _: usize,
    ) -> StoreResult<Option<(Delivery, Vec<Attempt>)>> {
        unreachable!("a page reads rows")
    }
}

fn whose() -> (TenantId, LoanId) {
    (
        TenantId::try_from("acme".to_owned()).expect("a tenant"),
        LoanId::try_from("727".to_owned()).expect("a loan"),
    )
}

fn page_of(
    loan: &Loan,
    filter: &HistoryFilter,
    before: Option<AttemptId>,
    limit: usize,
    now: Timestamp,
) -> HistoryPage {
    let (tenant, id) = whose();
    let page = page(loan, (&tenant, &id), filter, before, limit, now).now_or_never();
    page.expect("the rows are there").expect("a page")
}

/// A row of this time and variety, with an ID of that time.
fn row(id: Uuid, after: Duration, variety: u32) -> Attempt {
    let asked_at = START + after;
    let mut bytes = id.into_bytes();
    bytes[..6].copy_from_slice(&AttemptId::first_at(asked_at).uuid().as_bytes()[..6]);
    let pick = |nth: u32, of: u32| variety / nth % of;
    let manual = pick(1, 3) == 0;
    // A resend is sent up to 15 minutes after it was asked for.
    let waited = if manual { Duration::from_secs(pick(3, 900).into()) } else { Duration::ZERO };
    let completed = |result| Completion {
        ended_at: asked_at + waited,
        response_time_ms: None,
        source_ip: None,
        result,
        response: None,
    };
    let state = match pick(5, 5) {
        0 if manual => AttemptState::Queued,
        0 | 1 => AttemptState::Sending { token: Uuid::nil() },
        2 => AttemptState::Complete(completed(Ok(200))),
        3 => AttemptState::Complete(completed(Ok(404 + u16::from(pick(7, 2) == 0) * 99))),
        _ => AttemptState::Complete(completed(Err(Failure::new(ErrorKind::Timeout, "no answer")))),
    };
    let (tenant, loan_id) = whose();
    Attempt {
        id: AttemptId::from_uuid(Uuid::from_bytes(bytes)),
        tenant,
        loan_id,
        trace_id: TraceId::from_uuid(Uuid::from_u128(pick(11, 3).into())),
        subscription_id: SubscriptionId::from_uuid(Uuid::from_u128(pick(11, 2).into())),
        event_title: format!("Title {}", pick(11, 2)),
        event_name: format!("Event {}", pick(13, 3)),
        occurred_at: None,
        test: false,
        method: Method::ALL[pick(17, 2) as usize],
        destination: "https://core.example.com/hooks".into(),
        content_type: None,
        source: Payload::of(b""),
        number: if manual { AttemptNumber::Manual } else { AttemptNumber::Auto(1 + pick(19, 3)) },
        requested_by: None,
        resend_of: None,
        address_version: None,
        credentials: CredentialsVersion::Own,
        sent_at: if state == AttemptState::Queued { asked_at } else { asked_at + waited },
        state,
        next_attempt_at: None,
    }
}

fn rows(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<Attempt>> {
    // Some share a millisecond.
    let row = (any::<u128>(), 0..SPAN, any::<u32>())
        .prop_map(|(id, after, variety)| row(Uuid::from_u128(id), Duration::from_secs(after), variety));
    prop::collection::vec(row, count)
}

fn filters() -> impl Strategy<Value = HistoryFilter> {
    let time = || prop::option::weighted(0.2, (0..SPAN).prop_map(|after| START + Duration::from_secs(after)));
    let outcome =
        prop::sample::select(vec![Outcome::Queued, Outcome::Sending, Outcome::Succeeded, Outcome::Failed]);
    let code = prop::sample::select(vec![CodeFilter::Class(4), CodeFilter::Class(5), CodeFilter::Exact(200)]);
    let error = prop::sample::select(vec![ErrorKind::Timeout, ErrorKind::Interrupted]);
    let attempt =
        prop::sample::select(vec![AttemptFilter::Auto, AttemptFilter::Manual, AttemptFilter::Number(2)]);
    let what = (
        prop::option::weighted(0.2, outcome),
        prop::option::weighted(0.1, code),
        prop::option::weighted(0.1, error),
        prop::option::weighted(0.2, attempt),
    );
    let whose = (
        prop::option::weighted(0.1, 0..2_u32),
        prop::option::weighted(0.1, 0..3_u32),
        prop::option::weighted(0.1, 0..2_u128),
        prop::option::weighted(0.1, 0..3_u128),
        prop::option::weighted(0.1, 0..2_usize),
    );
    (what, whose, time(), time()).prop_map(|(what, whose, from, to)| {
        let (outcome, response_code, error, attempt) = what;
        let (title, name, subscription, trace, method) = whose;
        HistoryFilter {
            event_title: title.map(|i| format!("Title {i}")),
            event_name: name.map(|i| format!("Event {i}")),
            subscription_id: subscription.map(|id| SubscriptionId::from_uuid(Uuid::from_u128(id))),
            trace_id: trace.map(|id| TraceId::from_uuid(Uuid::from_u128(id))),
            method: method.map(|i| Method::ALL[i]),
            outcome,
            response_code,
            error,
            attempt,
            from,
            to,
        }
    })
}

/// The rows that pass, the newest first, as they read now.
fn whole(rows: Vec<Attempt>, filter: &HistoryFilter, now: Timestamp) -> Vec<Attempt> {
    rows.into_iter().map(|row| row.as_of(now)).filter(|row| filter.matches(row)).collect()
}

proptest! {
    #[test]
    fn pages_are_the_whole_history_every_row_once(
        rows in rows(0..60),
        newer in rows(20),
        filter in filters(),
        limit in 1..25_usize,
        now in 0..2 * SPAN,
    ) {
        let now = START + Duration::from_secs(now);
        let loan = Loan::new(rows);
        let expected = whole(loan.rows_now(), &filter, now);
        // While the pages are read, rows arrive that are newer than all of them.
        let mut newer = newer.into_iter().map(|mut row| {
            let after = row.id.uuid().as_u128() | 1 << 127;
            row.id = AttemptId::from_uuid(Uuid::from_u128(after));
            row
        });
        let (mut before, mut found) = (None, Vec::new());
        loop {
            let page = page_of(&loan, &filter, before, limit, now);
            prop_assert!(page.rows.len() == limit || page.next.is_none());
            prop_assert!(page.rows.len() <= limit);
            found.extend(page.rows.into_iter().map(|row| row.attempt));
            before = page.next;
            if before.is_none() {
                break;
            }
            loan.rows.lock().expect("unharmed").splice(0..0, newer.next());
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn an_unfiltered_page_reads_one_row_more_than_it_shows(rows in rows(0..60), limit in 1..70_usize) {
        let loan = Loan::new(rows);
        let all = loan.rows_now().len();
        let page = page_of(&loan, &HistoryFilter::default(), None, limit, START);
        prop_assert_eq!(page.rows.len(), limit.min(all));
        prop_assert_eq!(page.next.is_some(), all > limit);
        prop_assert_eq!(*loan.given.lock().expect("unharmed"), all.min(limit + 1));
    }
}

/// A long history in which a row passes now and then.
#[test]
fn a_filtered_page_is_full_or_has_looked_at_5000_rows() {
    for every in [1, 60, 2600, 4999, 5000, 5001, 20_000] {
        let all = 12_345_u32;
        let rows = (0..all).map(|i| {
            let mut row = row(Uuid::from_u128(0), Duration::from_millis(i.into()), 2);
            row.event_name = if i % every == every / 2 { "this" } else { "another" }.into();
            row
        });
        let loan = Loan::new(rows.collect());
        let filter = HistoryFilter { event_name: Some("this".into()), ..HistoryFilter::default() };
        let expected = whole(loan.rows_now(), &filter, START);
        let (mut before, mut found) = (None, Vec::new());
        loop {
            *loan.given.lock().expect("unharmed") = 0;
            let page = page_of(&loan, &filter, before, 50, START);
            let given = *loan.given.lock().expect("unharmed");
            assert!(given <= 5000, "{given} rows looked at");
            let full = page.rows.len() == 50;
            assert!(full || page.next.is_none() || given == 5000, "{} of {given}", page.rows.len());
            found.extend(page.rows.into_iter().map(|row| row.attempt));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "every {every}");
    }
}

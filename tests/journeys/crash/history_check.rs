//! The check after the crashes: the whole history is compared with what was accepted and with what the receiver saw.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::traffic::{LOANS, Promised};
use crate::harness::rows::assert_well_formed;
use crate::harness::{Api, items_of, text};
use crate::reports::{rows_when, sum};

pub(super) struct History {
    /// Every row, by its ID.
    rows: BTreeMap<String, Value>,
    /// How many IDs were in the history more than once.
    repeated: usize,
    /// Each delivery.
    deliveries: BTreeMap<String, Value>,
    /// How many events are in the ledger.
    events: usize,
}

impl History {
    pub(super) async fn read(api: &Api, promised: &Promised) -> Self {
        let mut history = Self { rows: BTreeMap::new(), repeated: 0, deliveries: BTreeMap::new(), events: 0 };
        for loan in 0..LOANS {
            let mut next = Some(String::new());
            while let Some(cursor) = next {
                let page = api
                    .get(&format!("/v1/loans/loan-{loan}/webhooks?limit=200{cursor}"))
                    .await
                    .expect_status(200)
                    .json();
                for row in items_of(&page) {
                    let id = text(&row["id"]).to_owned();
                    history.repeated += usize::from(history.rows.insert(id, row.clone()).is_some());
                }
                next = page["next"].as_str().map(|next| format!("&cursor={next}"));
            }
            let mut next = Some(String::new());
            while let Some(cursor) = next {
                let page = api.get(&format!("/v1/loans/loan-{loan}/events?limit=200{cursor}")).await;
                let page = page.expect_status(200).json();
                history.events += items_of(&page).len();
                next = page["next"].as_str().map(|next| format!("&cursor={next}"));
            }
        }
        let mut traces: BTreeSet<String> =
            history.rows.values().map(|row| text(&row["traceId"]).to_owned()).collect();
        traces.extend(promised.accepted.iter().cloned());
        let deliveries = stream::iter(traces).map(|trace| async move {
            let delivery = api.delivery(&trace).await;
            (trace, delivery)
        });
        history.deliveries = deliveries.buffer_unordered(8).collect().await;
        history
    }

    /// Itself, if every attempt and every delivery has ended.
    pub(super) fn if_all_ended(self) -> Option<Self> {
        let open = self.rows.values().any(|row| row["outcome"] == "sending" || row["outcome"] == "queued");
        let pending = self.deliveries.values().any(|delivery| delivery["status"] == "pending");
        (!open && !pending).then_some(self)
    }

    pub(super) fn has_as_many_rows_as(&self, other: &Self) -> bool {
        self.rows.len() == other.rows.len()
    }

    pub(super) fn assert_matches(&self, promised: &Promised) {
        self.rows.values().for_each(assert_well_formed);
        self.every_request_has_exactly_one_row(promised);
        self.numbers_have_no_gap_and_no_repeat();
        self.every_promise_was_kept(promised);
        let interrupted = self.rows.values().filter(|row| row["error"]["kind"] == "interrupted").count();
        let retries = self.rows.values().filter(|row| row["attemptNumber"].as_u64() > Some(1)).count();
        eprintln!(
            "{} deliveries accepted, {} resends, {} attempts, {retries} of them retries, {interrupted} interrupted",
            promised.accepted.len(),
            promised.resends.len(),
            self.rows.len()
        );
        assert!(interrupted > 0 && retries > 0, "the kills hit nothing: this run proves too little");
    }

    fn every_request_has_exactly_one_row(&self, promised: &Promised) {
        assert_eq!(self.repeated, 0, "an ID stands in the history once");
        let mut seen = BTreeSet::new();
        for request in promised.seen() {
            let row = self
                .rows
                .get(request.attempt_id())
                .unwrap_or_else(|| panic!("a request without a row: {request:?}"));
            assert_eq!(row["traceId"], request.trace_id());
            let number = row["attemptNumber"]
                .as_u64()
                .map_or_else(|| "manual".to_owned(), |number| number.to_string());
            assert_eq!(number, request.attempt_number());
            assert!(seen.insert(request.attempt_id().to_owned()), "one request left twice: {request:?}");
        }
        for (id, row) in &self.rows {
            let unsure = row["error"]["kind"] == "interrupted" || row["error"]["kind"] == "connect";
            assert!(seen.contains(id) || unsure, "a row that says it was sent, and no request: {row:#}");
        }
    }

    fn numbers_have_no_gap_and_no_repeat(&self) {
        let mut numbers: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for row in self.rows.values() {
            numbers.entry(text(&row["traceId"])).or_default().extend(row["attemptNumber"].as_u64());
        }
        for (trace, mut numbers) in numbers {
            numbers.sort_unstable();
            let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
            assert_eq!(numbers, expected, "of {trace}");
        }
    }

    /// Reports count what the history has: each event, delivery, attempt and resend once.
    pub(super) async fn assert_counted(&self, api: &Api) {
        let rows = rows_when(api, "?by=hour", |rows| !rows.is_empty()).await;
        let counted = |name: &str| sum(&rows, name);
        let count = |number: usize| i64::try_from(number).expect("few");
        assert_eq!(counted("/eventsAccepted"), count(self.events));
        assert_eq!(counted("/deliveriesAccepted"), count(self.deliveries.len()));
        let first = |row: &&Value| row["attemptNumber"] == 1 && row["outcome"] == "succeeded";
        let first = self.rows.values().filter(first).count();
        assert_eq!(counted("/succeededFirst"), count(first));
        assert_eq!(counted("/succeededLater"), count(self.deliveries.len() - first));
        assert_eq!((counted("/pending"), counted("/exhausted"), counted("/canceled")), (0, 0, 0));
        assert_eq!(
            counted("/resends"),
            count(self.rows.values().filter(|row| row["manual"] == true).count())
        );
        let mut attempts: BTreeMap<String, usize> = BTreeMap::new();
        for row in self.rows.values() {
            let class = match row["responseCode"].as_u64() {
                Some(code) => format!("{}xx", code / 100),
                None => text(&row["error"]["kind"]).to_owned(),
            };
            *attempts.entry(class).or_default() += 1;
        }
        let classes = rows[0]["attempts"].as_object().expect("attempts by class");
        for class in classes.keys() {
            let expected = attempts.get(class).copied().unwrap_or_default();
            assert_eq!(counted(&format!("/attempts/{class}")), count(expected), "{class}");
        }
    }

    fn every_promise_was_kept(&self, promised: &Promised) {
        assert!(
            promised.accepted.len() > 100,
            "{} events are too few to prove anything",
            promised.accepted.len()
        );
        let reached: BTreeSet<String> =
            promised.seen().iter().map(|request| request.trace_id().to_owned()).collect();
        for trace in &promised.accepted {
            assert!(reached.contains(trace), "accepted, and never sent: {trace}");
        }
        for (trace, delivery) in &self.deliveries {
            assert_eq!(delivery["status"], "succeeded", "its schedule is long enough to succeed: {trace}");
        }
        for (id, trace) in &promised.resends {
            let row = self
                .rows
                .get(id)
                .unwrap_or_else(|| panic!("a resend that was answered has no row: {id} of {trace}"));
            assert_eq!(
                (&row["traceId"], &row["attemptNumber"]),
                (&Value::from(trace.as_str()), &Value::from("manual"))
            );
        }
        let manual = self.rows.values().filter(|row| row["manual"] == true).count();
        assert!(manual >= promised.resends.len());
    }
}

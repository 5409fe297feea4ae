//! Counters say what the history says, also when the process is killed meanwhile: what one process committed and what the next
//! one committed is together everything, each once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Metrics;
use crate::harness::{
    Api, Gate, Journey, Reply, event, event_named, eventually, items_of, subscription_path, text,
};

const LOANS: [&str; 4] = ["727", "915", "1001", "1002"];
/// Deliveries whose request is under way when the process is killed: as many as a subscription has at least, after failures too.
const HELD: usize = 4;

#[tokio::test]
async fn counters_of_two_processes_add_up_to_the_history() {
    let Some(j) = super::journey().await else { return };
    let traffic = traffic(&j).await;
    let alone = Metrics::read(&j).await;
    History::read(&j.api).await.assert_is(&[&alone]);

    // What is under way at the end of a process is counted by the next one, once.
    let gate = Gate::closed();
    j.receiver.replies("/hook", std::iter::repeat_n(Reply::ok().held(&gate), HELD));
    let before = j.receiver.requests().len();
    let mut traces = Vec::new();
    for loan in LOANS.iter().cycle().take(HELD) {
        traces.extend(j.api.send_event(&event(loan)).await);
    }
    eventually("the requests are under way", async || {
        (j.receiver.requests().len() == before + HELD).then_some(())
    })
    .await;
    let first = Metrics::read(&j).await;
    j.server.kill();
    gate.open();
    j.server.restart().await;
    for trace in traces.iter().chain(&traffic) {
        j.api.ended_delivery(trace).await;
    }
    let history = History::read(&j.api).await;
    assert_eq!(
        history.attempts.get("interrupted"),
        Some(&(HELD as u64)),
        "each was interrupted: {history:?}"
    );
    let second = Metrics::read(&j).await;
    assert!(second.sum("loanhook_events_accepted_total", &[]) == 0, "counters begin with 0");
    history.assert_is(&[&first, &second]);
}

/// Successes, failures, retries, resends and events without a delivery; the traces, all ended.
async fn traffic(j: &Journey) -> Vec<String> {
    let bank = j
        .subscribe(
            "/hook",
            json!({"criteria": {"events": ["Payment Posted to Account"]}, "retry": {"delays": [1]}}),
        )
        .await;
    let fails = json!({"criteria": {"events": ["Fails"]}, "restriction": "(+ 1 \"x\")"});
    j.subscribe("/other", fails).await;
    j.subscribe("/other", json!({"criteria": {"events": ["Fails"]}, "enabled": false})).await;
    j.subscribe(
        "/other",
        json!({"criteria": {"trigger": "(= status-days-past-due 13)"}, "retry": {"delays": []}}),
    )
    .await;
    j.api.send_event(&event_named("Fails", "727")).await;
    j.api.send_event(&event_named("Nothing matches", "727")).await;
    let replies = [
        vec![Reply::ok()],
        vec![Reply::status(500), Reply::ok()],
        vec![Reply::status(404), Reply::garbage()],
        vec![Reply::close_early(), Reply::status(503)],
    ];
    let mut traces = Vec::new();
    for (loan, replies) in LOANS.iter().zip(replies) {
        j.receiver.replies("/hook", replies);
        for trace in j.api.send_event(&event(loan)).await {
            j.api.ended_delivery(&trace).await;
            traces.push(trace);
        }
    }
    // One resend of a delivery that succeeded, and one that makes an exhausted one succeed.
    let exhausted = exhausted_trace(j, &traces).await;
    for trace in [&traces[0], &exhausted] {
        let attempts = j.api.delivery(trace).await["attempts"].as_array().map_or(0, Vec::len);
        j.api.resend(trace).await;
        j.api.delivery_after_attempts(trace, attempts + 1).await;
    }
    // A repeated event counts once, and a test send does not.
    for _ in 0..2 {
        let keyed = j.api.request("POST", "/v1/events").json(&event("727")).header("idempotency-key", "once");
        for trace in crate::harness::trace_ids(&keyed.send().await.expect_status(202).json()) {
            j.api.ended_delivery(&trace).await;
        }
    }
    let test = format!("{}/test", subscription_path(&bank));
    let tested = j.api.post(&test, &json!({"loanId": "727"})).await.expect_status(202).json();
    j.api.ended_delivery(text(&tested["deliveries"][0]["traceId"])).await;
    traces
}

async fn exhausted_trace(j: &Journey, traces: &[String]) -> String {
    for trace in traces {
        if j.api.delivery(trace).await["status"] == "failed" {
            return trace.clone();
        }
    }
    panic!("none is exhausted")
}

/// What the history and the ledger have, without test sends.
#[derive(Debug)]
struct History {
    events: u64,
    verdicts: BTreeMap<String, u64>,
    deliveries: u64,
    /// By the class of the response code, or the kind of the error.
    attempts: BTreeMap<String, u64>,
    with_response: u64,
    resends: u64,
    exhausted: u64,
}

impl History {
    async fn read(api: &Api) -> Self {
        let (mut rows, mut events) = (Vec::new(), Vec::new());
        for loan in LOANS {
            rows.extend(api.rows(loan, "?limit=200").await);
            let page = api.get(&format!("/v1/loans/{loan}/events?limit=200")).await.expect_status(200).json();
            events.extend(items_of(&page).clone());
        }
        let is_real = |value: &Value| value["test"] == false;
        rows.retain(is_real);
        events.retain(is_real);
        let mut history = Self {
            events: events.len() as u64,
            verdicts: BTreeMap::new(),
            deliveries: 0,
            attempts: BTreeMap::new(),
            with_response: 0,
            resends: 0,
            exhausted: 0,
        };
        for verdict in events.iter().flat_map(|event| event["verdicts"].as_array().expect("verdicts")) {
            *history.verdicts.entry(text(&verdict["verdict"]).to_owned()).or_default() += 1;
        }
        history.deliveries = history.verdicts.get("delivered").copied().unwrap_or_default();
        for row in &rows {
            let class = match row["responseCode"].as_u64() {
                Some(code) => format!("{}xx", code / 100),
                None => text(&row["error"]["kind"]).to_owned(),
            };
            *history.attempts.entry(class).or_default() += 1;
            history.with_response += u64::from(!row["responseTimeMs"].is_null());
            history.resends += u64::from(row["manual"] == true);
            // Also where a resend has delivered since.
            let last = row["manual"] == false && row["outcome"] == "failed" && row["nextAttemptAt"].is_null();
            history.exhausted += u64::from(last);
        }
        history
    }

    /// The counters of these processes add up to this.
    fn assert_is(&self, processes: &[&Metrics]) {
        let sum = |name: &str, labels: &[(&str, &str)]| {
            processes.iter().map(|metrics| metrics.sum(name, labels)).sum::<u64>()
        };
        assert!(self.exhausted > 0 && self.resends > 0 && self.attempts.len() > 3, "{self:?}");
        assert_eq!(sum("loanhook_events_accepted_total", &[]), self.events, "{self:?}");
        for verdict in
            ["delivered", "trigger_false", "already_true", "restriction_false", "disabled", "formula_error"]
        {
            let expected = self.verdicts.get(verdict).copied().unwrap_or_default();
            assert_eq!(
                sum("loanhook_verdicts_total", &[("verdict", verdict)]),
                expected,
                "{verdict}: {self:?}"
            );
        }
        assert_eq!(sum("loanhook_formula_errors_total", &[]), self.verdicts["formula_error"]);
        assert_eq!(sum("loanhook_deliveries_accepted_total", &[]), self.deliveries, "{self:?}");
        assert_eq!(sum("loanhook_first_attempt_seconds_count", &[]), self.deliveries, "{self:?}");
        for (class, expected) in &self.attempts {
            let labels = match class.ends_with("xx") {
                true => [("outcome", class.as_str()), ("error_kind", "")],
                false => [("outcome", "error"), ("error_kind", class.as_str())],
            };
            assert_eq!(sum("loanhook_attempts_total", &labels), *expected, "{class}: {self:?}");
        }
        assert_eq!(sum("loanhook_attempts_total", &[]), self.attempts.values().sum::<u64>(), "{self:?}");
        assert_eq!(sum("loanhook_response_seconds_count", &[]), self.with_response, "{self:?}");
        assert_eq!(sum("loanhook_resends_total", &[]), self.resends, "{self:?}");
        assert_eq!(sum("loanhook_exhausted_total", &[]), self.exhausted, "{self:?}");
    }
}

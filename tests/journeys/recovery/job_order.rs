//! Order and pace of a bulk resend: of a loan one after the other, oldest first; no more in a second than asked for.

use std::collections::BTreeSet;

use serde_json::json;

use super::{counts, ended_job, failed_on_own_process, id, items, make_job};
use crate::harness::{Gate, Journey, Reply, event, text};

/// A receiver that has answered well so far is sent several resends at once.
#[tokio::test]
async fn deliveries_of_one_loan_are_resent_one_after_the_other() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({})).await;
    let mut traces = Vec::new();
    for loan in ["1", "1", "2", "1"] {
        let trace = j.api.send_one(&event(loan)).await;
        j.api.ended_delivery(&trace).await;
        j.receiver.next_request().await;
        traces.push(trace);
    }
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let body = json!({"filter": {"status": "succeeded"}, "perSecond": 1000});
    let made = make_job(&j.api, "resends", &body).await;
    // The receiver holds them: of the others of loan 1 none comes.
    let first = [j.receiver.next_request().await, j.receiver.next_request().await];
    let first: BTreeSet<_> = first.iter().map(|request| request.trace_id().to_owned()).collect();
    assert_eq!(first, BTreeSet::from([traces[0].clone(), traces[2].clone()]));
    assert_eq!(j.receiver.requests().len(), 4 + 2);
    gate.open();
    let then = [j.receiver.next_request().await, j.receiver.next_request().await];
    assert_eq!(then.each_ref().map(|request| request.trace_id()), [&traces[1], &traces[3]]);
    let ended = ended_job(&j.api, "resends", id(&made)).await;
    assert_eq!(counts(&ended), [4, 4, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_bulk_resend_is_never_faster_than_its_pace() {
    let loans: Vec<String> = (0..12).map(|loan| loan.to_string()).collect();
    let loans: Vec<&str> = loans.iter().map(String::as_str).collect();
    let Some((j, _)) = failed_on_own_process(&loans).await else { return };
    let made = make_job(&j.api, "resends", &json!({"filter": {"status": "failed"}, "perSecond": 5})).await;
    ended_job(&j.api, "resends", id(&made)).await;
    // The IDs of attempts begin with the time when they were asked for.
    let mut asked: Vec<u64> = Vec::new();
    for item in items(&j.api, "resends", id(&made), "").await {
        let attempt: uuid::Uuid = text(&item["attemptId"]).parse().expect("a UUID");
        asked.push((attempt.as_u128() >> 80) as u64);
    }
    asked.sort_unstable();
    // A bucket holds one second's worth, so that in a second twice as many can be asked for at most.
    for (index, at) in asked.iter().enumerate() {
        let within = asked.iter().filter(|other| (*at..at + 1000).contains(other)).count();
        assert!(within <= 10, "{within} in the second after resend {index}: {asked:?}");
    }
    assert!(asked[11] - asked[0] >= 1200, "12 at 5 a second, 5 of them at once: {asked:?}");
}

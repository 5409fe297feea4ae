//! The list of deliveries across loans: fields, order, pages, filters, and what is 422.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::{EachKind, deliveries, traces};
use crate::harness::rows::assert_well_formed;
use crate::harness::{Journey, event, event_named, instant, items_of, text};

#[tokio::test]
async fn deliveries_of_all_loans_are_listed_newest_first_with_their_newest_attempt() {
    let of = EachKind::new().await;
    let listed = deliveries(&of.j, "").await;
    assert_eq!(traces(&listed), of.all());
    for item in &listed {
        let mut delivery = of.j.api.delivery(text(&item["traceId"])).await;
        let fields = delivery.as_object_mut().expect("an object");
        let newest = fields["attempts"].as_array().and_then(|attempts| attempts.last().cloned());
        fields.remove("attempts");
        fields.remove("next");
        fields.insert("newestAttempt".into(), newest.expect("an attempt"));
        assert_eq!(*item, delivery, "the delivery by itself, with its newest attempt");
        assert_well_formed(&item["newestAttempt"]);
        assert_eq!((&item["test"], &item["waiting"]), (&json!(false), &Value::Null));
    }
    let resent = of.j.api.resend(&of.failed).await;
    let newest =
        of.j.api.delivery_when(&of.failed, |delivery| delivery["attempts"][1]["outcome"] == "failed");
    newest.await;
    let listed = deliveries(&of.j, "?status=failed").await;
    assert_eq!((&listed[0]["newestAttempt"]["id"], listed.len()), (&json!(resent), 1));
}

#[tokio::test]
async fn a_cursor_passes_every_delivery_once_while_others_arrive() {
    let j = Journey::start().await;
    j.subscribe("/one", json!({})).await;
    j.subscribe("/two", json!({})).await;
    let results = j.api.send_batch((0..6).map(|loan| event(&loan.to_string())).collect()).await;
    let mut expected: Vec<String> = results.iter().flat_map(crate::harness::trace_ids).collect();
    expected.sort_unstable();
    expected.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = j.api.get(&format!("/v1/webhooks?limit=5{cursor}")).await.expect_status(200).json();
        let items = items_of(&page);
        assert!(items.len() == 5 || page["next"].is_null(), "a page is full");
        seen.extend(traces(items).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
        j.api.send_event(&event("900")).await;
    }
    seen.retain(|trace| expected.contains(trace));
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn each_filter_returns_exactly_the_matching_deliveries() {
    let of = EachKind::new().await;
    let listed = deliveries(&of.j, "").await;
    let bad = text(&listed[2]["subscriptionId"]);
    for (query, expected) in [
        ("status=succeeded", vec![&of.succeeded]),
        ("status=failed", vec![&of.failed]),
        ("status=pending", vec![&of.pending]),
        ("status=canceled", vec![&of.canceled]),
        ("waiting=hold", vec![]),
        ("waiting=limit&status=pending", vec![]),
        ("waiting=order", vec![]),
        ("eventName=Later", vec![&of.pending, &of.canceled]),
        ("loanId=728", vec![&of.failed]),
        ("loanId=731", vec![]),
        (&format!("subscriptionId={bad}"), vec![&of.failed]),
        ("responseCode=200", vec![&of.succeeded]),
        ("responseCode=5xx", vec![&of.failed]),
        ("responseCode=503&loanId=727", vec![]),
        ("test=false", of_all(&of)),
        ("test=true", vec![]),
        ("status=pending&eventName=Later&test=false", vec![&of.pending]),
    ] {
        assert_eq!(traces(&deliveries(&of.j, &format!("?{query}")).await), expected, "{query}");
    }
    let kind = text(&listed[0]["newestAttempt"]["error"]["kind"]);
    let of_kind = deliveries(&of.j, &format!("?error={kind}")).await;
    assert!(traces(&of_kind).contains(&of.pending.as_str()), "{of_kind:?}");
    assert!(!traces(&of_kind).contains(&of.failed.as_str()), "it has a response code");
}

fn of_all(of: &EachKind) -> Vec<&String> {
    vec![&of.pending, &of.canceled, &of.failed, &of.succeeded]
}

#[tokio::test]
async fn from_is_inclusive_and_to_exclusive_and_both_mean_accepted_at() {
    let of = EachKind::new().await;
    let listed = deliveries(&of.j, "").await;
    let accepted =
        |index: usize| instant(&listed[index]["acceptedAt"]).to_rfc3339_opts(SecondsFormat::Millis, true);
    let all = of.all();
    for (query, expected) in [
        (format!("from={}", accepted(1)), &all[..2]),
        (format!("to={}", accepted(1)), &all[2..]),
        (format!("from={}&to={}", accepted(1), accepted(0)), &all[1..2]),
        (format!("from={0}&to={0}", accepted(1)), &all[..0]),
    ] {
        assert_eq!(traces(&deliveries(&of.j, &format!("?{query}")).await), expected, "{query}");
    }
}

#[tokio::test]
async fn a_test_is_marked_and_can_be_left_out() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({"criteria": {"events": ["Never"]}})).await;
    let path = format!("/v1/subscriptions/{}/test", text(&created["id"]));
    j.api.post(&path, &json!({"loanId": "727"})).await.expect_status(202);
    j.receiver.next_request().await;
    let listed = deliveries(&j, "?test=true").await;
    assert_eq!((listed.len(), &listed[0]["test"]), (1, &json!(true)));
    assert!(deliveries(&j, "?test=false").await.is_empty());
}

#[tokio::test]
async fn another_tenants_deliveries_are_not_listed() {
    let of = EachKind::new().await;
    let stranger = of.j.other_tenant().await;
    for query in ["", "?status=failed", "?loanId=728"] {
        let page = stranger.get(&format!("/v1/webhooks{query}")).await.expect_status(200).json();
        assert_eq!(page, json!({"items": [], "next": null}), "{query}");
    }
    // A cursor of theirs shows nothing of them.
    let page = of.j.api.get("/v1/webhooks?limit=1").await.expect_status(200).json();
    let path = format!("/v1/webhooks?cursor={}", text(&page["next"]));
    assert_eq!(stranger.get(&path).await.expect_status(200).json()["items"], json!([]));
    stranger.with_new_key("writer", &["events:write"]).await.get("/v1/webhooks").await.expect_problem(403);
}

#[tokio::test]
async fn an_invalid_filter_or_cursor_is_422() {
    let j = Journey::start().await;
    j.api.send_event(&event_named("Unheard", "727")).await;
    for query in [
        "status=lost",
        "status=",
        "waiting=rate",
        "subscriptionId=x",
        "loanId=a%2Fb",
        "responseCode=99",
        "responseCode=5XX",
        "error=unknown",
        "test=yes",
        "from=yesterday",
        "to=2026-11-23",
        "limit=0",
        "limit=201",
        "cursor=x",
        "cursor=AAAAAAAAAAAAAAAAAAAAAA",
        "cursor=________________________________",
        "colour=red",
        "eventName=%ff",
        "status=failed&status=pending",
    ] {
        for accept in ["application/json", "text/csv", "application/x-ndjson"] {
            let request = j.api.request("GET", &format!("/v1/webhooks?{query}")).header("accept", accept);
            request.send().await.expect_problem(422);
        }
    }
    j.api
        .get("/v1/webhooks?status=lost&waiting=x&test=1&from=soon&limit=0")
        .await
        .expect_errors_at(&["status", "waiting", "test", "from", "limit"]);
}

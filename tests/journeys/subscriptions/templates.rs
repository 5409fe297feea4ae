//! Templates: what a webhook sends, and where.

use serde_json::{Value, json};

use crate::harness::{Journey, text};

const CONTEXT: &str = r#"{"last-payment-amount": 250.00, "borrower": "Ann \"Annie\" O'Hara\n& Söhne", "note": null,
    "payments": [{"amount": 1e2, "type": "ach"}], "tags": ["a", "b"], "flag": true}"#;

/// An event of loan 727 whose bytes are as they stand here.
async fn send(j: &Journey) -> String {
    let body = format!(
        r#"{{"eventName": "Payment Posted", "loanId": "727", "context": {CONTEXT}, "occurredAt": "2026-11-23T10:00:00Z"}}"#
    );
    let accepted = j.api.request("POST", "/v1/events").body(body).answer().await.is(202).json();
    text(&accepted["deliveries"][0]["traceId"]).to_owned()
}

#[tokio::test]
async fn whatever_is_json_by_its_content_type_is_escaped_as_json() {
    let j = Journey::begin().await;
    for content_type in
        ["json", "text/json", "Application/VND.core+JSON; v=1", "application/x-ndjson; charset=utf-8"]
    {
        let request = json!({"contentType": content_type, "payload": "{\"who\": \"[[v('borrower')]]\"}\n"});
        let made = j.subscribe("/hook", json!({"request": request})).await;
        send(&j).await;
        let sent = j.receiver.next().await;
        assert_eq!(sent.header("content-type"), Some(content_type));
        let line: Value = serde_json::from_slice(&sent.body).expect("JSON");
        assert_eq!(line["who"], "Ann \"Annie\" O'Hara\n& Söhne", "{content_type}");
        j.api.delete(&format!("/v1/subscriptions/{}", text(&made["id"]))).await.is(204);
    }
}

#[tokio::test]
async fn body_url_and_headers_arrive_as_they_were_written() {
    let j = Journey::begin().await;
    let payload = r#"{"loan": "[[v('loan-id')]]", "amount": [[v('last-payment-amount')]], "first": [[v('payments[0]')]],
 "text": "[[v('last-payment-amount')]] from [[v('borrower')]]", "who": [[v('borrower')]], "note": [[v('note','"none"')]],
 "missing": [[v('missing','0')]], "event": "[[v('event-name')]]", "at": "[[v('occurred-at')]]", "trace": "[[v('trace-id')]]", "rows": [[1,2],[3]]}"#;
    let made = j
        .api
        .subscribe(&crate::harness::subscription(
            &j.receiver.url("/loans/[[v('loan-id')]]/[[v('borrower')]]?amount=[[v('last-payment-amount')]]&type=[[v('payments[0].type')]]"),
            json!({"request": {"payload": payload, "headers": {"X-Borrower": "[[v('borrower')]]!", "X-Flag": "is [[v('flag')]]"}}}),
        ))
        .await;
    assert_eq!(made["request"]["payload"], payload);

    let trace = send(&j).await;
    let request = j.receiver.next().await;
    assert_eq!(
        request.target,
        "/loans/727/Ann%20%22Annie%22%20O%27Hara%0A%26%20S%C3%B6hne?amount=250.00&type=ach"
    );
    assert_eq!(request.header("x-borrower"), Some("Ann \"Annie\" O'Hara%0A& S%C3%B6hne!"));
    assert_eq!(request.header("x-flag"), Some("is true"));
    let borrower = r#"Ann \"Annie\" O'Hara\n& Söhne"#;
    let expected = format!(
        r#"{{"loan": "727", "amount": 250.00, "first": {{"amount": 1e2, "type": "ach"}},
 "text": "250.00 from {borrower}", "who": "{borrower}", "note": "none",
 "missing": 0, "event": "Payment Posted", "at": "2026-11-23T10:00:00Z", "trace": "{trace}", "rows": [[1,2],[3]]}}"#
    );
    assert_eq!(String::from_utf8_lossy(&request.body), expected);
    let row = &j.api.settled(&trace).await["attempts"][0];
    let row = j.api.get(&format!("/v1/loans/727/webhooks/{}", text(&row["id"]))).await.is(200).json();
    assert_eq!(row["destination"], j.receiver.url(&request.target));
}

#[tokio::test]
async fn an_event_that_does_not_say_when_occurred_when_it_was_accepted() {
    let j = Journey::begin().await;
    let at = "[[v('occurred-at')]]";
    let made = j
        .api
        .subscribe(&crate::harness::subscription(
            &j.receiver.url(&format!("/hook?at={at}")),
            json!({"request": {"payload": format!(r#"{{"at": "{at}"}}"#), "headers": {"X-At": at}}}),
        ))
        .await;
    let event = crate::harness::event("727");
    let asked =
        || j.api.request("POST", "/v1/events").header("idempotency-key", "a key").json(&event).answer();
    let accepted = asked().await.is(202).json();
    let trace = text(&accepted["deliveries"][0]["traceId"]).to_owned();
    let delivery = j.api.settled(&trace).await;
    assert_eq!((&delivery["status"], &delivery["occurredAt"]), (&json!("succeeded"), &Value::Null));
    let accepted_at = text(&delivery["acceptedAt"]);
    let request = j.receiver.next().await;
    assert_eq!(request.target, format!("/hook?at={}", accepted_at.replace(':', "%3A")));
    assert_eq!(request.header("x-at"), Some(accepted_at));
    assert_eq!(request.json()["at"], accepted_at);

    // It stays as it was rendered, whatever comes later.
    assert_eq!(asked().await.is(202).json(), accepted);
    j.api.resend(&trace).await;
    assert_eq!(j.receiver.next().await.frozen(), request.frozen());
    // A test agrees, and says when it is told.
    let test = format!("/v1/subscriptions/{}/test", text(&made["id"]));
    j.api.post(&test, &json!({"loanId": "728"})).await.is(202);
    assert!(text(&j.receiver.next().await.json()["at"]) >= accepted_at);
    let told = json!({"loanId": "728", "occurredAt": "2026-11-23T10:00:00Z"});
    j.api.post(&test, &told).await.is(202);
    assert_eq!(j.receiver.next().await.json()["at"], "2026-11-23T10:00:00Z");
    j.api.post(&test, &json!({"loanId": "728", "occurredAt": "today"})).await.points_at(&["/occurredAt"]);
    for target in ["header", "body"] {
        let tried = json!({"template": format!("\"{at}\""), "target": target});
        let rendered = j.api.post("/v1/templates/render", &tried).await.is(200).json();
        assert!(text(&rendered["rendered"]).trim_matches('"').starts_with("20"), "{rendered}");
    }
}

#[tokio::test]
async fn other_text_is_not_escaped_and_a_delete_carries_a_payload_that_is_set() {
    let j = Journey::begin().await;
    let request = json!({"method": "DELETE", "contentType": "text/plain", "payload": "[[v('borrower')]] [[v('tags')]]"});
    j.subscribe("/hook", json!({"request": request})).await;
    send(&j).await;
    let request = j.receiver.next().await;
    assert_eq!(request.method, "DELETE");
    assert_eq!(request.header("content-type"), Some("text/plain"));
    assert_eq!(String::from_utf8_lossy(&request.body), "Ann \"Annie\" O'Hara\n& Söhne [\"a\", \"b\"]");
}

#[tokio::test]
async fn what_cannot_be_rendered_is_a_failed_row_without_a_request() {
    let j = Journey::begin().await;
    let long = format!("[{}]", vec!["[[v('long')]]"; 40].join(","));
    for (name, changes) in [
        ("missing", json!({"request": {"payload": "{\"a\": [[v('missing')]]}"}})),
        ("the URL", json!({"request": {"url": j.receiver.url("/[[v('dots')]]/x")}})),
        ("X-Missing", json!({"request": {"headers": {"X-Missing": "[[v('missing.deep')]]"}}})),
        ("1048576", json!({"request": {"payload": long}})),
    ] {
        let mut changes = changes;
        changes["retry"] = json!({"delays": [1, 1]});
        let made = j.subscribe("/hook", changes).await;
        let event =
            json!({"eventName": "A", "loanId": "727", "context": {"dots": "..", "long": "x".repeat(50_000)}});
        let trace = j.api.send_one(&event).await;
        let delivery = j.api.settled(&trace).await;
        assert_eq!(delivery["status"], "failed", "{name}");
        let row = &delivery["attempts"][0];
        assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(1), "{name}");
        assert_eq!((&row["attemptNumber"], &row["outcome"]), (&json!(1), &json!("failed")));
        assert_eq!(row["error"]["kind"], "template", "{row}");
        assert!(text(&row["error"]["detail"]).contains(name), "{row}");
        for field in ["responseCode", "response", "responseTimeMs", "sourceIp", "nextAttemptAt"] {
            assert_eq!(row[field], Value::Null, "{field}");
        }
        assert_eq!(row["source"]["bytes"], 0);
        j.api.ask(&format!("/v1/webhooks/{trace}/resend")).await.problem(409);
        j.api.ask(&format!("/v1/webhook/retry/{trace}/1")).await.problem(409);
        assert_eq!(j.api.rows("727", "?error=template&limit=1").await[0]["id"], row["id"]);
        j.api.delete(&format!("/v1/subscriptions/{}", text(&made["id"]))).await.is(204);
    }
    assert!(j.receiver.seen().is_empty(), "nothing left");
}

#[tokio::test]
async fn a_template_is_checked_when_it_is_saved() {
    let j = Journey::begin().await;
    let url = j.receiver.url("/hook");
    for (request, pointer) in [
        (json!({"payload": "{\"a\": [[v(name)]]}"}), "/request/payload"),
        (json!({"payload": "{\"a\": [[v('a')]]"}), "/request/payload"),
        (json!({"payload": "{\"a\": 1[[v('a')]]}"}), "/request/payload"),
        (json!({"url": j.receiver.url("/[[v('a'")}), "/request/url"),
        (json!({"url": "[[v('url')]]"}), "/request/url"),
        (json!({"url": "https://api.example.com[[v('x')]]/x"}), "/request/url"),
        (json!({"headers": {"x-a": "[[w('a')]]"}}), "/request/headers/x-a"),
    ] {
        let body = crate::harness::subscription(&url, json!({"request": request}));
        let problem = j.api.post("/v1/subscriptions", &body).await.problem(422);
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], pointer, "{problem}");
        assert!(error["line"].is_u64() && error["column"].is_u64(), "{problem}");
    }
}

#[tokio::test]
async fn a_formula_or_template_is_tried_before_it_is_saved() {
    let j = Journey::begin().await;
    let evaluate = async |formula: &str| {
        let body = format!(r#"{{"formula": {}, "context": {CONTEXT}}}"#, json!(formula));
        j.api.request("POST", "/v1/formulas/evaluate").body(body).answer().await
    };
    for (formula, value, printed) in [
        ("(> last-payment-amount 100)", json!(true), "true"),
        ("last-payment-amount", json!(250.0), "250.0"),
        ("(/ 1 3)", Value::Null, "1/3"),
        ("(map :type payments)", json!(["ach"]), "(\"ach\")"),
        ("{:a #{1}}", json!({"a": [1]}), "{:a #{1}}"),
        ("unknown", Value::Null, "nil"),
        ("(= 1 1.0)", json!(false), "false"),
    ] {
        let answer = evaluate(formula).await.is(200).json();
        assert_eq!(answer, json!({"value": value, "printed": printed}), "{formula}");
    }
    let problem = evaluate("(+ 1\n   borrower)").await.problem(422);
    assert_eq!(
        (&problem["errors"][0]["line"], &problem["errors"][0]["column"]),
        (&json!(1), &json!(1)),
        "{problem}"
    );
    assert!(!problem.to_string().contains("Annie"), "a problem shows no value: {problem}");
    let problem = evaluate("(println borrower)").await.problem(422);
    assert!(text(&problem["type"]).ends_with("/formula-unsupported"), "{problem}");
    evaluate("(count (range))").await.problem(422);

    let render = async |body: Value| j.api.post("/v1/templates/render", &body).await;
    let answer =
        render(json!({"template": "{\"a\": [[v('a')]]}", "context": {"a": "\"b\""}})).await.is(200).json();
    assert_eq!(answer, json!({"rendered": "{\"a\": \"\\\"b\\\"\"}"}));
    let url = json!({"template": "https://a.example.com/[[v('loan-id')]]?[[v('a')]]", "target": "url", "loanId": "7 27", "context": {"a": "&"}});
    assert_eq!(render(url).await.is(200).json()["rendered"], "https://a.example.com/7%2027?%26");
    let plain = json!({"template": "[[v('event-name')]]: [[v('a')]]", "contentType": "text/plain", "eventName": "B", "context": {"a": "\"b\""}});
    assert_eq!(render(plain).await.is(200).json()["rendered"], "B: \"b\"");
    let problem = render(json!({"template": "[[v('missing')]]"})).await.problem(422);
    assert!(text(&problem["detail"]).contains("`missing`"), "{problem}");
    let problem = render(json!({"template": "{\"ü\":\n [[v('missing')]]}"})).await.problem(422);
    let error = &problem["errors"][0];
    assert_eq!((&error["line"], &error["column"]), (&json!(2), &json!(2)), "{problem}");
    render(json!({"template": "[[v('a']]"})).await.points_at(&["/template"]);
    let form = json!({"template": "a=[[v('a')]]", "contentType": "application/x-www-form-urlencoded", "context": {"a": "b&c=1"}});
    assert_eq!(render(form).await.is(200).json()["rendered"], "a=b%26c%3D1");
    let xml = json!({"template": "<a>[[v('a')]]</a>", "contentType": "text/xml; charset=utf-8", "context": {"a": "<b/>"}});
    assert_eq!(render(xml).await.is(200).json()["rendered"], "<a>&lt;b/&gt;</a>");
    let header = json!({"template": "[[v('a')]]", "target": "header", "context": {"a": " b "}});
    assert_eq!(render(header).await.is(200).json()["rendered"], "b");
    for (target, template) in
        [("url", "https://u:p@a.example.com/"), ("url", "/hook"), ("header", " a"), ("header", "ü")]
    {
        render(json!({"template": template, "target": target})).await.points_at(&["/template"]);
    }

    let reader = j.api.colleague("Reader", &["history:read"]).await;
    for path in ["/v1/formulas/evaluate", "/v1/templates/render"] {
        reader.post(path, &json!({"formula": "1"})).await.problem(403);
        reader.with_key(None).post(path, &json!({})).await.problem(401);
    }
}

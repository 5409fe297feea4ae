//! The settings of a webhook: what is read back, what is refused, what an edit does to what was accepted.

use serde_json::{Value, json};

use crate::harness::{Gate, Journey, Reply, event, subscription, text};

fn path(subscription: &Value) -> String {
    format!("/v1/subscriptions/{}", text(&subscription["id"]))
}

#[tokio::test]
async fn what_is_left_out_has_its_default() {
    let j = Journey::begin().await;
    let url = j.receiver.url("/hook");
    let asked = json!({"title": "Short", "criteria": {"events": ["*"]}, "request": {"url": url}});

    let made = j.api.subscribe(&asked).await;

    let read = j.api.get(&path(&made)).await.is(200).json();
    for shown in [&made, &read] {
        assert_eq!(shown["title"], "Short");
        assert_eq!(shown["description"], "");
        assert_eq!(shown["enabled"], true);
        assert_eq!(shown["criteria"], json!({"events": ["*"]}));
        assert_eq!(shown["restriction"], Value::Null);
        assert_eq!(shown["request"]["method"], "POST");
        assert_eq!(shown["request"]["url"], url);
        assert_eq!(shown["request"]["headers"], json!({}));
        assert_eq!(shown["request"]["contentType"], "application/json");
        assert_eq!(shown["request"]["payload"], Value::Null);
        assert_eq!(shown["retry"], json!({"delays": [300, 1800, 7200, 18000, 36000, 36000]}));
        assert_eq!(shown["timeoutSeconds"], 15);
    }
}

#[tokio::test]
async fn what_was_set_is_read_back() {
    let j = Journey::begin().await;
    for retry in [
        json!({"delays": [1, 604_800, 60]}),
        json!({"interval": 30, "maxRetries": 24}),
        json!({"exponential": {"base": 5, "factor": 2.5, "cap": 600, "maxRetries": 7, "jitter": 0.25}}),
    ] {
        let asked = json!({
            "title": "Long", "description": "told in full", "enabled": false,
            "criteria": {"events": ["Payment Reversed", "Autopay Failed"]}, "restriction": null,
            "request": {"method": "PUT", "url": j.receiver.url("/hook?a=b"), "headers": {}, "contentType": "text/plain", "payload": null},
            "retry": retry, "timeoutSeconds": 30
        });
        let made = j.api.subscribe(&asked).await;
        let read = j.api.get(&path(&made)).await.is(200).json();
        for (field, value) in asked.as_object().expect("an object") {
            assert_eq!(read[field], *value, "{field} of {read:#}");
        }
    }
}

#[tokio::test]
async fn put_replaces_and_resets_what_it_omits() {
    let j = Journey::begin().await;
    let made = j
        .subscribe("/hook", json!({"description": "old", "enabled": false, "timeoutSeconds": 3, "request": {"method": "PATCH", "contentType": "text/plain"}}))
        .await;
    let replacement =
        json!({"title": "New", "criteria": {"events": ["A"]}, "request": {"url": j.receiver.url("/new")}});

    let put = j.api.put(&path(&made), &replacement).await.is(200).json();

    let read = j.api.get(&path(&made)).await.is(200).json();
    for shown in [&put, &read] {
        assert_eq!(shown["id"], made["id"]);
        assert_eq!(shown["title"], "New");
        assert_eq!(shown["description"], "");
        assert_eq!(shown["enabled"], true);
        assert_eq!(shown["request"]["method"], "POST");
        assert_eq!(shown["request"]["contentType"], "application/json");
        assert_eq!(shown["timeoutSeconds"], 15);
        assert_eq!(shown["retry"]["delays"][0], 300);
        assert!(shown.get("signingSecret").is_none_or(Value::is_null), "a PUT shows no secret");
    }
}

#[tokio::test]
async fn all_subscriptions_are_listed_and_a_deleted_one_is_not() {
    let j = Journey::begin().await;
    let first = j.subscribe("/a", json!({"title": "First"})).await;
    let second = j.subscribe("/b", json!({"title": "Second"})).await;

    let list = j.api.get("/v1/subscriptions").await.is(200).json();
    let listed: Vec<_> = list["items"].as_array().expect("items").iter().map(|one| &one["id"]).collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&&first["id"]) && listed.contains(&&second["id"]));
    assert!(list.as_object().expect("an object").contains_key("next"), "a list has next: {list}");
    assert!(!list.to_string().contains("whsec_"));

    assert!(j.api.delete(&path(&first)).await.is(204).body.is_empty());
    let list = j.api.get("/v1/subscriptions").await.is(200).json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    j.api.get(&path(&first)).await.problem(404);
    j.api.put(&path(&first), &subscription("https://example.com", json!({}))).await.problem(404);
    j.api.delete(&path(&first)).await.problem(404);
    j.api.ask(&format!("{}/rotate-secret", path(&first))).await.problem(404);
    j.api.post(&format!("{}/test", path(&first)), &json!({"loanId": "727"})).await.problem(404);
}

#[tokio::test]
async fn what_is_wrong_is_422_and_says_where() {
    let j = Journey::begin().await;
    let url = j.receiver.url("/hook");
    for (changes, pointer) in [
        (json!({"title": ""}), "/title"),
        (json!({"title": 7}), "/title"),
        (json!({"enabled": "yes"}), "/enabled"),
        (json!({"colour": "red"}), "/colour"),
        (json!({"criteria": {}}), "/criteria/events"),
        (json!({"criteria": {"events": "*"}}), "/criteria/events"),
        (json!({"criteria": {"events": ["A"], "more": 1}}), "/criteria/more"),
        (json!({"request": {"method": "HEAD"}}), "/request/method"),
        (json!({"request": {"method": "post"}}), "/request/method"),
        (json!({"request": {"url": "no url"}}), "/request/url"),
        (json!({"request": {"url": ""}}), "/request/url"),
        (json!({"request": {"body": "x"}}), "/request/body"),
        (json!({"request": {"contentType": "a\r\nb: c"}}), "/request/contentType"),
        (json!({"request": {"headers": {"bad name": "x"}}}), "/request/headers/bad name"),
        (json!({"request": {"headers": {"x-a": "a\r\nb: c"}}}), "/request/headers/x-a"),
        (json!({"timeoutSeconds": 0}), "/timeoutSeconds"),
        (json!({"timeoutSeconds": 31}), "/timeoutSeconds"),
        (json!({"timeoutSeconds": 1.5}), "/timeoutSeconds"),
    ] {
        let problem =
            j.api.post("/v1/subscriptions", &subscription(&url, changes.clone())).await.problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{changes}: {problem}");
    }
    for required in ["title", "criteria", "request"] {
        let mut body = subscription(&url, json!({}));
        body.as_object_mut().expect("an object").remove(required);
        j.api.post("/v1/subscriptions", &body).await.points_at(&[&format!("/{required}")]);
    }
    let listed = j.api.get("/v1/subscriptions").await.is(200).json();
    assert_eq!(listed["items"], json!([]), "none of them was stored");
}

#[tokio::test]
async fn several_faults_are_told_at_once() {
    let j = Journey::begin().await;
    let body = subscription("no url", json!({"title": "", "timeoutSeconds": 99}));
    j.api.post("/v1/subscriptions", &body).await.points_at(&["/title", "/request/url", "/timeoutSeconds"]);
}

#[tokio::test]
async fn any_address_may_be_saved() {
    let j = Journey::begin().await;
    for url in [
        "https://core.example.com/hooks/loans",
        "http://example.com/",
        "https://10.0.0.1:8443/x?y=z",
        "http://169.254.169.254/",
        "https://core_1.example.com./hook",
    ] {
        let made = j.api.subscribe(&subscription(url, json!({}))).await;
        assert_eq!(made["request"]["url"], url);
    }
}

#[tokio::test]
async fn a_url_that_a_parser_would_have_to_mend_is_422() {
    let j = Journey::begin().await;
    for url in [
        "http:///path",
        "https:/core.example.com/hook",
        "https:core.example.com/hook",
        "ftp://example.com/hook",
        "https://core.example.com\\@other.example.com/hook",
        "https://core.exa\tmple.com/hook",
        "https://core.example.com:/hook",
        "https://core.example.com:0/hook",
        "https://core..example.com/hook",
        "https://%63ore.example.com/hook",
        "https://core.example.com:[[v('port')]]/hook",
    ] {
        j.api.post("/v1/subscriptions", &subscription(url, json!({}))).await.points_at(&["/request/url"]);
    }
}

#[tokio::test]
async fn disabling_or_deleting_stops_new_matches_while_what_was_accepted_goes_on() {
    let j = Journey::begin().await;
    let retry = json!({"delays": [1]});
    let disabled = j.subscribe("/disabled", json!({"retry": retry})).await;
    let deleted = j.subscribe("/deleted", json!({"retry": retry})).await;
    let gate = Gate::closed();
    for path in ["/disabled", "/deleted"] {
        j.receiver.replies(path, [Reply::status(500).held(&gate)]);
    }
    let traces = j.api.send(&event("727")).await;
    assert_eq!(traces.len(), 2);

    let off = subscription(&j.receiver.url("/disabled"), json!({"enabled": false, "retry": retry}));
    j.api.put(&path(&disabled), &off).await.is(200);
    j.api.delete(&path(&deleted)).await.is(204);
    gate.open();

    assert!(j.api.send(&event("728")).await.is_empty(), "nothing new matches");
    for trace in traces {
        let delivery = j.api.settled(&trace).await;
        assert_eq!(delivery["status"], "succeeded");
        assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(2));
        assert_eq!(delivery["attempts"][1]["attemptNumber"], 2);
    }
}

#[tokio::test]
async fn a_test_sends_a_sample_to_that_subscription_alone_whatever_its_criteria_or_state() {
    let j = Journey::begin().await;
    let off = j
        .subscribe("/off", json!({"title": "Off", "enabled": false, "criteria": {"events": ["Never"]}}))
        .await;
    j.subscribe("/all", json!({})).await;
    let test = format!("{}/test", path(&off));

    let full = json!({"loanId": "727", "eventName": "Payment Reversed", "context": {"a": 1}});
    let accepted = j.api.post(&test, &full).await.is(202).json();
    assert_eq!(accepted["deliveries"].as_array().map(Vec::len), Some(1));
    assert_eq!(accepted["deliveries"][0]["subscriptionId"], off["id"]);
    assert_eq!(accepted["deliveries"][0]["eventTitle"], "Off");
    let request = j.receiver.next().await;
    assert_eq!(request.target, "/off");
    assert_eq!(request.json(), json!({"eventName": "Payment Reversed", "context": {"a": 1}}));

    let accepted = j.api.post(&test, &json!({"loanId": "728"})).await.is(202).json();
    let delivery = j.api.settled(text(&accepted["deliveries"][0]["traceId"])).await;
    assert_eq!(delivery["status"], "succeeded");
    assert_eq!(delivery["loanId"], "728");
    assert!(!text(&delivery["eventName"]).is_empty(), "a sample has a name");
    assert_eq!(j.api.rows("728", "").await.len(), 1, "a test stands in the loan's history");

    j.api.post(&test, &json!({})).await.points_at(&["/loanId"]);
    j.api.post(&test, &json!({"loanId": "727", "what": 1})).await.points_at(&["/what"]);
    j.api.post(&test, &json!({"loanId": "a/b"})).await.points_at(&["/loanId"]);
}

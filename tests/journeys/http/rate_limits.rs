//! What callers may do so often and no more, and what the log says of what they did.

use serde_json::{Value, json};

use crate::harness::{Answer, Api, Journey, Launch, Target, event, eventually, subscription, text};

/// How often each status was answered.
fn times(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

fn is_asked_to_wait(answers: &[Answer]) -> bool {
    answers.iter().filter(|answer| answer.status == 429).all(|answer| {
        let wait = answer.header("retry-after").parse::<u64>();
        wait.is_ok_and(|seconds| (1..=60).contains(&seconds))
    })
}

/// Asks until it is asked to wait; all answers, of which the last is that one.
async fn until_refused(mut ask: impl AsyncFnMut(usize) -> Answer) -> Vec<Answer> {
    let mut answers = Vec::new();
    while answers.last().is_none_or(|last: &Answer| last.status != 429) {
        assert!(answers.len() < 20_000, "never refused");
        answers.push(ask(answers.len()).await);
    }
    answers
}

/// Shows wrong keys until one is not looked at.
async fn guesses(caller: &Api) -> Vec<Answer> {
    until_refused(async |number| {
        caller.with_key(Some(&format!("lh_guess_{number:020}"))).get("/v1/event-types").await
    })
    .await
}

async fn sign_in(caller: &Api, key: &str) -> Answer {
    let asked = caller.with_key(None).request("POST", "/login").header("sec-fetch-site", "same-origin");
    asked.bytes(format!("loan=727&key={key}")).answer().await
}

#[tokio::test]
async fn guessing_keys_is_slowed_down_by_address_and_stops_nobody_else() {
    let Some(j) = Journey::alone().await else { return };
    j.api.get("/v1/event-types").await.is(200);
    // From the address of the journey's own key, which was valid from there before.
    let answers = guesses(&j.api).await;
    assert!(times(&answers, 401) >= 10 && is_asked_to_wait(&answers), "{}", times(&answers, 401));
    for answer in answers.into_iter().filter(|answer| answer.status == 429) {
        answer.problem(429);
    }
    j.api.get("/v1/event-types").await.is(200);
    // A key that is new there could be the next guess. On a slow machine one more may be looked at meanwhile: then the
    // next new key shows it.
    let refused = eventually("a key that is new there is not looked at", async || {
        let colleague = j.api.colleague("never used", &["history:read"]).await;
        guesses(&j.api).await;
        (colleague.get("/v1/event-types").await.status == 429).then_some(colleague)
    })
    .await;
    // Elsewhere it is none, and neither is it at the sign-in.
    Api::new(&j.target, Some(refused.key())).get("/v1/event-types").await.is(200);
    sign_in(&refused, refused.key()).await.is(303);
    refused.get("/v1/event-types").await.is(200);
}

#[tokio::test]
async fn guessing_keys_at_the_sign_in_is_slowed_down() {
    let Some(j) = Journey::alone().await else { return };
    j.api.get("/v1/event-types").await.is(200);
    let answers =
        until_refused(async |number| sign_in(&j.api, &format!("lh_guess_{number:020}")).await).await;
    assert!(times(&answers, 422) >= 10 && is_asked_to_wait(&answers), "{}", times(&answers, 422));
    sign_in(&j.api, j.api.key()).await.is(303);
}

#[tokio::test]
async fn signing_out_with_tokens_that_are_made_up_is_slowed_down() {
    let Some(j) = Journey::alone().await else { return };
    let answers = until_refused(async |_| {
        let asked = j.api.with_key(None).request("POST", "/logout").header("sec-fetch-site", "same-origin");
        asked.header("cookie", &["lh-any=made-up"; 8].join("; ")).bytes("loan=727").answer().await
    })
    .await;
    assert!(times(&answers, 303) >= 1 && is_asked_to_wait(&answers), "{answers:?}");
}

#[tokio::test]
async fn a_proxy_is_believed_only_where_the_operator_says_so() {
    let trusting = Launch {
        arguments: vec!["--trusted-proxy".to_owned(), "127.0.0.0/8".to_owned()],
        ..Launch::default()
    };
    for (launch, trusted) in [(Launch::default(), false), (trusting, true)] {
        let Some(j) = Target::process_with(launch).await else { return };
        let caller = Api::new(&j, Some("lh_wrong_key_0123456789"));
        let from = async |number: usize| {
            let asked = caller.request("GET", "/v1/event-types");
            asked.header("x-forwarded-for", &format!("192.0.2.{number}")).answer().await
        };
        if trusted {
            for number in 1..100 {
                from(number).await.problem(401);
            }
        } else {
            until_refused(async |number| from(number % 100).await).await;
        }
        let answers = until_refused(async |_| from(200).await).await;
        assert!(!trusted || times(&answers, 401) >= 10);
    }
}

#[tokio::test]
async fn a_key_asks_for_so_many_resends_a_minute_and_no_more() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;
    let path = format!("/v1/webhooks/{trace}/resend");
    // The same call again is counted too, and sends nothing.
    let answers = until_refused(async |_| {
        j.api.request("POST", &path).header("idempotency-key", "once").answer().await
    })
    .await;
    assert!(times(&answers, 202) >= 600, "{}", times(&answers, 202));
    assert!(is_asked_to_wait(&answers));
    let colleague = j.api.colleague("another", &["webhooks:resend"]).await;
    colleague.request("POST", &path).header("idempotency-key", "once").answer().await.is(202);
    assert!(j.target.said().contains("caller.limited"), "{}", j.target.said());
}

/// The lines of a log in JSON that tell of this.
fn lines_of(said: &str, what: &str) -> Vec<Value> {
    let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == what).collect()
}

#[tokio::test]
async fn the_log_says_who_did_what_with_which_key() {
    let launch =
        Launch { arguments: vec!["--log-format".to_owned(), "json".to_owned()], ..Launch::default() };
    let Some(target) = Target::process_with(launch).await else { return };
    let j = Journey::on(target).await;
    let asked = json!({"name": "Ann of servicing", "scopes": crate::harness::journey::ALL_SCOPES});
    let made = j.api.post("/v1/keys", &asked).await.is(201).json();
    let ann = j.api.with_key(Some(text(&made["key"])));
    let body = subscription(&j.receiver.url("/hook"), json!({}));
    let created = ann.subscribe(&body).await;
    let path = format!("/v1/subscriptions/{}", text(&created["id"]));
    ann.put(&path, &body).await.is(200);
    let rotated = ann.ask(&format!("{path}/rotate-secret")).await.is(200).json();
    let trace = ann.send_one(&event("727")).await;
    ann.settled(&trace).await;
    let attempt = ann.resend(&trace).await;
    let link = json!({"loanId": "727", "scopes": ["history:read"], "viewer": "Joe"});
    let link = ann.post("/v1/portal-links", &link).await.is(201).json();
    ann.delete(&path).await.is(204);
    sign_in(&ann, ann.key()).await.is(303);
    guesses(&ann).await;
    j.api.delete(&format!("/v1/keys/{}", text(&made["id"]))).await.is(204);

    let said = eventually("the last of it is in the log", async || {
        let said = j.target.said();
        (!lines_of(&said, "key.deleted").is_empty()).then_some(said)
    })
    .await;
    let one = |what: &str| -> Value {
        let lines: Vec<_> =
            lines_of(&said, what).into_iter().filter(|line| line["tenant"] == *j.tenant).collect();
        let [line] = &lines[..] else { panic!("not one {what}: {said}") };
        line.clone()
    };
    for (what, id) in [
        ("subscription.created", &created["id"]),
        ("subscription.replaced", &created["id"]),
        ("subscription.secret_rotated", &created["id"]),
        ("subscription.deleted", &created["id"]),
    ] {
        let line = one(what);
        assert_eq!((&line["id"], &line["by_key_id"]), (id, &made["id"]), "{line}");
        assert_eq!(line["by_key_name"], "Ann of servicing", "{line}");
    }
    assert_eq!(one("key.deleted")["id"], made["id"]);
    assert!(lines_of(&said, "key.created").iter().any(|line| line["id"] == made["id"]), "{said}");
    assert_eq!(one("portal_link.created")["viewer"], "Joe");
    assert_eq!(one("sign_in.succeeded")["key_id"], made["id"]);
    let resent = one("resend.accepted");
    assert_eq!((&resent["requested_by"], &resent["trace_id"]), (&json!("Ann of servicing"), &json!(trace)));
    assert_eq!(resent["attempt_id"], attempt.as_str());
    assert_eq!(lines_of(&said, "key.refused").len(), 1, "one line for many guesses: {said}");
    for secret in [text(&made["key"]), text(&link["url"]), "lh_guess_", text(&created["signingSecret"])] {
        assert!(!said.contains(secret), "{secret} is in the log: {said}");
    }
    assert!(!said.contains(text(&rotated["signingSecret"])), "{said}");
}

#[tokio::test]
async fn answers_that_show_a_secret_are_kept_nowhere_and_json_is_nothing_else() {
    let j = Journey::begin().await;
    let key = json!({"name": "new", "scopes": ["history:read"]});
    let link = json!({"loanId": "727", "scopes": ["history:read"]});
    let created = j.api.post("/v1/subscriptions", &subscription(&j.receiver.url("/hook"), json!({}))).await;
    let rotate = format!("/v1/subscriptions/{}/rotate-secret", text(&created.json()["id"]));
    for answer in [
        created,
        j.api.ask(&rotate).await,
        j.api.post("/v1/keys", &key).await,
        j.api.post("/v1/portal-links", &link).await,
    ] {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
    }
    for path in ["/v1/subscriptions", "/v1/keys", "/openapi.json", "/v1/none", "/v1/webhooks/none"] {
        let answer = j.api.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_json_is_taken_and_an_encoded_body_is_415() {
    let j = Journey::begin().await;
    let marked = |body: &Value| [b"\xef\xbb\xbf", body.to_string().as_bytes()].concat();
    let settings = subscription(&j.receiver.url("/hook"), json!({"criteria": {"events": ["Never"]}}));
    let key = json!({"name": "new", "scopes": ["history:read"]});
    for (path, body, status) in [
        ("/v1/events", event("727"), 202),
        ("/v1/events/batch", json!({"events": [event("727")]}), 200),
        ("/v1/subscriptions", settings, 201),
        ("/v1/keys", key, 201),
        ("/v1/formulas/evaluate", json!({"formula": "(> 2 1)", "context": {}}), 200),
        ("/v1/portal-links", json!({"loanId": "727", "scopes": ["history:read"]}), 201),
    ] {
        j.api.request("POST", path).bytes(marked(&body)).answer().await.is(status);
        for encoding in ["gzip", "br", "identity, gzip", "nonsense"] {
            let asked = j.api.request("POST", path).header("content-encoding", encoding);
            let problem = asked.bytes(body.to_string()).answer().await.problem(415);
            assert!(text(&problem["detail"]).contains("Content-Encoding"), "{problem}");
        }
        let plain = j.api.request("POST", path).header("content-encoding", "identity");
        plain.bytes(body.to_string()).answer().await.is(status);
    }
}

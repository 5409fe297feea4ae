//! Rate limits: wrong keys, sign-ins, sign-outs, resends and sessions of portal links.

use serde_json::json;

use crate::harness::repeated_calls::guess_keys;
use crate::harness::repeated_calls::sign_in;
use crate::harness::repeated_calls::until_limited;
use crate::harness::{Api, ApiResponse, Journey, Launch, Server, event, eventually, text};

/// How many of the responses have this status.
fn count_status(answers: &[ApiResponse], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

fn all_429_have_retry_after(answers: &[ApiResponse]) -> bool {
    answers.iter().filter(|answer| answer.status == 429).all(|answer| {
        let wait = answer.header("retry-after").parse::<u64>();
        wait.is_ok_and(|seconds| (1..=60).contains(&seconds))
    })
}

#[tokio::test]
async fn wrong_keys_are_limited_by_address_and_known_keys_still_work() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.api.get("/v1/event-types").await.expect_status(200);
    // From the address from which the journey's own key was used before.
    let answers = guess_keys(&j.api).await;
    assert!(
        count_status(&answers, 401) >= 10 && all_429_have_retry_after(&answers),
        "{}",
        count_status(&answers, 401)
    );
    for answer in answers.into_iter().filter(|answer| answer.status == 429) {
        answer.expect_problem(429);
    }
    j.api.get("/v1/event-types").await.expect_status(200);
    // A key that was never used from there could be the next guess. On a slow machine one more may be accepted meanwhile;
    // then the next new key shows the limit.
    let refused = eventually("a key that is new there is not looked at", async || {
        let colleague = j.api.with_new_key("never used", &["history:read"]).await;
        guess_keys(&j.api).await;
        (colleague.get("/v1/event-types").await.status == 429).then_some(colleague)
    })
    .await;
    // From another address the key is accepted, and so it is at the sign-in, after which it is known here too.
    Api::new(&j.server, Some(refused.key())).get("/v1/event-types").await.expect_status(200);
    sign_in(&refused, refused.key()).await.expect_status(303);
    refused.get("/v1/event-types").await.expect_status(200);
}

#[tokio::test]
async fn wrong_keys_at_the_sign_in_are_limited() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.api.get("/v1/event-types").await.expect_status(200);
    let answers =
        until_limited(async |number| sign_in(&j.api, &format!("lh_guess_{number:020}")).await).await;
    assert!(
        count_status(&answers, 422) >= 10 && all_429_have_retry_after(&answers),
        "{}",
        count_status(&answers, 422)
    );
    sign_in(&j.api, j.api.key()).await.expect_status(303);
}

#[tokio::test]
async fn sign_outs_with_unknown_tokens_are_limited() {
    let Some(j) = Journey::on_own_process().await else { return };
    let answers = until_limited(async |_| {
        let asked = j.api.with_key(None).request("POST", "/sign-out").header("sec-fetch-site", "same-origin");
        asked.header("cookie", &["lh-any=made-up"; 8].join("; ")).bytes("loan=727").send().await
    })
    .await;
    assert!(count_status(&answers, 303) >= 1 && all_429_have_retry_after(&answers), "{answers:?}");
}

#[tokio::test]
async fn x_forwarded_for_is_only_believed_from_a_trusted_proxy() {
    let trusting = Launch {
        arguments: vec!["--trusted-proxy".to_owned(), "127.0.0.0/8".to_owned()],
        ..Launch::default()
    };
    for (launch, trusted) in [(Launch::default(), false), (trusting, true)] {
        let Some(j) = Server::own_process_with(launch).await else { return };
        let caller = Api::new(&j, Some("lh_wrong_key_0123456789"));
        let from = async |number: usize| {
            let asked = caller.request("GET", "/v1/event-types");
            asked.header("x-forwarded-for", &format!("192.0.2.{number}")).send().await
        };
        if trusted {
            for number in 1..100 {
                from(number).await.expect_problem(401);
            }
        } else {
            until_limited(async |number| from(number % 100).await).await;
        }
        let answers = until_limited(async |_| from(200).await).await;
        assert!(!trusted || count_status(&answers, 401) >= 10);
    }
}

#[tokio::test]
async fn resends_of_a_key_are_limited_by_minute() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    let path = format!("/v1/webhooks/{trace}/resend");
    // The same call again is counted too, although it sends nothing.
    let answers =
        until_limited(async |_| j.api.request("POST", &path).header("idempotency-key", "once").send().await)
            .await;
    assert!(count_status(&answers, 202) >= 600, "{}", count_status(&answers, 202));
    assert!(all_429_have_retry_after(&answers));
    let colleague = j.api.with_new_key("another", &["webhooks:resend"]).await;
    colleague.request("POST", &path).header("idempotency-key", "once").send().await.expect_status(202);
    eventually("the log line of a limited caller", async || {
        j.server.output().contains("caller.limited").then_some(())
    })
    .await;
}

#[tokio::test]
async fn sessions_of_a_portal_link_are_limited_by_minute() {
    let Some(j) = Journey::on_own_process().await else { return };
    let asked = json!({"loanId": "727", "scopes": ["history:read"], "viewer": "Ann"});
    let created = j.api.post("/v1/portal-links", &asked).await.expect_status(201).json();
    let path = text(&created["url"]).split_once("/portal").map(|(_, rest)| format!("/portal{rest}"));
    let (path, viewer) = (path.expect("a link"), j.api.with_key(None));
    let mut statuses = Vec::new();
    for _ in 0..200 {
        statuses.push(viewer.get(&path).await.status);
    }
    let opened = statuses.iter().filter(|status| **status == 303).count();
    assert!((60..200).contains(&opened) && statuses.contains(&429), "{statuses:?}");
}

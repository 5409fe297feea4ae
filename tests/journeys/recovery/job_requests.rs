//! Requests for jobs: what is refused, idempotency keys, scopes, tenants.

use serde_json::{Value, json};

use super::{ended_job, failed, id, make_job, resends};
use crate::harness::journey::ALL_SCOPES;
use crate::harness::{Journey, text};

const NOBODY: &str = "0193b2a4-0000-7000-8000-00000000002f";

#[tokio::test]
async fn what_a_job_cannot_be_is_422_with_a_pointer() {
    let j = Journey::start().await;
    let failed = json!({"status": "failed"});
    let many: Vec<_> = (0..1001).map(|_| NOBODY).collect();
    for (path, body, pointers) in [
        ("resends", json!({}), &["/filter"][..]),
        ("resends", json!({"filter": null}), &["/filter"]),
        ("resends", json!({"filter": {}}), &["/filter"]),
        (
            "resends",
            json!({"filter": {"status": "lost", "from": "soon"}}),
            &["/filter/status", "/filter/from"],
        ),
        ("resends", json!({"filter": {"colour": "red"}}), &["/filter/colour"]),
        ("resends", json!({"filter": {"test": "yes"}}), &["/filter/test"]),
        ("resends", json!({"filter": {"traceIds": []}}), &["/filter/traceIds"]),
        ("resends", json!({"filter": {"traceIds": many}}), &["/filter/traceIds"]),
        ("resends", json!({"filter": {"traceIds": [NOBODY, "x"]}}), &["/filter/traceIds/1"]),
        ("resends", json!({"filter": {"traceIds": [NOBODY], "status": "failed"}}), &["/filter/traceIds"]),
        ("resends", json!({"filter": failed, "perSecond": 0}), &["/perSecond"]),
        ("resends", json!({"filter": failed, "perSecond": 1001}), &["/perSecond"]),
        ("resends", json!({"filter": failed, "stopAfterFailures": 0}), &["/stopAfterFailures"]),
        ("resends", json!({"filter": failed, "to": "elsewhere"}), &["/to"]),
        ("resends", json!({"filter": failed, "speed": 3}), &["/speed"]),
        ("cancels", json!({"filter": failed}), &["/filter/status"]),
        ("cancels", json!({"filter": {"loanId": "1"}, "force": true}), &["/force"]),
    ] {
        j.api.post(&format!("/v1/{path}"), &body).await.expect_errors_at(pointers);
    }
    for query in ["?limit=0", "?cursor=x", "?colour=red"] {
        j.api.get(&format!("/v1/resends{query}")).await.expect_problem(422);
    }
    assert_eq!(j.api.get("/v1/resends").await.expect_status(200).json()["items"], json!([]));
}

#[tokio::test]
async fn a_repeated_call_with_an_idempotency_key_returns_the_same_job() {
    let (j, traces) = failed(&["1", "2"]).await;
    let ask = |path: &str, body: Value| {
        let request = j.api.request("POST", path).header("idempotency-key", "after-the-outage");
        request.json(&body).send()
    };
    let body = json!({"filter": {"status": "failed"}, "perSecond": 100});
    let made = ask("/v1/resends", body.clone()).await.expect_status(202).json();
    let ended = ended_job(&j.api, "resends", id(&made)).await;
    assert_eq!(ask("/v1/resends", body.clone()).await.expect_status(202).json(), ended);
    assert_eq!(resends(&j.api, &traces).await, [1, 1]);
    for (path, body) in [
        ("/v1/resends", json!({"filter": {"status": "failed"}, "perSecond": 99})),
        ("/v1/cancels", json!({"filter": {"status": "pending"}, "perSecond": 100})),
    ] {
        let problem = ask(path, body).await.expect_problem(409);
        assert_eq!(problem["type"], "/problems/idempotency-key-reused");
    }
    for path in ["items?outcome=lost", "items?cursor=x", "items?limit=201"] {
        j.api.get(&format!("/v1/resends/{}/{path}", id(&made))).await.expect_problem(422);
    }
}

#[tokio::test]
async fn jobs_need_the_scope_of_resends_and_are_not_there_for_other_tenants() {
    let (j, traces) = failed(&["1"]).await;
    let body = json!({"filter": {"traceIds": traces}, "perSecond": 0.1});
    let mut calls = Vec::new();
    for kind in ["resends", "cancels"] {
        let made = make_job(&j.api, kind, &body).await;
        for (method, path) in [("GET", ""), ("GET", "/items"), ("DELETE", "")] {
            calls.push((method, format!("/v1/{kind}/{}{path}", id(&made)), id(&made).to_owned()));
        }
    }
    let others: Vec<_> = ALL_SCOPES.into_iter().filter(|scope| *scope != "webhooks:resend").collect();
    let without = j.api.with_new_key("without", &others).await;
    let stranger = j.other_tenant().await;
    for (method, path, id) in &calls {
        without.request(method, path).send().await.expect_problem(403);
        let ask = async |path: &str, id: &str| {
            stranger.request(method, path).send().await.expect_problem(404).to_string().replace(id, "ID")
        };
        assert_eq!(ask(path, id).await, ask(&path.replace(id.as_str(), NOBODY), NOBODY).await);
    }
    for kind in ["resends", "cancels"] {
        let path = format!("/v1/{kind}");
        without.get(&path).await.expect_problem(403);
        without.post(&path, &body).await.expect_problem(403);
        assert_eq!(stranger.get(&path).await.expect_status(200).json()["items"], json!([]));
        // Ours are not on a list of theirs.
        let theirs = make_job(&stranger, kind, &body).await;
        assert_eq!((&theirs["total"], text(&theirs["status"])), (&json!(0), "done"));
    }
    j.api.with_key(None).get("/v1/resends").await.expect_problem(401);
}

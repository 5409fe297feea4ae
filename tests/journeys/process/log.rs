//! The log: one line for each attempt, and no secret or payload in it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::server::OPERATOR_KEY;
use crate::harness::{Journey, Launch, Reply, Server, attempts_of, event, subscription_path, text};

const PAYLOAD: &str = "hush-payload-4711";
const HEADER: &str = "hush-header-4712";
const ANSWER: &str = "hush-answer-4713";

fn logging(format: &str) -> Launch {
    let mut launch =
        Launch { arguments: vec!["--log-format".to_owned(), format.to_owned()], ..Launch::default() };
    launch.environment.push(("LOANHOOK_LOG".to_owned(), "trace".to_owned()));
    launch
}

/// Attempts that were logged, and the secrets that the log must not show.
struct LoggedAttempts {
    j: Journey,
    secrets: Vec<String>,
    /// The rows of all attempts.
    rows: Vec<Value>,
}

/// A failure, its retry, a resend and a blocked attempt; the process has ended.
async fn every_kind_of_attempt(format: &str) -> Option<LoggedAttempts> {
    let j = Journey::on_server(Server::own_process_with(logging(format)).await?).await;
    let headers = json!({"authorization": format!("Bearer {HEADER}")});
    let changes = json!({"request": {"headers": headers}, "retry": {"delays": [1]}});
    let created = j.subscribe(&format!("/hook?token={HEADER}"), changes).await;
    let rotated = j.api.post_without_body(&format!("{}/rotate-secret", subscription_path(&created))).await;
    let rotated = rotated.expect_status(200).json();
    let blocked = crate::harness::subscription("https://10.1.2.3/hook", json!({}));
    j.api.subscribe(&blocked).await;
    j.receiver.replies("/hook", [Reply::with(500, &[("x-secret", ANSWER)], ANSWER.as_bytes())]);
    let mut one = event("727");
    one["context"]["note"] = json!(PAYLOAD);
    let mut rows = Vec::new();
    for trace in j.api.send_event(&one).await {
        if j.api.ended_delivery(&trace).await["status"] == "succeeded" {
            j.api.resend(&trace).await;
            j.api.delivery_after_attempts(&trace, 3).await;
        }
        rows.extend(attempts_of(&j.api.delivery(&trace).await).clone());
    }
    let colleague = j.api.with_new_key("Ann", &["history:read"]).await;
    colleague.get("/v1/subscriptions").await.expect_status(200);
    let link = j
        .api
        .post("/v1/portal-links", &json!({"loanId": "727", "scopes": ["history:read"]}))
        .await
        .expect_status(201);
    let link = text(&link.json()["url"]).to_owned();
    let (_, path) = link.split_once(&j.server.base_url().expect("it runs")).expect("a link here");
    let session = colleague.with_key(None).get(path).await.expect_status(303).header("set-cookie").to_owned();
    let session = session.split(['=', ';']).nth(1).expect("a cookie has a value").to_owned();
    let (_, token) = link.split_once("token=").expect("a link has a token");
    j.api.with_key(Some("lh_wrong_key_of_nobody_0123456789")).get("/v1/keys").await.expect_problem(401);
    j.api
        .request("POST", "/v1/events")
        .body(format!("{{\"eventName\": \"{PAYLOAD}"))
        .send()
        .await
        .expect_problem(400);
    let own = [PAYLOAD, HEADER, ANSWER, "lh_wrong_key_of_nobody_0123456789", OPERATOR_KEY, j.api.key()];
    let mut secrets = own.map(str::to_owned).to_vec();
    secrets.extend([colleague.key().to_owned(), token.to_owned(), session]);
    for secret in [&created["signingSecret"], &rotated["signingSecret"]] {
        secrets.push(text(secret).trim_start_matches("whsec_").to_owned());
    }
    j.server.stop().await;
    Some(LoggedAttempts { j, secrets, rows })
}

impl LoggedAttempts {
    /// The log says which address was blocked; the row does not.
    #[track_caller]
    fn assert_blocked_address_is_named(&self, lines: impl Iterator<Item = String>) {
        let lines: Vec<_> = lines.collect();
        let [line] = &lines[..] else { panic!("one attempt is blocked: {lines:?}") };
        let blocked = self.rows.iter().find(|row| row["error"]["kind"] == "blocked").expect("one is blocked");
        for name in ["id", "traceId"].map(|field| text(&blocked[field])) {
            assert!(line.contains(name), "{line}");
        }
        assert!(line.contains("10.1.2.3, a private address"), "{line}");
        assert!(!text(&blocked["error"]["detail"]).contains("10.1.2.3"), "{blocked:#}");
    }

    #[track_caller]
    fn assert_no_secret(&self, log: &str) {
        for secret in &self.secrets {
            assert!(!log.contains(secret.as_str()), "{secret} is in the log:\n{log}");
        }
    }
}

#[tokio::test]
async fn a_json_log_has_one_line_per_attempt_and_no_secret_or_payload() {
    let Some(seen) = every_kind_of_attempt("json").await else { return };
    assert_eq!(seen.rows.len(), 4);
    let output = seen.j.server.output();
    let (refusals, lines): (Vec<Value>, Vec<Value>) = output
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .partition(|line| line["message"] == "attempt.blocked");
    seen.assert_blocked_address_is_named(refusals.iter().map(ToString::to_string));
    let named = lines;
    let mut lines: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in &named {
        let is_of_attempt = line["message"].as_str().is_some_and(|message| message.starts_with("attempt."));
        if let Some(attempt) = line["attempt_id"].as_str().filter(|_| is_of_attempt) {
            lines.entry(attempt.to_owned()).or_default().push(line.clone());
        }
    }
    assert_eq!(lines.len(), seen.rows.len(), "{output}");
    for row in &seen.rows {
        let [line] = &lines[text(&row["id"])][..] else { panic!("not one line of {row:#}:\n{output}") };
        assert_eq!(line["tenant"], seen.j.tenant.as_str());
        for (name, field) in
            [("loan_id", "loanId"), ("trace_id", "traceId"), ("subscription_id", "subscriptionId")]
        {
            assert_eq!(line[name], row[field], "{name}: {line}");
        }
        let number = row["attemptNumber"].as_u64().map_or("manual".to_owned(), |number| number.to_string());
        let logged =
            line["attempt"].as_u64().map_or_else(|| text(&line["attempt"]).to_owned(), |n| n.to_string());
        assert_eq!(logged, number, "{line}");
    }
    seen.assert_no_secret(&output);
}

#[tokio::test]
async fn a_text_log_has_one_line_per_attempt_and_no_secret_or_payload() {
    let Some(seen) = every_kind_of_attempt("text").await else { return };
    let output = seen.j.server.output();
    let (refusals, lines): (Vec<&str>, Vec<&str>) =
        output.lines().partition(|line| line.contains("attempt.blocked"));
    seen.assert_blocked_address_is_named(refusals.into_iter().map(str::to_owned));
    for row in &seen.rows {
        let id = text(&row["id"]);
        let of_attempt = lines.iter().filter(|line| line.contains(id) && line.contains(" attempt."));
        assert_eq!(of_attempt.count(), 1, "{id}:\n{output}");
    }
    seen.assert_no_secret(&output);
}

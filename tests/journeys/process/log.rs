//! The log: one line an attempt, and nothing in it that is nobody's business.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::server::OPERATOR_KEY;
use crate::harness::{Journey, Launch, Reply, Target, event, text};

const PAYLOAD: &str = "hush-payload-4711";
const HEADER: &str = "hush-header-4712";
const ANSWER: &str = "hush-answer-4713";

fn logging(format: &str) -> Launch {
    let mut launch =
        Launch { arguments: vec!["--log-format".to_owned(), format.to_owned()], ..Launch::default() };
    launch.environment.push(("LOANHOOK_LOG".to_owned(), "trace".to_owned()));
    launch
}

/// What a journey has that no log may show.
struct Seen {
    j: Journey,
    secrets: Vec<String>,
    /// Every row there is.
    rows: Vec<Value>,
}

/// A failure, its retry, a resend, and a send that is blocked; the process has ended.
async fn every_kind_of_attempt(format: &str) -> Option<Seen> {
    let j = Journey::on(Target::process_with(logging(format)).await?).await;
    let headers = json!({"authorization": format!("Bearer {HEADER}")});
    let changes = json!({"request": {"headers": headers}, "retry": {"delays": [1]}});
    let made = j.subscribe(&format!("/hook?token={HEADER}"), changes).await;
    let rotated = j.api.ask(&format!("/v1/subscriptions/{}/rotate-secret", text(&made["id"]))).await;
    let rotated = rotated.is(200).json();
    let blocked = crate::harness::subscription("https://10.1.2.3/hook", json!({}));
    j.api.subscribe(&blocked).await;
    j.receiver.replies("/hook", [Reply::with(500, &[("x-secret", ANSWER)], ANSWER.as_bytes())]);
    let mut one = event("727");
    one["context"]["note"] = json!(PAYLOAD);
    let mut rows = Vec::new();
    for trace in j.api.send(&one).await {
        if j.api.settled(&trace).await["status"] == "succeeded" {
            j.api.resend(&trace).await;
            j.api.after_attempts(&trace, 3).await;
        }
        rows.extend(j.api.delivery(&trace).await["attempts"].as_array().expect("attempts").clone());
    }
    let colleague = j.api.colleague("Ann", &["history:read"]).await;
    colleague.get("/v1/subscriptions").await.is(200);
    let link =
        j.api.post("/v1/portal-links", &json!({"loanId": "727", "scopes": ["history:read"]})).await.is(201);
    let link = text(&link.json()["url"]).to_owned();
    let (_, path) = link.split_once(&j.target.base().expect("it runs")).expect("a link here");
    let session = colleague.with_key(None).get(path).await.is(303).header("set-cookie").to_owned();
    let session = session.split(['=', ';']).nth(1).expect("a cookie has a value").to_owned();
    let (_, token) = link.split_once("token=").expect("a link has a token");
    j.api.with_key(Some("lh_wrong_key_of_nobody_0123456789")).get("/v1/keys").await.problem(401);
    j.api
        .request("POST", "/v1/events")
        .body(format!("{{\"eventName\": \"{PAYLOAD}"))
        .answer()
        .await
        .problem(400);
    let own = [PAYLOAD, HEADER, ANSWER, "lh_wrong_key_of_nobody_0123456789", OPERATOR_KEY, j.api.key()];
    let mut secrets = own.map(str::to_owned).to_vec();
    secrets.extend([colleague.key().to_owned(), token.to_owned(), session]);
    for secret in [&made["signingSecret"], &rotated["signingSecret"]] {
        secrets.push(text(secret).trim_start_matches("whsec_").to_owned());
    }
    j.target.terminate();
    assert_eq!(j.target.exit().await.code(), Some(0));
    Some(Seen { j, secrets, rows })
}

impl Seen {
    /// The operator reads which address was refused, which the row does not say.
    #[track_caller]
    fn names_what_was_refused(&self, lines: impl Iterator<Item = String>) {
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
    fn hushed(&self, log: &str) {
        for secret in &self.secrets {
            assert!(!log.contains(secret.as_str()), "{secret} is in the log:\n{log}");
        }
    }
}

#[tokio::test]
async fn a_log_as_json_has_one_line_an_attempt_that_names_it_and_shows_nothing_of_it() {
    let Some(seen) = every_kind_of_attempt("json").await else { return };
    assert_eq!(seen.rows.len(), 4);
    let said = seen.j.target.said_of_attempts(seen.rows.len()).await;
    let (refusals, lines): (Vec<Value>, Vec<Value>) = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .partition(|line| line["message"] == "attempt.blocked");
    seen.names_what_was_refused(refusals.iter().map(ToString::to_string));
    let named = lines;
    let mut lines: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in &named {
        let is_of_attempt = line["message"].as_str().is_some_and(|message| message.starts_with("attempt."));
        if let Some(attempt) = line["attempt_id"].as_str().filter(|_| is_of_attempt) {
            lines.entry(attempt.to_owned()).or_default().push(line.clone());
        }
    }
    assert_eq!(lines.len(), seen.rows.len(), "{said}");
    for row in &seen.rows {
        let [line] = &lines[text(&row["id"])][..] else { panic!("not one line of {row:#}:\n{said}") };
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
    seen.hushed(&said);
}

#[tokio::test]
async fn a_log_as_text_names_each_attempt_once_and_shows_nothing_of_it() {
    let Some(seen) = every_kind_of_attempt("text").await else { return };
    let said = seen.j.target.said_of_attempts(seen.rows.len()).await;
    let (refusals, lines): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.contains("attempt.blocked"));
    seen.names_what_was_refused(refusals.into_iter().map(str::to_owned));
    for row in &seen.rows {
        let id = text(&row["id"]);
        let of_attempt = lines.iter().filter(|line| line.contains(id) && line.contains(" attempt."));
        assert_eq!(of_attempt.count(), 1, "{id}:\n{said}");
    }
    seen.hushed(&said);
}

/// Every byte below a folder.
fn bytes_of(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        if path.is_dir() { bytes_of(path) } else { std::fs::read(path).expect("a file") }
    };
    paths.iter().flat_map(read).collect()
}

#[tokio::test]
async fn a_key_stands_in_the_data_folder_only_as_its_hash() {
    let Some(j) = Journey::alone().await else { return };
    let colleague = j.api.colleague("Ann of servicing", &["history:read", "webhooks:resend"]).await;
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;
    colleague.resend(&trace).await;
    j.api.after_attempts(&trace, 2).await;
    let keys = [OPERATOR_KEY, j.api.key(), colleague.key()].map(str::to_owned);
    let holds = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());

    let running = bytes_of(j.target.data());
    j.target.terminate();
    assert_eq!(j.target.exit().await.code(), Some(0));

    let stopped = bytes_of(j.target.data());
    assert!(holds(&stopped, "Ann of servicing"), "its name is there: these are the bytes to search");
    for key in &keys {
        for bytes in [&running, &stopped] {
            assert!(!holds(bytes, key) && !holds(bytes, &key[3..]), "{key} stands in the data folder");
        }
    }
}

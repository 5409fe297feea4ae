//! What somebody without a key can hold, fill or stop: next to nothing.

use std::time::Duration;

use serde_json::json;

use crate::harness::raw_connection::{Socket, answer_to};
use crate::harness::wait::pause;
use crate::harness::{Api, Journey, Launch, Target, event, text};

/// A process that may have so few descriptors, and sends so few webhooks at once.
async fn with_descriptors(limit: u32, concurrency: u32) -> Option<Journey> {
    let after = Some(format!("ulimit -n {limit}"));
    let arguments = vec!["--concurrency".to_owned(), concurrency.to_string()];
    Some(Journey::on(Target::process_with(Launch { after, arguments, ..Launch::default() }).await?).await)
}

/// Half of a sign-in.
const HALF_A_FORM: &str = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: 8000\r\n\r\nk";
const HALF_A_HEAD: &str = "GET /health HTTP/1.1\r\nhost: x\r\nx-";

#[tokio::test]
async fn strangers_who_hold_every_connection_stop_neither_callers_nor_webhooks() {
    let Some(j) = with_descriptors(160, 16).await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    let mut strangers = Vec::new();
    for number in 0..400 {
        let mut stranger = Socket::connect(&j.target).await;
        stranger.send(if number % 2 == 0 { HALF_A_FORM } else { HALF_A_HEAD }).await;
        strangers.push(stranger);
        if number % 50 == 0 {
            // Callers that are new, and one that was there before.
            Api::new(&j.target, None).get("/health").await.is(200);
            Api::new(&j.target, Some(j.api.key())).get("/v1/keys").await.is(200);
            let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
            assert_eq!(delivery["status"], "succeeded", "{delivery:#}");
        }
    }
    for stranger in &mut strangers {
        stranger.send("x").await;
    }
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(1), "{delivery:#}");
}

#[tokio::test]
async fn known_callers_that_rest_on_every_connection_keep_no_new_caller_out() {
    let Some(j) = with_descriptors(160, 16).await else { return };
    let asked = format!("GET /v1/keys HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", j.api.key());
    let mut resting = Vec::new();
    for _ in 0..160 {
        let mut known = Socket::connect(&j.target).await;
        known.send(&asked).await;
        known.hears("HTTP/1.1 200 ").await;
        resting.push(known);
    }
    let mut strangers = Vec::new();
    for _ in 0..20 {
        let mut new = Socket::connect(&j.target).await;
        for _ in 0..8 {
            let mut stranger = Socket::connect(&j.target).await;
            stranger.send(HALF_A_HEAD).await;
            strangers.push(stranger);
        }
        assert!(new.send(&asked).await);
        new.hears("HTTP/1.1 200 ").await;
    }
}

#[tokio::test]
async fn with_very_few_descriptors_it_says_so_and_works_slowly() {
    let Some(j) = with_descriptors(80, 256).await else { return };
    assert!(j.target.said().contains("descriptors.too_few"), "{}", j.target.said());
    for path in ["/a", "/b", "/c", "/d"] {
        j.subscribe(path, json!({})).await;
    }
    let mut traces = Vec::new();
    for _ in 0..20 {
        traces.extend(j.api.send(&event("727")).await);
    }
    for trace in &traces {
        let delivery = j.api.settled(trace).await;
        assert_eq!(delivery["status"], "succeeded", "{delivery:#}");
    }
    assert_eq!(traces.len(), 80);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_a_problem_and_costs_little() {
    let Some(j) = Journey::alone().await else { return };
    let long = format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(40_000));
    let many = format!("GET /health HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(200));
    let path = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(40_000));
    for (bytes, status) in [(&long, 431), (&many, 431), (&path, 431)] {
        let heard = answer_to(&j.target, bytes).await;
        assert!(heard.starts_with(&format!("HTTP/1.1 {status} ")), "{heard}");
        assert!(heard.contains("application/problem+json"), "{heard}");
    }
    let well =
        format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\nconnection: close\r\n\r\n", "a".repeat(30_000));
    assert!(answer_to(&j.target, well).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn what_is_no_request_is_a_problem_and_the_answer_before_it_is_whole() {
    let Some(j) = Journey::alone().await else { return };
    for bytes in
        ["nonsense\r\n\r\n", "GET / HTTP/9.9\r\nhost: x\r\n\r\n", "\0\0\0\0\r\n\r\n", "G T / x\r\n\r\n"]
    {
        let heard = answer_to(&j.target, bytes).await;
        assert!(
            heard.starts_with("HTTP/1.1 400 ") && heard.contains("/problems/not-http"),
            "{bytes:?}: {heard}"
        );
    }
    let heard = answer_to(&j.target, "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\nnonsense\r\n\r\n").await;
    assert!(heard.starts_with("HTTP/1.1 200 ") && heard.contains("\"openapi\""), "{}", &heard[..200]);
    assert!(heard.contains("HTTP/1.1 400 ") && heard.ends_with('}'), "{heard}");
}

#[tokio::test]
async fn a_head_that_drips_is_given_up_although_something_always_comes() {
    let Some(j) = Journey::alone().await else { return };
    let mut socket = Socket::connect(&j.target).await;
    socket.send(HALF_A_HEAD).await;
    // The deadline is 30 s: this goes on for twice as long, so that a slow machine has given it up by then.
    let mut sent = 0;
    while socket.send("a").await {
        pause(Duration::from_millis(100)).await;
        sent += 1;
        assert!(sent < 600, "it is still read");
    }
    assert!(sent > 100, "it was given up at once: {sent}");
}

#[tokio::test]
async fn a_sign_in_of_more_than_a_form_is_refused_before_it_is_read() {
    let Some(j) = Journey::alone().await else { return };
    let head = "POST /login HTTP/1.1\r\nhost: x\r\norigin: http://x\r\ncontent-length: 8000000\r\n\r\nk";
    let mut socket = Socket::connect(&j.target).await;
    socket.send(head).await;
    socket.hears("HTTP/1.1 413 ").await;
    let chunk = format!("2000\r\n{}\r\n", "k".repeat(0x2000));
    let chunked = "POST /login HTTP/1.1\r\nhost: x\r\norigin: http://x\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut socket = Socket::connect(&j.target).await;
    socket.send(format!("{chunked}{chunk}{chunk}")).await;
    socket.hears("HTTP/1.1 413 ").await;
}

#[tokio::test]
async fn the_body_of_a_call_is_not_read_before_its_key_was_checked() {
    let Some(j) = Journey::alone().await else { return };
    for path in ["/v1/events", "/v1/events/batch", "/v1/subscriptions", "/v1/keys", "/v1/portal-links"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n");
        let mut socket = Socket::connect(&j.target).await;
        socket.send(head).await;
        socket.hears("HTTP/1.1 401 ").await;
    }
}

#[tokio::test]
async fn requests_one_after_the_other_without_waiting_are_all_answered() {
    let Some(j) = Journey::alone().await else { return };
    let one = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let heard = answer_to(&j.target, format!("{}{last}", one.repeat(99))).await;
    assert_eq!(heard.matches("HTTP/1.1 200 ").count(), 100);
}

#[tokio::test]
async fn listening_for_other_machines_in_clear_is_warned_of() {
    const WARNING: &str = "listen.in_clear";
    let listening = |arguments: &[&str]| Launch {
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        ..Launch::default()
    };
    for (arguments, warned) in [
        (&["--listen", "0.0.0.0:0"][..], true),
        (&["--listen", "[::]:0"], true),
        (&["--listen", "0.0.0.0:0", "--public-url", "http://hooks.example"], true),
        (&["--listen", "0.0.0.0:0", "--public-url", "https://hooks.example"], false),
        (&["--listen", "127.0.0.2:0"], false),
    ] {
        let Some(target) = Target::process_with(Launch { own_address: true, ..listening(arguments) }).await
        else {
            return;
        };
        assert_eq!(
            target.said().matches(WARNING).count(),
            usize::from(warned),
            "{arguments:?}: {}",
            target.said()
        );
    }
}

#[tokio::test]
async fn a_link_opens_so_many_sessions_a_minute_and_no_more() {
    let Some(j) = Journey::alone().await else { return };
    let asked = json!({"loanId": "727", "scopes": ["history:read"], "viewer": "Ann"});
    let made = j.api.post("/v1/portal-links", &asked).await.is(201).json();
    let path = text(&made["url"]).split_once("/portal").map(|(_, rest)| format!("/portal{rest}"));
    let (path, viewer) = (path.expect("a link"), j.api.with_key(None));
    let mut said = Vec::new();
    for _ in 0..200 {
        said.push(viewer.get(&path).await.status);
    }
    let opened = said.iter().filter(|status| **status == 303).count();
    assert!((60..200).contains(&opened) && said.contains(&429), "{said:?}");
}

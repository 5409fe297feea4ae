//! The two templates of the README, for a chat and a pager: what comes of them is what those take.

use serde_json::{Value, json};

use super::ALL;
use crate::harness::{Journey, subscription_path, text};

/// The subscriptions in the README's section of this title, one in each block of JSON.
fn subscriptions_of_readme(title: &str) -> Vec<Value> {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme.split_once(&format!("#### {title}\n")).expect("the section");
    let section = section.split("\n#").next().expect("a text");
    let blocks =
        section.split("```json\n").skip(1).map(|rest| rest.split("```").next().expect("the end of a block"));
    let blocks: Vec<_> = blocks.map(|block| serde_json::from_str(block).expect("JSON")).collect();
    assert!(!blocks.is_empty(), "{title}");
    blocks
}

/// What a test of each of its operational events sends.
async fn sent(j: &Journey, mut settings: Value) -> Vec<(String, Value)> {
    settings["request"]["url"] = json!(j.receiver.url("/hook"));
    let created = j.api.subscribe(&settings).await;
    let mut all = Vec::new();
    for name in created["criteria"]["operational"].as_array().expect("names") {
        let path = format!("{}/test", subscription_path(&created));
        let test = j.api.post(&path, &json!({"eventName": name})).await.expect_status(202).json();
        let trace = text(&test["deliveries"][0]["traceId"]);
        let delivery = j.api.ended_delivery(trace).await;
        assert_eq!(delivery["status"], "succeeded", "{delivery}");
        all.push((text(name).to_owned(), j.receiver.requests_of(trace)[0].json()));
    }
    all
}

#[tokio::test]
async fn the_template_for_a_chat_says_what_happened_in_a_text() {
    let j = Journey::start().await;
    let subscriptions = subscriptions_of_readme("To a chat");
    let [settings] = &subscriptions[..] else { panic!("one: {subscriptions:#?}") };
    let messages = sent(&j, settings.clone()).await;
    let names: Vec<_> = messages.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ALL);
    for (name, message) in &messages {
        let fields: Vec<_> = message.as_object().expect("an object").keys().collect();
        assert_eq!(fields, ["text"], "{message}");
        assert!(text(&message["text"]).contains(name.as_str()), "{message}");
    }
}

#[tokio::test]
async fn the_templates_for_a_pager_open_and_resolve_one_incident() {
    let j = Journey::start().await;
    let subscriptions = subscriptions_of_readme("To a pager");
    let [opens, resolves] = &subscriptions[..] else { panic!("two: {subscriptions:#?}") };
    let mut keys = Vec::new();
    for (settings, action) in [(opens, "trigger"), (resolves, "resolve")] {
        for (name, event) in sent(&j, settings.clone()).await {
            assert_eq!(event["event_action"], action, "{name}: {event}");
            assert!(event["routing_key"].is_string() && event["dedup_key"].is_string(), "{event}");
            if action == "trigger" {
                // Required by Events API v2.
                let payload = &event["payload"];
                for field in ["summary", "source", "severity"] {
                    assert!(!text(&payload[field]).is_empty(), "{field}: {event}");
                }
                assert!(
                    ["critical", "error", "warning", "info"].contains(&text(&payload["severity"])),
                    "{event}"
                );
                assert!(text(&payload["summary"]).len() <= 1024, "{event}");
            }
            keys.push((action, text(&event["dedup_key"]).to_owned()));
        }
    }
    assert!(keys.iter().any(|(action, _)| *action == "resolve"));
    assert!(keys.iter().all(|(_, key)| key.starts_with("loanhook-")), "{keys:?}");
}

//! Secrets of an earlier version (`tests/stored`), which stored them in clear: sealed by a direct invocation.

use loanhook_aws_testing::AwsEngine;
use loanhook_aws_testing::stored_bytes::StoredBytes;
use loanhook_contract::engine::Engine as _;
use serde_json::{Value, json};

use super::stored_data::{assert_answers_are_as_they_were, lines, restore};

/// Header values and signing secrets of the settings in the fixture.
fn settings_secrets() -> Vec<String> {
    let mut secrets = Vec::new();
    for item in lines("aws/table.jsonl") {
        let document = |name: &str| -> Option<Value> { serde_json::from_str(item[name]["S"].as_str()?).ok() };
        if !item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("S#")) {
            continue;
        }
        let headers = document("doc").map(|document| document["settings"]["request"]["headers"].clone());
        let headers = headers.as_ref().and_then(Value::as_object).into_iter().flatten();
        // A short one stands in other texts, too.
        let values = headers.filter_map(|(_, value)| value.as_str()).filter(|value| value.len() > 8);
        secrets.extend(values.map(str::to_owned));
        let signing = document("secrets");
        let signing =
            signing.iter().flat_map(|signing| [&signing["current"], &signing["previous"]["secret"]]);
        secrets.extend(signing.filter_map(Value::as_str).map(str::to_owned));
    }
    secrets
}

#[test]
fn settings_of_an_earlier_version_are_sealed_by_a_direct_invocation() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        restore(&aws.stack).await;
        let secrets = settings_secrets();
        let places = async || {
            let stored = StoredBytes::of(&aws.stack).await;
            let of_settings = |place: &&str| place.contains(" S#");
            let places = secrets.iter().flat_map(|secret| {
                let places = stored.places_of(secret).into_iter().filter(of_settings).map(str::to_owned);
                places.collect::<Vec<_>>()
            });
            places.collect::<Vec<_>>()
        };
        assert!(secrets.len() > 20 && places().await.len() > 20);

        let mut named = Vec::new();
        for item in lines("aws/table.jsonl") {
            let (pk, sk) =
                (item["pk"]["S"].as_str().expect("a key"), item["sk"]["S"].as_str().expect("a key"));
            let Some(tenant) = pk.strip_prefix("S#") else { continue };
            if let Some(tenant) = tenant.strip_suffix("#list") {
                named.push(json!({"tenant": tenant, "item": "list"}));
            } else if sk.starts_with("C#") || sk.starts_with("V#") {
                named.push(json!({"tenant": tenant, "item": sk}));
            }
        }
        for repeated in [false, true] {
            for batch in named.chunks(100) {
                let command = serde_json::from_value(json!({ "sealSecrets": batch })).expect("a command");
                let answer = aws.ports().run_secrets_command(command).await?;
                let answer = serde_json::to_value(answer).expect("JSON");
                let sealed = if repeated { 0 } else { batch.len() };
                assert_eq!((&answer["sealed"], &answer["failed"]), (&json!(sealed), &json!([])));
            }
        }
        assert_eq!(places().await, Vec::<String>::new());

        assert_answers_are_as_they_were(&aws.stack).await;
        Ok(())
    });
}

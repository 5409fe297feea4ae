use serde_json::{Value, json};

use super::*;

fn settings(change: impl FnOnce(&mut Value)) -> Result<Settings, Vec<String>> {
    let mut body = json!({
        "title": "Core banking",
        "criteria": {"events": ["*"]},
        "request": {"url": "https://core.example.com/hooks"},
    });
    change(&mut body);
    let draft: SubscriptionDraft = serde_json::from_value(body).expect("a draft");
    draft.check(None).map_err(|errors| errors.0.into_iter().map(|fault| fault.pointer).collect())
}

#[test]
fn what_is_left_out_has_its_default() {
    let settings = settings(|_| ()).expect("good settings");
    assert!(settings.enabled);
    assert_eq!(settings.request.method, Method::Post);
    assert_eq!(settings.request.content_type, "application/json");
    assert_eq!(settings.retry, RetryPolicy::default());
    assert_eq!(settings.timeout_seconds, 15);
}

#[test]
fn urls_by_table() {
    for (url, ok) in [
        ("https://core.example.com/hooks?a=1#f", true),
        ("http://10.0.0.1:8080", true),
        ("ftp://core.example.com/", false),
        ("http:///path", false),
        ("core.example.com/hooks", false),
        ("/hooks", false),
        ("data:text/plain,x", false),
        ("https://user:word@core.example.com/", false),
        ("https://core.example.com/[[v('loan-id')]]", true),
        ("https://core.example.com/[[v(loan-id)]]", false),
        ("https://core.example.com?loan=[[v('payments[0].id')]]", true),
        ("https://[[v('bank','one')]].example.com/", false),
        ("https://core.example.com[[v('bank')]]/", false),
        ("https://core.example.com:[[v('port')]]/", false),
        ("https://[[v('user')]]@core.example.com/", false),
        ("[[v('url')]]", false),
        ("[[v('a')]]://core.example.com/", false),
        ("https://core.example.com/hooks?token=***", false),
        ("https://core.example.com/a b", false),
        ("https:// core.example.com/", false),
    ] {
        let expected = if ok { Ok(()) } else { Err(vec!["/request/url".to_owned()]) };
        assert_eq!(settings(|body| body["request"]["url"] = url.into()).map(|_| ()), expected, "{url}");
    }
    let long = format!("https://core.example.com/{}", "a".repeat(8192));
    assert!(settings(|body| body["request"]["url"] = long.into()).is_err());
}

#[test]
fn headers_by_table() {
    for (name, value, ok) in [
        ("Authorization", "Bearer x", true),
        ("X-Empty", "", true),
        ("Webhook-Id", "x", false),
        ("loanhook-attempt", "x", false),
        ("Host", "x", false),
        ("Content-Type", "text/plain", false),
        ("Transfer-Encoding", "chunked", false),
        ("a b", "x", false),
        ("X", "line\nbreak", false),
        ("X", " x", false),
        ("X", "ü", false),
        ("X", "Loan [[v('a')]]", true),
        ("X", "[[v('a','ü')]]", true),
        ("X", "[[w('a')]]", false),
        ("X", "***", false),
    ] {
        let expected = if ok { Ok(()) } else { Err(vec![format!("/request/headers/{name}")]) };
        assert_eq!(
            settings(|body| body["request"]["headers"][name] = value.into()).map(|_| ()),
            expected,
            "{name}"
        );
    }
    assert!(settings(|body| body["request"]["headers"] = json!({"X-A": "1", "x-a": "2"})).is_err());
    assert!(settings(|body| body["request"]["headers"]["X"] = "a".repeat(33_000).into()).is_err());
}

/// What comes of a PUT with this request, on settings with one header.
fn put(request: &Value) -> Result<Settings, Vec<String>> {
    let stored = settings(|body| body["request"]["headers"]["Authorization"] = "Bearer x".into());
    let draft = json!({"title": "Core banking", "criteria": {"events": ["*"]}, "request": request});
    let draft: SubscriptionDraft = serde_json::from_value(draft).expect("a draft");
    let checked = draft.check(Some(&stored.expect("good settings")));
    checked.map_err(|errors| errors.0.into_iter().map(|fault| fault.pointer).collect())
}

#[test]
fn stars_keep_the_stored_value_where_scheme_host_and_port_stay() {
    for url in ["https://core.example.com/", "https://CORE.example.com:443/other?a=[[v('loan-id')]]"] {
        let kept = put(&json!({"url": url, "headers": {"authorization": "***"}})).expect("good settings");
        assert_eq!(kept.request.headers["authorization"], "Bearer x");
    }
    for url in
        ["https://evil.example/hooks", "http://core.example.com/hooks", "https://core.example.com:444/"]
    {
        let refused = put(&json!({"url": url, "headers": {"AUTHORIZATION": "***"}}));
        assert_eq!(refused.map(|_| ()), Err(vec!["/request/headers/AUTHORIZATION".to_owned()]), "{url}");
        let again =
            put(&json!({"url": url, "headers": {"Authorization": "Bearer y"}})).expect("good settings");
        assert_eq!(again.request.headers["Authorization"], "Bearer y");
    }
    // What is no URL is one fault, not two.
    let refused = put(&json!({"url": "no url", "headers": {"Authorization": "***"}}));
    assert_eq!(refused.map(|_| ()), Err(vec!["/request/url".to_owned()]));
}

#[test]
fn stars_within_a_value_keep_nothing() {
    for value in ["Bearer ***", "***x", "****"] {
        let url = "https://core.example.com/";
        let set = put(&json!({"url": url, "headers": {"Authorization": value}})).expect("good settings");
        assert_eq!(set.request.headers["Authorization"], value);
    }
}

#[test]
fn every_fault_is_told() {
    let errors = settings(|body| {
        body["title"] = "".into();
        body["restriction"] = "(true".into();
        body["criteria"] = json!({"events": []});
        body["request"]["payload"] = "{\"a\": [[v('a')]]".into();
        body["retry"] = json!({"delays": [0]});
        body["timeoutSeconds"] = 31.into();
    })
    .expect_err("all wrong");
    let expected = [
        "/title",
        "/restriction",
        "/timeoutSeconds",
        "/criteria/events",
        "/request/payload",
        "/retry/delays/0",
    ];
    assert_eq!(errors, expected);
}

#[test]
fn formulas_by_table() {
    for (formula, ok) in [
        ("(> status-days-past-due 30)", true),
        ("unknown-variable", true),
        ("(> 1", false),
        ("(frobnicate 1)", false),
        ("(swap! a inc)", false),
        ("", false),
    ] {
        for pointer in ["/criteria/trigger", "/restriction"] {
            let set = settings(|body| match pointer {
                "/restriction" => body["restriction"] = formula.into(),
                _ => body["criteria"] = json!({"trigger": formula}),
            });
            let expected = if ok { Ok(()) } else { Err(vec![pointer.to_owned()]) };
            assert_eq!(set.map(|_| ()), expected, "{pointer} {formula}");
        }
    }
}

#[test]
fn criteria_are_events_or_a_trigger() {
    let criteria =
        |criteria: Value| settings(|body| body["criteria"] = criteria).map(|settings| settings.criteria);
    let trigger = |fire| Criteria::Trigger { trigger: "true".into(), fire, since: 1 };
    assert_eq!(criteria(json!({"trigger": "true"})), Ok(trigger(Fire::OnChange)));
    assert_eq!(criteria(json!({"trigger": "true", "fire": "every-match"})), Ok(trigger(Fire::EveryMatch)));
    assert_eq!(
        criteria(json!({"trigger": "true", "events": ["*"]})),
        Err(vec!["/criteria/events".to_owned()])
    );
    assert_eq!(
        criteria(json!({"events": ["*"], "fire": "on-change"})),
        Err(vec!["/criteria/fire".to_owned()])
    );
    assert_eq!(criteria(json!({})), Err(vec!["/criteria/events".to_owned()]));
}

#[test]
fn a_trigger_that_stays_is_remembered_and_one_that_changes_is_not() {
    let trigger = |trigger: &str, fire, since| Criteria::Trigger { trigger: trigger.into(), fire, since };
    let events = Criteria::Events(vec!["*".into()]);
    for (before, mut after, since) in [
        (trigger("a", Fire::OnChange, 3), trigger("a", Fire::OnChange, 1), 3),
        (trigger("a", Fire::OnChange, 3), trigger("b", Fire::OnChange, 1), 7),
        (trigger("a", Fire::EveryMatch, 3), trigger("a", Fire::OnChange, 1), 7),
        (events, trigger("a", Fire::OnChange, 1), 7),
    ] {
        after.carry_over_since(&before, 7);
        assert!(matches!(after, Criteria::Trigger { since: then, .. } if then == since), "{before:?}");
    }
}

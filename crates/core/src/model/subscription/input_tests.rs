use super::*;
use crate::model::operational::OperationalKind;
use crate::model::subscription::Criteria;

const URL: &str = "https://core.example.com/hooks";

fn every_event() -> CriteriaInput {
    CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() }
}

fn input(url: &str) -> SubscriptionInput {
    SubscriptionInput::with_defaults("Core banking".into(), every_event(), url.into())
}

/// The pointers of what is wrong.
fn pointers(errors: ValidationErrors) -> Vec<String> {
    errors.0.into_iter().map(|fault| fault.pointer).collect()
}

fn settings(change: impl FnOnce(&mut SubscriptionInput)) -> Result<Settings, Vec<String>> {
    let mut input = input(URL);
    change(&mut input);
    input.check(None).map_err(pointers)
}

#[test]
fn a_policy_that_is_not_given_is_the_default_one() {
    assert_eq!(settings(|_| ()).expect("good settings").retry, RetryPolicy::default());
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
        assert_eq!(settings(|input| input.request.url = url.into()).map(|_| ()), expected, "{url}");
    }
    let long = format!("https://core.example.com/{}", "a".repeat(8192));
    assert!(settings(|input| input.request.url = long).is_err());
}

fn set(input: &mut SubscriptionInput, name: &str, value: &str) {
    input.request.headers.insert(name.into(), value.into());
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
        assert_eq!(settings(|input| set(input, name, value)).map(|_| ()), expected, "{name}");
    }
    let twice = settings(|input| {
        set(input, "X-A", "1");
        set(input, "x-a", "2");
    });
    assert!(twice.is_err());
    assert!(settings(|input| set(input, "X", &"a".repeat(33_000))).is_err());
}

/// What comes of replacing settings with one header by settings with this URL and this header.
fn put(url: &str, name: &str, value: &str) -> Result<Settings, Vec<String>> {
    let stored = settings(|input| set(input, "Authorization", "Bearer x")).expect("good settings");
    let mut input = input(url);
    set(&mut input, name, value);
    input.check(Some(&stored)).map_err(pointers)
}

#[test]
fn stars_keep_the_stored_value_where_scheme_host_and_port_stay() {
    for url in ["https://core.example.com/", "https://CORE.example.com:443/other?a=[[v('loan-id')]]"] {
        let kept = put(url, "authorization", "***").expect("good settings");
        assert_eq!(kept.request.headers["authorization"], "Bearer x");
    }
    for url in
        ["https://evil.example/hooks", "http://core.example.com/hooks", "https://core.example.com:444/"]
    {
        let refused = put(url, "AUTHORIZATION", "***");
        assert_eq!(refused.map(|_| ()), Err(vec!["/request/headers/AUTHORIZATION".to_owned()]), "{url}");
        let again = put(url, "Authorization", "Bearer y").expect("good settings");
        assert_eq!(again.request.headers["Authorization"], "Bearer y");
    }
    // What is no URL is one fault, not two.
    let refused = put("no url", "Authorization", "***");
    assert_eq!(refused.map(|_| ()), Err(vec!["/request/url".to_owned()]));
}

#[test]
fn stars_within_a_value_keep_nothing() {
    for value in ["Bearer ***", "***x", "****"] {
        let set = put("https://core.example.com/", "Authorization", value).expect("good settings");
        assert_eq!(set.request.headers["Authorization"], value);
    }
}

#[test]
fn every_fault_is_told() {
    let errors = settings(|input| {
        input.title = String::new();
        input.restriction = Some("(true".into());
        input.criteria.events = Some(Vec::new());
        input.request.payload = Some("{\"a\": [[v('a')]]".into());
        input.retry = Some(RetryInput { delays: Some(vec![0]), ..RetryInput::default() });
        input.timeout_seconds = 31;
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
            let set = settings(|input| match pointer {
                "/restriction" => input.restriction = Some(formula.into()),
                _ => {
                    input.criteria =
                        CriteriaInput { trigger: Some(formula.into()), ..CriteriaInput::default() };
                }
            });
            let expected = if ok { Ok(()) } else { Err(vec![pointer.to_owned()]) };
            assert_eq!(set.map(|_| ()), expected, "{pointer} {formula}");
        }
    }
}

#[test]
fn criteria_are_events_or_a_trigger() {
    let none = CriteriaInput::default;
    let trigger = || CriteriaInput { trigger: Some("true".into()), ..none() };
    for (criteria, expected) in [
        (trigger(), Ok(Fire::OnChange)),
        (CriteriaInput { fire: Some(Fire::EveryMatch), ..trigger() }, Ok(Fire::EveryMatch)),
        (CriteriaInput { events: every_event().events, ..trigger() }, Err("/criteria/events")),
        (CriteriaInput { fire: Some(Fire::OnChange), ..every_event() }, Err("/criteria/fire")),
        (none(), Err("/criteria/events")),
    ] {
        let expected = expected
            .map(|fire| Criteria::Trigger { trigger: "true".into(), fire, since: 1 })
            .map_err(|pointer| vec![pointer.to_owned()]);
        assert_eq!(settings(|input| input.criteria = criteria).map(|settings| settings.criteria), expected);
    }
}

#[test]
fn operational_criteria_name_kinds_and_nothing_else() {
    let named = |names: &[&str]| CriteriaInput {
        operational: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..CriteriaInput::default()
    };
    let all = OperationalKind::ALL.map(OperationalKind::as_str);
    let both = [OperationalKind::JobFinished, OperationalKind::SubscriptionHeld];
    for (criteria, expected) in [
        (named(&all), Ok(OperationalKind::ALL.to_vec())),
        (named(&["job.finished", "subscription.held"]), Ok(both.to_vec())),
        (named(&[]), Err("/criteria/operational")),
        (named(&["job.finished", "*"]), Err("/criteria/operational/1")),
        (named(&["job.finished", "job.finished"]), Err("/criteria/operational/1")),
        (CriteriaInput { events: every_event().events, ..named(&all) }, Err("/criteria/operational")),
        (CriteriaInput { trigger: Some("true".into()), ..named(&all) }, Err("/criteria/operational")),
        (CriteriaInput { fire: Some(Fire::OnChange), ..named(&all) }, Err("/criteria/operational")),
    ] {
        let expected = expected.map(Criteria::Operational).map_err(|pointer| vec![pointer.to_owned()]);
        assert_eq!(settings(|input| input.criteria = criteria).map(|settings| settings.criteria), expected);
    }
    let ordered = settings(|input| {
        input.criteria = named(&all);
        input.flow.order = DeliveryOrder::Loan;
    });
    assert_eq!(ordered.map(|_| ()), Err(vec!["/flow/order".to_owned()]));
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

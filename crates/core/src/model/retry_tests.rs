use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn check(json: &str) -> Result<RetryPolicy, Vec<String>> {
    let draft: RetryDraft = serde_json::from_str(json).expect("a draft");
    let mut errors = ValidationErrors::default();
    let policy = draft.check(&mut errors);
    errors.ok_or_errors(policy).map_err(|errors| errors.0.into_iter().map(|fault| fault.pointer).collect())
}

#[test]
fn forms_and_bounds_by_table() {
    for (json, fault) in [
        (r#"{"delays": []}"#, None),
        (r#"{"delays": [300, 604800]}"#, None),
        (r#"{"delays": [0]}"#, Some("/retry/delays/0")),
        (r#"{"delays": [1, 604801]}"#, Some("/retry/delays/1")),
        (r#"{"delays": [604800, 604800, 604800, 604800, 172800]}"#, None),
        (r#"{"delays": [604800, 604800, 604800, 604800, 172801]}"#, Some("/retry")),
        (r#"{"interval": 60, "maxRetries": 24}"#, None),
        (r#"{"interval": 60, "maxRetries": 0}"#, None),
        (r#"{"interval": 60, "maxRetries": 25}"#, Some("/retry/maxRetries")),
        (r#"{"interval": 60}"#, Some("/retry")),
        (r#"{"interval": 604800, "maxRetries": 5}"#, Some("/retry")),
        (r#"{"exponential": {"base": 1, "factor": 2, "cap": 3600, "maxRetries": 10}}"#, None),
        (
            r#"{"exponential": {"base": 1, "factor": 11, "cap": 3600, "maxRetries": 1}}"#,
            Some("/retry/exponential/factor"),
        ),
        (
            r#"{"exponential": {"base": 9, "factor": 2, "cap": 8, "maxRetries": 1}}"#,
            Some("/retry/exponential/cap"),
        ),
        (
            r#"{"exponential": {"base": 9, "factor": 2, "cap": 10, "maxRetries": 1, "jitter": 1.5}}"#,
            Some("/retry/exponential/jitter"),
        ),
        (r#"{"delays": [1], "interval": 1}"#, Some("/retry")),
        ("{}", Some("/retry")),
    ] {
        let expected = fault.map_or(Ok(()), |pointer: &str| Err(vec![pointer.to_owned()]));
        assert_eq!(check(json).map(|_| ()), expected, "{json}");
    }
    assert!(check(&format!("{{\"delays\": [{}]}}", ["1"; 25].join(","))).is_err());
}

fn policies() -> impl Strategy<Value = RetryPolicy> {
    let seconds = 1..=MAX_DELAY;
    prop_oneof![
        prop::collection::vec(seconds.clone(), 0..=24).prop_map(|delays| RetryPolicy::Delays { delays }),
        (seconds.clone(), 0..=24_u32)
            .prop_map(|(interval, max_retries)| RetryPolicy::Interval { interval, max_retries }),
        (seconds.clone(), 1.0..=10.0_f64, seconds, 0..=24_u32, 0.0..=1.0_f64).prop_map(
            |(a, factor, b, max_retries, jitter)| {
                let exponential = Exponential { base: a.min(b), factor, cap: a.max(b), max_retries, jitter };
                RetryPolicy::Exponential { exponential }
            }
        ),
    ]
}

proptest! {
    #[test]
    fn a_schedule_is_bounded_and_ends(policy in policies(), trace: u128) {
        let trace = TraceId::from_uuid(Uuid::from_u128(trace));
        for slot in 0..policy.retries() {
            let delay = policy.delay(slot, trace, None).expect("a slot of the schedule");
            prop_assert!(delay >= Duration::from_secs(1) && delay <= Duration::from_secs(MAX_DELAY.into()));
            prop_assert_eq!(policy.delay(slot, trace, None), Some(delay));
        }
        prop_assert_eq!(policy.delay(policy.retries(), trace, Some(Duration::from_secs(1))), None);
    }

    #[test]
    fn exponential_delays_never_shrink_before_jitter(policy in policies()) {
        if let RetryPolicy::Exponential { .. } = policy {
            let delays: Vec<_> = (0..policy.retries()).filter_map(|slot| policy.longest(slot)).collect();
            prop_assert!(delays.is_sorted());
        }
    }

    #[test]
    fn jitter_only_shortens_and_within_its_share(policy in policies(), trace: u128) {
        let trace = TraceId::from_uuid(Uuid::from_u128(trace));
        let share = match &policy {
            RetryPolicy::Exponential { exponential } => exponential.jitter,
            _ => 0.0,
        };
        for slot in 0..policy.retries() {
            let (delay, longest) = (policy.delay(slot, trace, None), policy.longest(slot));
            let (delay, longest) = (delay.expect("a slot"), longest.expect("a slot"));
            let least = longest.mul_f64(1.0 - share).max(Duration::from_secs(1));
            prop_assert!(delay <= longest && delay + Duration::from_nanos(1) >= least, "{:?} {:?}", delay, longest);
        }
    }

    #[test]
    fn retry_after_only_makes_later_and_by_a_day_at_most(policy in policies(), trace: u128, asked in 0..1_000_000_u64) {
        let trace = TraceId::from_uuid(Uuid::from_u128(trace));
        let asked = Duration::from_secs(asked);
        for slot in 0..policy.retries() {
            let plain = policy.delay(slot, trace, None).expect("a slot");
            let later = policy.delay(slot, trace, Some(asked)).expect("a slot");
            prop_assert_eq!(later, plain.max(asked.min(Duration::from_secs(86_400))));
        }
    }

    #[test]
    fn a_policy_reads_back_as_it_was_written(policy in policies()) {
        let text = serde_json::to_string(&policy).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<RetryPolicy>(&text).expect("a policy"), policy);
    }
}

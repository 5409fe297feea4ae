use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn check(input: RetryInput) -> Result<RetryPolicy, Vec<String>> {
    let mut errors = ValidationErrors::default();
    let policy = input.check(&mut errors);
    errors.ok_or_errors(policy).map_err(|errors| errors.0.into_iter().map(|fault| fault.pointer).collect())
}

fn delays(delays: &[u32]) -> RetryInput {
    RetryInput { delays: Some(delays.to_vec()), ..RetryInput::default() }
}

fn interval(interval: u32, max_retries: u32) -> RetryInput {
    RetryInput { interval: Some(interval), max_retries: Some(max_retries), ..RetryInput::default() }
}

fn exponential(base: u32, factor: f64, cap: u32, max_retries: u32, jitter: f64) -> RetryInput {
    let exponential = Exponential { base, factor, cap, max_retries, jitter };
    RetryInput { exponential: Some(exponential), ..RetryInput::default() }
}

#[test]
fn forms_and_bounds_by_table() {
    for (input, fault) in [
        (delays(&[]), None),
        (delays(&[300, 604_800]), None),
        (delays(&[0]), Some("/retry/delays/0")),
        (delays(&[1, 604_801]), Some("/retry/delays/1")),
        (delays(&[604_800, 604_800, 604_800, 604_800, 172_800]), None),
        (delays(&[604_800, 604_800, 604_800, 604_800, 172_801]), Some("/retry")),
        (interval(60, 24), None),
        (interval(60, 0), None),
        (interval(60, 25), Some("/retry/maxRetries")),
        (RetryInput { max_retries: None, ..interval(60, 0) }, Some("/retry")),
        (interval(604_800, 5), Some("/retry")),
        (exponential(1, 2.0, 3600, 10, 0.0), None),
        (exponential(1, 11.0, 3600, 1, 0.0), Some("/retry/exponential/factor")),
        (exponential(9, 2.0, 8, 1, 0.0), Some("/retry/exponential/cap")),
        (exponential(9, 2.0, 10, 1, 1.5), Some("/retry/exponential/jitter")),
        (RetryInput { interval: Some(1), ..delays(&[1]) }, Some("/retry")),
        (RetryInput::default(), Some("/retry")),
    ] {
        let (expected, shown) =
            (fault.map_or(Ok(()), |pointer: &str| Err(vec![pointer.to_owned()])), format!("{input:?}"));
        assert_eq!(check(input).map(|_| ()), expected, "{shown}");
    }
    assert!(check(delays(&[1; 25])).is_err());
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
}

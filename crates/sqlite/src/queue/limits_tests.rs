//! Limits hold whatever happens: no more requests are in flight, or leave in any time, than they say.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use uuid::Uuid;

use super::fair_shares::PermitCounts;
use super::pace::ShareBounds;
use super::{NextQueue, QueueId, QueueScheduler, WirePermits};
use loanhook_core::model::flow::throttle::{Allowance, InFlight, Now, SentBefore, Throttle};
use loanhook_core::model::flow::{FlowSettings, FlowState, HeldBy, Hold};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;

const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const BOUNDS: ShareBounds = ShareBounds { initial: 16, most: 64 };

fn queue(automatic: bool) -> QueueId {
    let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
    QueueId { tenant, subscription: SubscriptionId::from_uuid(Uuid::from_u128(1)), automatic }
}

fn free() -> PermitCounts {
    PermitCounts { total: 256, free: 256 }
}

fn held() -> FlowState {
    let hold = Hold { by: HeldBy::Operator("Ann".into()), since: START };
    FlowState { hold: Some(hold), ..FlowState::default() }
}

fn rate(per_second: f64) -> FlowSettings {
    FlowSettings { max_per_second: Some(per_second), ..FlowSettings::default() }
}

/// What is done to a scheduler, one after the other.
#[derive(Debug, Clone, Copy)]
enum Step {
    Due {
        automatic: bool,
    },
    Next,
    /// More are reserved, where some are.
    More,
    /// One of the permits is used by a request, or all that are left are given back.
    Send,
    Return,
    /// A request ends.
    End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        any::<bool>().prop_map(|automatic| Step::Due { automatic }),
        Just(Step::Next),
        Just(Step::More),
        Just(Step::Send),
        Just(Step::Return),
        Just(Step::End),
    ];
    prop::collection::vec(step, 1..80)
}

/// What happens to a throttle with a rate.
#[derive(Debug, Clone, Copy)]
enum RateStep {
    Reserve {
        most: usize,
    },
    Send,
    Return,
    Sleep {
        millis: u64,
    },
    /// Another rate is set and then the same again, or none in between.
    Set {
        between: Option<f64>,
    },
    Hold,
    Release,
}

fn rate_steps() -> impl Strategy<Value = Vec<RateStep>> {
    let step = prop_oneof![
        4 => (1..6_usize).prop_map(|most| RateStep::Reserve { most }),
        6 => Just(RateStep::Send),
        2 => Just(RateStep::Return),
        3 => (1..1500_u64).prop_map(|millis| RateStep::Sleep { millis }),
        1 => prop::option::of(0.1..9.0).prop_map(|between| RateStep::Set { between }),
        1 => Just(RateStep::Hold),
        1 => Just(RateStep::Release),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    /// Of both queues together, at any moment.
    #[test]
    fn no_limit_is_exceeded_whatever_happens(steps in steps(), in_flight in 1..6_u32, tokens in 1..6_u32) {
        let settings = FlowSettings { max_in_flight: Some(in_flight), ..rate(f64::from(tokens)) };
        let (scheduler, id) = (Arc::<QueueScheduler>::default(), queue(true));
        scheduler.set_flow_settings((&id.tenant, id.subscription), settings, SentBefore::Nothing);
        let begin = Instant::now();
        let (mut reserved, mut sending, mut sent) = (Vec::<WirePermits>::new(), Vec::new(), 0_u32);
        for step in steps {
            match step {
                Step::Due { automatic } => scheduler.schedule(queue(automatic), Timestamp::now()),
                Step::Next => {
                    if let NextQueue::Ready(id, reserved_now) = scheduler.next_queue(BOUNDS.initial, free, Timestamp::now()) {
                        reserved.push(WirePermits::reserved(&scheduler, id, reserved_now));
                    }
                }
                Step::More => {
                    if let Some(permits) = reserved.last_mut() {
                        permits.reserve_more(BOUNDS.initial, free());
                    }
                }
                Step::Send => {
                    if let Some(permit) = reserved.last_mut().and_then(WirePermits::split_one) {
                        sending.push(permit.begin_sending(BOUNDS));
                        sent += 1;
                    }
                }
                Step::Return => drop(reserved.pop()),
                Step::End => drop(sending.pop()),
            }
            let held: usize = reserved.iter().map(|permits| permits.count).sum();
            prop_assert!(held + sending.len() <= in_flight as usize);
            let allowed = f64::from(tokens) * (1.0 + begin.elapsed().as_secs_f64());
            prop_assert!(f64::from(sent) <= allowed, "{sent} of {allowed}");
        }
    }

    /// Within any time, however long requests wait between their reservation and their leaving. What was reserved before a
    /// subscription had its rate is not counted by it, and makes room for nothing else.
    #[test]
    fn no_rate_is_exceeded_whatever_happens(steps in rate_steps(), tokens in 1..6_u32) {
        let (begin, settings) = (Instant::now(), rate(f64::from(tokens)));
        let mut throttle = Throttle::new(queue(true).tenant);
        throttle.set_settings(settings, SentBefore::Nothing, begin);
        let (mut millis, mut buckets) = (1, 0);
        // Each with the bucket that it is of.
        let (mut reserved, mut sent) = (Vec::new(), Vec::new());
        for step in steps {
            let passed = Duration::from_millis(millis);
            let now = Now { time: START + passed, instant: begin + passed };
            match step {
                RateStep::Reserve { most } => {
                    let nothing = InFlight { automatic: 0, all: 0 };
                    if let Allowance::Requests(count) = throttle.allowance(true, nothing, now) {
                        for _ in 0..count.min(most) {
                            reserved.push((buckets, throttle.reserve(true, 1, now.time)));
                        }
                    }
                }
                RateStep::Send => {
                    if let Some((bucket, reservation)) = reserved.pop() {
                        throttle.record_sent(reservation, now.instant);
                        sent.push((bucket, millis));
                    }
                }
                RateStep::Return => {
                    for (_, reservation) in reserved.drain(..) {
                        throttle.give_back(true, reservation, 1);
                    }
                }
                RateStep::Sleep { millis: more } => millis += more,
                RateStep::Set { between } => {
                    // No two buckets are made at the same moment.
                    millis += 1;
                    buckets += usize::from(between.is_none());
                    let between = FlowSettings { max_per_second: between, ..settings };
                    throttle.set_settings(between, SentBefore::Unknown, now.instant);
                    throttle.set_settings(settings, SentBefore::Unknown, now.instant);
                }
                RateStep::Hold => throttle.set_state(&held(), now.instant),
                RateStep::Release => throttle.set_state(&FlowState::default(), now.instant),
            }
        }
        for bucket in 0..=buckets {
            let sent: Vec<u64> = sent.iter().filter(|(of, _)| *of == bucket).map(|(_, millis)| *millis).collect();
            for (place, first) in sent.iter().enumerate() {
                for (count, last) in sent[place..].iter().enumerate() {
                    let seconds = Duration::from_millis(last - first).as_secs_f64();
                    let allowed = f64::from(tokens) * (1.0 + seconds);
                    let count = count + 1;
                    prop_assert!(count as f64 <= allowed + 0.001, "{count} of {allowed} in {seconds} s");
                }
            }
        }
    }
}

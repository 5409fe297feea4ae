use std::time::Duration;

use crate::model::flow::{EndedHold, HeldBy, Probe};

use super::*;

const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const SECOND: Duration = Duration::from_secs(1);
const NOTHING: InFlight = InFlight { automatic: 0, all: 0 };

struct Scene {
    throttle: Throttle,
    begin: Instant,
}

impl Scene {
    fn new(settings: FlowSettings) -> Self {
        let mut scene = Self {
            throttle: Throttle::new(TenantId::try_from("acme".to_owned()).expect("a tenant")),
            begin: Instant::now(),
        };
        scene.throttle.set_settings(settings, SentBefore::Nothing, scene.begin);
        scene
    }

    /// What of the automatic queue may begin so many milliseconds after the beginning.
    fn automatic(&mut self, millis: u64, in_flight: InFlight) -> Allowance {
        self.throttle.allowance(true, in_flight, self.now(millis))
    }

    fn resends(&mut self, millis: u64, in_flight: InFlight) -> Allowance {
        self.throttle.allowance(false, in_flight, self.now(millis))
    }

    fn set_state(&mut self, state: &FlowState, millis: u64) {
        self.throttle.set_state(state, self.now(millis).instant);
    }

    fn forget_state(&mut self, millis: u64) {
        self.throttle.forget_state(self.now(millis));
    }

    fn nothing_waits(&mut self, millis: u64) {
        self.throttle.nothing_waits(self.now(millis).instant);
    }

    fn now(&self, millis: u64) -> Now {
        Now { time: at(millis), instant: self.begin + Duration::from_millis(millis) }
    }
}

fn at(millis: u64) -> Timestamp {
    START + Duration::from_millis(millis)
}

fn held(by: HeldBy) -> FlowState {
    FlowState { hold: Some(Hold { by, since: START }), ..FlowState::default() }
}

fn probed_after(millis: u64) -> FlowState {
    held(HeldBy::Failures(Probe { due: at(millis), delay: 30 * SECOND }))
}

fn ended_at(millis: u64) -> FlowState {
    FlowState { ended: Some(EndedHold { since: START, at: at(millis) }), ..FlowState::default() }
}

#[test]
fn requests_in_flight_of_both_queues_count() {
    let mut scene = Scene::new(FlowSettings { max_in_flight: Some(3), ..FlowSettings::default() });
    for (automatic, all, allowance) in [
        (0, 0, Allowance::Requests(3)),
        (1, 2, Allowance::Requests(1)),
        (0, 3, Allowance::None),
        (4, 4, Allowance::None),
    ] {
        let in_flight = InFlight { automatic, all };
        assert_eq!(scene.automatic(0, in_flight), allowance);
        assert_eq!(scene.resends(0, in_flight), allowance);
    }
}

#[test]
fn a_rate_lets_both_queues_begin_as_its_tokens_come() {
    let mut scene = Scene::new(FlowSettings { max_per_second: Some(4.0), ..FlowSettings::default() });
    assert_eq!(scene.automatic(0, NOTHING), Allowance::Requests(4));
    let three = scene.throttle.reserve(true, 3, at(0));
    assert_eq!(scene.resends(0, NOTHING), Allowance::Requests(1));
    let one = scene.throttle.reserve(false, 1, at(0));
    for reserved in [three, three, three, one] {
        scene.throttle.record_sent(reserved, scene.begin);
    }
    assert_eq!(scene.resends(0, NOTHING), Allowance::NotBefore(at(251)));
    assert_eq!(scene.automatic(100, NOTHING), Allowance::NotBefore(at(251)));
    assert_eq!(scene.automatic(251, NOTHING), Allowance::Requests(1));
    let unused = scene.throttle.reserve(true, 1, at(251));
    scene.throttle.give_back(true, unused, 1);
    assert_eq!(scene.automatic(251, NOTHING), Allowance::Requests(1), "nothing left");
}

#[test]
fn a_limit_that_is_new_begins_without_tokens() {
    let mut scene = Scene::new(FlowSettings::default());
    assert_eq!(scene.automatic(0, NOTHING), Allowance::Requests(usize::MAX));
    let limited = FlowSettings { max_per_second: Some(2.0), ..FlowSettings::default() };
    scene.throttle.set_settings(limited, SentBefore::Unknown, scene.begin);
    assert_eq!(scene.automatic(0, NOTHING), Allowance::NotBefore(at(501)));
    scene.throttle.set_settings(limited, SentBefore::Unknown, scene.begin + SECOND);
    assert_eq!(scene.automatic(1000, NOTHING), Allowance::Requests(2), "one that is set again keeps them");
}

#[test]
fn what_was_reserved_before_a_rate_was_set_frees_none_of_its_tokens() {
    let mut scene = Scene::new(FlowSettings::default());
    let before = scene.throttle.reserve(true, 2, at(0));
    let limited = FlowSettings { max_per_second: Some(1.0), ..FlowSettings::default() };
    scene.throttle.set_settings(limited, SentBefore::Unknown, scene.begin);
    assert_eq!(scene.automatic(1000, NOTHING), Allowance::Requests(1));
    scene.throttle.reserve(true, 1, at(1000));
    scene.throttle.record_sent(before, scene.now(1000).instant);
    assert!(!scene.throttle.give_back(true, before, 1));
    assert!(matches!(scene.automatic(3000, NOTHING), Allowance::NotBefore(_)), "its one token is reserved");
}

#[test]
fn what_was_reserved_in_another_second_frees_none_of_this_one() {
    let mut scene = Scene::new(FlowSettings::default());
    let before = scene.throttle.reserve(true, 2, at(0));
    scene.set_state(&held(HeldBy::Operator("Ann".into())), 0);
    scene.set_state(&ended_at(0), 0);
    assert_eq!(scene.automatic(0, NOTHING), Allowance::Requests(4));
    let first = scene.throttle.reserve(true, 4, at(0));
    assert!(!scene.throttle.give_back(true, before, 2));
    assert!(matches!(scene.automatic(500, NOTHING), Allowance::NotBefore(_)));
    assert_eq!(scene.automatic(1000, NOTHING), Allowance::Requests(8));
    scene.throttle.reserve(true, 8, at(1000));
    assert!(!scene.throttle.give_back(true, first, 1));
    assert!(matches!(scene.automatic(1500, NOTHING), Allowance::NotBefore(_)));
}

#[test]
fn a_hold_by_hand_lets_resends_through_alone() {
    let mut scene = Scene::new(FlowSettings::default());
    scene.set_state(&held(HeldBy::Operator("Ann".into())), 0);
    assert_eq!(scene.automatic(3_600_000, NOTHING), Allowance::None);
    assert_eq!(scene.resends(0, NOTHING), Allowance::Requests(usize::MAX));
    assert!(scene.throttle.holds_back(false));
}

#[test]
fn an_automatic_hold_lets_one_probe_at_a_time_begin() {
    let mut scene = Scene::new(FlowSettings { hold_after_failures: Some(3), ..FlowSettings::default() });
    scene.set_state(&probed_after(30_000), 0);
    assert_eq!(scene.automatic(29_999, NOTHING), Allowance::NotBefore(at(30_000)));
    assert_eq!(scene.automatic(30_000, InFlight { automatic: 1, all: 1 }), Allowance::None);
    assert_eq!(scene.automatic(30_000, InFlight { automatic: 0, all: 9 }), Allowance::Requests(1));
    let probe = scene.throttle.reserve(true, 1, at(30_000));
    // Its response has come, and is not recorded yet.
    assert_eq!(scene.automatic(30_100, NOTHING), Allowance::NotBefore(at(90_000)));
    scene.throttle.give_back(true, probe, 1);
    assert_eq!(scene.automatic(30_100, NOTHING), Allowance::Requests(1), "it did not leave");
    scene.throttle.reserve(true, 1, at(30_100));
    scene.set_state(&probed_after(90_100), 0);
    assert_eq!(scene.automatic(30_200, NOTHING), Allowance::NotBefore(at(90_100)), "it failed");
    scene.throttle.reserve(true, 1, at(90_100));
    scene.throttle.end_probe();
    assert_eq!(scene.automatic(90_200, NOTHING), Allowance::Requests(1), "it was interrupted");
}

#[test]
fn after_a_hold_what_waited_leaves_slowly_at_first() {
    let mut scene = Scene::new(FlowSettings { hold_after_failures: Some(3), ..FlowSettings::default() });
    scene.set_state(&probed_after(30_000), 0);
    scene.set_state(&ended_at(31_000), 31_000);
    assert_eq!(scene.automatic(31_000, NOTHING), Allowance::Requests(4));
    assert_eq!(scene.resends(31_000, NOTHING), Allowance::Requests(usize::MAX));
    scene.throttle.reserve(true, 4, at(31_000));
    assert_eq!(scene.automatic(31_500, NOTHING), Allowance::NotBefore(at(32_001)));
    scene.set_state(&ended_at(31_000), 31_000);
    assert_eq!(scene.automatic(31_600, NOTHING), Allowance::NotBefore(at(32_001)), "the next success");
    let flow = scene.throttle.flow(false, at(31_600)).expect("some");
    assert_eq!(flow.waits_since, Some(START));
    assert!(scene.throttle.holds_back(true) && !scene.throttle.holds_back(false));
    scene.nothing_waits(31_700);
    assert_eq!(scene.automatic(31_700, NOTHING), Allowance::NotBefore(at(32_001)), "whatever waits");
    assert_eq!(scene.automatic(32_000, NOTHING), Allowance::Requests(8));
    scene.nothing_waits(32_000);
    assert_eq!(scene.automatic(32_000, NOTHING), Allowance::Requests(usize::MAX));
    assert_eq!(scene.throttle.flow(false, at(32_000)), None);
}

#[test]
fn the_pace_begins_when_the_end_of_a_hold_is_committed() {
    let mut scene = Scene::new(FlowSettings { hold_after_failures: Some(3), ..FlowSettings::default() });
    scene.set_state(&probed_after(30_000), 0);
    scene.set_state(&ended_at(31_000), 60_000);
    assert_eq!(scene.automatic(60_000, NOTHING), Allowance::Requests(4));
    assert_eq!(scene.automatic(61_000, NOTHING), Allowance::Requests(8));
}

#[test]
fn what_waited_for_a_subscription_that_is_deleted_leaves_slowly_at_first() {
    let mut scene = Scene::new(FlowSettings { hold_after_failures: Some(3), ..FlowSettings::default() });
    scene.set_state(&probed_after(30_000), 0);
    scene.forget_state(10_000);
    assert_eq!(scene.automatic(10_000, NOTHING), Allowance::Requests(4));
    scene.throttle.reserve(true, 4, at(10_000));
    scene.forget_state(10_500);
    assert_eq!(scene.automatic(10_500, NOTHING), Allowance::NotBefore(at(11_001)), "it goes on");
    assert_eq!(scene.throttle.recorded_by(), None);
}

#[test]
fn the_smallest_of_several_limits_counts() {
    let limits =
        FlowSettings { max_in_flight: Some(3), max_per_second: Some(2.0), ..FlowSettings::default() };
    let mut scene = Scene::new(limits);
    scene.set_state(&held(HeldBy::Operator("Ann".into())), 0);
    scene.set_state(&ended_at(0), 0);
    assert_eq!(scene.automatic(0, NOTHING), Allowance::Requests(2));
    assert_eq!(scene.automatic(0, InFlight { automatic: 1, all: 2 }), Allowance::Requests(1));
    scene.throttle.reserve(true, 2, at(0));
    assert_eq!(scene.automatic(0, NOTHING), Allowance::NotBefore(at(501)));
}

#[test]
fn a_throttle_without_settings_is_empty_once_its_hold_is_over() {
    let mut scene = Scene::new(FlowSettings::default());
    assert!(scene.throttle.is_empty());
    scene.set_state(&held(HeldBy::Operator("Ann".into())), 0);
    assert!(!scene.throttle.is_empty());
    assert_eq!(scene.throttle.recorded_by(), Some(None));
    scene.set_state(&ended_at(0), 0);
    assert!(!scene.throttle.is_empty());
    scene.nothing_waits(1000);
    assert!(scene.throttle.is_empty());
    assert_eq!(scene.throttle.recorded_by(), None);
}

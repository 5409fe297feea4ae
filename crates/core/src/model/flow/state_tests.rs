use uuid::Uuid;

use super::*;
use crate::model::attempt::AttemptNumber;
use crate::model::attempt_fixture::ended_attempt;

const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const SECOND: Duration = Duration::from_secs(1);
const LIMIT: Option<u32> = Some(3);

/// What an attempt gives that begins and ends in the second `at` after [`START`].
#[derive(Debug, Clone, Copy)]
struct End {
    delivery: u128,
    number: AttemptNumber,
    at: u32,
    result: Result<u16, ErrorKind>,
}

fn auto(delivery: u128, at: u32, result: Result<u16, ErrorKind>) -> End {
    End { delivery, number: AttemptNumber::Auto(1), at, result }
}

fn resend(delivery: u128, at: u32, result: Result<u16, ErrorKind>) -> End {
    End { number: AttemptNumber::Manual, ..auto(delivery, at, result) }
}

fn at(seconds: u32) -> Timestamp {
    START + seconds * SECOND
}

fn row(End { delivery, number, at: second, result }: End) -> Attempt {
    Attempt { trace_id: trace(delivery), number, ..ended_attempt(at(second), result) }
}

fn trace(delivery: u128) -> TraceId {
    TraceId::from_uuid(Uuid::from_u128(delivery))
}

fn after(ends: &[End], hold_after: Option<u32>) -> FlowState {
    let mut state = FlowState::default();
    for end in ends {
        state.record_end(&row(*end), hold_after);
    }
    state
}

/// Three failures of two deliveries, which end in the second 2: the first probe is due in the second 32.
const HELD: [(u128, u32); 3] = [(1, 0), (2, 1), (1, 2)];

fn held_and(more: &[End]) -> FlowState {
    let failures = HELD.map(|(delivery, at)| auto(delivery, at, Ok(500)));
    after(&[&failures[..], more].concat(), LIMIT)
}

fn automatic(since: u32, due: u32, delay: u32) -> Option<Hold> {
    let probe = Probe { due: at(due), delay: delay * SECOND };
    Some(Hold { by: HeldBy::Failures(probe), since: at(since) })
}

#[test]
fn failures_in_a_row_of_at_least_two_deliveries_hold() {
    use ErrorKind::{Blocked, Interrupted, Template, Timeout};
    for (ends, count, hold) in [
        (&[][..], 0, None),
        (&[auto(1, 0, Ok(200))], 0, None),
        (&[auto(1, 0, Ok(500)), auto(2, 1, Ok(302))], 2, None),
        (&[auto(1, 0, Ok(500)), auto(2, 1, Ok(302)), auto(3, 2, Err(Timeout))], 3, automatic(2, 32, 30)),
        (&[auto(1, 0, Ok(500)), auto(1, 1, Ok(500)), auto(1, 2, Ok(500)), auto(1, 3, Ok(500))], 4, None),
        (
            &[auto(1, 0, Ok(500)), auto(1, 1, Ok(500)), auto(1, 2, Ok(500)), auto(2, 3, Ok(500))],
            4,
            automatic(3, 33, 30),
        ),
        (&[auto(1, 0, Ok(500)), auto(2, 1, Ok(200)), auto(3, 2, Ok(500)), auto(4, 3, Ok(500))], 2, None),
        (
            &[resend(1, 0, Ok(500)), resend(2, 1, Err(Blocked)), resend(3, 2, Ok(500))],
            3,
            automatic(2, 32, 30),
        ),
        (&[auto(1, 0, Ok(500)), resend(1, 1, Ok(204)), auto(2, 2, Ok(500))], 1, None),
        (&[auto(1, 0, Ok(500)), auto(2, 1, Err(Interrupted)), auto(3, 2, Ok(500))], 2, None),
        (&[auto(1, 0, Err(Template)), auto(2, 1, Err(Template)), auto(3, 2, Err(Template))], 0, None),
    ] {
        let state = after(ends, LIMIT);
        assert_eq!((state.failures.count, state.hold), (count, hold), "{ends:?}");
        let FlowState { failures, hold, ended } = after(ends, None);
        assert_eq!(
            (failures, hold, ended),
            (FailureRun::default(), None, None),
            "without the setting: {ends:?}"
        );
    }
}

#[test]
fn a_probe_that_fails_doubles_the_time_until_the_next_up_to_ten_minutes() {
    use ErrorKind::{Interrupted, Timeout};
    for (ends, due, delay) in [
        (&[][..], 32, 30),
        // In flight when the hold began, and a resend.
        (&[auto(4, 5, Ok(500)), auto(5, 31, Ok(500)), resend(6, 40, Ok(500))], 32, 30),
        (&[auto(4, 33, Err(Interrupted))], 32, 30),
        (&[auto(4, 33, Ok(500))], 93, 60),
        (&[auto(4, 33, Ok(500)), auto(4, 92, Ok(500))], 93, 60),
        (&[auto(4, 33, Ok(500)), auto(5, 93, Err(Timeout))], 213, 120),
        (&[auto(4, 40, Ok(500)), auto(4, 100, Ok(500)), auto(4, 300, Ok(500))], 540, 240),
        (
            &[auto(4, 40, Ok(500)), auto(4, 100, Ok(500)), auto(4, 300, Ok(500)), auto(4, 600, Ok(500))],
            1080,
            480,
        ),
        (
            &[
                auto(4, 40, Ok(500)),
                auto(4, 100, Ok(500)),
                auto(4, 300, Ok(500)),
                auto(4, 600, Ok(500)),
                auto(4, 2000, Ok(500)),
            ],
            2600,
            600,
        ),
    ] {
        assert_eq!(held_and(ends).hold, automatic(2, due, delay), "{ends:?}");
    }
}

#[test]
fn the_first_success_ends_an_automatic_hold() {
    for success in [auto(4, 3, Ok(200)), auto(4, 33, Ok(204)), resend(1, 9, Ok(201))] {
        let state = held_and(&[success]);
        let ended = Some(EndedHold { since: at(2), at: at(success.at) });
        assert_eq!(state, FlowState { failures: FailureRun::default(), hold: None, ended }, "{success:?}");
        let again = held_and(&[success, auto(4, 50, Ok(500)), auto(5, 51, Ok(500))]);
        assert_eq!((again.failures.count, again.hold), (2, None), "it counts anew");
    }
}

#[test]
fn a_hold_by_hand_ends_by_hand_only() {
    let by_hand = |since| Some(Hold { by: HeldBy::Operator("Ann".into()), since: at(since) });
    let mut state = FlowState::default();
    state.hold("Ann", at(1));
    let held = state.clone();
    assert_eq!((&state.hold, state.failures), (&by_hand(1), FailureRun::default()));
    state.hold("Bob", at(2));
    for end in [
        auto(1, 3, Ok(500)),
        auto(2, 4, Ok(500)),
        auto(3, 5, Ok(500)),
        auto(4, 6, Ok(200)),
        resend(4, 7, Ok(200)),
    ] {
        state.record_end(&row(end), LIMIT);
        assert_eq!(state, held, "{end:?}");
    }
    state.release(at(8));
    assert_eq!((&state.hold, state.ended), (&None, Some(EndedHold { since: at(1), at: at(8) })));
    let released = state.clone();
    state.release(at(9));
    assert_eq!(state, released, "there is nothing to release");

    let mut taken_over = held_and(&[]);
    taken_over.hold("Ann", at(9));
    assert_eq!(taken_over.hold, by_hand(2), "what waited goes on waiting");
    taken_over.record_end(&row(auto(4, 33, Ok(200))), LIMIT);
    assert_eq!(taken_over.hold, by_hand(2), "and no probe ends it");

    let mut released = held_and(&[]);
    released.release(at(9));
    assert_eq!((released.failures, released.hold), (FailureRun::default(), None), "failures count anew");
}

#[test]
fn after_a_hold_the_pace_doubles_each_second() {
    let paces: Vec<_> = (0..4).map(most_in_second_after_hold).collect();
    assert_eq!(paces, [Some(4), Some(8), Some(16), Some(32)]);
    assert_eq!(most_in_second_after_hold(20), None);
}

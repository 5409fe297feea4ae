use futures_util::FutureExt as _;
use loanhook_http::web::Connection as _;

use super::super::connection_state::Phase;
use super::*;

fn group(address: &str) -> Option<Group> {
    Some(Group::of(address.parse().expect("an address")))
}

fn is_let_go(place: &Place) -> bool {
    place.state.is_let_go().now_or_never().is_some()
}

/// Somebody who may be here asks, and the body is whole.
fn asks(place: &Place) {
    sends(place, Instant::now());
    place.state.body_is_read();
}

/// Somebody who may be here asks, and the body still comes.
fn sends(place: &Place, since: Instant) {
    place.state.enter(Phase::Request, since);
    place.state.authenticated();
}

/// The answer of what was asked is written.
fn rests(place: &Place, since: Instant) {
    asks(place);
    place.state.enter(Phase::Idle, since);
}

fn take(places: &Arc<Places>, group: Option<Group>) -> Option<Place> {
    places.take(group, Instant::now())
}

fn full(most: usize, each: impl Fn(&Place)) -> (Arc<Places>, Vec<Place>) {
    let places = Arc::new(Places::new(most));
    let taken: Vec<_> = (0..most).map(|_| take(&places, None).expect("a free place")).collect();
    taken.iter().for_each(each);
    (places, taken)
}

fn gone(taken: &[Place]) -> Vec<usize> {
    taken.iter().enumerate().filter(|(_, place)| is_let_go(place)).map(|(index, _)| index).collect()
}

#[test]
fn while_strangers_hold_more_than_a_quarter_the_oldest_goes_whatever_it_is_at() {
    let now = Instant::now();
    for phase in [Phase::Head, Phase::Request, Phase::Idle, Phase::Closing] {
        let (places, taken) = full(4, |place| place.state.enter(phase, now));
        rests(&taken[0], now);
        let new = take(&places, None).expect("a place");
        assert_eq!(gone(&taken), [1], "{phase:?}");
        rests(&new, now);
        assert!(take(&places, None).is_some());
        assert_eq!(gone(&taken), [2], "{phase:?}");
    }
}

#[test]
fn strangers_take_no_more_than_a_quarter_from_known_callers_that_rest() {
    let (places, taken) = full(8, |place| rests(place, Instant::now()));
    let new: Vec<_> = (0..100).map(|_| take(&places, None).expect("a place")).collect();
    assert_eq!(gone(&taken).len(), 3);
    // The last of them had time to show a key.
    assert_eq!(gone(&new), (0..97).collect::<Vec<_>>());
}

#[test]
fn of_known_callers_the_one_goes_that_rested_longest_whenever_its_connection_began() {
    let places = Arc::new(Places::new(4));
    let begun = Instant::now();
    let at = |seconds| begun + Duration::from_secs(seconds);
    let taken = [0, 10, 3580, 3590].map(|seconds| places.take(None, at(seconds)).expect("a place"));
    for (place, since) in taken.iter().zip([3530, 3540, 3599, 3598]) {
        rests(place, at(since));
    }
    let _new = places.take(None, at(3600)).expect("a place");
    assert_eq!(gone(&taken), [0]);
    asks(&taken[1]);
    assert!(places.take(None, at(3600)).is_some());
    assert_eq!(gone(&taken), [3]);
}

#[test]
fn a_known_caller_whose_body_drips_goes_where_nobody_rests() {
    let now = Instant::now();
    let since = |seconds| now + Duration::from_secs(seconds);
    let (places, taken) = full(4, |place| sends(place, now));
    for (place, seconds) in taken.iter().zip([3, 1, 2, 0]) {
        sends(place, since(seconds));
    }
    rests(&taken[0], since(4));
    taken[3].state.body_is_read();
    let new: Vec<_> = (0..2).map(|_| take(&places, None).expect("a place")).collect();
    assert_eq!(gone(&taken), [0, 1]);
    assert_eq!(gone(&new), [0_usize; 0]);
}

#[test]
fn a_known_caller_that_does_not_read_its_answer_goes_where_nobody_rests() {
    let (places, taken) = full(4, asks);
    taken[2].state.reads_slowly();
    assert!(take(&places, None).is_some());
    assert_eq!(gone(&taken), [2]);
}

#[test]
fn a_request_of_somebody_who_may_be_here_is_never_broken_off() {
    let (places, mut taken) = full(4, asks);
    assert!(take(&places, None).is_none());
    assert_eq!(gone(&taken), [0_usize; 0]);
    taken.pop();
    assert!(take(&places, None).is_some(), "a place that is given back is free");
}

#[test]
fn one_address_takes_three_quarters_and_lets_only_its_own_go() {
    let places = Arc::new(Places::new(8));
    let other = take(&places, group("192.0.2.1")).expect("a place");
    let many: Vec<_> = (0..7).map(|_| take(&places, group("192.0.2.7")).expect("a place")).collect();
    assert_eq!(gone(&many), [0]);
    assert!(!is_let_go(&other));
    many.iter().skip(1).for_each(asks);
    assert!(take(&places, group("192.0.2.7")).is_none());
    assert!(take(&places, group("192.0.2.8")).is_some());
}

#[test]
fn places_of_addresses_that_left_are_not_remembered() {
    let places = Arc::new(Places::new(4));
    for number in 0..100 {
        drop(take(&places, group(&format!("192.0.2.{number}"))));
    }
    let table = places.table.lock().expect("the table");
    assert!(table.taken.is_empty() && table.of_groups.is_empty());
    assert_eq!(table.leaving, 0);
}

#[tokio::test]
async fn those_that_were_let_go_are_waited_for_until_they_are_closed() {
    let (places, mut taken) = full(2 * ON_THE_WAY_OUT, |_| ());
    let new: Vec<_> = (0..=ON_THE_WAY_OUT).map(|_| take(&places, None).expect("a place")).collect();
    assert!(places.settled().now_or_never().is_none());
    drop(taken.drain(..1));
    assert!(places.settled().now_or_never().is_some());
    drop((new, taken));
    assert_eq!(places.table.lock().expect("the table").leaving, 0);
}

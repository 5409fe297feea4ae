use futures_util::FutureExt as _;
use loanhook::web::Connection as _;

use super::super::phase::Phase;
use super::*;

fn group(address: &str) -> Option<Group> {
    Some(Group::of(address.parse().expect("an address")))
}

fn is_let_go(place: &Place) -> bool {
    place.state.is_let_go().now_or_never().is_some()
}

/// Somebody who may be here asks.
fn asks(place: &Place) {
    place.state.enter(Phase::Request);
    place.state.authenticated();
}

/// The answer of what was asked is written.
fn rests(place: &Place) {
    asks(place);
    place.state.enter(Phase::Idle);
}

fn full(most: usize, each: impl Fn(&Place)) -> (Arc<Places>, Vec<Place>) {
    let places = Arc::new(Places::new(most));
    let taken: Vec<_> = (0..most).map(|_| places.take(None).expect("a free place")).collect();
    taken.iter().for_each(each);
    (places, taken)
}

fn gone(taken: &[Place]) -> Vec<usize> {
    taken.iter().enumerate().filter(|(_, place)| is_let_go(place)).map(|(index, _)| index).collect()
}

#[test]
fn the_oldest_stranger_goes_first_whatever_it_is_at() {
    for phase in [Phase::Head, Phase::Request, Phase::Idle, Phase::Closing] {
        let (places, taken) = full(4, |place| place.state.enter(phase));
        rests(&taken[0]);
        let new = places.take(None).expect("a place");
        assert_eq!(gone(&taken), [1], "{phase:?}");
        rests(&new);
        assert!(places.take(None).is_some());
        assert_eq!(gone(&taken), [2], "{phase:?}");
    }
}

#[test]
fn where_there_is_no_stranger_the_one_goes_that_rested_longest() {
    let (places, taken) = full(3, rests);
    // The clock of phases has milliseconds.
    std::thread::sleep(Duration::from_millis(5));
    rests(&taken[0]);
    asks(&taken[1]);
    assert!(places.take(None).is_some());
    assert_eq!(gone(&taken), [2]);
}

#[test]
fn a_request_of_somebody_who_may_be_here_is_never_broken_off() {
    let (places, mut taken) = full(4, asks);
    assert!(places.take(None).is_none());
    assert_eq!(gone(&taken), [0_usize; 0]);
    taken.pop();
    assert!(places.take(None).is_some(), "a place that is given back is free");
}

#[test]
fn one_address_takes_three_quarters_and_lets_only_its_own_go() {
    let places = Arc::new(Places::new(8));
    let other = places.take(group("192.0.2.1")).expect("a place");
    let many: Vec<_> = (0..7).map(|_| places.take(group("192.0.2.7")).expect("a place")).collect();
    assert_eq!(gone(&many), [0]);
    assert!(!is_let_go(&other));
    many.iter().skip(1).for_each(asks);
    assert!(places.take(group("192.0.2.7")).is_none());
    assert!(places.take(group("192.0.2.8")).is_some());
}

#[test]
fn places_of_addresses_that_left_are_not_remembered() {
    let places = Arc::new(Places::new(4));
    for number in 0..100 {
        drop(places.take(group(&format!("192.0.2.{number}"))));
    }
    let table = places.table.lock().expect("the table");
    assert!(table.taken.is_empty() && table.of_groups.is_empty());
    assert_eq!(table.leaving, 0);
}

#[tokio::test]
async fn those_that_were_let_go_are_waited_for_until_they_are_closed() {
    let (places, mut taken) = full(2 * ON_THE_WAY_OUT, |_| ());
    let new: Vec<_> = (0..=ON_THE_WAY_OUT).map(|_| places.take(None).expect("a place")).collect();
    assert!(places.settled().now_or_never().is_none());
    drop(taken.drain(..1));
    assert!(places.settled().now_or_never().is_some());
    drop((new, taken));
    assert_eq!(places.table.lock().expect("the table").leaving, 0);
}

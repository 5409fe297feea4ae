use futures_util::FutureExt as _;
use loanhook_http::web::AuthenticationObserver as _;

use super::super::connection_state::Phase;
use super::*;

fn group(address: &str) -> Option<AddressGroup> {
    Some(AddressGroup::of(address.parse().expect("an address")))
}

fn is_evicted(permit: &ConnectionPermit) -> bool {
    permit.state.evicted().now_or_never().is_some()
}

/// An authenticated request is complete.
fn complete_request(permit: &ConnectionPermit) {
    begin_request(permit, Instant::now());
    permit.state.set_body_read();
}

/// An authenticated request has begun, and its body is not complete.
fn begin_request(permit: &ConnectionPermit, since: Instant) {
    permit.state.enter(Phase::UnauthenticatedRequest, since);
    permit.state.on_authenticated();
}

/// The response to an authenticated request is written.
fn become_idle(permit: &ConnectionPermit, since: Instant) {
    complete_request(permit);
    permit.state.enter(Phase::Idle, since);
}

fn acquire(permits: &Arc<ConnectionPermits>, group: Option<AddressGroup>) -> Option<ConnectionPermit> {
    permits.acquire(group, Instant::now())
}

/// Permits that are all held, each by a connection that `prepare` has put into its state.
fn all_held(
    max_connections: usize,
    prepare: impl Fn(&ConnectionPermit),
) -> (Arc<ConnectionPermits>, Vec<ConnectionPermit>) {
    let permits = Arc::new(ConnectionPermits::new(max_connections));
    let held: Vec<_> =
        (0..max_connections).map(|_| acquire(&permits, None).expect("a free permit")).collect();
    held.iter().for_each(prepare);
    (permits, held)
}

/// The indices of those that were evicted since the last call.
fn evicted(held: &[ConnectionPermit]) -> Vec<usize> {
    held.iter().enumerate().filter(|(_, permit)| is_evicted(permit)).map(|(index, _)| index).collect()
}

#[test]
fn the_oldest_unauthenticated_connection_is_evicted_in_any_phase_while_they_hold_more_than_a_quarter() {
    let now = Instant::now();
    for phase in [Phase::ReadingHead, Phase::UnauthenticatedRequest, Phase::Idle, Phase::Closing] {
        let (permits, held) = all_held(4, |permit| permit.state.enter(phase, now));
        become_idle(&held[0], now);
        let new = acquire(&permits, None).expect("a permit");
        assert_eq!(evicted(&held), [1], "{phase:?}");
        become_idle(&new, now);
        assert!(acquire(&permits, None).is_some());
        assert_eq!(evicted(&held), [2], "{phase:?}");
    }
}

#[test]
fn unauthenticated_connections_evict_no_more_than_a_quarter_of_idle_authenticated_ones() {
    let (permits, held) = all_held(8, |permit| become_idle(permit, Instant::now()));
    let new: Vec<_> = (0..100).map(|_| acquire(&permits, None).expect("a permit")).collect();
    assert_eq!(evicted(&held).len(), 3);
    // The last of them have time to show a key.
    assert_eq!(evicted(&new), (0..97).collect::<Vec<_>>());
}

#[test]
fn of_authenticated_connections_the_one_that_was_idle_longest_is_evicted_whatever_its_age() {
    let permits = Arc::new(ConnectionPermits::new(4));
    let begun = Instant::now();
    let at = |seconds| begun + Duration::from_secs(seconds);
    let held = [0, 10, 3580, 3590].map(|seconds| permits.acquire(None, at(seconds)).expect("a permit"));
    for (permit, idle_since) in held.iter().zip([3530, 3540, 3599, 3598]) {
        become_idle(permit, at(idle_since));
    }
    let _new = permits.acquire(None, at(3600)).expect("a permit");
    assert_eq!(evicted(&held), [0]);
    complete_request(&held[1]);
    assert!(permits.acquire(None, at(3600)).is_some());
    assert_eq!(evicted(&held), [3]);
}

#[test]
fn a_connection_that_waits_for_the_rest_of_a_body_is_evicted_if_none_is_idle() {
    let now = Instant::now();
    let since = |seconds| now + Duration::from_secs(seconds);
    let (permits, held) = all_held(4, |permit| begin_request(permit, now));
    for (permit, seconds) in held.iter().zip([3, 1, 2, 0]) {
        begin_request(permit, since(seconds));
    }
    become_idle(&held[0], since(4));
    held[3].state.set_body_read();
    let new: Vec<_> = (0..2).map(|_| acquire(&permits, None).expect("a permit")).collect();
    assert_eq!(evicted(&held), [0, 1]);
    assert_eq!(evicted(&new), [0_usize; 0]);
}

#[test]
fn a_connection_whose_caller_reads_its_response_slowly_is_evicted_if_none_is_idle() {
    let (permits, held) = all_held(4, complete_request);
    held[2].state.set_reading_slowly();
    assert!(acquire(&permits, None).is_some());
    assert_eq!(evicted(&held), [2]);
}

#[test]
fn an_authenticated_request_that_is_complete_is_never_evicted() {
    let (permits, mut held) = all_held(4, complete_request);
    assert!(acquire(&permits, None).is_none());
    assert_eq!(evicted(&held), [0_usize; 0]);
    held.pop();
    assert!(acquire(&permits, None).is_some(), "a permit that was dropped is free");
}

#[test]
fn one_address_holds_three_quarters_of_the_permits_and_evicts_only_its_own_connections() {
    let permits = Arc::new(ConnectionPermits::new(8));
    let of_other = acquire(&permits, group("192.0.2.1")).expect("a permit");
    let of_one: Vec<_> = (0..7).map(|_| acquire(&permits, group("192.0.2.7")).expect("a permit")).collect();
    assert_eq!(evicted(&of_one), [0]);
    assert!(!is_evicted(&of_other));
    of_one.iter().skip(1).for_each(complete_request);
    assert!(acquire(&permits, group("192.0.2.7")).is_none());
    assert!(acquire(&permits, group("192.0.2.8")).is_some());
}

#[test]
fn nothing_is_kept_of_connections_that_are_closed() {
    let permits = Arc::new(ConnectionPermits::new(4));
    for number in 0..100 {
        drop(acquire(&permits, group(&format!("192.0.2.{number}"))));
    }
    let table = permits.table.lock().expect("the table");
    assert!(table.held.is_empty() && table.held_by_group.is_empty());
    assert_eq!(table.evicted_still_open, 0);
}

#[tokio::test]
async fn evicted_connections_are_waited_for_while_too_many_are_open() {
    let (permits, mut held) = all_held(2 * MAX_EVICTED_STILL_OPEN, |_| ());
    let new: Vec<_> =
        (0..=MAX_EVICTED_STILL_OPEN).map(|_| acquire(&permits, None).expect("a permit")).collect();
    assert!(permits.wait_for_evicted().now_or_never().is_none());
    drop(held.drain(..1));
    assert!(permits.wait_for_evicted().now_or_never().is_some());
    drop((new, held));
    assert_eq!(permits.table.lock().expect("the table").evicted_still_open, 0);
}

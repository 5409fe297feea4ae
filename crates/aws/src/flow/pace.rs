//! Pace: how many deliveries that wait may be woken at once, and when more may be.

use std::time::Duration;

use super::known::KnownFlow;
use super::places::Room;
use loanhook_core::model::flow::EndedHold;
use loanhook_core::model::time::Timestamp;

/// How many deliveries a look wakes at most: about what it can within a second.
const MOST_AT_ONCE: u32 = 200;
/// The time between two looks while a rate lets some through.
const RATE_INTERVAL: Duration = Duration::from_secs(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// How many deliveries may be woken, and when to look again where more wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) most: u32,
    pub(super) next: Option<Timestamp>,
}

/// The pace by what a hold says and by the room that the limits leave.
pub(super) fn pace_of(by_hold: Option<Pace>, room: Room, flow: &KnownFlow, now: Timestamp) -> Pace {
    let by_hold_most = by_hold.map_or(MOST_AT_ONCE, |pace| pace.most);
    let most = by_hold_most.min(room.places).min(room.tokens).min(MOST_AT_ONCE);
    let next = match (by_hold, flow.settings.max_per_second) {
        (Some(pace), _) => pace.next,
        (None, Some(rate)) => Some(now + RATE_INTERVAL.max(Duration::from_secs_f64(1.0 / rate))),
        // The ends of requests wake the others.
        (None, None) if flow.settings.max_in_flight.is_some() => None,
        (None, None) => Some(now),
    };
    Pace { most, next }
}

/// The first moment at which what waited for a hold does not leave slowly any more.
pub(super) fn end_of_pace(ended: EndedHold, now: Timestamp) -> Timestamp {
    let mut at = now;
    while ended.is_paced(at) {
        at = at + SECOND;
    }
    at
}

#[cfg(test)]
mod tests {
    use loanhook_core::model::flow::FlowSettings;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn flow(max_in_flight: Option<u32>, max_per_second: Option<f64>) -> KnownFlow {
        let settings = FlowSettings { max_in_flight, max_per_second, ..FlowSettings::default() };
        KnownFlow { settings, ..KnownFlow::default() }
    }

    #[test]
    fn the_pace_is_bounded_by_the_hold_and_by_each_limit() {
        let next = NOW + SECOND;
        let all = u32::MAX;
        for (by_hold, (places, tokens), flow, most, next) in [
            (None, (all, all), flow(None, None), MOST_AT_ONCE, Some(NOW)),
            (None, (3, all), flow(Some(4), None), 3, None),
            (None, (0, all), flow(Some(4), None), 0, None),
            (None, (all, 2), flow(None, Some(5.0)), 2, Some(next)),
            (None, (all, 0), flow(None, Some(0.1)), 0, Some(NOW + 10 * SECOND)),
            (None, (3, 2), flow(Some(4), Some(5.0)), 2, Some(next)),
            (Some((8, next)), (all, all), flow(None, None), 8, Some(next)),
            (Some((8, next)), (3, all), flow(Some(4), None), 3, Some(next)),
            (Some((5000, next)), (all, all), flow(None, None), MOST_AT_ONCE, Some(next)),
        ] {
            let by_hold = by_hold.map(|(most, next)| Pace { most, next: Some(next) });
            let pace = pace_of(by_hold, Room { places, tokens }, &flow, NOW);
            assert_eq!(pace, Pace { most, next }, "{by_hold:?} {places} {tokens}");
        }
    }

    #[test]
    fn the_pace_after_a_hold_ends_after_20_seconds() {
        let ended = EndedHold { since: NOW, at: NOW };
        assert_eq!(end_of_pace(ended, NOW + 3 * SECOND), NOW + 20 * SECOND);
        assert_eq!(end_of_pace(ended, NOW + 30 * SECOND), NOW + 30 * SECOND);
    }
}

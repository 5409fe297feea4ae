//! A small drawing of a delivery's life: its attempts on a line of time, and the next one that is due.
//!
//! Places are proportional to time, but marks keep a distance: a schedule has seconds beside hours. Positions
//! are attributes in percent, so that it needs no style of its own and fits any width.

use maud::{Markup, html};

use super::format::{plain_time, time, verdict};
use crate::page::attempt_details::Details;
use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::time::Timestamp;

/// How many attempts are drawn, the newest.
const DRAWN: usize = 12;
/// Where the first and the last mark are, and how near two may be, in percent of the width.
const FIRST: f64 = 4.0;
const LAST: f64 = 96.0;
const APART: f64 = 7.0;

/// `story` is the address of all its attempts.
pub(super) fn show(details: &Details, story: &str) -> Markup {
    let left_out = details.attempts.len().saturating_sub(DRAWN);
    let attempts = &details.attempts[left_out..];
    let times = attempts.iter().map(|attempt| attempt.sent_at).chain(details.next);
    let times: Vec<Timestamp> = times.collect();
    let places = places(&times);
    html! {
        figure.life {
            figcaption {
                "The life of this delivery, accepted " (time(details.accepted_at))
                @if left_out > 0 || details.older {
                    span.quiet {
                        " (the newest " (attempts.len())
                        @if !details.older { " of " (details.attempts.len()) }
                        " attempts; " a href=(story) { "show all" } ")"
                    }
                }
            }
            svg role="img" aria-label=(told(attempts, details.next)) width="100%" height="58" {
                line.axis x1="1%" x2="99%" y1="24" y2="24" {}
                @for (attempt, place) in attempts.iter().zip(&places) {
                    (mark(attempt, *place, attempt.id == details.row.attempt.id))
                }
                @if let (Some(next), Some(place)) = (details.next, places.last()) {
                    svg x={ (percent(*place)) } y="24" overflow="visible" {
                        title { "Next automatic attempt, due " (plain_time(next)) }
                        circle.next r="7" {}
                        text.label y="27" { "next" }
                    }
                }
            }
            ul.legend {
                li { (key(&html! { circle.auto r="5.5" {} })) "automatic" }
                li { (key(&html! { path.manual d="M0-6.500 6.500 0 0 6.500-6.500 0z" {} })) "manual" }
                @if let Some(next) = details.next {
                    li { (key(&html! { circle.next r="5.5" {} })) span { "next due, " (time(next)) } }
                }
            }
        }
    }
}

fn mark(attempt: &Attempt, place: f64, here: bool) -> Markup {
    let verdict = verdict(attempt);
    html! {
        svg.{ "mark " (verdict.class) } x=(percent(place)) y="24" overflow="visible" {
            title { (sentence(attempt)) }
            @if here { circle.here r="12" {} }
            @match attempt.number {
                AttemptNumber::Auto(_) => { circle.auto r="7" {} }
                AttemptNumber::Manual => { path.manual d="M0-8.500 8.500 0 0 8.500-8.500 0z" {} }
            }
            text.label y="27" {
                @match attempt.number { AttemptNumber::Auto(number) => (number), AttemptNumber::Manual => "m" }
            }
        }
    }
}

fn key(shape: &Markup) -> Markup {
    html! { svg.key width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true" { (shape) } }
}

fn percent(place: f64) -> String {
    format!("{place:.2}%")
}

fn sentence(attempt: &Attempt) -> String {
    let which = match attempt.number {
        AttemptNumber::Auto(number) => format!("Attempt {number}"),
        AttemptNumber::Manual => "Manual resend".into(),
    };
    format!("{which}: {}, {}", verdict(attempt).plain(), plain_time(attempt.sent_at))
}

/// The drawing in words.
fn told(attempts: &[Attempt], next: Option<Timestamp>) -> String {
    let next = next.map(|next| format!("The next automatic attempt is due {}", plain_time(next)));
    let sentences: Vec<_> = attempts.iter().map(sentence).chain(next).collect();
    sentences.join(". ")
}

/// Where each of some times stands, in percent: by its time, and apart from the one before.
fn places(times: &[Timestamp]) -> Vec<f64> {
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else { return Vec::new() };
    let whole = last.since(*first).as_secs_f64().max(f64::EPSILON);
    let mut places: Vec<f64> = Vec::with_capacity(times.len());
    for time in times {
        let own = FIRST + (LAST - FIRST) * time.since(*first).as_secs_f64() / whole;
        places.push(places.last().map_or(own, |before| own.max(before + APART)));
    }
    let mut limit = LAST;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - APART;
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_proportional_where_there_is_room() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        assert_eq!(places(&[]), Vec::<f64>::new());
        assert_eq!(places(&[at(5)]), [FIRST]);
        assert_eq!(places(&[at(0), at(50), at(100)]), [FIRST, 50.0, LAST]);
        // A retry at once beside one that is due in hours.
        assert_eq!(places(&[at(0), at(1), at(36_000)]), [FIRST, FIRST + APART, LAST]);
    }

    proptest! {
        #[test]
        fn marks_keep_their_distance_and_stay_in_sight(mut millis in prop::collection::vec(0_i64..1 << 40, 1..=DRAWN + 1)) {
            millis.sort_unstable();
            let times: Vec<_> = millis.into_iter().map(Timestamp::from_millis).collect();
            let places = places(&times);
            prop_assert!(places.iter().all(|place| (FIRST - 1e-6..=LAST + 1e-6).contains(place)), "{places:?}");
            prop_assert!(places.windows(2).all(|pair| pair[1] - pair[0] > APART - 1e-6), "{places:?}");
        }
    }
}

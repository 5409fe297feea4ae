//! The timeline of a delivery: its attempts in order, and the next one that is due.
//!
//! Positions are proportional to time, but marks keep a distance, as a schedule has seconds beside hours. They are
//! attributes in percent, so that the drawing needs no inline style and fits any width.

use maud::{Markup, html};

use super::format::{plain_time, result_label, time};
use crate::page::attempt_details::AttemptDetails;
use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::time::Timestamp;

/// How many attempts are drawn, the newest of them.
const MAX_MARKS: usize = 12;
/// The positions of the first and the last mark, and the least distance of two, in percent of the width.
const FIRST_PERCENT: f64 = 4.0;
const LAST_PERCENT: f64 = 96.0;
const MIN_DISTANCE_PERCENT: f64 = 7.0;

/// The timeline; `delivery_href` is the URL of the list of all its attempts.
pub(super) fn show(details: &AttemptDetails, delivery_href: &str) -> Markup {
    let left_out = details.attempts.len().saturating_sub(MAX_MARKS);
    let attempts = &details.attempts[left_out..];
    let times = attempts.iter().map(|attempt| attempt.sent_at).chain(details.next_due);
    let times: Vec<Timestamp> = times.collect();
    let positions = positions(&times);
    html! {
        figure.life {
            figcaption {
                "The life of this delivery, accepted " (time(details.accepted_at))
                @if left_out > 0 || details.has_older {
                    span.quiet {
                        " (the newest " (attempts.len())
                        @if !details.has_older { " of " (details.attempts.len()) }
                        " attempts; " a href=(delivery_href) { "show all" } ")"
                    }
                }
            }
            svg role="img" aria-label=(description(attempts, details.next_due)) width="100%" height="58" {
                line.axis x1="1%" x2="99%" y1="24" y2="24" {}
                @for (attempt, position) in attempts.iter().zip(&positions) {
                    (mark(attempt, *position, attempt.id == details.row.attempt.id))
                }
                @if let (Some(next), Some(position)) = (details.next_due, positions.last()) {
                    svg x={ (percent(*position)) } y="24" overflow="visible" {
                        title { "Next automatic attempt, due " (plain_time(next)) }
                        circle.next r="7" {}
                        text.label y="27" { "next" }
                    }
                }
            }
            ul.legend {
                li { (legend_symbol(&html! { circle.auto r="5.5" {} })) "automatic" }
                li { (legend_symbol(&html! { path.manual d="M0-6.500 6.500 0 0 6.500-6.500 0z" {} })) "manual" }
                @if let Some(next) = details.next_due {
                    li { (legend_symbol(&html! { circle.next r="5.5" {} })) span { "next due, " (time(next)) } }
                }
            }
        }
    }
}

fn mark(attempt: &Attempt, position: f64, here: bool) -> Markup {
    let label = result_label(attempt);
    html! {
        svg.{ "mark " (label.class) } x=(percent(position)) y="24" overflow="visible" {
            title { (attempt_description(attempt)) }
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

fn legend_symbol(shape: &Markup) -> Markup {
    html! { svg.key width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true" { (shape) } }
}

fn percent(position: f64) -> String {
    format!("{position:.2}%")
}

fn attempt_description(attempt: &Attempt) -> String {
    let which = match attempt.number {
        AttemptNumber::Auto(number) => format!("Attempt {number}"),
        AttemptNumber::Manual => "Manual resend".into(),
    };
    format!("{which}: {}, {}", result_label(attempt).plain_text(), plain_time(attempt.sent_at))
}

/// The timeline in words.
fn description(attempts: &[Attempt], next: Option<Timestamp>) -> String {
    let next = next.map(|next| format!("The next automatic attempt is due {}", plain_time(next)));
    let sentences: Vec<_> = attempts.iter().map(attempt_description).chain(next).collect();
    sentences.join(". ")
}

/// The positions of times in percent: proportional, and at least the least distance apart.
fn positions(times: &[Timestamp]) -> Vec<f64> {
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else { return Vec::new() };
    let whole = last.since(*first).as_secs_f64().max(f64::EPSILON);
    let mut positions: Vec<f64> = Vec::with_capacity(times.len());
    for time in times {
        let own = FIRST_PERCENT + (LAST_PERCENT - FIRST_PERCENT) * time.since(*first).as_secs_f64() / whole;
        positions.push(positions.last().map_or(own, |before| own.max(before + MIN_DISTANCE_PERCENT)));
    }
    let mut limit = LAST_PERCENT;
    for position in positions.iter_mut().rev() {
        *position = position.min(limit);
        limit = *position - MIN_DISTANCE_PERCENT;
    }
    positions
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_proportional_where_there_is_room() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        assert_eq!(positions(&[]), Vec::<f64>::new());
        assert_eq!(positions(&[at(5)]), [FIRST_PERCENT]);
        assert_eq!(positions(&[at(0), at(50), at(100)]), [FIRST_PERCENT, 50.0, LAST_PERCENT]);
        // A retry at once beside one that is due in hours.
        assert_eq!(
            positions(&[at(0), at(1), at(36_000)]),
            [FIRST_PERCENT, FIRST_PERCENT + MIN_DISTANCE_PERCENT, LAST_PERCENT]
        );
    }

    proptest! {
        #[test]
        fn marks_keep_their_distance_and_stay_in_sight(mut millis in prop::collection::vec(0_i64..1 << 40, 1..=MAX_MARKS + 1)) {
            millis.sort_unstable();
            let times: Vec<_> = millis.into_iter().map(Timestamp::from_millis).collect();
            let positions = positions(&times);
            prop_assert!(positions.iter().all(|position| (FIRST_PERCENT - 1e-6..=LAST_PERCENT + 1e-6).contains(position)), "{positions:?}");
            prop_assert!(positions.windows(2).all(|pair| pair[1] - pair[0] > MIN_DISTANCE_PERCENT - 1e-6), "{positions:?}");
        }
    }
}

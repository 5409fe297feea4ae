//! Sparkline of a webhook: a column for each of the last days, of which the lower part is what succeeded.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::chart::rounded;
use super::format::{grouped, percent};
use loanhook_core::model::time::Timestamp;
use loanhook_core::webhook_states::{AttemptTally, Week};

const HEIGHT: f64 = 28.0;
const COLUMN: usize = 12;
const STEP: usize = 16;
/// The height of a day without an attempt.
const NOTHING: f64 = 2.0;

pub(super) fn show(week: &Week) -> Markup {
    let days: Vec<_> = week.iter().map(|(day, tally)| said(*day, *tally)).collect();
    html! {
        svg.sparkline role="img" aria-label=(days.join("; ")) width=(week.len() * STEP) height=(HEIGHT) {
            @for (index, ((_, tally), said)) in week.iter().zip(&days).enumerate() {
                g {
                    title { (said) }
                    rect.target x=(index * STEP) y="0" width=(STEP) height=(HEIGHT) {}
                    (column(index * STEP, *tally))
                }
            }
        }
    }
}

fn column(x: usize, tally: AttemptTally) -> Markup {
    let Some(rate) = tally.success_rate() else {
        return html! { rect.nothing x=(x) y=(HEIGHT - NOTHING) width=(COLUMN) height=(NOTHING) {} };
    };
    let succeeded = rounded(rate * HEIGHT);
    html! {
        @if rate < 1.0 {
            rect.series.receiver-failed x=(x) y="0" width=(COLUMN) height=(rounded(HEIGHT - succeeded)) {}
        }
        @if rate > 0.0 {
            rect.series.succeeded x=(x) y=(rounded(HEIGHT - succeeded)) width=(COLUMN) height=(succeeded) {}
        }
    }
}

/// `Mon 23 Nov: 98.5 % of 200 attempts succeeded`
fn said(day: Timestamp, tally: AttemptTally) -> String {
    let date = DateTime::<Utc>::from_timestamp_millis(day.millis());
    let date = date.map_or_else(String::new, |date| date.format("%a %-d %b").to_string());
    match tally.success_rate() {
        Some(rate) => format!("{date}: {} of {} attempts succeeded", percent(rate), grouped(tally.attempts)),
        None => format!("{date}: no attempt"),
    }
}

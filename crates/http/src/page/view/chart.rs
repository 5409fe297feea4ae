//! The frame of a picture over time, as SVG of the server: one column for each period, in per cent of the width, so that texts keep
//! their size at any width; heights are in pixels. What a column stands for is shown above the columns while it is pointed at or has
//! the focus.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::page::tenant_request::DELIVERIES_PATH;
use loanhook_core::model::report::{Period, ReportQuery};
use loanhook_core::model::time::Timestamp;

/// The height of the columns.
pub(super) const PLOT: f64 = 150.0;
/// Where the columns begin: above them is what is said of one.
pub(super) const TOP: f64 = 46.0;
/// Beneath the columns are the labels of the periods.
const BOTTOM: f64 = 22.0;
/// A column is at most so much of the width: a picture of two periods has no walls.
const MAX_COLUMN: f64 = 12.0;
/// How much of the width the columns have; beside them are the labels of the lines.
const COLUMNS: f64 = 92.0;
/// How much of the place of a column it fills.
const FILLED: f64 = 0.78;

/// The columns of a picture.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    query: ReportQuery,
    count: usize,
}

impl Columns {
    pub(super) fn of(query: ReportQuery) -> Self {
        Self { query, count: query.periods().count().max(1) }
    }

    fn place(self) -> f64 {
        COLUMNS / self.count as f64
    }

    /// The left side of a column in per cent, and its width.
    pub(super) fn column(self, index: usize) -> (f64, f64) {
        let width = (self.place() * FILLED).min(MAX_COLUMN);
        (self.center(index) - width / 2.0, width)
    }

    fn center(self, index: usize) -> f64 {
        self.place() * (index as f64 + 0.5)
    }

    /// The whole place of a column.
    fn target(self, index: usize) -> (f64, f64) {
        (self.place() * index as f64, self.place())
    }

    /// A period in words: `Mon 23 Nov, 10:00 to 11:00 UTC`.
    pub(super) fn period(self, period: Timestamp) -> String {
        let end = period + self.query.by.length();
        match self.query.by {
            Period::Hour => format!("{} to {} UTC", moment(period, "%a %-d %b, %H:%M"), moment(end, "%H:%M")),
            Period::Day => format!("{} UTC", moment(period, "%a %-d %b")),
        }
    }

    /// The deliveries that were accepted in a period.
    fn deliveries(self, period: Timestamp) -> String {
        let last_second = (period + self.query.by.length()).plus_millis(-1000);
        format!("{DELIVERIES_PATH}?from={}&to={}", second(period), second(last_second))
    }

    /// A column that can be pointed at and has the focus in its turn; it leads to the deliveries of its period.
    pub(super) fn mark(self, index: usize, period: Timestamp, says: &[String; 2], drawn: &Markup) -> Markup {
        let (x, width) = self.target(index);
        let [first, second] = says;
        html! {
            a.period href=(self.deliveries(period)) aria-label={ (first) ". " (second) ". Show the deliveries" } {
                rect.target x={ (rounded(x)) "%" } y=(TOP - 6.0) width={ (rounded(width)) "%" } height=(PLOT + 6.0) {}
                (drawn)
                g.says aria-hidden="true" { (two_lines(says)) }
            }
        }
    }

    /// The picture: lines with their labels, the columns, and the labels of the periods.
    pub(super) fn picture(
        self,
        label: &str,
        says: &[String; 2],
        lines: &[(f64, String)],
        marks: &Markup,
    ) -> Markup {
        html! {
            svg.chart role="group" aria-label=(label) width="100%" height=(TOP + PLOT + BOTTOM) {
                @for (height, _) in lines {
                    @let y = rounded(TOP + PLOT - height);
                    line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
                }
                (marks)
                @for (height, text) in lines {
                    text.line-label x="100%" y=(rounded(TOP + PLOT - height - 4.0)) aria-hidden="true" { (text) }
                }
                g.says.all aria-hidden="true" { (two_lines(says)) }
                @for (index, text) in self.labels() {
                    text.label x={ (rounded(self.center(index))) "%" } y=(TOP + PLOT + 16.0) aria-hidden="true" { (text) }
                }
            }
        }
    }

    /// The labels of the periods that have one.
    fn labels(self) -> Vec<(usize, String)> {
        let every = if self.count > 12 { 4 } else { 1 };
        let format = match self.query.by {
            Period::Hour => "%H:%M",
            Period::Day => "%a %-d",
        };
        let all = self.query.periods().enumerate().skip(every / 2).step_by(every);
        all.map(|(index, period)| (index, moment(period, format))).collect()
    }
}

fn two_lines([first, second]: &[String; 2]) -> Markup {
    html! {
        text.first x="0" y="13" { (first) }
        text x="0" y="30" { (second) }
    }
}

/// A moment in UTC, by a format of `chrono`.
fn moment(time: Timestamp, format: &str) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(time.millis());
    time.map_or_else(String::new, |time| time.format(format).to_string())
}

/// A moment as filters in URLs have it.
fn second(time: Timestamp) -> String {
    moment(time, "%Y-%m-%dT%H:%M:%SZ")
}

/// A length with two decimals: more would only make pages longer.
pub(super) fn rounded(length: f64) -> f64 {
    (length * 100.0).round() / 100.0
}

/// The smallest of 1, 2, 5, 10, 20, 50 … that is not below a number.
pub(super) fn ceiling(number: i64) -> i64 {
    let steps = std::iter::successors(Some(1_i64), |step| step.checked_mul(10));
    let all = steps.flat_map(|step| [1, 2, 5].map(|times| step.saturating_mul(times)));
    all.into_iter().find(|step| *step >= number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::overview::OverviewSpan;

    #[test]
    fn the_ceiling_of_a_scale_by_table() {
        for (number, top) in
            [(0, 1), (1, 1), (3, 5), (10, 10), (11, 20), (21, 50), (51, 100), (999_999, 1_000_000)]
        {
            assert_eq!(ceiling(number), top, "{number}");
        }
    }

    #[test]
    fn a_period_is_named_and_leads_to_its_deliveries_only() {
        let now: Timestamp = "2026-11-23T10:30:00Z".parse().expect("a time");
        let of = |span: OverviewSpan| Columns::of(span.query(now));
        let hour = of(OverviewSpan::Day);
        let last = "2026-11-23T10:00:00Z".parse().expect("a time");
        assert_eq!(hour.period(last), "Mon 23 Nov, 10:00 to 11:00 UTC");
        assert_eq!(hour.deliveries(last), "/webhooks?from=2026-11-23T10:00:00Z&to=2026-11-23T10:59:59Z");
        assert_eq!(hour.labels().len(), 6);
        assert_eq!(of(OverviewSpan::Week).period(last.to_the_day()), "Mon 23 Nov UTC");
        assert_eq!(of(OverviewSpan::Week).labels()[6], (6, "Mon 23".to_owned()));
        assert_eq!(of(OverviewSpan::Hour).column(0), (17.0, 12.0));
    }
}

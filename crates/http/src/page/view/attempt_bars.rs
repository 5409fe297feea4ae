//! The picture of attempts over time: a stacked bar of outcomes for each period, and the same numbers as a table.

use maud::{Markup, html};

use super::chart::{Columns, PLOT, TOP, ceiling, rounded};
use super::format::{counted, grouped};
use loanhook_core::model::report::{AttemptClass, Counts};
use loanhook_core::model::time::Timestamp;
use loanhook_core::overview::Overview;

/// What a bar is stacked of, from its foot.
#[derive(Clone, Copy)]
enum Series {
    Succeeded,
    OtherCode,
    ReceiverFailed,
    NoAnswer,
}

/// A part of a bar that is not nothing has at least so many pixels.
const LEAST: f64 = 2.0;

impl Series {
    const ALL: [Self; 4] = [Self::Succeeded, Self::OtherCode, Self::ReceiverFailed, Self::NoAnswer];

    /// Its class in the style.
    const fn class(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::OtherCode => "other-code",
            Self::ReceiverFailed => "receiver-failed",
            Self::NoAnswer => "no-answer",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded (2xx)",
            Self::OtherCode => "Other answer (4xx, 3xx)",
            Self::ReceiverFailed => "Receiver failed (5xx)",
            Self::NoAnswer => "No answer (timeout, DNS, TLS …)",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::OtherCode => "other answers",
            Self::ReceiverFailed => "5xx",
            Self::NoAnswer => "no answer",
        }
    }

    fn count(self, counts: &Counts) -> i64 {
        let is_in = |class: AttemptClass| match class {
            AttemptClass::Status(2) => matches!(self, Self::Succeeded),
            AttemptClass::Status(5) => matches!(self, Self::ReceiverFailed),
            AttemptClass::Status(_) | AttemptClass::OtherStatus => matches!(self, Self::OtherCode),
            AttemptClass::Error(_) => matches!(self, Self::NoAnswer),
        };
        counts.attempts_in(is_in).max(0)
    }
}

/// The picture, and its table.
pub(super) fn show(overview: &Overview) -> Markup {
    let columns = Columns::of(overview.query);
    let attempts = |counts: &Counts| Series::ALL.into_iter().map(|series| series.count(counts)).sum::<i64>();
    let most = overview.periods.iter().map(|(_, counts)| attempts(counts)).max().unwrap_or(0);
    let top = ceiling(most);
    let lines = [(PLOT, grouped(top)), (PLOT / 2.0, if top > 1 { half(top) } else { String::new() })];
    let marks = html! {
        @for (index, (period, counts)) in overview.periods.iter().enumerate() {
            (columns.mark(index, *period, &says(&columns.period(*period), counts), &bar(columns.column(index), counts, top)))
        }
    };
    let total = says("All of them", &overview.total);
    html! {
        figure.card.picture {
            figcaption { h2 { "Attempts by outcome" } (legend()) }
            a.skip href="#after-attempts" { "Skip this picture" }
            (columns.picture("Attempts by outcome, over time", &total, &lines, &marks))
            details.numbers #after-attempts {
                summary { "The numbers" }
                (table(columns, &overview.periods))
            }
        }
    }
}

/// Half of the top of a scale.
fn half(top: i64) -> String {
    if top % 2 == 0 { grouped(top / 2) } else { format!("{}.5", grouped(top / 2)) }
}

/// `10:00 to 11:00: 12 attempts`, and what they are made of.
fn says(of: &str, counts: &Counts) -> [String; 2] {
    let parts = Series::ALL.map(|series| (series.count(counts), series.word()));
    let all = parts.iter().map(|(count, _)| count).sum();
    let named: Vec<_> = parts
        .iter()
        .filter(|(count, word)| *count > 0 || *word == Series::Succeeded.word())
        .map(|(count, word)| format!("{} {word}", grouped(*count)))
        .collect();
    [format!("{of}: {}", counted(all, "attempt", "attempts")), named.join(", ")]
}

fn bar((x, width): (f64, f64), counts: &Counts, top: i64) -> Markup {
    let mut y = TOP + PLOT;
    let mut parts = Vec::new();
    for series in Series::ALL {
        let count = series.count(counts);
        if count > 0 {
            let height = (count as f64 / top as f64 * PLOT).max(LEAST);
            y -= height;
            parts.push((series.class(), y, height));
        }
    }
    html! {
        @for (class, y, height) in parts {
            rect.{ "series " (class) } x={ (rounded(x)) "%" } y=(rounded(y)) width={ (rounded(width)) "%" } height=(rounded(height)) {}
        }
    }
}

fn legend() -> Markup {
    html! {
        ul.legend {
            @for series in Series::ALL {
                li {
                    svg width="12" height="12" aria-hidden="true" focusable="false" {
                        rect.{ "series " (series.class()) } width="12" height="12" rx="2" {}
                    }
                    (series.title())
                }
            }
        }
    }
}

fn table(columns: Columns, periods: &[(Timestamp, Counts)]) -> Markup {
    html! {
        div.scrolls tabindex="0" role="region" aria-label="Attempts by outcome, as a table" {
            table.plain-table {
                thead { tr { th scope="col" { "Period" } @for series in Series::ALL { th scope="col" { (series.title()) } } } }
                tbody {
                    @for (period, counts) in periods {
                        tr {
                            th scope="row" { (columns.period(*period)) }
                            @for series in Series::ALL { td { (grouped(series.count(counts))) } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::failure::ErrorKind;

    #[test]
    fn each_class_of_attempts_is_in_one_series() {
        for class in AttemptClass::ALL {
            let mut counts = Counts::default();
            counts.count_attempt(class);
            let found: Vec<_> =
                Series::ALL.map(|series| series.count(&counts)).into_iter().filter(|n| *n > 0).collect();
            assert_eq!(found, [1], "{class:?}");
        }
        let mut counts = Counts::default();
        counts.count_attempt(AttemptClass::Status(4));
        counts.count_attempt(AttemptClass::Error(ErrorKind::Timeout));
        let [first, second] = says("Today", &counts);
        assert_eq!(
            (first.as_str(), second.as_str()),
            ("Today: 2 attempts", "0 succeeded, 1 other answers, 1 no answer")
        );
        assert_eq!((half(10), half(5), half(2)), ("5".into(), "2.5".into(), "1".into()));
    }
}

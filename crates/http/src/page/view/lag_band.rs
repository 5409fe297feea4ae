//! The picture of the lag of first attempts over time: a band from p50 to p99 for each period on a logarithmic scale, with a line at
//! p95, and the same numbers as a table.

use maud::{Markup, html};

use super::chart::{Columns, PLOT, TOP, rounded};
use super::format::short_time;
use loanhook_core::model::report::Percentiles;
use loanhook_core::model::time::Timestamp;
use loanhook_core::overview::Overview;

/// The foot of the scale, in milliseconds.
const FOOT_MS: f64 = 1.0;
/// The scale has at least so many powers of ten: up to a second.
const LEAST_DECADES: i32 = 3;
/// A band is at least so many pixels high.
const LEAST_BAND: f64 = 3.0;

/// A logarithmic scale from a millisecond on.
#[derive(Clone, Copy)]
struct Scale {
    /// Powers of ten.
    decades: i32,
}

impl Scale {
    fn up_to(longest_ms: f64) -> Self {
        let decades = (longest_ms.max(FOOT_MS) / FOOT_MS).log10().ceil() as i32;
        Self { decades: decades.max(LEAST_DECADES) }
    }

    /// Pixels above the foot.
    fn height(self, ms: f64) -> f64 {
        (ms.max(FOOT_MS) / FOOT_MS).log10() / f64::from(self.decades) * PLOT
    }

    /// A line for each power of ten, or for each second one, where they are many.
    fn lines(self) -> Vec<(f64, String)> {
        let every = if self.decades > 4 { 2 } else { 1 };
        let decades = (1..=self.decades).rev().step_by(every);
        decades.map(|decade| 10_f64.powi(decade)).map(|ms| (self.height(ms), short_time(ms))).collect()
    }
}

/// The picture, and its table.
pub(super) fn show(overview: &Overview) -> Markup {
    let columns = Columns::of(overview.query);
    let lags: Vec<_> =
        overview.periods.iter().map(|(period, counts)| (*period, counts.first_attempt_ms())).collect();
    let longest = lags.iter().filter_map(|(_, lag)| *lag).map(|lag| lag.p99).fold(0.0, f64::max);
    let scale = Scale::up_to(longest);
    let marks = html! {
        @for (index, (period, lag)) in lags.iter().enumerate() {
            @if let Some(lag) = lag {
                (columns.mark(index, *period, &says(&columns.period(*period), Some(*lag)), &band(columns.column(index), *lag, scale)))
            }
        }
    };
    let total = says("All of them", overview.total.first_attempt_ms());
    html! {
        figure.card.picture {
            figcaption {
                h2 { "Time until the first attempt" }
                (legend())
            }
            a.skip href="#after-lag" { "Skip this picture" }
            (columns.picture("Time from acceptance until the first attempt, over time", &total, &scale.lines(), &marks))
            details.numbers #after-lag {
                summary { "The numbers" }
                (table(columns, &lags))
            }
        }
    }
}

fn says(of: &str, lag: Option<Percentiles>) -> [String; 2] {
    let numbers = match lag {
        Some(lag) => format!(
            "half within {}, 95 % within {}, 99 % within {}",
            short_time(lag.p50),
            short_time(lag.p95),
            short_time(lag.p99)
        ),
        None => "nothing was attempted".to_owned(),
    };
    [of.to_owned(), numbers]
}

fn band((x, width): (f64, f64), lag: Percentiles, scale: Scale) -> Markup {
    let y = |ms| TOP + PLOT - scale.height(ms);
    let height = (y(lag.p50) - y(lag.p99)).max(LEAST_BAND);
    let (left, right) = (rounded(x), rounded(x + width));
    html! {
        rect.band x={ (left) "%" } y=(rounded(y(lag.p99) - (height - (y(lag.p50) - y(lag.p99))))) width={ (rounded(width)) "%" }
            height=(rounded(height)) rx="2" {}
        line.p95 x1={ (left) "%" } x2={ (right) "%" } y1=(rounded(y(lag.p95))) y2=(rounded(y(lag.p95))) {}
    }
}

fn legend() -> Markup {
    html! {
        ul.legend {
            li {
                svg width="12" height="12" aria-hidden="true" focusable="false" { rect.band width="12" height="12" rx="2" {} }
                "Half of all to 99 % of all"
            }
            li {
                svg width="12" height="12" aria-hidden="true" focusable="false" { line.p95 x1="0" x2="12" y1="6" y2="6" {} }
                "95 % of all"
            }
        }
    }
}

fn table(columns: Columns, lags: &[(Timestamp, Option<Percentiles>)]) -> Markup {
    html! {
        div.scrolls tabindex="0" role="region" aria-label="Time until the first attempt, as a table" {
            table.plain-table {
                thead { tr { @for head in ["Period", "p50", "p95", "p99"] { th scope="col" { (head) } } } }
                tbody {
                    @for (period, lag) in lags {
                        tr {
                            th scope="row" { (columns.period(*period)) }
                            @match lag {
                                Some(lag) => @for ms in [lag.p50, lag.p95, lag.p99] { td { (short_time(ms)) } },
                                None => @for _ in 0..3 { td { "none" } },
                            }
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

    #[test]
    fn a_scale_is_logarithmic_and_reaches_at_least_a_second() {
        let scale = Scale::up_to(40.0);
        assert_eq!((scale.height(0.0), scale.height(1.0), scale.height(1000.0)), (0.0, 0.0, PLOT));
        let labels: Vec<_> = scale.lines().into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["1.0 s", "100 ms", "10 ms"]);
        let long = Scale::up_to(3_600_000.0);
        assert!(long.height(3_600_000.0) <= PLOT && long.lines().len() == 4);
    }
}

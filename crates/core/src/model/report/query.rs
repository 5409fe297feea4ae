//! Query of a report: which periods, and by what its counts are grouped.

use std::time::Duration;

use crate::model::filter_input::{checked, checked_time};
use crate::model::time::Timestamp;
use crate::model::validation::ValidationErrors;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How many periods a report has at most: a month of hours, more than a year of days.
const MAX_HOURS: u32 = 31 * 24;
const MAX_DAYS: u32 = 400;
/// How many periods a report has that does not say when it begins.
const DEFAULT_HOURS: u32 = 24;
const DEFAULT_DAYS: u32 = 7;

/// How long the periods of a report are. They begin with full hours or days in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Period {
    #[default]
    Hour,
    Day,
}

/// What counts are added up by, beside the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    Subscription,
    Event,
    /// All of a tenant together.
    #[default]
    None,
}

/// A report that is asked for: whole periods, and how they are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportQuery {
    /// The beginning of the first period.
    pub from: Timestamp,
    /// The end of the last one.
    pub to: Timestamp,
    pub by: Period,
    pub group: Grouping,
}

/// A query as text, by the names of its parameters.
#[derive(Debug, Clone, Default)]
pub struct ReportInput {
    /// RFC 3339.
    pub from: Option<String>,
    /// RFC 3339.
    pub to: Option<String>,
    /// hour or day.
    pub by: Option<String>,
    /// subscription, event or none.
    pub group: Option<String>,
}

impl Period {
    pub const ALL: [Self; 2] = [Self::Hour, Self::Day];

    /// Its word in a query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The beginning of the period that a moment is in.
    pub const fn beginning(self, moment: Timestamp) -> Timestamp {
        match self {
            Self::Hour => moment.to_the_hour(),
            Self::Day => moment.to_the_day(),
        }
    }

    pub const fn length(self) -> Duration {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
        }
    }

    const fn most(self) -> u32 {
        match self {
            Self::Hour => MAX_HOURS,
            Self::Day => MAX_DAYS,
        }
    }

    const fn default_count(self) -> u32 {
        match self {
            Self::Hour => DEFAULT_HOURS,
            Self::Day => DEFAULT_DAYS,
        }
    }

    /// The end of the period before whose end a moment lies, or that ends with it.
    fn end(self, moment: Timestamp) -> Timestamp {
        let beginning = self.beginning(moment);
        if beginning == moment { moment } else { beginning + self.length() }
    }
}

impl Grouping {
    pub const ALL: [Self; 3] = [Self::Subscription, Self::Event, Self::None];

    /// Its word in a query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Event => "event",
            Self::None => "none",
        }
    }
}

impl ReportQuery {
    /// So many periods, of which the last is that of `now`.
    pub fn last(by: Period, count: u32, group: Grouping, now: Timestamp) -> Self {
        let to = by.beginning(now) + by.length();
        Self { from: to.minus(by.length() * count), to, by, group }
    }

    /// The beginnings of its periods, in their order.
    pub fn periods(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let (to, length) = (self.to, self.by.length());
        std::iter::successors(Some(self.from), move |period| Some(*period + length))
            .take_while(move |period| *period < to)
    }
}

impl ReportInput {
    /// The query, with `from` and `to` rounded outward to whole periods. Without `to` it ends with the current period;
    /// without `from` it has 24 hours, or 7 days.
    ///
    /// # Errors
    ///
    /// What is wrong, by the names of the parameters.
    pub fn check(self, now: Timestamp) -> Result<ReportQuery, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        let by = checked(
            &mut errors,
            "by",
            self.by,
            |text| Period::ALL.into_iter().find(|period| period.as_str() == text),
            "must be hour or day",
        );
        let group = checked(
            &mut errors,
            "group",
            self.group,
            |text| Grouping::ALL.into_iter().find(|group| group.as_str() == text),
            "must be subscription, event or none",
        );
        let (by, group) = (by.unwrap_or_default(), group.unwrap_or_default());
        let from = checked_time(&mut errors, "from", self.from);
        let to = by.end(checked_time(&mut errors, "to", self.to).unwrap_or(now));
        let from = from.unwrap_or_else(|| to.minus(by.length() * by.default_count()));
        let query = ReportQuery { from: by.beginning(from), to, by, group };
        if query.from >= query.to {
            errors.add("from", "must be before to");
        } else if query.to.since(query.from) > by.length() * by.most() {
            let rule = format!(
                "must be at most {MAX_HOURS} hours before to, or {MAX_DAYS} days with by=day; rounded to whole {}s it is more",
                by.as_str()
            );
            errors.add("from", rule);
        }
        errors.ok_or_errors(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked_query(from: &str, to: &str, by: &str) -> Result<(String, String), String> {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let input = ReportInput { from: text(from), to: text(to), by: text(by), group: None };
        match input.check("2026-11-29T20:30:00Z".parse().expect("a time")) {
            Ok(query) => Ok((query.from.to_string(), query.to.to_string())),
            Err(errors) => Err(errors.0.into_iter().map(|error| error.pointer).collect::<Vec<_>>().join(" ")),
        }
    }

    #[test]
    fn a_span_is_rounded_outward_to_whole_periods_by_table() {
        for (from, to, by, rounded) in [
            ("", "", "", Ok(("2026-11-28T21:00:00.000Z", "2026-11-29T21:00:00.000Z"))),
            ("", "", "day", Ok(("2026-11-23T00:00:00.000Z", "2026-11-30T00:00:00.000Z"))),
            (
                "2026-11-29T10:59:59.999Z",
                "2026-11-29T11:00:00.001Z",
                "hour",
                Ok(("2026-11-29T10:00:00.000Z", "2026-11-29T12:00:00.000Z")),
            ),
            (
                "2026-11-29T10:00:00Z",
                "2026-11-29T11:00:00Z",
                "",
                Ok(("2026-11-29T10:00:00.000Z", "2026-11-29T11:00:00.000Z")),
            ),
            (
                "2026-11-29T01:00:00+02:00",
                "2026-11-29T11:00:00Z",
                "day",
                Ok(("2026-11-28T00:00:00.000Z", "2026-11-30T00:00:00.000Z")),
            ),
            // The longest spans, and those that are a little longer.
            (
                "2026-10-29T00:00:00Z",
                "2026-11-29T00:00:00Z",
                "hour",
                Ok(("2026-10-29T00:00:00.000Z", "2026-11-29T00:00:00.000Z")),
            ),
            ("2026-10-28T23:59:59Z", "2026-11-29T00:00:00Z", "hour", Err("from")),
            (
                "2025-10-25T00:00:00Z",
                "2026-11-29T00:00:00Z",
                "day",
                Ok(("2025-10-25T00:00:00.000Z", "2026-11-29T00:00:00.000Z")),
            ),
            ("2025-10-24T23:00:00Z", "2026-11-29T00:00:00Z", "day", Err("from")),
            ("2026-11-29T11:00:00Z", "2026-11-29T11:00:00Z", "", Err("from")),
            ("2026-12-01T11:00:00Z", "", "", Err("from")),
            ("yesterday", "now", "week", Err("by from to")),
        ] {
            let found = checked_query(from, to, by);
            let expected = rounded.map(|(from, to)| (from.to_owned(), to.to_owned())).map_err(str::to_owned);
            assert_eq!(found, expected, "{from} {to} {by}");
        }
    }
}

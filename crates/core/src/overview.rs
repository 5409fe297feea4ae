//! Overview of a tenant: what became of its webhooks in the last hour, day or week.
//!
//! All of it is read from counts, flows and subscriptions: it costs the same with a million deliveries as with ten.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::model::id::TenantId;
use crate::model::report::{Counts, Grouping, Period, ReportKey, ReportQuery, ReportRows};
use crate::model::time::Timestamp;
use crate::ports::{FlowControl, Reports, StoreResult, Subscriptions};
use crate::webhook_states::{self, WebhookState};

/// How many names of events without a webhook an overview has.
const MAX_UNMATCHED_NAMES: usize = 8;

/// What an overview is of. Counts are of whole hours, so the last hour is this one so far and the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OverviewSpan {
    Hour,
    #[default]
    Day,
    Week,
}

/// What is no span.
#[derive(Debug)]
pub struct UnknownOverviewSpan;

impl OverviewSpan {
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// Its word in a query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// The periods that it shows, of which the last is that of `now`, by event name.
    pub fn query(self, now: Timestamp) -> ReportQuery {
        let (by, count) = match self {
            Self::Hour => (Period::Hour, 2),
            Self::Day => (Period::Hour, 24),
            Self::Week => (Period::Day, 7),
        };
        ReportQuery::last(by, count, Grouping::Event, now)
    }
}

impl FromStr for OverviewSpan {
    type Err = UnknownOverviewSpan;

    fn from_str(text: &str) -> Result<Self, UnknownOverviewSpan> {
        Self::ALL.into_iter().find(|span| span.as_str() == text).ok_or(UnknownOverviewSpan)
    }
}

/// What became of a tenant's webhooks.
#[derive(Debug)]
pub struct Overview {
    pub query: ReportQuery,
    /// Every period of the query, also those in which nothing was counted.
    pub periods: Vec<(Timestamp, Counts)>,
    pub total: Counts,
    /// The moment since which is counted; none where everything is.
    pub counted_since: Option<Timestamp>,
    /// Whether events are counted: not by an engine whose ledger does not keep all of them.
    pub events_are_counted: bool,
    /// Names of events that no webhook was sent for, the most frequent first: at most eight.
    pub unmatched: Vec<UnmatchedEvents>,
    /// The webhooks that are held or fail.
    pub needing_attention: Vec<WebhookState>,
}

/// Events of one name, of which some matched no subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedEvents {
    pub event_name: String,
    pub unmatched: i64,
    pub accepted: i64,
}

/// The overview of a tenant.
///
/// # Errors
///
/// When the store fails.
pub async fn overview<S: FlowControl + Reports + Subscriptions>(
    store: &S,
    tenant: &TenantId,
    span: OverviewSpan,
    now: Timestamp,
) -> StoreResult<Overview> {
    let rows = store.report_rows(tenant, span.query(now)).await?;
    let states = webhook_states::states(store, tenant, now).await?;
    let needs_attention = |state: &WebhookState| state.hold.is_some() || state.is_failing();
    Ok(of_rows(&rows, states.into_iter().filter(needs_attention).collect()))
}

fn of_rows(rows: &ReportRows, needing_attention: Vec<WebhookState>) -> Overview {
    let query = *rows.query();
    let mut periods: BTreeMap<_, _> = query.periods().map(|period| (period, Counts::default())).collect();
    let mut total = Counts::default();
    let mut names: BTreeMap<&str, UnmatchedEvents> = BTreeMap::new();
    for (period, key, counts) in rows.iter() {
        periods.entry(period).or_default().add(counts);
        total.add(counts);
        if let ReportKey::Event(name) = key {
            let of_name = names.entry(name).or_insert_with(|| UnmatchedEvents {
                event_name: name.clone(),
                unmatched: 0,
                accepted: 0,
            });
            of_name.unmatched += counts.events_unmatched;
            of_name.accepted += counts.events_accepted;
        }
    }
    let mut unmatched: Vec<_> = names.into_values().filter(|of| of.unmatched > 0).collect();
    unmatched.sort_by_key(|of| std::cmp::Reverse(of.unmatched));
    unmatched.truncate(MAX_UNMATCHED_NAMES);
    Overview {
        query,
        periods: periods.into_iter().collect(),
        total,
        counted_since: rows.counted_since,
        events_are_counted: rows.events_are_counted,
        unmatched,
        needing_attention,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_span_ends_with_the_period_of_now() {
        let now = moment("2026-11-29T20:30:00Z");
        for (span, from, to, periods) in [
            (OverviewSpan::Hour, "2026-11-29T19:00:00Z", "2026-11-29T21:00:00Z", 2),
            (OverviewSpan::Day, "2026-11-28T21:00:00Z", "2026-11-29T21:00:00Z", 24),
            (OverviewSpan::Week, "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z", 7),
        ] {
            let query = span.query(now);
            assert_eq!((query.from, query.to), (moment(from), moment(to)), "{span:?}");
            assert_eq!(query.periods().count(), periods);
        }
    }

    #[test]
    fn rows_are_added_up_by_period_and_by_name() {
        let now = moment("2026-11-29T20:30:00Z");
        let mut rows = ReportRows::new(OverviewSpan::Hour.query(now), None);
        let events = |accepted, unmatched| Counts {
            events_accepted: accepted,
            events_unmatched: unmatched,
            ..Counts::default()
        };
        rows.add(now.to_the_hour(), None, "Paid", &events(5, 1));
        rows.add(now.to_the_hour(), None, "Late", &events(3, 3));
        rows.add(moment("2026-11-29T19:00:00Z"), None, "Late", &events(2, 0));
        rows.add(now.to_the_hour(), None, "Matched", &events(9, 0));
        let overview = of_rows(&rows, Vec::new());
        let accepted: Vec<_> = overview.periods.iter().map(|(_, counts)| counts.events_accepted).collect();
        assert_eq!((accepted, overview.total.events_accepted), (vec![2, 17], 19));
        let unmatched: Vec<_> =
            overview.unmatched.iter().map(|of| (of.event_name.as_str(), of.unmatched, of.accepted)).collect();
        assert_eq!(unmatched, [("Late", 3, 5), ("Paid", 1, 5)]);
    }
}

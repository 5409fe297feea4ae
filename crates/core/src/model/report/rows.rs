//! Rows of a report: counts of hours, added up by period and group.

use std::collections::BTreeMap;

use super::counts::Counts;
use super::query::{Grouping, ReportQuery};
use crate::model::id::SubscriptionId;
use crate::model::time::Timestamp;

/// What a row is of, beside its period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportKey {
    All,
    Subscription(SubscriptionId),
    Event(String),
}

/// The rows of a report, as an engine reads them: of periods and groups for which something was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRows {
    query: ReportQuery,
    rows: BTreeMap<(Timestamp, ReportKey), Counts>,
    /// The moment since which is counted; none where everything is.
    pub counted_since: Option<Timestamp>,
    /// Whether events are counted: not by an engine whose ledger does not keep all of them.
    pub events_are_counted: bool,
}

impl ReportRows {
    /// A report without rows.
    pub const fn new(query: ReportQuery, counted_since: Option<Timestamp>) -> Self {
        Self { query, rows: BTreeMap::new(), counted_since, events_are_counted: true }
    }

    pub const fn query(&self) -> &ReportQuery {
        &self.query
    }

    /// Adds counts of a group of the tenant that are of an hour, or of a day where the report is by day. What is outside of
    /// the report is left out.
    pub fn add(
        &mut self,
        moment: Timestamp,
        subscription: Option<SubscriptionId>,
        event_name: &str,
        counts: &Counts,
    ) {
        if !(self.query.from..self.query.to).contains(&moment) {
            return;
        }
        let key = match (self.query.group, subscription) {
            (Grouping::Subscription, Some(subscription)) => ReportKey::Subscription(subscription),
            (Grouping::Subscription, None) => return,
            (Grouping::Event, _) => ReportKey::Event(event_name.to_owned()),
            (Grouping::None, _) => ReportKey::All,
        };
        self.rows.entry((self.query.by.beginning(moment), key)).or_default().add(counts);
    }

    /// The rows by period, and within that by group. One in which all that was counted was taken back is left out.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, &ReportKey, &Counts)> {
        let counted = self.rows.iter().filter(|(_, counts)| **counts != Counts::default());
        counted.map(|((period, key), counts)| (*period, key, counts))
    }
}

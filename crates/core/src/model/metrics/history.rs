//! Totals of what was stored since the start: of the changes that reports count, and of what those leave out.

use std::collections::HashMap;

use super::facts::{FactTotals, HistoryFact};
use super::names::{self, RESPONSE_BOUNDS};
use super::samples::Samples;
use super::time_histogram::TimeHistogram;
use crate::model::id::{SubscriptionId, TenantId};
use crate::model::ledger::DecisionKind;
use crate::model::report::{AttemptClass, CountChange, Counts};

/// How many subscriptions have series of their own. With at most 30 series each, that is a few thousand.
pub const MAX_SUBSCRIPTIONS: usize = 200;
/// The labels of all others together.
pub const OTHER: &str = "other";

const MILLIS_PER_SECOND: f64 = 1_000.0;
/// Response times are counted in tenths of a millisecond.
const TENTHS_PER_SECOND: f64 = 10_000.0;

/// Totals since the start. Each change is added once, when it is stored; test sends are left out, as of reports.
#[derive(Debug, Clone)]
pub struct HistoryMetrics {
    events_accepted: u64,
    facts: FactTotals,
    first_attempt: TimeHistogram,
    subscriptions: HashMap<SubscriptionId, SubscriptionMetrics>,
    /// Of the subscriptions that have no series of their own.
    others: Option<SubscriptionMetrics>,
}

#[derive(Debug, Clone)]
struct SubscriptionMetrics {
    tenant: String,
    deliveries_accepted: u64,
    attempts: [u64; AttemptClass::ALL.len()],
    /// One that moves to another hour is taken back and counted anew.
    resends: i64,
    exhausted: u64,
    formula_errors: u64,
    response: TimeHistogram,
}

impl SubscriptionMetrics {
    fn new(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            deliveries_accepted: 0,
            attempts: [0; AttemptClass::ALL.len()],
            resends: 0,
            exhausted: 0,
            formula_errors: 0,
            response: TimeHistogram::new(RESPONSE_BOUNDS),
        }
    }

    fn add(&mut self, counts: &Counts) {
        self.deliveries_accepted += grown(counts.deliveries_accepted);
        self.exhausted += exhausted(counts);
        self.resends += counts.resends;
        for (total, count) in self.attempts.iter_mut().zip(counts.attempts) {
            *total += grown(count);
        }
        for (bucket, times) in counts.response_time.buckets() {
            self.response.record(bucket.middle() / TENTHS_PER_SECOND, times);
        }
    }

    fn write(&self, subscription: &str, samples: &mut Samples) {
        let labels = [("tenant", self.tenant.as_str()), ("subscription", subscription)];
        samples.set(&names::DELIVERIES_ACCEPTED, &labels, self.deliveries_accepted as f64);
        samples.set(&names::RESENDS, &labels, self.resends as f64);
        samples.set(&names::EXHAUSTED, &labels, self.exhausted as f64);
        samples.set(&names::FORMULA_ERRORS, &labels, self.formula_errors as f64);
        samples.set_times(&names::RESPONSE, &labels, &self.response);
        let [tenant, subscription] = labels;
        for (class, count) in AttemptClass::ALL.into_iter().zip(self.attempts).filter(|(_, count)| *count > 0)
        {
            let (outcome, kind) = match class {
                AttemptClass::Error(kind) => ("error", kind.as_str()),
                AttemptClass::Status(_) | AttemptClass::OtherStatus => (class.name(), ""),
            };
            let labels = [tenant, subscription, ("outcome", outcome), ("error_kind", kind)];
            samples.set(&names::ATTEMPTS, &labels, count as f64);
        }
    }
}

impl Default for HistoryMetrics {
    fn default() -> Self {
        Self {
            events_accepted: 0,
            facts: FactTotals::default(),
            first_attempt: TimeHistogram::new(names::FIRST_ATTEMPT_BOUNDS),
            subscriptions: HashMap::new(),
            others: None,
        }
    }
}

impl HistoryMetrics {
    /// Adds a change of the counts that was stored: one change, not a sum of several, in which some may cancel each other.
    pub fn add_change(&mut self, CountChange { group, counts }: &CountChange) {
        self.events_accepted += grown(counts.events_accepted);
        for (bucket, times) in counts.first_attempt.buckets() {
            self.first_attempt.record(bucket.middle() / MILLIS_PER_SECOND, times);
        }
        if let Some(subscription) = group.subscription {
            self.subscription(&group.tenant, subscription).add(counts);
        }
    }

    /// Adds a fact that was stored.
    pub fn add_fact(&mut self, fact: &HistoryFact) {
        self.facts.add(fact);
        if let HistoryFact::Verdict { tenant, subscription, decision: DecisionKind::FormulaError } = fact {
            self.subscription(tenant, *subscription).formula_errors += 1;
        }
    }

    fn subscription(&mut self, tenant: &TenantId, id: SubscriptionId) -> &mut SubscriptionMetrics {
        let has_own = self.subscriptions.len() < MAX_SUBSCRIPTIONS || self.subscriptions.contains_key(&id);
        match has_own {
            true => self.subscriptions.entry(id).or_insert_with(|| SubscriptionMetrics::new(tenant.as_str())),
            false => self.others.get_or_insert_with(|| SubscriptionMetrics::new(OTHER)),
        }
    }

    /// Writes the values of now.
    pub fn write(&self, samples: &mut Samples) {
        samples.set(&names::EVENTS_ACCEPTED, &[], self.events_accepted as f64);
        samples.set_times(&names::FIRST_ATTEMPT, &[], &self.first_attempt);
        for (decision, count) in self.facts.verdicts() {
            samples.set(&names::VERDICTS, &[("verdict", decision.as_str())], count as f64);
        }
        for (kind, outcome, count) in self.facts.job_items() {
            let labels = [("kind", kind.as_str()), ("outcome", outcome.as_str())];
            samples.set(&names::JOB_ITEMS, &labels, count as f64);
        }
        for (id, of_one) in &self.subscriptions {
            of_one.write(&id.to_string(), samples);
        }
        if let Some(others) = &self.others {
            others.write(OTHER, samples);
        }
    }
}

/// How many schedules ran out without a success by one change. A resend that succeeds takes the count of a report back: that
/// the retries ran out stays true.
pub fn exhausted(change: &Counts) -> u64 {
    grown(change.exhausted)
}

/// By how much a count grew. A counter never becomes smaller.
fn grown(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;

//! Facts: what was stored and no report counts, and their totals.

use std::collections::HashMap;

use crate::model::id::{SubscriptionId, TenantId};
use crate::model::job::{ItemOutcome, JobCounts, JobKind};
use crate::model::ledger::{DecisionKind, LedgerEvent};

/// What was stored and no report counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryFact {
    /// A subscription decided this about an event that was accepted.
    Verdict { tenant: TenantId, subscription: SubscriptionId, decision: DecisionKind },
    /// A job that had counted the one has counted the other.
    JobItems { kind: JobKind, before: JobCounts, after: JobCounts },
}

impl HistoryFact {
    /// The verdicts about an event.
    pub fn verdicts(event: &LedgerEvent) -> impl Iterator<Item = Self> {
        event.verdicts.iter().map(|verdict| Self::Verdict {
            tenant: event.tenant.clone(),
            subscription: verdict.subscription_id,
            decision: verdict.decision.kind(),
        })
    }
}

/// Totals of facts, of all tenants together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactTotals {
    verdicts: HashMap<DecisionKind, u64>,
    job_items: HashMap<(JobKind, ItemOutcome), u64>,
}

impl FactTotals {
    /// Adds a fact that was stored.
    pub fn add(&mut self, fact: &HistoryFact) {
        match fact {
            HistoryFact::Verdict { decision, .. } => *self.verdicts.entry(*decision).or_default() += 1,
            HistoryFact::JobItems { kind, before, after } => {
                for outcome in ItemOutcome::ENDS {
                    let more = after.of(outcome).saturating_sub(before.of(outcome));
                    *self.job_items.entry((*kind, outcome)).or_default() += u64::from(more);
                }
            }
        }
    }

    /// Adds other totals.
    pub fn add_totals(&mut self, other: &Self) {
        other
            .verdicts
            .iter()
            .for_each(|(decision, count)| *self.verdicts.entry(*decision).or_default() += count);
        other.job_items.iter().for_each(|(of, count)| *self.job_items.entry(*of).or_default() += count);
    }

    /// How many verdicts there were of each kind.
    pub fn verdicts(&self) -> impl Iterator<Item = (DecisionKind, u64)> {
        DecisionKind::ALL
            .into_iter()
            .map(|kind| (kind, self.verdicts.get(&kind).copied().unwrap_or_default()))
    }

    /// How many items of jobs got each outcome, by the kind of the job.
    pub fn job_items(&self) -> impl Iterator<Item = (JobKind, ItemOutcome, u64)> {
        let of_kind = |kind| ItemOutcome::ENDS.map(|outcome| (kind, outcome));
        JobKind::ALL.into_iter().flat_map(of_kind).map(|(kind, outcome)| {
            (kind, outcome, self.job_items.get(&(kind, outcome)).copied().unwrap_or_default())
        })
    }
}

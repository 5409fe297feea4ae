//! Gathered happenings of a transaction, and how many items it may write of them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::happening::Happening;
use super::observers::SettingsChange;
use super::states::States;
use crate::queue::Receiver;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::operational::EXHAUSTED_WINDOW;
use loanhook_core::model::time::Timestamp;

/// So many failures of a subscription tell at most one event, and the success after them another.
const FAILURES_PER_EVENT: usize = 4;

/// What records tell, in the order in which they were taken.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(super) happenings: Vec<Happening>,
    tallies: HashMap<Receiver, Tally>,
    changed_tenants: HashSet<TenantId>,
    /// How many items may be written of all of it at most.
    items: usize,
}

/// How much was gathered of a subscription.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    failures: usize,
    has_success: bool,
    /// Holds that began or ended.
    holds: usize,
    exhausted: Exhausted,
}

/// Deliveries whose schedules ended without success.
#[derive(Debug, Clone, Copy, Default)]
struct Exhausted {
    count: usize,
    /// When the first and the last of them ended.
    span: Option<(Timestamp, Timestamp)>,
}

impl Exhausted {
    fn add(&mut self, at: Option<Timestamp>) {
        self.count += 1;
        if let Some(at) = at {
            let (first, last) = self.span.unwrap_or((at, at));
            self.span = Some((first.min(at), last.max(at)));
        }
    }

    /// How many windows they may end: one that was open before, and those that began with one of them.
    fn most_windows(&self) -> usize {
        let lasted = self.span.map_or(Duration::ZERO, |(first, last)| last.since(first));
        let ended = lasted.as_millis() / EXHAUSTED_WINDOW.as_millis();
        usize::try_from(ended).map_or(self.count, |ended| self.count.min(1 + ended))
    }
}

/// What is known of a subscription before.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// It has failures in a row.
    fails: bool,
    /// They were told.
    is_told: bool,
}

impl Known {
    fn of(of: &Receiver, states: &States) -> Self {
        Self { fails: states.fails(of), is_told: states.is_told(of) }
    }
}

impl Tally {
    /// How many items may be written: its state, and events. A success says nothing where nothing is known to fail, and neither does
    /// a failure of a run that was told, until a success ends it.
    fn most_items(&self, known: Known) -> usize {
        let changes = self.holds + self.exhausted.count > 0;
        let events = self.holds + self.exhausted.most_windows();
        if known.is_told && !self.has_success {
            return if changes { 1 + events } else { 0 };
        }
        if changes || self.failures > 0 || (known.fails && self.has_success) {
            2 + 2 * self.failures.div_ceil(FAILURES_PER_EVENT) + events
        } else {
            0
        }
    }

    fn add(&mut self, happening: &Happening) {
        match happening {
            Happening::Ended { end, .. } if end.succeeded() => self.has_success = true,
            Happening::Ended { .. } => self.failures += 1,
            Happening::Exhausted { end, .. } => self.exhausted.add(end.at),
            Happening::Held { .. } => self.holds += 1,
            Happening::HoldEnded { .. } => (self.has_success, self.holds) = (true, self.holds + 1),
            Happening::JobFinished(_) | Happening::SettingsChanged(_) => {}
        }
    }
}

impl Happening {
    pub(super) const fn receiver(&self) -> Option<&Receiver> {
        match self {
            Self::Ended { of, .. }
            | Self::Exhausted { of, .. }
            | Self::Held { of, .. }
            | Self::HoldEnded { of, .. } => Some(of),
            Self::JobFinished(_) | Self::SettingsChanged(_) => None,
        }
    }
}

impl Gathered {
    /// How many items may be written of all of it at most.
    pub(crate) const fn item_count(&self) -> usize {
        self.items
    }

    /// How many more items there may be with this.
    pub(crate) fn items_of(&self, happening: &Happening, states: &States) -> usize {
        match (happening, happening.receiver()) {
            (Happening::SettingsChanged(change), _) => match self.changed_tenants.contains(&change.tenant) {
                true => 0,
                // Its look, and its observers.
                false => 2,
            },
            (_, Some(of)) => {
                let before = self.tallies.get(of).copied().unwrap_or_default();
                let mut after = before;
                after.add(happening);
                let known = Known::of(of, states);
                after.most_items(known) - before.most_items(known)
            }
            (_, None) => 1,
        }
    }

    pub(crate) fn add(&mut self, happening: Happening, states: &States) {
        self.items += self.items_of(&happening, states);
        if let Some(of) = happening.receiver() {
            self.tallies.entry(of.clone()).or_default().add(&happening);
        }
        if let Happening::SettingsChanged(change) = &happening {
            self.changed_tenants.insert(change.tenant.clone());
        }
        self.happenings.push(happening);
    }

    /// Whether anything may be told of a subscription.
    pub(super) fn may_tell(&self, of: &Receiver, states: &States) -> bool {
        self.tallies.get(of).is_some_and(|tally| tally.most_items(Known::of(of, states)) > 0)
    }

    /// The changes of subscriptions, in their order.
    pub(super) fn settings_changes(&self) -> impl Iterator<Item = &SettingsChange> {
        self.happenings.iter().filter_map(|happening| match happening {
            Happening::SettingsChanged(change) => Some(change),
            _ => None,
        })
    }
}

#[cfg(test)]
#[path = "gathered_tests.rs"]
mod tests;

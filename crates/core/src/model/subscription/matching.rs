//! Whether an event fires a subscription.

use super::{Criteria, Fire, Subscription};
use crate::model::event_names::EventNames;
use crate::model::memory::Watch;
use crate::model::occurrence::Occurrence;
use crate::model::trouble::{Trouble, WhichFormula};
use loanhook_formula::{Formula, FormulaError};

/// What an event means for a subscription.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing; what is remembered of its trigger stays as it is.
    No,
    Fires,
    /// It fires if its trigger rises, unless its restriction forbids.
    Watched {
        watch: Watch,
        allowed: bool,
    },
    /// A formula failed: as if the event had not been.
    Failed(Trouble),
}

type Judged<T> = Result<T, Box<(WhichFormula, FormulaError)>>;

impl Subscription {
    /// What an event means for it.
    pub fn judge(&self, occurrence: &Occurrence<'_>) -> Verdict {
        if !self.settings.enabled {
            return Verdict::No;
        }
        self.verdict(occurrence).unwrap_or_else(|failed| {
            let (formula, error) = *failed;
            let loan = occurrence.event.loan_id.clone();
            Verdict::Failed(Trouble::new(formula, self.version, loan, error, occurrence.at))
        })
    }

    /// The names of the events that it is for.
    pub(in crate::model) fn event_names(&self) -> &EventNames {
        &self.settings.compiled.of(&self.settings).events
    }

    /// Whether an event costs more than comparing names.
    pub fn is_dear(&self) -> bool {
        let settings = &self.settings;
        settings.restriction.is_some()
            || settings.request.payload.is_some()
            || matches!(settings.criteria, Criteria::Trigger { .. })
    }

    /// Whether what it does at an event depends on those before.
    pub fn fires_on_change(&self) -> bool {
        let criteria = &self.settings.criteria;
        self.settings.enabled && matches!(criteria, Criteria::Trigger { fire: Fire::OnChange, .. })
    }

    fn verdict(&self, occurrence: &Occurrence<'_>) -> Judged<Verdict> {
        let fires = |fires| if fires { Verdict::Fires } else { Verdict::No };
        match &self.settings.criteria {
            Criteria::Events(names) => {
                let named = names.iter().any(|name| name == "*" || *name == occurrence.event.name);
                Ok(fires(named && self.allows(occurrence)?))
            }
            Criteria::Trigger { fire: Fire::EveryMatch, .. } => {
                Ok(fires(self.triggers(occurrence)? && self.allows(occurrence)?))
            }
            Criteria::Trigger { fire: Fire::OnChange, since, .. } => {
                let holds = self.triggers(occurrence)?;
                let watch = Watch { subscription: self.id, since: *since, holds };
                Ok(Verdict::Watched { watch, allowed: holds && self.allows(occurrence)? })
            }
        }
    }

    fn triggers(&self, occurrence: &Occurrence<'_>) -> Judged<bool> {
        let trigger = self.settings.compiled.of(&self.settings).trigger.as_ref();
        trigger.map_or(Ok(false), |trigger| holds(trigger, occurrence, WhichFormula::Trigger))
    }

    fn allows(&self, occurrence: &Occurrence<'_>) -> Judged<bool> {
        let restriction = self.settings.compiled.of(&self.settings).restriction.as_ref();
        restriction.map_or(Ok(true), |restriction| holds(restriction, occurrence, WhichFormula::Restriction))
    }
}

fn holds(
    formula: &Result<Formula, FormulaError>,
    occurrence: &Occurrence<'_>,
    which: WhichFormula,
) -> Judged<bool> {
    let held = formula.as_ref().map_err(Clone::clone).and_then(|formula| occurrence.holds(formula));
    held.map_err(|error| Box::new((which, error)))
}

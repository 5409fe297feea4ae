//! Matching of one event to one subscription.

use super::{Criteria, Fire, Subscription};
use crate::model::event::Event;
use crate::model::event_evaluation::EventEvaluation;
use crate::model::event_names::EventNames;
use crate::model::formula_errors::{FormulaErrorRecord, WhichFormula};
use crate::model::ledger::Decision;
use crate::model::trigger_state::TriggerReading;
use loanhook_formula::{Formula, FormulaError};

/// What an event means for a subscription.
#[derive(Debug)]
pub enum MatchResult {
    /// It asks for events of other names.
    OtherName,
    /// It does not fire, whatever came before; what is remembered of its trigger stays as it is.
    NoMatch(Decision),
    Match,
    /// It fires if its trigger rises, unless its restriction forbids.
    Watched {
        watch: TriggerReading,
        allowed: bool,
    },
    /// A formula failed: as if the event had not been.
    FormulaError(FormulaErrorRecord),
}

type FormulaResult<T> = Result<T, Box<(WhichFormula, FormulaError)>>;

impl Subscription {
    /// What an event means for it.
    pub fn evaluate(&self, evaluation: &EventEvaluation<'_>) -> MatchResult {
        if !self.asks_for(evaluation.event) {
            return MatchResult::OtherName;
        }
        if !self.settings.enabled {
            return MatchResult::NoMatch(Decision::Disabled);
        }
        self.match_event(evaluation).unwrap_or_else(|failed| {
            let (formula, error) = *failed;
            let loan = evaluation.event.loan_id.clone();
            MatchResult::FormulaError(FormulaErrorRecord::new(
                formula,
                self.version,
                loan,
                error,
                evaluation.at,
            ))
        })
    }

    /// The names of the events that it is for.
    pub(in crate::model) fn event_names(&self) -> &EventNames {
        &self.settings.compiled.of(&self.settings).events
    }

    /// Whether an event costs more than comparing names.
    pub fn is_expensive(&self) -> bool {
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

    /// Whether it asks for an event of this name; a trigger for those of every name. Events of loans and operational events are
    /// apart, whatever they are called.
    fn asks_for(&self, event: &Event) -> bool {
        match &self.settings.criteria {
            Criteria::Events(names) => {
                !event.is_operational() && names.iter().any(|name| name == "*" || *name == event.name)
            }
            Criteria::Trigger { .. } => !event.is_operational(),
            Criteria::Operational(kinds) => {
                event.is_operational() && kinds.iter().any(|kind| kind.as_str() == event.name)
            }
        }
    }

    fn match_event(&self, evaluation: &EventEvaluation<'_>) -> FormulaResult<MatchResult> {
        match &self.settings.criteria {
            Criteria::Events(_) | Criteria::Operational(_) => self.match_restriction(evaluation),
            Criteria::Trigger { fire: Fire::EveryMatch, .. } if !self.triggers(evaluation)? => {
                Ok(MatchResult::NoMatch(Decision::TriggerFalse))
            }
            Criteria::Trigger { fire: Fire::EveryMatch, .. } => self.match_restriction(evaluation),
            Criteria::Trigger { fire: Fire::OnChange, since, .. } => {
                let holds = self.triggers(evaluation)?;
                let watch = TriggerReading { subscription: self.id, since: *since, holds };
                Ok(MatchResult::Watched { watch, allowed: holds && self.allows(evaluation)? })
            }
        }
    }

    fn match_restriction(&self, evaluation: &EventEvaluation<'_>) -> FormulaResult<MatchResult> {
        Ok(match self.allows(evaluation)? {
            true => MatchResult::Match,
            false => MatchResult::NoMatch(Decision::RestrictionFalse),
        })
    }

    fn triggers(&self, evaluation: &EventEvaluation<'_>) -> FormulaResult<bool> {
        let trigger = self.settings.compiled.of(&self.settings).trigger.as_ref();
        trigger.map_or(Ok(false), |trigger| holds(trigger, evaluation, WhichFormula::Trigger))
    }

    fn allows(&self, evaluation: &EventEvaluation<'_>) -> FormulaResult<bool> {
        let restriction = self.settings.compiled.of(&self.settings).restriction.as_ref();
        restriction.map_or(Ok(true), |restriction| holds(restriction, evaluation, WhichFormula::Restriction))
    }
}

fn holds(
    formula: &Result<Formula, FormulaError>,
    evaluation: &EventEvaluation<'_>,
    which: WhichFormula,
) -> FormulaResult<bool> {
    let held = formula.as_ref().map_err(Clone::clone).and_then(|formula| evaluation.holds(formula));
    held.map_err(|error| Box::new((which, error)))
}

//! Criteria of a subscription as its author gives them, and the rules they must keep.

use std::str::FromStr as _;

use super::{Criteria, CriteriaInput, Fire};
use crate::model::operational::OperationalKind;
use crate::model::validation::{ValidationErrors, name_error};
use loanhook_formula::Formula;

const MAX_EVENTS: usize = 1000;

impl CriteriaInput {
    pub(super) fn check(self, errors: &mut ValidationErrors) -> Criteria {
        if let Some(names) = self.operational {
            if self.events.is_some() || self.trigger.is_some() || self.fire.is_some() {
                errors.add(
                    "/criteria/operational",
                    "goes without events, trigger and fire. A PATCH from those to operational events sets them to null",
                );
            }
            return Criteria::Operational(check_operational(&names, errors));
        }
        if let Some(trigger) = self.trigger {
            if self.events.is_some() {
                errors.add(
                    "/criteria/events",
                    "goes without a trigger only: a trigger is asked at every event. A PATCH from events to a trigger sets events to null",
                );
            }
            if let Err(error) = Formula::parse(&trigger) {
                errors.add_formula("/criteria/trigger", &error);
            }
            return Criteria::Trigger { trigger, fire: self.fire.unwrap_or(Fire::OnChange), since: 1 };
        }
        if self.fire.is_some() {
            errors.add(
                "/criteria/fire",
                "goes with a trigger only. A PATCH from a trigger to events sets trigger and fire to null",
            );
        } else if self.events.as_ref().is_none_or(Vec::is_empty) {
            errors.add("/criteria/events", "must name at least one event; [\"*\"] is all");
        }
        let events = self.events.unwrap_or_default();
        if events.len() > MAX_EVENTS {
            errors.add("/criteria/events", format!("must name at most {MAX_EVENTS} events"));
        }
        for (i, name) in events.iter().enumerate() {
            if let Some(fault) = name_error(name) {
                errors.add(format!("/criteria/events/{i}"), fault);
            }
        }
        Criteria::Events(events)
    }
}

/// The kinds of these names.
fn check_operational(names: &[String], errors: &mut ValidationErrors) -> Vec<OperationalKind> {
    if names.is_empty() {
        let all: Vec<_> = OperationalKind::ALL.into_iter().map(OperationalKind::as_str).collect();
        errors.add("/criteria/operational", format!("must name at least one of {}", all.join(", ")));
    }
    let mut kinds = Vec::with_capacity(OperationalKind::ALL.len());
    for (i, name) in names.iter().enumerate() {
        match OperationalKind::from_str(name) {
            Ok(kind) if !kinds.contains(&kind) => kinds.push(kind),
            Ok(_) => errors.add(format!("/criteria/operational/{i}"), "is named twice"),
            Err(unknown) => errors.add(format!("/criteria/operational/{i}"), unknown.to_string()),
        }
    }
    kinds
}

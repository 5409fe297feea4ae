//! The criteria that a form makes.

use super::fields::CRITERIA;
use super::texts::text;
use crate::page::form::Form;
use loanhook_core::model::subscription::{Criteria, CriteriaInput, Fire};

/// The names that were picked, those that are stored in their order.
fn in_stored_order(picked: &[String], stored: &[String]) -> Vec<String> {
    let kept = stored.iter().filter(|name| picked.contains(name)).cloned();
    let new = picked.iter().filter(|name| !stored.contains(name)).cloned();
    kept.chain(new).collect()
}

/// The criteria of a form. `stored` are those that it was made from.
pub(super) fn criteria(form: &Form, stored: Option<&Criteria>) -> CriteriaInput {
    let none = CriteriaInput::default();
    match form.get(CRITERIA) {
        "all" => CriteriaInput { events: Some(vec!["*".to_owned()]), ..none },
        "trigger" => {
            let stored = match stored {
                Some(Criteria::Trigger { trigger, .. }) => Some(&**trigger),
                _ => None,
            };
            let fire = if form.get("fire") == "every-match" { Fire::EveryMatch } else { Fire::OnChange };
            CriteriaInput { trigger: Some(text(form.get("trigger"), stored)), fire: Some(fire), ..none }
        }
        "operational" => {
            let stored: Vec<_> = match stored {
                Some(Criteria::Operational(kinds)) => {
                    kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
                }
                _ => Vec::new(),
            };
            let picked: Vec<_> = form.all("operational").map(str::to_owned).collect();
            CriteriaInput { operational: Some(in_stored_order(&picked, &stored)), ..none }
        }
        _ => {
            let stored: &[String] = match stored {
                Some(Criteria::Events(names)) => names,
                _ => &[],
            };
            let name_of = |line: &str| {
                if stored.iter().any(|name| name == line) { line.to_owned() } else { line.trim().to_owned() }
            };
            let lines = form.all("otherEvents").flat_map(|text| text.split(['\r', '\n'])).map(name_of);
            let typed = lines.filter(|name| !name.is_empty());
            let picked: Vec<_> = form.all("event").map(str::to_owned).chain(typed).collect();
            CriteriaInput { events: Some(in_stored_order(&picked, stored)), ..none }
        }
    }
}

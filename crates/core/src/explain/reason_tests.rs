//! Reasons, by a table.

use chrono::DateTime;
use loanhook_formula::Context;
use serde_json::value::RawValue;

use super::*;
use crate::model::event::EventInput;
use crate::model::subscription::{CriteriaInput, Fire, SubscriptionInput};
use crate::model::time::Timestamp;

pub(super) const CONTEXT: &str = include_str!("test_data/context.json");

pub(super) fn explained(formula: &str) -> FormulaExplanation {
    let json: &RawValue = serde_json::from_str(CONTEXT).expect("JSON");
    explain_formula(formula, &Context::new(json, DateTime::UNIX_EPOCH).expect("an object"))
}

#[test]
fn a_reason_names_what_decided() {
    let wrong: Vec<_> = include_str!("test_data/reasons.tsv")
        .lines()
        .filter_map(|line| {
            let (formula, expected) = line.split_once('\t').expect("a formula, a tab and its reason");
            let reason = explained(formula).reason;
            (reason != expected).then(|| format!("{formula}\t{reason}"))
        })
        .collect();
    assert!(wrong.is_empty(), "these have other reasons:\n{}", wrong.join("\n"));
}

#[test]
fn a_reason_is_short_whatever_the_formula_and_its_values_are() {
    let many = |call: &str, count: usize| format!("({call} {})", "(= loan-status \"Open\") ".repeat(count));
    for formula in [
        many("and", 300),
        many("vector", 300),
        many("cond", 100),
        format!("(not= {} loan-status)", "long-text ".repeat(300)),
        format!("{}long-text{}", "(str ".repeat(50), ")".repeat(50)),
        format!("{}zip{}", "(if zip ".repeat(60), ")".repeat(60)),
    ] {
        let reason = explained(&formula).reason;
        assert!(reason.chars().count() <= 1_000, "{reason}");
    }
}

#[test]
fn an_explanation_has_the_variables_that_the_formula_names() {
    let explanation = explained("(and fico (> last-payment-amount 1) autopay)");
    let variables: Vec<_> = explanation
        .variables
        .iter()
        .map(|variable| (&*variable.name, variable.json.get(), variable.is_missing))
        .collect();
    assert_eq!(
        variables,
        [("autopay", "null", false), ("fico", "null", true), ("last-payment-amount", "250.00", false)]
    );
    assert_eq!(explanation.result.expect("nil").json.get(), "null");
}

#[test]
fn a_long_source_of_a_step_is_cut() {
    let formula = format!("(= {} zip)", "1 ".repeat(500));
    let step = explained(&formula).steps.pop().expect("a step");
    assert_eq!((step.source.chars().count(), step.source.ends_with('…')), (MAX_SOURCE_CHARS, true));
}

#[test]
fn an_explanation_is_that_of_the_trigger_and_of_the_restriction() {
    let event = |occurred_at: Option<&str>| {
        let context = RawValue::from_string(CONTEXT.into()).expect("JSON");
        let (event_name, loan_id) = ("Payment".into(), "727".into());
        let input = EventInput { event_name, loan_id, context, occurred_at: occurred_at.map(Into::into) };
        input.check().expect("an event")
    };
    let criteria = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
    let input = SubscriptionInput::with_defaults("Core".into(), criteria, "https://core.example.com".into());
    let mut settings = input.check(None).expect("settings");
    let at = Timestamp::from_millis(0);
    let (by_name, of_january) = (event(None), event(Some("2026-01-31T23:00:00-02:00")));

    let explanation = explain(&settings, &EventEvaluation::new(&by_name, at));
    assert!(explanation.trigger.is_none() && explanation.restriction.is_none());
    assert_eq!(explanation.text(), "");

    settings.criteria =
        Criteria::Trigger { trigger: "status-stoplight".into(), fire: Fire::OnChange, since: 1 };
    settings.restriction = Some("(= (date (now)) \"2026-02-01\")".into());
    let explanation = explain(&settings, &EventEvaluation::new(&of_january, at));
    let is_true =
        |formula: Option<FormulaExplanation>| formula.expect("a formula").result.expect("a value").is_true;
    assert!(!is_true(explanation.trigger));
    assert!(is_true(explanation.restriction));
}

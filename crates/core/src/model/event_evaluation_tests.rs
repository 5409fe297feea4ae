use serde_json::value::RawValue;

use super::*;
use crate::model::event::EventInput;

#[test]
fn the_formulas_of_an_event_take_so_much_together_and_no_more() {
    let context = RawValue::from_string("{}".into()).expect("JSON");
    let input = EventInput { event_name: "A".into(), loan_id: "727".into(), context, occurred_at: None };
    let event = input.check().expect("an event");
    let evaluation = EventEvaluation::new(&event, Timestamp::from_millis(0));
    let dear = Formula::parse("(pos? (reduce + (range 10000)))").expect("a formula");
    let mut last = 0;
    let refused = loop {
        match evaluation.holds(&dear) {
            Ok(holds) => assert!(holds),
            Err(error) => break error,
        }
        assert!(last < MAX_STEPS && evaluation.steps_used() > last, "each counts");
        last = evaluation.steps_used();
    };
    assert_eq!(refused.kind, FormulaErrorKind::LimitExceeded);
    assert!(refused.detail.contains("all subscriptions together"), "{refused}");
    assert!(last >= MAX_STEPS, "{last}");
    let cheap = Formula::parse("true").expect("a formula");
    assert!(evaluation.holds(&cheap).is_err(), "whatever comes after it");
    // The next event has steps of its own.
    assert!(EventEvaluation::new(&event, Timestamp::from_millis(0)).holds(&cheap).is_ok());
}

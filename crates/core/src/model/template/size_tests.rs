use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::event::{Event, EventInput};
use crate::model::event_evaluation::EventEvaluation;
use crate::model::id::TraceId;
use crate::model::time::Timestamp;

const TARGETS: [Target; 6] = [
    Target::Url,
    Target::Header,
    Target::Body(Body::Json),
    Target::Body(Body::Form),
    Target::Body(Body::Xml),
    Target::Body(Body::Plain),
];

fn event(name: &str, loan: &str, context: &Value) -> Option<Event> {
    let input = EventInput {
        event_name: name.into(),
        loan_id: loan.into(),
        context: serde_json::value::RawValue::from_string(context.to_string()).expect("JSON"),
        occurred_at: None,
    };
    input.check().ok()
}

/// What is written in a template, and what it is for.
fn templates(default: &str) -> Vec<(Template, Target)> {
    let plain = default.replace(['\'', '\\', ']', '['], "");
    let of = |target| {
        let frame: [&str; 2] = match target {
            Target::Url => ["https://core.example.com/", "?a="],
            Target::Body(Body::Json) => ["[", ",\""],
            _ => ["", ""],
        };
        let end = if target == Target::Body(Body::Json) { "\"]" } else { "" };
        let text = format!(
            "{}[[v('a','{plain}')]]{}[[v('b','{plain}')]][[v('event-name')]][[v('loan-id')]]{end}",
            frame[0], frame[1],
        );
        Some((Template::parse(&text, target).ok()?, target))
    };
    TARGETS.into_iter().filter_map(of).collect()
}

proptest! {
    #[test]
    fn a_template_never_renders_to_more_than_was_foretold(
        a in any::<String>(),
        b in any::<String>(),
        number in any::<f64>(),
        name in any::<String>(),
        loan in any::<String>(),
        default in any::<String>(),
        shape in 0..4_u8,
    ) {
        let a = match shape {
            0 => json!(a),
            1 => json!([a, number, {"x": b}]),
            2 => json!(number),
            _ => Value::Null,
        };
        let context = json!({"a": a, "b": b});
        let Some(event) = event(&name, &loan, &context).or_else(|| event("E", "1", &context)) else {
            return Ok(());
        };
        let evaluation = EventEvaluation::new(&event, Timestamp::from_millis(0));
        let context = evaluation.context().expect("Unicode names");
        let variables = Variables::of(&evaluation, context, TraceId::from_uuid(uuid::Uuid::nil()));
        for (template, target) in templates(&default) {
            let foretold = template.size_at_most(&variables, usize::MAX);
            if let Ok(rendered) = template.render(&variables, usize::MAX) {
                prop_assert!(rendered.len() <= foretold, "{target:?}: {} > {foretold}", rendered.len());
            }
        }
    }
}

#[test]
fn what_is_foretold_is_close_to_what_comes_of_plain_values() {
    let text = "x".repeat(10_000);
    let event = event("E", "1", &json!({"a": text})).expect("an event");
    let evaluation = EventEvaluation::new(&event, Timestamp::from_millis(0));
    let context = evaluation.context().expect("Unicode names");
    let variables = Variables::of(&evaluation, context, TraceId::from_uuid(uuid::Uuid::nil()));
    let template = Template::parse("{\"a\": \"[[v('a')]]\"}", Target::Body(Body::Json)).expect("a template");
    let rendered = template.render(&variables, MAX_BODY).expect("it renders").len();
    let foretold = template.size_at_most(&variables, MAX_BODY);
    assert!(foretold >= rendered && foretold <= 2 * rendered + 100, "{foretold} for {rendered}");
    assert_eq!(template.size_at_most(&variables, 5_000), 5_000, "no more than it may render to");
}

use serde_json::value::RawValue;

use super::*;
use crate::model::event::{Event, EventInput};
use crate::model::event_evaluation::MAX_RENDERED_BYTES;
use crate::model::id::{SubscriptionId, TenantId};
use crate::model::secret::{Secrets, SigningSecret};
use crate::model::subscription::{CriteriaInput, SubscriptionInput};
use crate::model::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

fn subscription(payload: &str) -> Subscription {
    let criteria = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
    let url = "https://core.example.com/hooks".into();
    let mut input = SubscriptionInput::with_defaults("Core banking".into(), criteria, url);
    input.request.payload = Some(payload.into());
    Subscription {
        id: SubscriptionId::at(NOW),
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        version: 1,
        created_at: NOW,
        updated_at: NOW,
        updated_by: None,
        settings: input.check(None).expect("good settings"),
        secrets: Secrets::new(SigningSecret::generate().expect("randomness")),
    }
}

fn event(context: &str) -> Event {
    let context = RawValue::from_string(context.into()).expect("JSON");
    let input = EventInput { event_name: "A".into(), loan_id: "727".into(), context, occurred_at: None };
    input.check().expect("an event")
}

#[test]
fn the_templates_of_an_event_render_to_so_much_together_and_no_more() {
    let event = event(&format!(r#"{{"text": "{}"}}"#, "x".repeat(200_000)));
    let subscription = subscription(&format!("[{}]", ["[[v('text')]]"; 5].join(",")));
    let evaluation = EventEvaluation::new(&event, NOW);
    let mut rendered = 0;
    let refused = loop {
        let (delivery, bytes) = Delivery::render(&subscription, &evaluation, EventId::at(NOW));
        rendered += bytes.len();
        assert!(rendered <= MAX_RENDERED_BYTES);
        if let Some(reason) = delivery.snapshot.request.unrenderable {
            break reason;
        }
    };
    assert!(refused.contains("32 MiB"), "{refused}");
    assert!(rendered + 1_100_000 > MAX_RENDERED_BYTES, "{rendered}");
    // The next event has room of its own.
    let (delivery, _) = Delivery::render(&subscription, &EventEvaluation::new(&event, NOW), EventId::at(NOW));
    assert_eq!(delivery.snapshot.request.unrenderable, None);
}

#[test]
fn paths_lead_where_each_of_them_says_however_many_there_are() {
    let event = event(
        r#"{"payments": [{"amount": 1.50, "of": {"loan": [7, [8]]}}, {"amount": 2}], "twice": {"a": 1, "a": 2}}"#,
    );
    let paths = [
        ("payments[0].amount", "1.50"),
        ("payments[1].amount", "2"),
        ("payments.0.of.loan[1][0]", "8"),
        ("payments[0].of", r#"{"loan": [7, [8]]}"#),
        ("payments[0].of.loan", "[7, [8]]"),
        ("twice.a", "2"),
        ("payments[0].amount", "1.50"),
    ];
    let template: Vec<_> = paths.iter().map(|(path, _)| format!("[[v('{path}')]]")).collect();
    let expected: Vec<_> = paths.iter().map(|(_, value)| *value).collect();
    let subscription = subscription(&format!("[{}]", template.join(",")));
    let (_, bytes) = Delivery::render(&subscription, &EventEvaluation::new(&event, NOW), EventId::at(NOW));
    assert_eq!(String::from_utf8_lossy(&bytes), format!("[{}]", expected.join(",")));
}

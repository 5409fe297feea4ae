//! Trial of a webhook's settings before they are saved: what they decide about one event, why, and the request that it becomes. Nothing
//! is stored or sent.

use bytes::Bytes;

use crate::explain::{self, Explanation};
use crate::model::delivery::Delivery;
use crate::model::event::Event;
use crate::model::event_evaluation::EventEvaluation;
use crate::model::id::{EventId, SubscriptionId, TenantId};
use crate::model::ledger::DecisionKind;
use crate::model::secret::{Secrets, SigningSecret};
use crate::model::subscription::{Method, Settings, Subscription};
use crate::model::time::Timestamp;
use crate::operational;
use crate::stored_event::would_decide;

/// What settings come to for one event.
#[derive(Debug)]
pub struct Trial {
    /// What they decide, if their trigger was not true before; none where they ask for events of other names.
    pub verdict: Option<DecisionKind>,
    pub explanation: Explanation,
    /// The request, whatever they decide; or why it does not render.
    pub request: Result<TrialRequest, String>,
}

/// A request that would leave, without what loanhook adds to it.
#[derive(Debug)]
pub struct TrialRequest {
    pub method: Method,
    pub url: String,
    /// Names and values. None is a value without placeholders: it is a credential.
    pub headers: Vec<(String, Option<String>)>,
    /// None where there is no body.
    pub content_type: Option<String>,
    pub body: Bytes,
}

/// Tries settings on an event.
pub fn try_settings(settings: Settings, tenant: &TenantId, event: &Event, now: Timestamp) -> Trial {
    let subscription = subscription(settings, tenant, now);
    let evaluation = EventEvaluation::new(event, now);
    Trial {
        verdict: would_decide(&subscription, &evaluation),
        explanation: explain::explain(&subscription.settings, &evaluation),
        request: request(&subscription, &evaluation, now),
    }
}

/// A sample of the operational events that settings are for; none where they are for events of loans.
pub fn operational_sample(settings: &Settings, tenant: &TenantId, now: Timestamp) -> Option<Event> {
    let subscription = subscription(settings.clone(), tenant, now);
    if subscription.is_operational() { operational::sample(&subscription, None, now).ok() } else { None }
}

fn subscription(settings: Settings, tenant: &TenantId, now: Timestamp) -> Subscription {
    Subscription {
        id: SubscriptionId::at(now),
        tenant: tenant.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
        updated_by: None,
        settings,
        // Nothing is signed.
        secrets: Secrets::new(SigningSecret::from_stored(String::new())),
    }
}

fn request(
    subscription: &Subscription,
    evaluation: &EventEvaluation<'_>,
    now: Timestamp,
) -> Result<TrialRequest, String> {
    let (delivery, body) = Delivery::render(subscription, evaluation, EventId::at(now));
    let rendered = delivery.snapshot.request;
    if let Some(reason) = rendered.unrenderable {
        return Err(reason);
    }
    let rendered_headers = rendered.headers.all();
    let header = |name: &String| (name.clone(), rendered_headers.get(name).cloned());
    Ok(TrialRequest {
        method: rendered.method,
        url: rendered.url,
        headers: subscription.settings.request.headers.keys().map(header).collect(),
        content_type: rendered.content_type,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::EventInput;
    use crate::model::subscription::{CriteriaInput, SubscriptionInput};
    use serde_json::value::RawValue;

    fn event() -> Event {
        let context = r#"{"status-days-past-due": 13, "name": "a\"b"}"#;
        let context = RawValue::from_string(context.to_owned()).expect("JSON");
        let input =
            EventInput { event_name: "Payment".into(), loan_id: "727".into(), context, occurred_at: None };
        input.check().expect("an event")
    }

    fn tried(change: impl FnOnce(&mut SubscriptionInput)) -> Trial {
        let criteria = CriteriaInput { events: Some(vec!["Payment".into()]), ..CriteriaInput::default() };
        let mut input =
            SubscriptionInput::with_defaults("Core".into(), criteria, "https://core.example.com/".into());
        change(&mut input);
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        try_settings(input.check(None).expect("settings"), &tenant, &event(), Timestamp::from_millis(0))
    }

    #[test]
    fn the_verdict_is_that_of_an_event_before_which_no_trigger_was_true() {
        let trigger =
            |formula: &str| CriteriaInput { trigger: Some(formula.into()), ..CriteriaInput::default() };
        let names =
            |name: &str| CriteriaInput { events: Some(vec![name.into()]), ..CriteriaInput::default() };
        for (criteria, restriction, verdict) in [
            (names("Payment"), None, Some(DecisionKind::Delivered)),
            (names("Other"), None, None),
            (names("*"), Some("false"), Some(DecisionKind::RestrictionFalse)),
            (trigger("(> status-days-past-due 30)"), None, Some(DecisionKind::TriggerFalse)),
            (trigger("(> status-days-past-due 3)"), None, Some(DecisionKind::Delivered)),
            (trigger("(+ 1 name)"), None, Some(DecisionKind::FormulaError)),
        ] {
            let trial = tried(|input| {
                input.criteria = criteria.clone();
                input.restriction = restriction.map(str::to_owned);
            });
            assert_eq!(trial.verdict, verdict, "{criteria:?} {restriction:?}");
        }
    }

    #[test]
    fn the_request_is_rendered_and_shows_no_header_without_placeholders() {
        let trial = tried(|input| {
            input.request.url = "https://core.example.com/[[v('loan-id')]]".into();
            input.request.payload = Some(r#"{"name": "[[v('name')]]"}"#.into());
            let headers = [("Authorization", "Bearer secret"), ("X-Loan", "loan [[v('loan-id')]]")];
            input.request.headers = headers.map(|(name, value)| (name.into(), value.into())).into();
        });
        let request = trial.request.expect("it renders");
        assert_eq!((request.method, &*request.url), (Method::Post, "https://core.example.com/727"));
        assert_eq!(&request.body[..], br#"{"name": "a\"b"}"#);
        let headers = [("Authorization".into(), None), ("X-Loan".into(), Some("loan 727".into()))];
        assert_eq!(request.headers, headers);
        let missing = tried(|input| input.request.payload = Some("[[v('no-such')]]".into()));
        let reason = missing.request.expect_err("it does not render");
        assert!(reason.contains("the payload does not render"), "{reason}");
    }
}

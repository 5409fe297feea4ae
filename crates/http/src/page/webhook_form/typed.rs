//! What the form shows: the fields of a stored webhook, of a new one, or of what somebody typed. All are the same, a list of names and
//! texts, so what was typed is shown again as it was, whatever is wrong with it.
//!
//! No stored secret is in it.

use super::durations;
use super::fields;
use super::rows::Rows;
use crate::page::form::Form;
use loanhook_core::model::catalogue;
use loanhook_core::model::flow::{DeliveryOrder, FlowSettings};
use loanhook_core::model::retry::RetryPolicy;
use loanhook_core::model::subscription::{
    Auth, ClientStyle, Criteria, DEFAULT_CONTENT_TYPE, DEFAULT_TIMEOUT_SECONDS, Fire, Settings,
};

/// Whether this is the name of an event of the catalogue.
pub(in crate::page) fn is_in_catalogue(name: &str) -> bool {
    catalogue::TYPES.iter().any(|of| of.event_name == name)
}

/// The form of a new webhook.
pub(super) fn of_new() -> Form {
    let mut form = Form::default();
    set_all(
        &mut form,
        [
            ("enabled", "on".to_owned()),
            (fields::CRITERIA, "events".to_owned()),
            ("method", "POST".to_owned()),
            ("contentType", DEFAULT_CONTENT_TYPE.to_owned()),
            (fields::BODY, "event".to_owned()),
            (fields::AUTH, "none".to_owned()),
            ("timeoutSeconds", DEFAULT_TIMEOUT_SECONDS.to_string()),
        ],
    );
    Rows::Headers.put(&mut form, []);
    Rows::Parameters.put(&mut form, []);
    put_retry(&mut form, &RetryPolicy::default());
    put_flow(&mut form, FlowSettings::default());
    form
}

/// The form of stored settings.
pub(in crate::page) fn of_settings(settings: &Settings) -> Form {
    let mut form = Form::default();
    let request = &settings.request;
    set_all(
        &mut form,
        [
            ("title", settings.title.clone()),
            ("description", settings.description.clone()),
            ("restriction", settings.restriction.clone().unwrap_or_default()),
            ("method", request.method.name().to_owned()),
            ("url", request.url.clone()),
            ("contentType", request.content_type.clone()),
            (fields::BODY, if request.payload.is_some() { "template" } else { "event" }.to_owned()),
            ("payload", request.payload.clone().unwrap_or_default()),
            ("timeoutSeconds", settings.timeout_seconds.to_string()),
        ],
    );
    if settings.enabled {
        form.set("enabled", "on".to_owned());
    }
    put_criteria(&mut form, &settings.criteria);
    Rows::Headers.put(&mut form, request.headers.keys());
    put_auth(&mut form, request.auth.as_ref());
    if let Some(tls) = &request.tls {
        let certificate = tls.client.as_ref().map(|client| client.certificate.clone());
        form.set("clientCertificate", certificate.unwrap_or_default());
        form.set("ca", tls.ca.clone().unwrap_or_default());
    }
    put_retry(&mut form, &settings.retry);
    put_flow(&mut form, settings.flow);
    form
}

fn set_all<const N: usize>(form: &mut Form, fields: [(&str, String); N]) {
    for (name, value) in fields {
        form.set(name, value);
    }
}

fn put_criteria(form: &mut Form, criteria: &Criteria) {
    match criteria {
        Criteria::Events(names) if *names == ["*"] => form.set(fields::CRITERIA, "all".to_owned()),
        Criteria::Events(names) => {
            form.set(fields::CRITERIA, "events".to_owned());
            let (known, other): (Vec<_>, Vec<_>) = names.iter().partition(|name| is_in_catalogue(name));
            form.add_all("event", known.into_iter().cloned());
            form.set("otherEvents", other.into_iter().map(|name| format!("{name}\n")).collect());
        }
        Criteria::Trigger { trigger, fire, .. } => {
            let fire = match fire {
                Fire::OnChange => "on-change",
                Fire::EveryMatch => "every-match",
            };
            set_all(
                form,
                [
                    (fields::CRITERIA, "trigger".to_owned()),
                    ("trigger", trigger.clone()),
                    ("fire", fire.to_owned()),
                ],
            );
        }
        Criteria::Operational(kinds) => {
            form.set(fields::CRITERIA, "operational".to_owned());
            form.add_all("operational", kinds.iter().map(|kind| kind.as_str().to_owned()));
        }
    }
}

fn put_auth(form: &mut Form, auth: Option<&Auth>) {
    match auth {
        None => form.set(fields::AUTH, "none".to_owned()),
        Some(Auth::Basic { username, .. }) => {
            set_all(form, [(fields::AUTH, "basic".to_owned()), ("username", username.clone())]);
        }
        Some(Auth::OAuth2(oauth2)) => {
            let style = match oauth2.style {
                ClientStyle::Basic => "basic",
                ClientStyle::Post => "post",
            };
            set_all(
                form,
                [
                    (fields::AUTH, "oauth2".to_owned()),
                    ("tokenUrl", oauth2.token_url.clone()),
                    ("clientId", oauth2.client_id.clone()),
                    ("scopes", oauth2.scopes.join(" ")),
                    ("style", style.to_owned()),
                ],
            );
        }
    }
    let parameters = auth.and_then(Auth::oauth2).map(|oauth2| &oauth2.parameters);
    Rows::Parameters.put(form, parameters.into_iter().flat_map(|all| all.keys()));
}

fn put_retry(form: &mut Form, policy: &RetryPolicy) {
    match policy {
        RetryPolicy::Delays { delays } => {
            let written: Vec<_> = delays.iter().map(|delay| durations::written(*delay)).collect();
            set_all(form, [(fields::RETRY, "delays".to_owned()), ("delays", written.join(", "))]);
        }
        RetryPolicy::Interval { interval, max_retries } => set_all(
            form,
            [
                (fields::RETRY, "interval".to_owned()),
                ("interval", durations::written(*interval)),
                ("maxRetries", max_retries.to_string()),
            ],
        ),
        RetryPolicy::Exponential { exponential: of } => set_all(
            form,
            [
                (fields::RETRY, "exponential".to_owned()),
                ("base", durations::written(of.base)),
                ("factor", of.factor.to_string()),
                ("cap", durations::written(of.cap)),
                ("exponentialRetries", of.max_retries.to_string()),
                ("jitter", of.jitter.to_string()),
            ],
        ),
    }
}

fn put_flow(form: &mut Form, flow: FlowSettings) {
    let order = match flow.order {
        DeliveryOrder::None => "none",
        DeliveryOrder::Loan => "loan",
    };
    let text = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
    set_all(
        form,
        [
            ("maxInFlight", text(flow.max_in_flight)),
            ("maxPerSecond", flow.max_per_second.map_or_else(String::new, |number| number.to_string())),
            ("order", order.to_owned()),
            ("stepAside", flow.step_aside_after_seconds.map_or_else(String::new, durations::written)),
            ("holdAfterFailures", text(flow.hold_after_failures)),
        ],
    );
}

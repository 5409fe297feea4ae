//! Values of settings as they are compared and shown.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::{Auth, ClientStyle, Criteria, Fire, OAuth2, Settings, Tls};
use super::{Setting, SettingValue};
use crate::model::flow::{DeliveryOrder, FlowSettings};
use crate::model::retry::{Exponential, RetryPolicy};

/// A value: what of it is shown, and for what is hidden what it is compared by.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Lines(&'a str),
    Url(&'a str),
    Hidden(&'a str),
}

impl From<Value<'_>> for SettingValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.into_owned()),
            Value::Lines(text) => Self::Lines(text.to_owned()),
            Value::Url(url) => Self::Url(url.to_owned()),
            Value::Hidden(_) => Self::Hidden,
        }
    }
}

/// The values of a webhook, by setting and name.
type Values<'a> = BTreeMap<(Setting, String), Value<'a>>;

fn set<'a>(values: &mut Values<'a>, setting: Setting, value: Value<'a>) {
    values.insert((setting, String::new()), value);
}

fn set_text<'a>(values: &mut Values<'a>, setting: Setting, text: impl Into<Cow<'a, str>>) {
    set(values, setting, Value::Text(text.into()));
}

fn set_number(values: &mut Values<'_>, setting: Setting, number: Option<impl ToString>) {
    if let Some(number) = number {
        set_text(values, setting, number.to_string());
    }
}

/// All that is set.
pub(super) fn values(settings: &Settings) -> Values<'_> {
    let Settings {
        title,
        description,
        enabled,
        criteria,
        restriction,
        request,
        retry,
        timeout_seconds,
        flow,
        compiled: _,
    } = settings;
    let mut all = Values::new();
    set_text(&mut all, Setting::Title, title);
    if !description.is_empty() {
        set(&mut all, Setting::Description, Value::Lines(description));
    }
    set_text(&mut all, Setting::Enabled, if *enabled { "yes" } else { "no" });
    set_criteria(&mut all, criteria);
    if let Some(formula) = restriction {
        set(&mut all, Setting::Restriction, Value::Lines(formula));
    }
    set_text(&mut all, Setting::Method, request.method.name());
    set(&mut all, Setting::Url, Value::Url(&request.url));
    set_text(&mut all, Setting::ContentType, &request.content_type);
    if let Some(template) = &request.payload {
        set(&mut all, Setting::Payload, Value::Lines(template));
    }
    set_secrets(&mut all, Setting::Header, &request.headers);
    if let Some(auth) = &request.auth {
        set_auth(&mut all, auth);
    }
    if let Some(tls) = &request.tls {
        set_tls(&mut all, tls);
    }
    set_text(&mut all, Setting::Retry, retry_words(retry));
    set_text(&mut all, Setting::Timeout, format!("{timeout_seconds} s"));
    set_flow(&mut all, flow);
    all
}

fn set_criteria<'a>(all: &mut Values<'a>, criteria: &'a Criteria) {
    match criteria {
        Criteria::Events(names) => set_text(all, Setting::Events, names.join(", ")),
        // Since which version it has the trigger is no setting.
        Criteria::Trigger { trigger, fire, since: _ } => {
            set(all, Setting::Trigger, Value::Lines(trigger));
            let fire = match fire {
                Fire::OnChange => "on-change",
                Fire::EveryMatch => "every-match",
            };
            set_text(all, Setting::Fire, fire);
        }
        Criteria::Operational(kinds) => {
            let names: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
            set_text(all, Setting::OperationalEvents, names.join(", "));
        }
    }
}

/// Secrets by name, such as header values.
fn set_secrets<'a>(all: &mut Values<'a>, setting: Setting, secrets: &'a BTreeMap<String, String>) {
    let each = secrets.iter().map(|(name, value)| ((setting, name.clone()), Value::Hidden(value)));
    all.extend(each);
}

fn set_auth<'a>(all: &mut Values<'a>, auth: &'a Auth) {
    match auth {
        Auth::Basic { username, password } => {
            set_text(all, Setting::AuthKind, "basic");
            set_text(all, Setting::Username, username);
            set(all, Setting::Password, Value::Hidden(password));
        }
        Auth::OAuth2(OAuth2 { token_url, client_id, client_secret, scopes, style, parameters }) => {
            set_text(all, Setting::AuthKind, "oauth2");
            set(all, Setting::TokenUrl, Value::Url(token_url));
            set_text(all, Setting::ClientId, client_id);
            set(all, Setting::ClientSecret, Value::Hidden(client_secret));
            if !scopes.is_empty() {
                set_text(all, Setting::TokenScopes, scopes.join(" "));
            }
            let style = match style {
                ClientStyle::Basic => "basic",
                ClientStyle::Post => "post",
            };
            set_text(all, Setting::ClientStyle, style);
            set_secrets(all, Setting::TokenParameter, parameters);
        }
    }
}

fn set_tls<'a>(all: &mut Values<'a>, tls: &'a Tls) {
    if let Some(client) = &tls.client {
        set(all, Setting::ClientCertificate, Value::Hidden(&client.certificate));
        set(all, Setting::ClientKey, Value::Hidden(&client.key));
    }
    if let Some(ca) = &tls.ca {
        set(all, Setting::Authorities, Value::Hidden(ca));
    }
}

fn retry_words(retry: &RetryPolicy) -> String {
    match retry {
        RetryPolicy::Delays { delays } if delays.is_empty() => "none".to_owned(),
        RetryPolicy::Delays { delays } => {
            let delays: Vec<_> = delays.iter().map(|seconds| format!("{seconds} s")).collect();
            format!("after {}", delays.join(", "))
        }
        RetryPolicy::Interval { interval, max_retries } => {
            format!("every {interval} s, at most {max_retries} times")
        }
        RetryPolicy::Exponential { exponential } => {
            let Exponential { base, factor, cap, max_retries, jitter } = exponential;
            format!(
                "after {base} s, each delay {factor} times the one before, at most {cap} s, at most {max_retries} times, jitter {jitter}"
            )
        }
    }
}

fn set_flow(all: &mut Values<'_>, flow: &FlowSettings) {
    let FlowSettings { max_in_flight, max_per_second, order, step_aside_after_seconds, hold_after_failures } =
        flow;
    set_number(all, Setting::MaxInFlight, *max_in_flight);
    set_number(all, Setting::MaxPerSecond, *max_per_second);
    let order = match order {
        DeliveryOrder::None => "none",
        DeliveryOrder::Loan => "loan",
    };
    set_text(all, Setting::Order, order);
    set_number(all, Setting::StepAside, step_aside_after_seconds.map(|seconds| format!("{seconds} s")));
    set_number(all, Setting::HoldAfterFailures, *hold_after_failures);
}

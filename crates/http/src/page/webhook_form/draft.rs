//! The draft of settings that a form makes: the same that the API makes of a body, so that the same rules are asked.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::draft_criteria::criteria;
use super::durations;
use super::faults::Faults;
use super::fields::{AUTH, BODY, RETRY};
use super::rows::Rows;
use super::texts::{optional_text, text};
use crate::page::form::Form;
use loanhook_core::model::destination::HIDDEN;
use loanhook_core::model::flow::{DeliveryOrder, FlowSettings};
use loanhook_core::model::retry::{Exponential, RetryInput};
use loanhook_core::model::subscription::{
    Auth, AuthInput, AuthKind, ClientStyle, DEFAULT_TIMEOUT_SECONDS, Method, RequestInput, Settings,
    SubscriptionInput, Tls, TlsInput,
};

/// What a form makes.
pub(in crate::page) struct Draft {
    /// Where a field could not be read, it has the default there.
    pub(in crate::page) input: SubscriptionInput,
    /// The fields that could not be read.
    pub(in crate::page) faults: Faults,
}

impl Draft {
    /// The settings, if nothing is wrong with them. `stored` are those that the form was made from.
    ///
    /// # Errors
    ///
    /// All that is wrong, each at its field.
    pub(in crate::page) fn check(
        mut self,
        form: &Form,
        stored: Option<&Settings>,
    ) -> Result<Settings, Faults> {
        match self.input.clone().check(stored) {
            Ok(settings) if self.faults.is_empty() => return Ok(settings),
            Ok(_) => {}
            Err(errors) => self.faults.add_found(errors, form, &self.input),
        }
        Err(self.faults)
    }
}

/// Reads a form. `stored` are the settings that it was made from, whose secrets are kept where none is typed.
pub(in crate::page) fn read(form: &Form, stored: Option<&Settings>) -> Draft {
    let mut reader = Reader { form, faults: Faults::default() };
    let input = SubscriptionInput {
        title: form.get("title").to_owned(),
        description: text(form.get("description"), stored.map(|stored| &*stored.description)),
        enabled: form.has("enabled"),
        criteria: criteria(form, stored.map(|stored| &stored.criteria)),
        restriction: optional_text(
            form.get("restriction"),
            stored.and_then(|stored| stored.restriction.as_deref()),
        ),
        request: reader.request(stored),
        retry: reader.retry(),
        timeout_seconds: reader.whole("timeoutSeconds").unwrap_or(DEFAULT_TIMEOUT_SECONDS),
        flow: reader.flow(),
    };
    Draft { input, faults: reader.faults }
}

struct Reader<'a> {
    form: &'a Form,
    faults: Faults,
}

impl Reader<'_> {
    fn request(&mut self, stored: Option<&Settings>) -> RequestInput {
        let form = self.form;
        let stored = stored.map(|stored| &stored.request);
        let method = form.get("method").parse::<Method>();
        if method.is_err() {
            self.faults.add("method", "must be one of those that are offered");
        }
        let payload = stored.and_then(|stored| stored.payload.as_deref());
        RequestInput {
            method: method.unwrap_or(Method::Post),
            url: form.get("url").to_owned(),
            headers: self.named(Rows::Headers),
            content_type: form.get("contentType").to_owned(),
            payload: (form.get(BODY) == "template").then(|| text(form.get("payload"), payload)),
            auth: self.auth(stored.and_then(|stored| stored.auth.as_ref())),
            tls: self.tls(stored.and_then(|stored| stored.tls.as_ref())),
        }
    }

    /// The names and values of rows. Where a value is kept it is the text by which the API keeps it.
    fn named(&mut self, rows: Rows) -> BTreeMap<String, String> {
        let mut named = BTreeMap::new();
        for (index, row) in rows.of(self.form).iter().enumerate() {
            if row.name.is_empty() {
                // One whose name was emptied is removed.
                if !row.value.is_empty() {
                    self.faults.add(rows.name_field(index), "must have a name, as there is a value");
                }
                continue;
            }
            if row.lacks_value() {
                self.faults.add(
                    rows.value_field(index),
                    format!("is stored for “{}”: type it again for the new name", row.kept),
                );
                continue;
            }
            let value = if row.keeps_value() { HIDDEN } else { row.value };
            if named.insert(row.name.to_owned(), value.to_owned()).is_some() {
                self.faults.add(rows.name_field(index), "is there twice");
            }
        }
        named
    }

    fn auth(&mut self, stored: Option<&Auth>) -> Option<AuthInput> {
        let given = |name: &str| Some(self.form.get(name).to_owned());
        let secret = |name: &str, is_stored: bool| {
            let typed = self.form.get(name);
            Some(if typed.is_empty() && is_stored { HIDDEN } else { typed }.to_owned())
        };
        let none = AuthInput {
            kind: AuthKind::Basic,
            username: None,
            password: None,
            token_url: None,
            client_id: None,
            client_secret: None,
            scopes: None,
            style: None,
            parameters: None,
        };
        match self.form.get(AUTH) {
            "basic" => {
                let password = secret("password", matches!(stored, Some(Auth::Basic { .. })));
                Some(AuthInput { username: given("username"), password, ..none })
            }
            "oauth2" => {
                let client_secret = secret("clientSecret", stored.and_then(Auth::oauth2).is_some());
                let is_post = self.form.get("style") == "post";
                Some(AuthInput {
                    kind: AuthKind::OAuth2,
                    token_url: given("tokenUrl"),
                    client_id: given("clientId"),
                    client_secret,
                    scopes: Some(self.form.get("scopes").split_whitespace().map(str::to_owned).collect()),
                    style: Some(if is_post { ClientStyle::Post } else { ClientStyle::Basic }),
                    parameters: Some(self.named(Rows::Parameters)),
                    ..none
                })
            }
            _ => None,
        }
    }

    fn tls(&self, stored: Option<&Tls>) -> Option<TlsInput> {
        let client = stored.and_then(|stored| stored.client.as_ref());
        let certificate =
            optional_text(self.form.get("clientCertificate"), client.map(|client| &*client.certificate));
        let typed = optional_text(self.form.get("clientKey"), client.map(|client| &*client.key));
        let kept = || (certificate.is_some() && client.is_some()).then(|| HIDDEN.to_owned());
        let client_key = typed.or_else(kept);
        let ca = optional_text(self.form.get("ca"), stored.and_then(|stored| stored.ca.as_deref()));
        let is_there = certificate.is_some() || client_key.is_some() || ca.is_some();
        is_there.then_some(TlsInput { client_certificate: certificate, client_key, ca })
    }

    /// The retries; none where something of them could not be read.
    fn retry(&mut self) -> Option<RetryInput> {
        let none = RetryInput::default();
        match self.form.get(RETRY) {
            "interval" => {
                let (interval, retries) = (self.seconds("interval"), self.whole("maxRetries"));
                Some(RetryInput { interval: Some(interval?), max_retries: Some(retries?), ..none })
            }
            "exponential" => {
                let (base, factor) = (self.seconds("base"), self.decimal("factor"));
                let (cap, max_retries) = (self.seconds("cap"), self.whole("exponentialRetries"));
                let jitter = self.decimal("jitter");
                let (base, factor, cap) = (base?, factor?, cap?);
                let exponential =
                    Exponential { base, factor, cap, max_retries: max_retries?, jitter: jitter? };
                Some(RetryInput { exponential: Some(exponential), ..none })
            }
            _ => {
                let texts = self.form.get("delays").split(',').map(str::trim);
                let delays: Result<Vec<_>, _> =
                    texts.filter(|text| !text.is_empty()).map(durations::seconds).collect();
                match delays {
                    Ok(delays) => Some(RetryInput { delays: Some(delays), ..none }),
                    Err(fault) => {
                        self.faults.add("delays", fault);
                        None
                    }
                }
            }
        }
    }

    fn flow(&mut self) -> FlowSettings {
        let order = if self.form.get("order") == "loan" { DeliveryOrder::Loan } else { DeliveryOrder::None };
        let is_set = |name: &str| !self.form.get(name).trim().is_empty();
        let (in_flight, per_second) = (is_set("maxInFlight"), is_set("maxPerSecond"));
        let (step_aside, hold) = (is_set("stepAside"), is_set("holdAfterFailures"));
        FlowSettings {
            max_in_flight: in_flight.then(|| self.whole("maxInFlight")).flatten(),
            max_per_second: per_second.then(|| self.decimal("maxPerSecond")).flatten(),
            order,
            step_aside_after_seconds: step_aside.then(|| self.seconds("stepAside")).flatten(),
            hold_after_failures: hold.then(|| self.whole("holdAfterFailures")).flatten(),
        }
    }

    fn whole<T: FromStr>(&mut self, name: &str) -> Option<T> {
        self.number(name, "a whole number")
    }

    fn decimal<T: FromStr>(&mut self, name: &str) -> Option<T> {
        self.number(name, "a number")
    }

    fn number<T: FromStr>(&mut self, name: &str, kind: &str) -> Option<T> {
        let typed = self.form.get(name).trim();
        let number = typed.parse().ok();
        if number.is_none() {
            let found =
                if typed.is_empty() { "it is empty".to_owned() } else { format!("“{typed}” is none") };
            self.faults.add(name, format!("must be {kind}: {found}"));
        }
        number
    }

    fn seconds(&mut self, name: &str) -> Option<u32> {
        let read = durations::seconds(self.form.get(name));
        read.map_err(|fault| self.faults.add(name, fault)).ok()
    }
}

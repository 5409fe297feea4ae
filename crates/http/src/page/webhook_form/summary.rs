//! The settings of a form in words, for a page that shows them and for a comparison of two. No secret is among them.

use super::field::{Control, Field};
use super::fields::{
    ABOUT, AUTH, AUTH_KINDS, Alternatives, BODY, BODY_KINDS, CRITERIA, CRITERIA_KINDS, FLOW, REQUEST,
    RESTRICTION, RETRY, RETRY_KINDS, TIMEOUT, TLS, label,
};
use super::rows::Rows;
use crate::page::form::Form;
use loanhook_core::model::destination::HIDDEN;
use loanhook_core::model::subscription::{Auth, Settings};

/// The parts that settings are shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Part {
    About,
    SentFor,
    Request,
    RetriesAndFlow,
}

impl Part {
    pub(in crate::page) const ALL: [Self; 4] =
        [Self::About, Self::SentFor, Self::Request, Self::RetriesAndFlow];

    pub(in crate::page) const fn title(self) -> &'static str {
        match self {
            Self::About => "About",
            Self::SentFor => "Sent for",
            Self::Request => "Request",
            Self::RetriesAndFlow => "Retries and flow",
        }
    }
}

/// How a setting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Kind {
    /// Words, names and numbers.
    Words,
    /// A formula or a template.
    Code,
    /// A URL, or the template of one.
    Url,
}

/// One setting. It may hold a secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::page) struct Setting {
    pub(in crate::page) part: Part,
    pub(in crate::page) label: String,
    /// What is shown of it.
    pub(in crate::page) text: String,
    pub(in crate::page) kind: Kind,
    /// What is compared and not shown. None keeps what is stored.
    pub(super) hidden: Option<String>,
}

/// The settings of a form. Where secrets are left empty in it, and `stored` are given, they have those.
pub(in crate::page) fn settings(form: &Form, stored: Option<&Settings>) -> Vec<Setting> {
    let mut list = Summary { form, stored, part: Part::About, settings: Vec::new() };
    list.fields(ABOUT);
    list.part = Part::SentFor;
    list.criteria();
    list.fields(RESTRICTION);
    list.part = Part::Request;
    list.fields(REQUEST);
    list.rows(Rows::Headers);
    list.alternatives(BODY, BODY_KINDS);
    list.alternatives(AUTH, AUTH_KINDS);
    if form.get(AUTH) == "oauth2" {
        list.rows(Rows::Parameters);
    }
    list.fields(TLS);
    list.part = Part::RetriesAndFlow;
    if form.get(RETRY) == "delays" && form.get("delays").trim().is_empty() {
        list.add(label(RETRY), "None", Kind::Words);
    } else {
        list.alternatives(RETRY, RETRY_KINDS);
    }
    list.fields(TIMEOUT);
    list.fields(FLOW);
    list.settings
}

struct Summary<'a> {
    form: &'a Form,
    stored: Option<&'a Settings>,
    part: Part,
    settings: Vec<Setting>,
}

impl Summary<'_> {
    fn add(&mut self, label: impl Into<String>, text: impl Into<String>, kind: Kind) {
        let (part, hidden) = (self.part, Some(String::new()));
        self.settings.push(Setting { part, label: label.into(), text: text.into(), kind, hidden });
    }

    fn add_hidden(&mut self, label: impl Into<String>, text: &str, hidden: Option<String>) {
        let (part, text) = (self.part, text.to_owned());
        self.settings.push(Setting { part, label: label.into(), text, kind: Kind::Words, hidden });
    }

    /// The fields that have a value.
    fn fields(&mut self, fields: &[Field]) {
        for field in fields {
            let value = self.form.get(field.name);
            match field.control {
                Control::Switch => {
                    self.add(field.label, if self.form.has(field.name) { "Yes" } else { "No" }, Kind::Words);
                }
                Control::Choice(choices) => {
                    let chosen = choices.iter().find(|(name, _)| *name == value).or(choices.first());
                    self.add(field.label, chosen.map_or(value, |(_, label)| label), Kind::Words);
                }
                Control::Secret | Control::SecretText(_) => self.secret(field, value),
                // A certificate says nothing to a reader.
                Control::Text(_) if field.pointer.starts_with("/request/tls") => {
                    if !value.trim().is_empty() {
                        self.add_hidden(field.label, "Given", Some(value.replace('\r', "")));
                    }
                }
                Control::Line | Control::Text(_) if value.trim().is_empty() => {}
                Control::Line => {
                    let is_url = matches!(field.pointer, "/request/url" | "/request/auth/tokenUrl");
                    self.add(field.label, value, if is_url { Kind::Url } else { Kind::Words });
                }
                Control::Text(_) => {
                    let kind = if field.name == "description" { Kind::Words } else { Kind::Code };
                    self.add(field.label, value.replace("\r\n", "\n"), kind);
                }
            }
        }
    }

    fn secret(&mut self, field: &Field, typed: &str) {
        let request = self.stored.map(|stored| &stored.request);
        let auth = request.and_then(|request| request.auth.as_ref());
        let stored = match (field.name, auth) {
            ("password", Some(Auth::Basic { password, .. })) => Some(password.clone()),
            ("clientSecret", Some(Auth::OAuth2(oauth2))) => Some(oauth2.client_secret.clone()),
            ("clientKey", _) => {
                let tls = request.and_then(|request| request.tls.as_ref());
                tls.and_then(|tls| tls.client.as_ref()).map(|client| client.key.clone())
            }
            _ => None,
        };
        let has_certificate = !self.form.get("clientCertificate").trim().is_empty();
        match (typed.is_empty(), stored) {
            (false, _) => self.add_hidden(field.label, HIDDEN, Some(typed.replace('\r', ""))),
            (true, Some(stored)) => self.add_hidden(field.label, HIDDEN, Some(stored)),
            (true, None) if field.name == "clientKey" && !has_certificate => {}
            (true, None) => self.add_hidden(field.label, HIDDEN, None),
        }
    }

    fn rows(&mut self, rows: Rows) {
        let request = self.stored.map(|stored| &stored.request);
        let one = match rows {
            Rows::Headers => "Header",
            Rows::Parameters => "Parameter",
        };
        for row in rows.of(self.form).iter().filter(|row| !row.name.is_empty()) {
            let stored = match rows {
                Rows::Headers => request.and_then(|request| request.headers.get(row.name)),
                Rows::Parameters => request
                    .and_then(|request| request.auth.as_ref().and_then(Auth::oauth2))
                    .and_then(|oauth2| oauth2.parameters.get(row.name)),
            };
            let hidden = if row.keeps_value() { stored.cloned() } else { Some(row.value.to_owned()) };
            self.add_hidden(format!("{one} {}", row.name), HIDDEN, hidden);
        }
    }

    fn alternatives(&mut self, name: &str, kinds: Alternatives) {
        let chosen = kinds.iter().find(|(value, ..)| *value == self.form.get(name)).or(kinds.first());
        if let Some((_, text, fields)) = chosen {
            self.add(label(name), *text, Kind::Words);
            self.fields(fields);
        }
    }

    fn criteria(&mut self) {
        self.alternatives(CRITERIA, CRITERIA_KINDS);
        match self.form.get(CRITERIA) {
            "events" => {
                let other = self.form.all("otherEvents").flat_map(str::lines).map(str::trim);
                self.names("event", self.form.all("event").chain(other).collect());
            }
            "operational" => {
                self.names("operational", self.form.all("operational").collect());
            }
            _ => {}
        }
    }

    /// Names of events. Their order means nothing.
    fn names(&mut self, field: &str, mut names: Vec<&str>) {
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        self.add(label(field), names.join("\n"), Kind::Words);
    }
}

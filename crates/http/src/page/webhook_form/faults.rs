//! Faults of a form, each at its field: those that the rules of settings find have the JSON pointer of a setting.

use super::fields::{self, AUTH, RETRY};
use super::rows::Rows;
use super::typed::is_in_catalogue;
use crate::page::form::Form;
use loanhook_core::model::subscription::SubscriptionInput;
use loanhook_core::model::validation::{ValidationErrors, pointer_segment};

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::page) struct Fault {
    /// The name of the field, or of the group of fields.
    pub(in crate::page) field: String,
    pub(in crate::page) detail: String,
}

/// All that is wrong with a form.
#[derive(Debug, Clone, Default)]
pub(in crate::page) struct Faults(pub(in crate::page) Vec<Fault>);

impl Faults {
    /// Faults of these fields, with their details.
    pub(in crate::page) fn of_texts<const N: usize>(faults: [(&str, &str); N]) -> Self {
        let fault =
            |(field, detail): (&str, &str)| Fault { field: field.to_owned(), detail: detail.to_owned() };
        Self(faults.map(fault).into())
    }

    pub(super) fn add(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Fault { field: field.into(), detail: detail.into() });
    }

    /// Adds what the rules of settings found in `input`, which was made of the form. A field that could not be read had a value of
    /// ours there, so it keeps its own fault alone.
    pub(super) fn add_found(&mut self, errors: ValidationErrors, form: &Form, input: &SubscriptionInput) {
        let unread: Vec<_> = self.0.iter().map(|fault| fault.field.clone()).collect();
        for error in errors.0 {
            let (field, about) = place(&error.pointer, form, input);
            if !unread.contains(&field) {
                self.add(field, format!("{about}{}", error.detail));
            }
        }
    }

    pub(in crate::page) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with a field.
    pub(in crate::page) fn of<'a>(&'a self, field: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |fault| fault.field == field).map(|fault| &*fault.detail)
    }
}

/// The field that a setting was read from, and what of it is meant.
fn place(pointer: &str, form: &Form, input: &SubscriptionInput) -> (String, String) {
    let index = || pointer.rsplit('/').next().and_then(|last| last.parse::<usize>().ok());
    let below = |prefix: &str| pointer.strip_prefix(prefix);
    if let Some(field) = fields::all().find(|field| field.pointer == pointer) {
        return (field.name.to_owned(), String::new());
    }
    if below("/criteria/events").is_some() {
        let names = input.criteria.events.as_ref();
        return match index().and_then(|index| names?.get(index)) {
            Some(name) if is_in_catalogue(name) => ("event".to_owned(), format!("“{name}” ")),
            Some(name) => ("otherEvents".to_owned(), format!("“{name}” ")),
            None => ("event".to_owned(), String::new()),
        };
    }
    if below("/criteria/operational").is_some() {
        return ("operational".to_owned(), String::new());
    }
    for (prefix, rows) in
        [("/request/headers", Rows::Headers), ("/request/auth/parameters", Rows::Parameters)]
    {
        let Some(rest) = below(prefix) else { continue };
        let named = |name: &str| rest.strip_prefix('/') == Some(&*pointer_segment(name));
        let row = rows.of(form).iter().position(|row| named(row.name));
        return match row {
            Some(row) => (rows.name_field(row), String::new()),
            None => (rows.prefix().to_owned(), String::new()),
        };
    }
    if below("/request/auth/scopes").is_some() {
        let scopes = input.request.auth.as_ref().and_then(|auth| auth.scopes.as_ref());
        let scope = index().and_then(|index| scopes?.get(index));
        return ("scopes".to_owned(), scope.map_or_else(String::new, |scope| format!("“{scope}” ")));
    }
    if below("/retry/delays").is_some() {
        let about = index().map_or_else(String::new, |index| format!("time {} ", index + 1));
        return ("delays".to_owned(), about);
    }
    let group = match pointer {
        "/request/auth" => AUTH,
        "/request/tls" => "clientCertificate",
        "/retry" => RETRY,
        other => other,
    };
    (group.to_owned(), String::new())
}

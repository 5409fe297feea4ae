//! The form of a webhook: its sections, what is wrong with it, and what it was tried on.

mod conflict;
pub(super) mod field;
mod picker;
mod try_out;

use axum::response::Response;
use maud::{Markup, html};

use self::field::{Shown, id, sentence};
use super::layout;
use super::site_header::{Section, Viewing};
use crate::page::form::AUTHOR_FIELD;
use crate::page::resend::{CSRF_FIELD, ONCE_FIELD, VERSION_FIELD};
use crate::page::tenant_request::{NEW_PATH, TenantRequest, WEBHOOKS_PATH};
use crate::page::webhook_form::fields::{
    ABOUT, AUTH, AUTH_KINDS, BODY, BODY_KINDS, CRITERIA, CRITERIA_KINDS, FLOW, REQUEST, RESTRICTION, RETRY,
    RETRY_KINDS, TIMEOUT, TLS, label,
};
use crate::page::webhook_form::rows::Rows;
use crate::page::webhook_form::{ACTION_FIELD, Faults, ShownForm};
use crate::page::{csrf_token, links};
use loanhook_core::model::subscription::{Auth, Subscription};

pub(in crate::page) fn page(shown: &ShownForm, request: &TenantRequest) -> Response {
    let webhook = shown.webhook.as_deref();
    let heading = if webhook.is_some() { "Change a webhook" } else { "New webhook" };
    let title = if shown.faults.is_empty() { heading.to_owned() } else { format!("Wrong: {heading}") };
    let content = html! {
        header.top {
            div {
                h1 { (heading) }
                @if let Some(webhook) = webhook {
                    p.lead.quiet { bdi { (webhook.settings.title) } ", version " (webhook.version) }
                }
            }
        }
        (summary(&shown.faults, "Something is wrong, and nothing was saved"))
        @if let (Some(differences), Some(webhook)) = (&shown.conflict, webhook) {
            (conflict::show(differences, webhook))
        }
        (form(shown, request))
    };
    let viewing = Viewing { grant: &request.grant, loan: None, section: Some(Section::Webhooks) };
    layout::page_for(&title, &viewing, &content)
}

/// All that is wrong, with links to the fields. It has the focus, so it is read first.
pub(in crate::page::view) fn summary(faults: &Faults, heading: &str) -> Markup {
    html! {
        @if !faults.is_empty() {
            div.notice.bad.faults role="alert" tabindex="-1" autofocus {
                h2 { (heading) }
                ul {
                    @for fault in &faults.0 {
                        @let label = label(&fault.field);
                        li {
                            @if label.is_empty() { (sentence(&fault.detail)) }
                            @else { a href={ "#" (id(&fault.field)) } { (label) ": " (fault.detail) } }
                        }
                    }
                }
            }
        }
    }
}

fn form(shown: &ShownForm, request: &TenantRequest) -> Markup {
    let webhook = shown.webhook.as_deref();
    let is_stored = |name: &str| webhook.is_some_and(|webhook| has_secret(webhook, name));
    let fields = Shown { form: &shown.form, faults: &shown.faults, is_stored: &is_stored };
    let back = webhook.map_or_else(|| WEBHOOKS_PATH.to_owned(), |webhook| links::webhook(webhook.id));
    let tried = shown.tried.as_ref();
    html! {
        // The form of a webhook that was deleted makes a new one.
        form.settings method="post" action=[webhook.is_none().then_some(NEW_PATH)] autocomplete="off" {
            input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&request.grant));
            input type="hidden" name=(AUTHOR_FIELD) value=(csrf_token::author_tag(&request.grant));
            @if let Some(webhook) = webhook {
                @let version = shown.form.get(VERSION_FIELD);
                input type="hidden" name=(VERSION_FIELD)
                    value=(if version.is_empty() { webhook.version.to_string() } else { version.to_owned() });
            } @else {
                input type="hidden" name=(ONCE_FIELD) value=(shown.form.get(ONCE_FIELD));
                // What of a deleted webhook is tried out or searched goes to its own path, where it must have been there.
                @if shown.form.has(VERSION_FIELD) {
                    input type="hidden" name=(VERSION_FIELD) value=(shown.form.get(VERSION_FIELD));
                }
            }
            // The first button is the one that Enter in a field presses. It saves nothing.
            button.unseen type="submit" name=(ACTION_FIELD) value="enter" tabindex="-1" aria-hidden="true" { "Try it out" }
            (section("About", &fields.fields(ABOUT)))
            (section("Which events it is sent for", &html! {
                (fields.alternatives(CRITERIA, CRITERIA_KINDS, &|kind| picker::more(fields, kind, tried)))
                (fields.fields(RESTRICTION))
                (try_out::formula(tried, false))
            }))
            (section("The request", &html! {
                (fields.fields(REQUEST))
                (fields.rows(Rows::Headers, "Values are secrets: what is stored is shown to nobody. A row whose name is empty is left out."))
                div.beside {
                    (fields.alternatives(BODY, BODY_KINDS, &|_| html! {}))
                    (try_out::request(tried))
                }
            }))
            (section("How it says who it is", &html! {
                (fields.alternatives(AUTH, AUTH_KINDS, &|kind| html! {
                    @if kind == "oauth2" {
                        (fields.rows(Rows::Parameters, "Further fields of the request for a token. Values are secrets."))
                    }
                }))
                (fields.fields(TLS))
                p.hint {
                    "Each request is signed (Standard Webhooks). The signing secret is made with the webhook and shown once; "
                    "a new one is made on the page of the webhook."
                }
            }))
            (section("Retries and time", &html! {
                (fields.alternatives(RETRY, RETRY_KINDS, &|_| html! {}))
                (fields.fields(TIMEOUT))
            }))
            (section("Flow", &fields.fields(FLOW)))
            (section("Try it out", &try_out::fields(fields, tried)))
            div.actions.save-settings {
                button.primary type="submit" name=(ACTION_FIELD) value="save" {
                    (if shown.conflict.is_some() { "Save mine over it" } else { "Save" })
                }
                a.button href=(back) { "Cancel" }
            }
        }
    }
}

fn section(title: &str, content: &Markup) -> Markup {
    html! { section.card.group { h2 { (title) } (content) } }
}

/// Whether a webhook has a secret for this field.
fn has_secret(webhook: &Subscription, name: &str) -> bool {
    let request = &webhook.settings.request;
    match name {
        "password" => matches!(request.auth, Some(Auth::Basic { .. })),
        "clientSecret" => request.auth.as_ref().and_then(Auth::oauth2).is_some(),
        "header" => !request.headers.is_empty(),
        "parameter" => {
            request.auth.as_ref().and_then(Auth::oauth2).is_some_and(|oauth2| !oauth2.parameters.is_empty())
        }
        "clientKey" => request.tls.as_ref().is_some_and(|tls| tls.client.is_some()),
        _ => false,
    }
}

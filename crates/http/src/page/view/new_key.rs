//! The form for a new API key, and the page that shows the key once.

use axum::response::Response;
use maud::{Markup, html};

use super::format::{copy_button, time};
use super::key_list::{scopes, viewing};
use super::layout;
use crate::page::form::AUTHOR_FIELD;
use crate::page::key_list::{LAST_DAY, NAME, NewKeyForm, SCOPE};
use crate::page::resend::{CSRF_FIELD, ONCE_FIELD};
use crate::page::tenant_request::{KEYS_PATH, TenantRequest};
use crate::page::{csrf_token, once};
use loanhook_core::model::key::{Key, Scope, SecretKey};
use loanhook_core::model::validation::{MAX_NAME, ValidationErrors};

pub(in crate::page) fn form(of: &NewKeyForm, request: &TenantRequest) -> Response {
    // The notice that says what is wrong with a field.
    let wrong =
        |pointer: &str| of.errors.0.iter().any(|error| error.pointer == pointer).then(|| notice(pointer).0);
    let content = html! {
        header.top { div { p.over { a href=(KEYS_PATH) { "API keys" } } h1 { "Make a key" } } }
        (notices(&of.errors))
        @if let Some(why) = &of.notice { p.notice.bad role="alert" { (why) "." } }
        section.card.of-key {
            form.settings method="post" action=(KEYS_PATH) {
                input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&request.grant));
            input type="hidden" name=(AUTHOR_FIELD) value=(csrf_token::author_tag(&request.grant));
                input type="hidden" name=(ONCE_FIELD) value=(once::token(of.id, &request.grant));
                div.field {
                    label for="k-name" { "Name: who or what uses it" }
                    input #k-name name=(NAME) value=(of.name) maxlength=(MAX_NAME) required autocomplete="off"
                        aria-invalid=[wrong("/name").map(|_| "true")] aria-describedby=[wrong("/name")];
                }
                fieldset.boxes aria-describedby=[wrong("/scopes")] {
                    legend { "Scopes: what it may do" }
                    @for scope in Scope::ALL.into_iter().filter(|scope| request.grant.may_manage(&[*scope])) {
                        label.box {
                            input type="checkbox" name=(SCOPE) value=(scope) checked[of.scopes.contains(&scope)];
                            span { code { (scope) } " " (words(scope)) }
                        }
                    }
                }
                div.field {
                    label for="k-end" { "Its last day in UTC; empty where it does not end by itself" }
                    input #k-end name=(LAST_DAY) type="date" value=(of.last_day)
                        aria-invalid=[wrong("/expiresAt").map(|_| "true")] aria-describedby=[wrong("/expiresAt")];
                }
                div.actions {
                    button.primary type="submit" { "Make the key" }
                    a.button href=(KEYS_PATH) { "Cancel" }
                }
            }
        }
    };
    layout::page_for("Make a key", &viewing(request), &content)
}

/// The ID of the notice of a field, and the label of the field.
fn notice(pointer: &str) -> (&'static str, &'static str) {
    match pointer {
        "/name" => ("e-name", "Name"),
        "/scopes" => ("e-scopes", "Scopes"),
        _ => ("e-end", "Last day"),
    }
}

/// What is wrong, each with an ID that its field names.
fn notices(errors: &ValidationErrors) -> Markup {
    html! {
        @for error in &errors.0 {
            @let (id, label) = notice(&error.pointer);
            p.notice.bad id=(id) role="alert" { strong { (label) } " " (error.detail) "." }
        }
    }
}

/// A scope in words.
const fn words(scope: Scope) -> &'static str {
    match scope {
        Scope::EventsWrite => "posts events",
        Scope::HistoryRead => "reads the history, and signs in to these pages",
        Scope::WebhooksResend => "resends and cancels webhooks",
        Scope::SubscriptionsWrite => "changes webhooks, holds and releases them",
        Scope::PortalWrite => "makes links to the page of a loan",
        Scope::Admin => "makes and revokes the API keys of this tenant",
        Scope::Operator => "makes and revokes the API keys of every tenant",
    }
}

/// The key, once.
pub(in crate::page) fn made(key: &Key, secret: &SecretKey, request: &TenantRequest) -> Response {
    let secret = secret.expose().to_owned();
    let content = html! {
        header.top { div { p.over { a href=(KEYS_PATH) { "API keys" } } h1 { "The key is made" } } }
        div #said role="status" aria-live="polite" {}
        section.card.of-key {
            p.notice.wait { "Keep it now: it is not shown again. loanhook stores only what recognizes it." }
            p.secret { code #new-key { (secret) } " " (copy_button("the key", &secret)) }
            dl.facts {
                div { dt { "Name" } dd { bdi { (key.name) } } }
                div { dt { "Scopes" } dd { (scopes(key)) } }
                div { dt { "Ends" } dd { @match key.expires_at { Some(end) => (time(end)), None => { "not by itself" } } } }
            }
            div.actions { a.button href=(KEYS_PATH) { "All keys" } }
        }
    };
    layout::page_for("The key is made", &viewing(request), &content)
}

//! What can be done with a webhook on its page, each by a form.

use maud::{Markup, html};

use super::format::time;
use super::webhook_form::field::Shown;
use crate::page::form::Form;
use crate::page::resend::{CSRF_FIELD, VERSION_FIELD};
use crate::page::tenant_request::TenantRequest;
use crate::page::webhook_form::field::Control;
use crate::page::webhook_form::{Faults, LOAN_FIELD};
use crate::page::webhook_page::Told;
use crate::page::{csrf_token, links};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;

/// What can be done with a webhook.
pub(super) fn show(webhook: &Subscription, told: &Told, request: &TenantRequest) -> Markup {
    let nothing = (Form::default(), Faults::default());
    let (form, faults) =
        if let Told::WrongTest(form, faults) = told { (form, faults) } else { (&nothing.0, &nothing.1) };
    let fields = Shown { form, faults, is_stored: &|_| false };
    let post = |name: &str| format!("{}/{name}", links::webhook(webhook.id));
    let csrf =
        html! { input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&request.grant)); };
    html! {
        section.card.group {
            h2 { "Send a test" }
            form.inline method="post" action=(post("test")) {
                (csrf)
                @if webhook.is_operational() {
                    p { "A sample of an operational event is sent." }
                } @else {
                    (fields.one(LOAN_FIELD, "Loan", "The test is shown among its webhooks, marked as a test.", Control::Line))
                }
                button type="submit" { "Send a test" }
            }
        }
        section.card.group {
            h2 { "Connection" }
            form.inline method="post" action=(post("check")) {
                (csrf)
                p { "Goes the way of a request up to a secured connection, and fetches a token where the webhook has OAuth. Nothing is sent." }
                button type="submit" { "Check the connection" }
            }
        }
        section.card.group {
            h2 { "Signing secret" }
            @if let Some(previous) = webhook.secrets.previous.as_ref().filter(|previous| previous.until > Timestamp::now()) {
                p { "Requests are signed with two secrets until " (time(previous.until)) "." }
            }
            details.hold {
                summary { "Make a new secret" }
                form.confirm method="post" action=(post("rotate-secret")) {
                    (csrf)
                    input type="hidden" name=(VERSION_FIELD) value=(webhook.version);
                    p { "The new one is shown once. The one that it has now signs too for 24 hours; one from an earlier rotation ends at once." }
                    button.primary type="submit" { "Make it" }
                }
            }
        }
        section.card.group {
            h2 { "Delete" }
            p { a.button href=(post("delete")) { "Delete this webhook" } }
        }
    }
}

//! The forms of a resend, each with one question to confirm it: to the address that the delivery was first sent to, and to
//! the one that the webhook has now, where that is another.

use maud::{Markup, html};
use uuid::Uuid;

use super::format::time;
use crate::page::attempt_details::{AttemptDetails, CurrentUrl};
use crate::page::csrf_token;
use crate::page::page_parameters::PageParameters;
use crate::page::page_request::PageRequest;
use crate::page::resend::{CSRF_FIELD, ONCE_FIELD, TO_CURRENT, TO_FIELD, VERSION_FIELD};
use loanhook_core::model::failure::ErrorKind;

pub(super) fn show(
    details: &AttemptDetails,
    request: &PageRequest,
    parameters: &PageParameters,
    href: &str,
) -> Markup {
    let attempt = &details.row.attempt;
    let error = attempt.completion().and_then(|completion| completion.error());
    if error.is_some_and(|error| error.kind == ErrorKind::Template) {
        return html! { p.quiet { "There is nothing to resend: the request could not be made for this event." } };
    }
    if !request.may_resend() {
        return html! { p.quiet { "You may look at this loan's webhooks, but not resend them." } };
    }
    let action = format!("{href}/resend{}", parameters.first_page().query());
    html! {
        details.resend {
            summary.button.primary { "Resend" }
            div.confirm {
                p {
                    strong {
                        "Send exactly what was sent on " (time(attempt.sent_at))
                        ", again to " bdi.break { (request.url(&details.original_url)) } "?"
                    }
                }
                p.quiet { "The receiver gets the same bytes once more. Automatic retries go on as scheduled." }
                (form(request, &action, &html! {}))
            }
        }
        @if let Some(CurrentUrl { url, version }) = &details.current {
            details.resend.to-current {
                summary.button { "Send to the webhook's current address" }
                div.confirm {
                    p {
                        strong {
                            "Send what was sent on " (time(attempt.sent_at))
                            " to the webhook's current address, " bdi.break { (request.url(url)) } "?"
                        }
                    }
                    p.quiet {
                        "The address was changed after this was first sent. The receiver there gets the same bytes. "
                        "Automatic retries go on as scheduled, to the address before."
                    }
                    (form(request, &action, &html! {
                        input type="hidden" name=(TO_FIELD) value=(TO_CURRENT);
                        input type="hidden" name=(VERSION_FIELD) value=(version);
                    }))
                }
            }
        }
    }
}

/// A form that queues one resend, with these fields beside.
fn form(request: &PageRequest, action: &str, fields: &Markup) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&request.grant));
            input type="hidden" name=(ONCE_FIELD) value=(Uuid::new_v4());
            (fields)
            button.primary type="submit" { "Send again" }
        }
    }
}

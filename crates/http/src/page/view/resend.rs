//! The form of a resend, with one question to confirm it.

use maud::{Markup, html};
use uuid::Uuid;

use super::format::time;
use crate::page::attempt_details::AttemptDetails;
use crate::page::csrf_token;
use crate::page::page_parameters::PageParameters;
use crate::page::page_request::PageRequest;
use crate::page::resend::{CSRF_FIELD, ONCE_FIELD};
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
    let back = parameters.first_page().query();
    html! {
        details.resend {
            summary.button.primary { "Resend" }
            div.confirm {
                p {
                    strong {
                        "Send exactly what was sent on " (time(attempt.sent_at))
                        ", again to " bdi.break { (request.destination(attempt)) } "?"
                    }
                }
                p.quiet { "The receiver gets the same bytes once more. Automatic retries go on as scheduled." }
                form method="post" action={ (href) "/resend" (back) } {
                    input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&request.grant));
                    input type="hidden" name=(ONCE_FIELD) value=(Uuid::new_v4());
                    button.primary type="submit" { "Send again" }
                }
            }
        }
    }
}

//! The try-out of a form: what to try it on, what it decides beneath the formulas, and the request beside the template.

use maud::{Markup, html};

use super::field::{Shown, id};
use crate::page::view::format::plain_time;
use crate::page::view::verdicts::with_code;
use crate::page::webhook_form::field::Control;
use crate::page::webhook_form::{
    ACTION_FIELD, CONTEXT_FIELD, EVENT_FIELD, LOAN_FIELD, SAMPLE, SHOWN_LOAN_FIELD, TryOut,
};
use crate::web::verdict_words;
use loanhook_core::model::destination::HIDDEN;
use loanhook_core::model::ledger::DecisionKind;
use loanhook_core::trial::{Trial, TrialRequest};

/// The longest part of a body that is shown.
const MAX_SHOWN_BODY: usize = 16 * 1024;

/// The fields of a try-out, and in a sentence what came of it.
pub(super) fn fields(fields: Shown<'_>, tried: Option<&TryOut>) -> Markup {
    html! {
        p.hint { "Nothing is saved and nothing is sent." }
        (fields.one(LOAN_FIELD, "Loan", "Its newest event is tried, and you can choose another. Without a loan: the sample variables.", Control::Line))
        @if let Some(tried) = tried.filter(|tried| !tried.events.is_empty()) {
            input type="hidden" name=(SHOWN_LOAN_FIELD) value=(fields.form.get(LOAN_FIELD).trim());
            div.form-field {
                label for=(id(EVENT_FIELD)) { "Event" }
                select id=(id(EVENT_FIELD)) name=(EVENT_FIELD) {
                    @for event in &tried.events {
                        option value=(event.id) selected[tried.event.as_ref().is_some_and(|of| of.id == event.id)] {
                            (event.name) ", " (plain_time(event.accepted_at))
                        }
                    }
                    option value=(SAMPLE) selected[tried.event.is_none()] { "The sample variables" }
                }
            }
        }
        details.sample open[tried.is_some_and(|tried| tried.sample.is_some()) || fields.faults.of(CONTEXT_FIELD).next().is_some()] {
            summary { "Sample variables" }
            (fields.one(CONTEXT_FIELD, "Variables as JSON", "Empty: those that the catalogue has of the event.", Control::Text(8)))
        }
        div.actions {
            button type="submit" name=(ACTION_FIELD) value="try" formaction="#tried" { "Try it out" }
        }
        div #tried tabindex="-1" autofocus[tried.is_some() && fields.faults.is_empty()] {
            @if let Some(tried) = tried { (outcome(tried)) }
        }
    }
}

fn outcome(tried: &TryOut) -> Markup {
    html! {
        @if let Some(notice) = tried.notice { p.notice.wait { (notice) } }
        @if let Some(trial) = &tried.trial {
            @let words = trial.verdict.map_or("is for events of other names", verdict_words::words);
            @let of = if tried.event.is_some() { "At the event " } else { "At a sample of " };
            @let class = match (&trial.request, trial.verdict) {
                (Err(_), _) => "bad",
                (Ok(_), Some(DecisionKind::Delivered)) => "ok",
                (Ok(_), _) => "wait",
            };
            p.notice.(class) role="status" {
                (of) "“" bdi { (tried.event_name) } "” this webhook "
                // The words are of what was.
                (match words { "fired" => "fires", other => other }) "."
                @match &trial.request {
                    Ok(_) => { " Its request is shown beside the template." }
                    Err(reason) => { " Its request does not render: " bdi { (reason) } "." }
                }
            }
        }
    }
}

/// Why a formula is true or false, with the value of each of its parts: of the trigger, or of the restriction.
pub(super) fn formula(tried: Option<&TryOut>, is_trigger: bool) -> Markup {
    let explanation = tried.and_then(|tried| tried.trial.as_ref()).map(|trial| &trial.explanation);
    let formula =
        explanation.and_then(|of| if is_trigger { of.trigger.as_ref() } else { of.restriction.as_ref() });
    let name = if is_trigger { "trigger" } else { "restriction" };
    html! {
        @if let Some(formula) = formula {
            div.tried {
                p { (with_code(&formula.reason)) }
                pre tabindex="0" role="region" aria-label={ "The " (name) " with its values" } dir="ltr" { (formula.text(name)) }
            }
        }
    }
}

/// The request that was rendered.
pub(super) fn request(tried: Option<&TryOut>) -> Markup {
    html! {
        @if let Some((tried, Trial { request, .. })) = tried.and_then(|tried| Some((tried, tried.trial.as_ref()?))) {
            div.tried #tried-request {
                h3 { "The request of the try-out" }
                @match request {
                    Ok(request) => (rendered(request, &tried.kept_headers)),
                    Err(reason) => p.notice.bad { bdi { (reason) } },
                }
            }
        }
    }
}

fn rendered(request: &TrialRequest, kept: &[String]) -> Markup {
    let TrialRequest { method, url, headers, content_type, body } = request;
    let is_cut = body.len() > MAX_SHOWN_BODY;
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_SHOWN_BODY)]);
    html! {
        pre tabindex="0" role="region" aria-label="The rendered request" dir="ltr" {
            (method.name()) " " (url) "\n"
            @if let Some(content_type) = content_type { "content-type: " (content_type) "\n" }
            @for (name, value) in headers {
                @let shown = value.as_deref().filter(|_| !kept.iter().any(|kept| kept.eq_ignore_ascii_case(name)));
                (name) ": " (shown.unwrap_or(HIDDEN)) "\n"
            }
            "\n" (text)
            @if is_cut { "\n…" }
        }
        p.hint { "Beside these it has the headers of loanhook: webhook-id, webhook-signature and others." }
    }
}

//! Verdicts of an event in words: what each webhook did, and why, where the event is open.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::format::waiting;
use crate::page::open_event::OpenEvent;
use crate::page::page_parameters::PageParameters;
use crate::page::page_request::PageRequest;
use crate::web::verdict_words;
use loanhook_core::explain::{Explanation, FormulaExplanation};
use loanhook_core::ledger::EventWithStatuses;
use loanhook_core::model::flow::Waiting;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::ledger::{DecisionKind, Verdict};
use loanhook_core::model::progress::Status;

/// One verdict; of an open event with its reason and formulas.
pub(super) fn show(
    verdict: &Verdict,
    (found, waiting): (&EventWithStatuses, &BTreeMap<TraceId, Waiting>),
    open: Option<&OpenEvent>,
    request: &PageRequest,
) -> Markup {
    let kind = verdict.decision.kind();
    let explained = open.and_then(|open| open.explained.get(&verdict.subscription_id));
    let explanation = explained.map(|explained| &explained.explanation);
    html! {
        li {
            span.verdict {
                bdi.title { (verdict.title) } ": "
                @match verdict.decision.trace() {
                    Some(trace) => (fired(trace, found, waiting.get(&trace), request)),
                    None => (did_not_fire(kind, explanation)),
                }
            }
            @if let Some(explanation) = explanation {
                @if kind == DecisionKind::Delivered {
                    @for formula in [&explanation.trigger, &explanation.restriction].into_iter().flatten() {
                        p.reason { (with_code(&formula.reason)) }
                    }
                }
                @let text = explanation.text();
                @if !text.is_empty() {
                    details {
                        summary { "Formula with its values" span.unseen { " of " (verdict.title) } }
                        // It scrolls, so it must be reachable by keyboard.
                        pre tabindex="0" role="region" aria-label={ "Formula of " (verdict.title) } dir="ltr" { (text) }
                    }
                }
            }
        }
    }
}

/// That a webhook fired, what became of it, and a link to it.
fn fired(
    trace: TraceId,
    found: &EventWithStatuses,
    waits: Option<&Waiting>,
    request: &PageRequest,
) -> Markup {
    let (class, words) = match found.statuses.get(&trace) {
        Some(Status::Succeeded) => ("ok", "delivered"),
        Some(Status::Failed) => ("bad", "failed"),
        Some(Status::Canceled) => ("bad", "canceled"),
        Some(Status::Pending) => ("wait", "pending"),
        None => ("wait", "not stored yet"),
    };
    let query = PageParameters::read(None).with("traceId", &trace).query();
    html! {
        "fired, " span class={ "came " (class) } {
            @if let Some(waits) = waits { (waiting(*waits)) } @else { (words) }
        } ". "
        a href={ (request.path()) (query) } { "Show the webhook" }
    }
}

/// That a webhook did not fire, and why: with the values, where they are known.
fn did_not_fire(kind: DecisionKind, explanation: Option<&Explanation>) -> Markup {
    let trigger = explanation.and_then(|explanation| explanation.trigger.as_ref());
    let restriction = explanation.and_then(|explanation| explanation.restriction.as_ref());
    let failed = || [trigger, restriction].into_iter().flatten().find(|formula| formula.result.is_err());
    let words = verdict_words::words(kind);
    let with_reason = |words: &str, formula: Option<&FormulaExplanation>| match formula {
        Some(formula) => html! { (words) ": " (with_code(&formula.reason)) },
        None => html! { (verdict_words::words(kind)) },
    };
    match kind {
        DecisionKind::TriggerFalse => with_reason("did not fire", trigger),
        DecisionKind::RestrictionFalse => with_reason(words, restriction),
        DecisionKind::AlreadyTrue => with_reason(words, trigger),
        DecisionKind::FormulaError => with_reason(words, failed()),
        DecisionKind::Disabled | DecisionKind::Delivered => html! { (words) },
    }
}

/// A sentence in which formulas are between backquotes.
pub(super) fn with_code(sentence: &str) -> Markup {
    html! {
        @for (index, part) in sentence.split('`').enumerate() {
            @if index % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

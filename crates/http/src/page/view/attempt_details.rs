//! What an open row shows.

use std::fmt::Display;

use maud::{Markup, html};

use super::format::{copy, response_time, time};
use super::{payload, resend, timeline};
use crate::page::attempt_details::Details;
use crate::page::page_parameters::Asked;
use crate::page::page_request::Visit;
use loanhook_core::model::attempt::{Attempt, Outcome};
use loanhook_core::model::failure::Phase;

/// How many resends are named.
const SHOWN: usize = 5;

pub(in crate::page) fn show(details: &Details, visit: &Visit, asked: &Asked) -> Markup {
    let attempt = &details.row.attempt;
    let completion = attempt.completion();
    let answer = completion.and_then(|completion| completion.response.as_ref());
    let ip = completion.and_then(|completion| completion.source_ip);
    let time_taken = completion.and_then(|completion| completion.response_time_ms).map(response_time);
    let href = format!("{}/{}", visit.path(), attempt.id);
    let source = payload::Shown {
        title: "Source payload",
        what: "What was sent",
        preview: &details.source,
        href: format!("{href}/source"),
        bytes: attempt.source.bytes,
        content_type: attempt.content_type.as_deref(),
    };
    let response = answer.zip(details.response.as_ref()).map(|(answer, preview)| payload::Shown {
        title: "Response payload",
        what: "What came back",
        preview,
        href: format!("{href}/response"),
        bytes: answer.payload.bytes,
        content_type: answer.content_type.as_deref(),
    });
    let story = format!("{}{}", visit.path(), asked.story(&attempt.trace_id).query());
    html! {
        div.open-row {
            @if let Some(error) = completion.and_then(|completion| completion.error()) {
                p.notice.bad { (error.detail) }
                @if let Some(phase) = error.phase {
                    p.quiet { "It failed while " (doing(phase)) "." }
                }
            }
            (timeline::show(details, &story))
            dl.facts {
                (fact("Destination", &html! { bdi.break { (visit.destination(attempt)) } }))
                (fact("IP address it was sent from", &or_none(ip, "Not known")))
                (fact("Response time", &or_none(time_taken, "None: there was no whole answer")))
                (fact("Sent", &time(attempt.sent_at)))
                (fact("Event", &html! { bdi { (attempt.event_name) } }))
                @if attempt.test {
                    (fact("Test", &html! { "Sent to try the webhook out: no event of this loan" }))
                }
                (fact("ID", &id("ID", &attempt.id)))
                (fact("Trace ID", &id("trace ID", &attempt.trace_id)))
                (fact("Next automatic attempt", &next(details)))
                (fact("Manually retried", &retried(details)))
                @if let Some(by) = &attempt.requested_by {
                    (fact("Resend asked for by", &html! { bdi { (by) } }))
                }
            }
            (resend::show(details, visit, asked, &href))
            div.payloads {
                (payload::show(&source))
                @match &response {
                    Some(response) => (payload::show(response)),
                    None => section.payload { h2 { "Response payload" } p.quiet { (no_answer(attempt)) } },
                }
            }
            @if let Some(answer) = answer {
                section.headers {
                    h2 { "Response headers" }
                    @if answer.truncated {
                        p.notice.wait {
                            "The response is not whole: it broke off, or was longer than the 1 MiB that is kept."
                        }
                    }
                    @if answer.headers.is_empty() { p.quiet { "None." } }
                    dl {
                        @for (name, value) in &answer.headers { dt { (name) } dd { bdi.break { (value) } } }
                    }
                    @if answer.headers_dropped > 0 {
                        p.quiet { "Header lines that could not be read and were left out: " (answer.headers_dropped) "." }
                    }
                    @if answer.headers_truncated { p.quiet { "There were more than the 16 KiB that are kept." } }
                }
            }
        }
    }
}

/// What was being done in a phase.
fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "the request was prepared; nothing was sent",
        Phase::Resolve => "the host's name was looked up; nothing was sent",
        Phase::Connect => "the connection was made; nothing was sent",
        Phase::Tls => "the connection was secured; nothing was sent",
        Phase::Send => "the request was sent",
        Phase::Wait => "the answer was waited for",
        Phase::Read => "the answer was read",
    }
}

fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn or_none(value: Option<impl Display>, none: &str) -> Markup {
    html! { @if let Some(value) = value { (value.to_string()) } @else { span.quiet { (none) } } }
}

/// An ID in full.
fn id(what: &str, id: &impl ToString) -> Markup {
    html! { span.id { code.break { (id.to_string()) } (copy(what, id)) } }
}

fn no_answer(attempt: &Attempt) -> &'static str {
    match attempt.outcome() {
        Outcome::Queued | Outcome::Sending => "Nothing has come back yet.",
        Outcome::Succeeded | Outcome::Failed => "Nothing came back.",
    }
}

/// When the delivery is tried again, as things stand now.
fn next(details: &Details) -> Markup {
    match details.next {
        Some(next) => time(next),
        None => html! { span.quiet { "None is scheduled" } },
    }
}

/// Whether the delivery was manually resent, and by whom.
fn retried(details: &Details) -> Markup {
    let manual = details.attempts.iter().rev().filter(|attempt| attempt.is_manual());
    let shown: Vec<_> = manual.take(SHOWN).collect();
    let before = (details.resends as usize).saturating_sub(shown.len());
    html! {
        @if shown.is_empty() && before == 0 { span.quiet { "No" } } @else {
            ul.plain {
                @for attempt in &shown {
                    li {
                        "by " bdi { (attempt.requested_by.as_deref().unwrap_or("an unknown caller")) }
                        ", " (time(attempt.sent_at))
                    }
                }
                @if before > 0 { li.quiet { @if !shown.is_empty() { "and " } @if before == 1 { "once" } @else { (before) " times" } " before" } }
            }
        }
    }
}

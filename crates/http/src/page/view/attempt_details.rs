//! The details under an open row: error, timeline, facts, resend form, payloads and response headers.

use std::fmt::Display;

use maud::{Markup, html};

use super::format::{copy_button, response_time, time, waiting};
use super::{payload, resend, timeline};
use crate::page::attempt_details::AttemptDetails;
use crate::page::page_parameters::PageParameters;
use crate::page::page_request::PageRequest;
use crate::page::used_credentials::UsedCredentials;
use loanhook_core::model::attempt::{Attempt, Outcome};
use loanhook_core::model::failure::Phase;

/// How many resends are listed by themselves.
const MAX_RESENDS_NAMED: usize = 5;

pub(in crate::page) fn show(
    details: &AttemptDetails,
    request: &PageRequest,
    parameters: &PageParameters,
) -> Markup {
    let attempt = &details.row.attempt;
    let completion = attempt.completion();
    let received = completion.and_then(|completion| completion.response.as_ref());
    let ip = completion.and_then(|completion| completion.source_ip);
    let time_taken = completion.and_then(|completion| completion.response_time_ms).map(response_time);
    let href = format!("{}/{}", request.path(), attempt.id);
    let source = payload::PayloadSection {
        title: "Source payload",
        label: "What was sent",
        preview: &details.source,
        href: format!("{href}/source"),
        bytes: attempt.source.bytes,
        content_type: attempt.content_type.as_deref(),
    };
    let response =
        received.zip(details.response.as_ref()).map(|(received, preview)| payload::PayloadSection {
            title: "Response payload",
            label: "What came back",
            preview,
            href: format!("{href}/response"),
            bytes: received.payload.bytes,
            content_type: received.content_type.as_deref(),
        });
    let delivery_href = format!("{}{}", request.path(), parameters.for_delivery(&attempt.trace_id).query());
    html! {
        div.open-row {
            @if let Some(error) = completion.and_then(|completion| completion.error()) {
                p.notice.bad { (error.detail) }
                @if let Some(phase) = error.phase {
                    p.quiet { "It failed while " (phase_text(phase)) "." }
                }
            }
            (timeline::show(details, &delivery_href))
            dl.facts {
                (fact("Destination", &html! { bdi.break { (request.destination(attempt)) } }))
                @if let Some(used) = &details.credentials {
                    (fact("Credentials", &credentials(used)))
                    @if !used.authentication.is_empty() {
                        (fact("Authentication", &authentication(used)))
                    }
                }
                (fact("IP address it was sent from", &or_none(ip, "Not known")))
                (fact("Response time", &or_none(time_taken, "None: there was no whole answer")))
                (fact("Sent", &time(attempt.sent_at)))
                (fact("Event", &html! { a href=(request.event_href(&details.event_id)) { bdi { (attempt.event_name) } } }))
                @if attempt.test {
                    (fact("Test", &html! { "Sent to try the webhook out: no event of this loan" }))
                }
                (fact("ID", &id("ID", &attempt.id)))
                (fact("Trace ID", &id("trace ID", &attempt.trace_id)))
                (fact("Next automatic attempt", &next_attempt(details)))
                (fact("Manually retried", &resends(details)))
                @if let Some(by) = &attempt.requested_by {
                    (fact("Resend asked for by", &html! { bdi { (by) } }))
                }
            }
            (resend::show(details, request, parameters, &href))
            div.payloads {
                (payload::show(&source))
                @match &response {
                    Some(response) => (payload::show(response)),
                    None => section.payload { h2 { "Response payload" } p.quiet { (no_response(attempt)) } },
                }
            }
            @if let Some(received) = received {
                section.headers {
                    h2 { "Response headers" }
                    @if received.truncated {
                        p.notice.wait {
                            "The response is not whole: it broke off, or was longer than the 1 MiB that is kept."
                        }
                    }
                    @if received.headers.is_empty() { p.quiet { "None." } }
                    dl {
                        @for (name, value) in &received.headers { dt { (name) } dd { bdi.break { (value) } } }
                    }
                    @if received.headers_dropped > 0 {
                        p.quiet { "Header lines that could not be read and were left out: " (received.headers_dropped) "." }
                    }
                    @if received.headers_truncated { p.quiet { "There were more than the 16 KiB that are kept." } }
                }
            }
        }
    }
}

/// What was being done in a phase, and whether anything was sent.
fn phase_text(phase: Phase) -> &'static str {
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

/// Which headers of its settings a request had beside its signature, and which version of the webhook gave them.
fn credentials(used: &UsedCredentials) -> Markup {
    let version = used.version;
    html! {
        @match &used.headers {
            Some(names) if names.is_empty() => {
                "No header but the signature (version " (version) " of the webhook)"
            }
            Some(names) => { (names.join(", ")) " (version " (version) " of the webhook)" }
            None => { "Version " (version) " of the webhook, which is not kept any more" }
        }
    }
}

/// The kinds of authentication, and no value of them.
fn authentication(used: &UsedCredentials) -> Markup {
    html! {
        (used.authentication.join(", "))
        @if let Some(ends) = used.certificate_ends { ", which ends at " (time(ends)) }
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
    html! { span.id { code.break { (id.to_string()) } (copy_button(what, id)) } }
}

fn no_response(attempt: &Attempt) -> &'static str {
    match attempt.outcome() {
        Outcome::Queued | Outcome::Sending => "Nothing has come back yet.",
        Outcome::Succeeded | Outcome::Failed => "Nothing came back.",
    }
}

/// The time of the next automatic attempt of the delivery.
fn next_attempt(details: &AttemptDetails) -> Markup {
    match (details.waiting, details.next_due) {
        (Some(waits), _) => waiting(waits),
        (None, Some(next)) => time(next),
        (None, None) => html! { span.quiet { "None is scheduled" } },
    }
}

/// The resends of the delivery, and who asked for them.
fn resends(details: &AttemptDetails) -> Markup {
    let manual = details.attempts.iter().rev().filter(|attempt| attempt.is_manual());
    let shown: Vec<_> = manual.take(MAX_RESENDS_NAMED).collect();
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

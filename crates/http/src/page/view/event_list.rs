//! The page of a loan's events: the header, the filters, each event with its verdicts, and links to older and newer ones.

use axum::response::Response;
use maud::{Markup, html};

use super::format::{copy_button, time};
use super::layout::label;
use super::loan_header::{self, Tab};
use super::payload::PayloadSection;
use super::{filters, layout, payload, verdicts};
use crate::page::event_list::EventList;
use crate::page::open_event::OpenEvent;
use crate::page::page_parameters::{BEFORE, OPEN};
use crate::page::page_request::PageRequest;
use loanhook_core::ledger::EventWithStatuses;
use loanhook_core::model::ledger::EventResult;

pub(in crate::page) fn page(list: &EventList, request: &PageRequest) -> Response {
    let path = request.events_path();
    let content = html! {
        (loan_header::show(Tab::Events, request))
        div #said role="status" aria-live="polite" {}
        @for error in &list.checked.errors.0 {
            p.notice.bad role="alert" {
                strong { (filters::parameter_label(&error.pointer)) } " " (error.detail) "."
            }
        }
        @if list.alone {
            p.alone { a.button href=(path) { "Show all events" } }
        } @else {
            (filters::of_events(list, &path))
        }
        @if list.page.events.is_empty() {
            (empty_list(list, &path))
        } @else {
            ol.events {
                @for found in &list.page.events {
                    (event(found, list, request))
                }
            }
        }
        (page_links(list, &path))
    };
    layout::page_for(&format!("Events of loan {}", request.loan), &request.viewing(), &content)
}

/// One event; the open one has more.
fn event(found: &EventWithStatuses, list: &EventList, request: &PageRequest) -> Markup {
    let event = &found.event;
    let opened = list.open.as_ref().filter(|_| list.checked.open == Some(event.id));
    let parameters = list.parameters.without(&[OPEN]);
    let parameters = if opened.is_some() { parameters } else { parameters.with(OPEN, &event.id) };
    html! {
        li.card.event id={ "e-" (event.id) } {
            div.event-head {
                h2 { @if event.test { span.test { "test" } " " } bdi { (event.name) } }
                (result(found.result()))
                span.quiet { (time(event.accepted_at)) }
                a.button href={ (request.events_path()) (parameters.query()) "#e-" (event.id) }
                    aria-label={ @if opened.is_some() { "Close " } @else { "Why: " } (event.name) } {
                    @if opened.is_some() { "Close" } @else { "Why?" }
                }
            }
            @if event.verdicts.is_empty() {
                p.quiet { "No webhook asks for events of this name." }
            } @else {
                ul.verdicts {
                    @for verdict in &event.verdicts {
                        (verdicts::show(verdict, (found, &list.waiting), opened, request))
                    }
                }
            }
            @if let Some(open) = opened { (details(found, open, request)) }
        }
    }
}

/// What became of an event.
fn result(result: EventResult) -> Markup {
    let (class, name, text) = match result {
        EventResult::Unmatched => ("none", "no", "No webhook"),
        EventResult::Failed => ("bad", "no", "Failed"),
        EventResult::Pending => ("wait", "wait", "Pending"),
        EventResult::Delivered => ("ok", "yes", "Delivered"),
    };
    label(class, name, text)
}

fn details(found: &EventWithStatuses, open: &OpenEvent, request: &PageRequest) -> Markup {
    let event = &found.event;
    let context = PayloadSection {
        title: "Context",
        label: "The loan's variables at this event",
        preview: &open.context,
        href: format!("{}/{}/context", request.events_path(), event.id),
        bytes: event.context.bytes.into(),
        content_type: None,
    };
    html! {
        @if open.is_cut { p.quiet { "There are so many webhooks that only some are explained." } }
        dl.facts {
            div { dt { "Event ID" } dd { span.id { code.break { (event.id) } (copy_button("event ID", &event.id)) } } }
            @if let Some(occurred_at) = &event.occurred_at {
                div { dt { "Occurred" } dd { bdi { (occurred_at) } } }
            }
            @if event.test {
                div { dt { "Test" } dd { "Sent to try a webhook out: no event of this loan" } }
            }
        }
        (payload::show(&context))
    }
}

/// The text in place of the list, where there is no event.
fn empty_list(list: &EventList, path: &str) -> Markup {
    let filtered = list.parameters.filters().next().is_some();
    let wrong = !list.checked.errors.0.is_empty();
    let (title, text) = match (&list.page.next, filtered, list.checked.before) {
        _ if wrong => ("Nothing was searched", "Correct the filters above."),
        _ if list.alone => (
            "There is no such event of this loan",
            "Events are kept as long as webhooks are. Those that came before loanhook kept events are not here.",
        ),
        (Some(_), ..) => ("No match yet", "None of the 5,000 events looked at matches. Older ones may."),
        (None, true, Some(_)) => ("No older match", "All older events of this loan were searched."),
        (None, true, None) => {
            ("No event matches these filters", "Change a filter, or show all events of this loan.")
        }
        (None, false, Some(_)) => ("Nothing older", "These were all the events of this loan."),
        (None, false, None) => (
            "No event of this loan came yet",
            "Each event that the servicing system sends for this loan shows here, with what each webhook made of it.",
        ),
    };
    html! {
        section.card.empty {
            h2 { (title) }
            p.quiet { (text) }
            @if (filtered || wrong) && !list.alone { p { a.button href=(path) { "Show all events" } } }
        }
    }
}

fn page_links(list: &EventList, path: &str) -> Markup {
    // A filtered page that is not full and has a next one ended at the limit of events that are read.
    let early = list.page.next.is_some() && list.page.events.len() < list.checked.limit;
    let first = list.parameters.first_page();
    let later = list.checked.before.is_some() && !list.alone;
    html! {
        @if early && !list.page.events.is_empty() {
            p.quiet.early { "No further match among the events looked at so far. Older ones may match." }
        }
        @if list.page.next.is_some() || later {
            nav.pages aria-label="Pages" {
                @if later { a.button href={ (path) (first.query()) } { "Newest" } }
                @if let Some(next) = list.page.next {
                    a.button rel="next" href={ (path) (first.with(BEFORE, &next).query()) } {
                        @if early { "Search older" } @else { "Older" }
                    }
                }
            }
        }
    }
}

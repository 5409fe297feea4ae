//! The page of a search: what was found, by its kind; or what can be searched.

use axum::response::Response;
use maud::{Markup, html};

use super::format::{linked, short_id, time};
use super::layout;
use super::site_header::Viewing;
use crate::page::links;
use crate::page::tenant_request::TenantRequest;
use loanhook_core::model::id::LoanId;
use loanhook_core::search::Found;

pub(in crate::page) fn page(text: &str, found: &Found, request: &TenantRequest) -> Response {
    let nothing = found.count() == 0;
    let content = html! {
        header.top {
            div {
                h1 { "Search" }
                @if !text.is_empty() {
                    p.lead.quiet role="status" {
                        @if nothing { "Nothing was found for " } @else { "Found for " }
                        bdi.break { (text) }
                    }
                }
            }
        }
        @if nothing { (help()) } @else { (groups(found)) }
    };
    let viewing = Viewing { grant: &request.grant, loan: None, section: None };
    layout::page_of_search("Search", &viewing, text, &content)
}

/// What can be searched.
fn help() -> Markup {
    let kinds = [
        ("A loan", "its ID, as the servicing system names it: 727"),
        ("A delivery", "its trace ID, which is in the header of each webhook and on each page"),
        ("An event", "its ID, as it was answered when the event was sent"),
        ("An attempt", "its loan and its ID with a space between: 727 0193a207-d921-7b80-8080-00000000002f"),
        ("A webhook", "a part of its title, in upper or lower case, or its ID"),
    ];
    html! {
        section.card {
            h2 { "What can be searched" }
            dl.facts { @for (kind, how) in kinds { div { dt { (kind) } dd.break { (how) } } } }
        }
    }
}

/// Of which loan something is, where it is of one.
fn of_loan(loan: &LoanId) -> Markup {
    html! { @if let Some(loan) = loan.shown() { " of loan " bdi { (loan) } } }
}

fn groups(found: &Found) -> Markup {
    html! {
        @if let Some(loan) = &found.loan {
            (group("Loan", &html! { li { (linked(links::loan(loan), &html! { "Loan " bdi { (loan) } })) } }))
        }
        @if let Some(delivery) = &found.delivery {
            @let snapshot = &delivery.snapshot;
            (group("Delivery", &html! {
                li {
                    (linked(links::delivery(delivery), &html! { bdi { (snapshot.event_title) } (of_loan(&snapshot.loan_id)) }))
                    " " span.quiet { "accepted " (time(snapshot.accepted_at)) }
                }
            }))
        }
        @if let Some(event) = &found.event {
            (group("Event", &html! {
                li {
                    (linked(links::event(&event.loan_id, event.id), &html! { bdi { (event.name) } (of_loan(&event.loan_id)) }))
                    " " span.quiet { "accepted " (time(event.accepted_at)) }
                }
            }))
        }
        @if let Some(attempt) = &found.attempt {
            (group("Attempt", &html! {
                li {
                    (linked(links::attempt(attempt), &html! { bdi { (attempt.event_title) } ", attempt " (attempt.number) }))
                    " " span.quiet { "sent " (time(attempt.sent_at)) }
                }
            }))
        }
        @if !found.webhooks.is_empty() {
            (group("Webhooks", &html! {
                @for webhook in &found.webhooks {
                    li {
                        a href=(links::deliveries_of(webhook.id)) { bdi { (webhook.settings.title) } }
                        " " span.quiet { code title=(webhook.id) { (short_id(&webhook.id)) } }
                    }
                }
            }))
        }
    }
}

fn group(title: &str, items: &Markup) -> Markup {
    html! {
        section.card.group {
            h2 { (title) }
            ul.looks { (items) }
        }
    }
}

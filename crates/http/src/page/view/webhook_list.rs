//! The page of a loan: who looks, the filters, the table, and where it goes on.

use axum::response::Response;
use maud::{Markup, html};

use super::format::short;
use super::{filters, layout, webhook_table};
use crate::page::csrf_token;
use crate::page::page_parameters::BEFORE;
use crate::page::page_request::Visit;
use crate::page::webhook_list::List;

pub(in crate::page) fn page(list: &List, visit: &Visit) -> Response {
    let path = visit.path();
    let content = html! {
        header.top {
            div {
                p.over { "Loan " bdi { (visit.loan) } }
                h1 { "Webhooks" }
            }
            form.who method="post" action="/logout" data-viewer=(csrf_token::tag(&visit.grant)) {
                span.quiet {
                    "Viewing as " bdi { (visit.grant.name) } " of " span.tenant { (visit.grant.tenant) }
                }
                input type="hidden" name="loan" value=(visit.loan);
                button type="submit" { "Sign out" }
            }
        }
        div #said role="status" aria-live="polite" { (said(list, &path)) }
        @for fault in &list.wanted.faults.0 {
            p.notice.bad role="alert" {
                strong { (filters::words_of(&fault.pointer)) } " " (fault.detail) "."
            }
        }
        (filters::show(list, &path))
        @if list.page.rows.is_empty() {
            (nothing(list, &path))
        } @else {
            (webhook_table::table(list, visit))
        }
        (pages(list, &path))
    };
    layout::page(&format!("Webhooks of loan {}", visit.loan), &content)
}

/// That a resend was asked for.
fn said(list: &List, path: &str) -> Markup {
    let Some(id) = list.resent else { return html! {} };
    let shown = list.page.rows.iter().any(|row| row.attempt.id == id);
    html! {
        p.notice.ok {
            strong { "Resend asked for." }
            " Attempt " code title=(id) { (short(&id)) } " sends exactly what was sent before. "
            "Automatic retries go on as scheduled."
            @if !shown { " It does not match the filters: " a href=(path) { "show all webhooks" } "." }
        }
    }
}

/// Why there is no row.
fn nothing(list: &List, path: &str) -> Markup {
    let filtered = list.asked.filters().next().is_some();
    let (title, text) = match (&list.page.next, filtered, list.wanted.before) {
        _ if !list.wanted.faults.0.is_empty() => ("Nothing was searched", "Correct the filters above."),
        (Some(_), ..) => ("No match yet", "None of the 5,000 webhooks looked at matches. Older ones may."),
        (None, true, Some(_)) => ("No older match", "All older webhooks of this loan were searched."),
        (None, true, None) => {
            ("No webhook matches these filters", "Change a filter, or show all webhooks of this loan.")
        }
        (None, false, Some(_)) => ("Nothing older", "These were all the webhooks of this loan."),
        (None, false, None) => (
            "Nothing was sent for this loan yet",
            "When an event of this loan matches a webhook's settings, it shows here, with everything that came back.",
        ),
    };
    html! {
        section.card.empty {
            h2 { (title) }
            p.quiet { (text) }
            @if filtered || !list.wanted.faults.0.is_empty() { p { a.button href=(path) { "Show all webhooks" } } }
        }
    }
}

fn pages(list: &List, path: &str) -> Markup {
    let page = &list.page;
    // A filtered page that is not full ended because enough was looked at.
    let early = page.next.is_some() && page.rows.len() < list.wanted.limit;
    let first = list.asked.first_page();
    html! {
        @if early && !page.rows.is_empty() {
            p.quiet.early { "No further match among the webhooks looked at so far. Older ones may match." }
        }
        @if page.next.is_some() || list.wanted.before.is_some() {
            nav.pages aria-label="Pages" {
                @if list.wanted.before.is_some() {
                    a.button href={ (path) (first.query()) } { "Newest" }
                }
                @if let Some(next) = page.next {
                    a.button rel="next" href={ (path) (first.with(BEFORE, &next).query()) } {
                        @if early { "Search older" } @else { "Older" }
                    }
                }
            }
        }
    }
}

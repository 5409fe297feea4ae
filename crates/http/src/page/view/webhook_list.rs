//! The page of a loan's webhooks: the header, the filters, the table, and links to older and newer ones.

use axum::response::Response;
use maud::{Markup, html};

use super::format::short_id;
use super::loan_header::{self, Tab};
use super::{filters, layout, webhook_table};
use crate::page::bulk_filter::BulkFilter;
use crate::page::bulk_scope::bulk_resend_path;
use crate::page::page_parameters::BEFORE;
use crate::page::page_request::PageRequest;
use crate::page::webhook_list::WebhookList;

pub(in crate::page) fn page(list: &WebhookList, request: &PageRequest) -> Response {
    let path = request.path();
    let content = html! {
        (loan_header::show(Tab::Webhooks, request))
        div #said role="status" aria-live="polite" { (resend_notice(list, &path)) }
        @for error in &list.checked.errors.0 {
            p.notice.bad role="alert" {
                strong { (filters::parameter_label(&error.pointer)) } " " (error.detail) "."
            }
        }
        (filters::show(list, &path))
        (bulk_resend_link(list, &path))
        @if list.history.rows.is_empty() {
            (empty_list(list, &path))
        } @else {
            (webhook_table::table(list, request))
        }
        (page_links(list, &path))
    };
    layout::page_for(&format!("Webhooks of loan {}", request.loan), &request.viewing(), &content)
}

/// The notice that a resend was queued.
fn resend_notice(list: &WebhookList, path: &str) -> Markup {
    let Some(id) = list.resent else { return html! {} };
    let shown = list.history.rows.iter().any(|row| row.attempt.id == id);
    html! {
        p.notice.ok {
            strong { "Resend asked for." }
            " Attempt " code title=(id) { (short_id(&id)) } " sends exactly what was sent before. "
            "Automatic retries go on as scheduled."
            @if !shown { " It does not match the filters: " a href=(path) { "show all webhooks" } "." }
        }
    }
}

/// The way to resend all that match, or why there is none with these filters.
fn bulk_resend_link(list: &WebhookList, path: &str) -> Markup {
    match &list.bulk {
        Some(BulkFilter::Deliveries(_)) => html! {
            p.all {
                a.button href=(bulk_resend_path(path, &list.parameters.first_page())) { "Resend all that match" }
            }
        },
        Some(BulkFilter::OfAttempts(names)) => html! {
            p.all.quiet {
                "To resend all that match, filter by a response code, an error, or the outcome succeeded or failed, and not by "
                @for (index, name) in names.iter().enumerate() {
                    @if index > 0 { ", " }
                    (filters::parameter_label(name).to_lowercase())
                }
                "."
            }
        },
        Some(BulkFilter::Empty) | None => html! {},
    }
}

/// The text in place of the table, where there is no row.
fn empty_list(list: &WebhookList, path: &str) -> Markup {
    let filtered = list.parameters.filters().next().is_some();
    let (title, text) = match (&list.history.next, filtered, list.checked.before) {
        _ if !list.checked.errors.0.is_empty() => ("Nothing was searched", "Correct the filters above."),
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
            @if filtered || !list.checked.errors.0.is_empty() { p { a.button href=(path) { "Show all webhooks" } } }
        }
    }
}

fn page_links(list: &WebhookList, path: &str) -> Markup {
    let page = &list.history;
    // A filtered page that is not full and has a next one ended at the limit of rows that are read.
    let early = page.next.is_some() && page.rows.len() < list.checked.limit;
    let first = list.parameters.first_page();
    html! {
        @if early && !page.rows.is_empty() {
            p.quiet.early { "No further match among the webhooks looked at so far. Older ones may match." }
        }
        @if page.next.is_some() || list.checked.before.is_some() {
            nav.pages aria-label="Pages" {
                @if list.checked.before.is_some() {
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

//! The page of deliveries across loans: the filters, what can be done with all that match, the table, and links to older ones.

use axum::response::Response;
use maud::{Markup, html};

use super::format::grouped;
use super::site_header::{Section, Viewing};
use super::{delivery_filters, delivery_table, filters, layout};
use crate::api;
use crate::page::bulk_scope::bulk_resend_path;
use crate::page::delivery_list::{CSV, DeliveryList, FORMAT, NDJSON};
use crate::page::page_parameters::{BEFORE, PageParameters};
use crate::page::tenant_request::{DELIVERIES_PATH, TenantRequest};
use crate::web::delivery_cursor::delivery_cursor;

pub(in crate::page) fn page(list: &DeliveryList, request: &TenantRequest) -> Response {
    let is_wrong = !list.checked.errors.0.is_empty();
    let content = html! {
        header.top {
            div {
                h1 { "Deliveries" }
                p.lead.quiet { "Each is one event that is sent as one webhook, of any loan, the newest first." }
            }
            @if !is_wrong { (exports(list)) }
        }
        div #said role="status" aria-live="polite" {}
        @for error in &list.checked.errors.0 {
            p.notice.bad role="alert" {
                strong { (filters::parameter_label(&error.pointer)) } " " (error.detail) "."
            }
        }
        (delivery_filters::show(list))
        @if request.may_resend() && !list.page.deliveries.is_empty() { (bulk_resend(&list.parameters)) }
        @if list.page.deliveries.is_empty() {
            (empty_list(list))
        } @else {
            (delivery_table::table(&list.page.deliveries))
        }
        (page_links(list))
    };
    let viewing = Viewing { grant: &request.grant, loan: None, section: Some(Section::Deliveries) };
    layout::page_for("Deliveries", &viewing, &content)
}

/// The whole list as files.
fn exports(list: &DeliveryList) -> Markup {
    let of = |format| {
        let query = list.parameters.first_page().query();
        let mark = if query.is_empty() { '?' } else { '&' };
        format!("{DELIVERIES_PATH}/export{query}{mark}{FORMAT}={format}")
    };
    html! {
        div.exports {
            div.actions {
                a.button href=(of(CSV)) download { "Export as CSV" }
                a.button href=(of(NDJSON)) download { "as NDJSON" }
            }
            @if list.export_is_bounded {
                p.quiet {
                    "At most the newest " (grouped(api::MAX_ROWS_PER_PART as i64)) " that match, about 3 MB. "
                    "For more set a time, or use " code { "loanhook export" } "."
                }
            }
        }
    }
}

/// The way to resend all that match; without a filter it would be everything there ever was.
fn bulk_resend(parameters: &PageParameters) -> Markup {
    html! {
        @if parameters.filters().next().is_some() {
            p.all {
                a.button href=(bulk_resend_path(DELIVERIES_PATH, &parameters.first_page())) { "Resend all that match" }
            }
        }
    }
}

/// The text in place of the table, where there is no row.
fn empty_list(list: &DeliveryList) -> Markup {
    let filtered = list.parameters.filters().next().is_some();
    let is_wrong = !list.checked.errors.0.is_empty();
    let (title, text) = match (&list.page.next, filtered, list.checked.before) {
        _ if is_wrong => ("Nothing was searched", "Correct the filters above."),
        (Some(_), ..) => ("No match yet", "None of the 5,000 deliveries looked at matches. Older ones may."),
        (None, true, Some(_)) => ("No older match", "All older deliveries were searched."),
        (None, true, None) => {
            ("No delivery matches these filters", "Change a filter, or show all deliveries.")
        }
        (None, false, Some(_)) => ("Nothing older", "These were all deliveries."),
        (None, false, None) => (
            "Nothing was sent yet",
            "When an event matches a webhook's settings, its delivery shows here, whichever loan it is of.",
        ),
    };
    html! {
        section.card.empty {
            h2 { (title) }
            p.quiet { (text) }
            @if filtered || is_wrong { p { a.button href=(DELIVERIES_PATH) { "Show all deliveries" } } }
        }
    }
}

fn page_links(list: &DeliveryList) -> Markup {
    let page = &list.page;
    // A filtered page that is not full and has a next one ended at the limit of deliveries that are read.
    let early = page.next.is_some() && page.deliveries.len() < list.checked.limit;
    let first = list.parameters.first_page();
    let later = list.checked.before.is_some();
    html! {
        @if early && !page.deliveries.is_empty() {
            p.quiet.early { "No further match among the deliveries looked at so far. Older ones may match." }
        }
        @if page.next.is_some() || later {
            nav.pages aria-label="Pages" {
                @if later { a.button href={ (DELIVERIES_PATH) (first.query()) } { "Newest" } }
                @if let Some(next) = page.next {
                    a.button rel="next" href={ (DELIVERIES_PATH) (first.with(BEFORE, &delivery_cursor(next)).query()) } {
                        @if early { "Search older" } @else { "Older" }
                    }
                }
            }
        }
    }
}

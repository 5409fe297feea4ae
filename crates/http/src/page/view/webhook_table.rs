//! The table of webhooks: a row for each attempt, and the details under the open row.

use maud::{Markup, html};

use super::attempt_details;
use super::format::{copy_button, result_label, short_id, time, waiting};
use super::layout::symbol;
use crate::page::page_parameters::{OPEN, RESENT};
use crate::page::page_request::PageRequest;
use crate::page::webhook_list::WebhookList;
use loanhook_core::model::attempt::{Attempt, AttemptNumber};

const COLUMN_HEADS: [&str; 7] =
    ["ID", "Trace ID", "Event Title", "Method", "Response Code", "Time Stamp", "# Attempt Number"];

pub(super) fn table(list: &WebhookList, request: &PageRequest) -> Markup {
    let path = request.path();
    html! {
        // The roles are explicit because the style shows the table as cards on a narrow screen.
        table.list #webhooks role="table" data-now=(list.now.millis()) data-limit=(list.checked.limit) {
            thead role="rowgroup" {
                tr role="row" {
                    @for head in COLUMN_HEADS { th scope="col" role="columnheader" { (head) } }
                    td role="cell" {}
                }
            }
            tbody role="rowgroup" {
                @for row in &list.history.rows {
                    @let open = list.open_row.as_ref().filter(|open| open.row.attempt.id == row.attempt.id);
                    (attempt_row(&row.attempt, list, &path, open.is_some()))
                    @if let Some(open) = open {
                        tr.details id={ "d-" (row.attempt.id) } role="row" {
                            td colspan="8" role="cell" { (attempt_details::show(open, request, &list.parameters)) }
                        }
                    }
                }
            }
        }
    }
}

fn attempt_row(attempt: &Attempt, list: &WebhookList, path: &str, open: bool) -> Markup {
    let label = result_label(attempt);
    let parameters = list.parameters.without(&[RESENT, OPEN]);
    let for_delivery = list.parameters.for_delivery(&attempt.trace_id);
    let here = if open { parameters } else { parameters.with(OPEN, &attempt.id) };
    let due = attempt.next_attempt_at.map(|due| due.millis());
    html! {
        tr id={ "a-" (attempt.id) } role="row" data-id=(attempt.id) data-trace=(attempt.trace_id)
            data-state={ (label.class) " " (label.text) } data-due=[due] {
            td role="cell" data-head="ID" {
                span.id { code title=(attempt.id) data-whole=(attempt.id) { (short_id(&attempt.id)) } (copy_button("ID", &attempt.id)) }
            }
            td role="cell" data-head="Trace ID" {
                span.id {
                    a href={ (path) (for_delivery.query()) } title={ (attempt.trace_id) ": show its whole story" } {
                        code data-whole=(attempt.trace_id) { (short_id(&attempt.trace_id)) }
                    }
                    (copy_button("trace ID", &attempt.trace_id))
                }
            }
            td.title role="cell" data-head="Event Title" { (test_label(attempt)) bdi { (attempt.event_title) } }
            td role="cell" data-head="Method" { (attempt.method.name()) }
            td role="cell" data-head="Response Code" {
                (label.show())
                @if let Some(waits) = list.waiting.get(&attempt.id) { " " span.quiet { (waiting(*waits)) } }
            }
            td role="cell" data-head="Time Stamp" { (time(attempt.sent_at)) }
            td role="cell" data-head="# Attempt Number" { (attempt_number(attempt.number)) }
            td.more role="cell" {
                a.open href={ (path) (here.query()) "#a-" (attempt.id) } aria-expanded=(open)
                    aria-label={ "Details of attempt " (attempt.number) ", " (short_id(&attempt.id)) } {
                    (symbol("open"))
                }
            }
        }
    }
}

/// The label of a test send.
fn test_label(attempt: &Attempt) -> Markup {
    html! { @if attempt.test { span.test { "test" } " " } }
}

fn attempt_number(number: AttemptNumber) -> Markup {
    match number {
        AttemptNumber::Auto(number) => html! { (number) },
        AttemptNumber::Manual => html! { span.manual { "manual" } },
    }
}

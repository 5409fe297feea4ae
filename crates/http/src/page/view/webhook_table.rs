//! The table: one row an attempt, and under a row that is open its details.

use maud::{Markup, html};

use super::attempt_details;
use super::format::{copy, short, time, verdict};
use super::layout::symbol;
use crate::page::page_parameters::{OPEN, RESENT};
use crate::page::page_request::Visit;
use crate::page::webhook_list::List;
use loanhook_core::model::attempt::{Attempt, AttemptNumber};

const HEADS: [&str; 7] =
    ["ID", "Trace ID", "Event Title", "Method", "Response Code", "Time Stamp", "# Attempt Number"];

pub(super) fn table(list: &List, visit: &Visit) -> Markup {
    let path = visit.path();
    html! {
        // The roles stand here because the style shows the table as cards where it is narrow.
        table #webhooks role="table" data-now=(list.now.millis()) data-limit=(list.wanted.limit) {
            thead role="rowgroup" {
                tr role="row" {
                    @for head in HEADS { th scope="col" role="columnheader" { (head) } }
                    td role="cell" {}
                }
            }
            tbody role="rowgroup" {
                @for row in &list.page.rows {
                    @let open = list.open.as_ref().filter(|open| open.row.attempt.id == row.attempt.id);
                    (attempt(&row.attempt, list, &path, open.is_some()))
                    @if let Some(open) = open {
                        tr.details id={ "d-" (row.attempt.id) } role="row" {
                            td colspan="8" role="cell" { (attempt_details::show(open, visit, &list.asked)) }
                        }
                    }
                }
            }
        }
    }
}

fn attempt(attempt: &Attempt, list: &List, path: &str, open: bool) -> Markup {
    let verdict = verdict(attempt);
    let asked = list.asked.without(&[RESENT, OPEN]);
    let story = list.asked.story(&attempt.trace_id);
    let here = if open { asked } else { asked.with(OPEN, &attempt.id) };
    let due = attempt.next_attempt_at.map(|due| due.millis());
    html! {
        tr id={ "a-" (attempt.id) } role="row" data-id=(attempt.id) data-trace=(attempt.trace_id)
            data-state={ (verdict.class) " " (verdict.text) } data-due=[due] {
            td role="cell" data-head="ID" {
                span.id { code title=(attempt.id) data-whole=(attempt.id) { (short(&attempt.id)) } (copy("ID", &attempt.id)) }
            }
            td role="cell" data-head="Trace ID" {
                span.id {
                    a href={ (path) (story.query()) } title={ (attempt.trace_id) ": show its whole story" } {
                        code data-whole=(attempt.trace_id) { (short(&attempt.trace_id)) }
                    }
                    (copy("trace ID", &attempt.trace_id))
                }
            }
            td.title role="cell" data-head="Event Title" { (test_mark(attempt)) bdi { (attempt.event_title) } }
            td role="cell" data-head="Method" { (attempt.method.name()) }
            td role="cell" data-head="Response Code" { (verdict.show()) }
            td role="cell" data-head="Time Stamp" { (time(attempt.sent_at)) }
            td role="cell" data-head="# Attempt Number" { (number(attempt.number)) }
            td.more role="cell" {
                a.open href={ (path) (here.query()) "#a-" (attempt.id) } aria-expanded=(open)
                    aria-label={ "Details of attempt " (attempt.number) ", " (short(&attempt.id)) } {
                    (symbol("open"))
                }
            }
        }
    }
}

/// What tells a subscription's test from an event of the loan.
fn test_mark(attempt: &Attempt) -> Markup {
    html! { @if attempt.test { span.test { "test" } " " } }
}

fn number(number: AttemptNumber) -> Markup {
    match number {
        AttemptNumber::Auto(number) => html! { (number) },
        AttemptNumber::Manual => html! { span.manual { "manual" } },
    }
}

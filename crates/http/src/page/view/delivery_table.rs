//! The table of deliveries across loans: a row for each, with its status, why it waits, and its newest attempt.

use maud::{Markup, html};

use super::format::{copy_button, result_label, short_id, time, waiting};
use super::layout::{column_heads, label};
use crate::page::links;
use loanhook_core::delivery_list::ListedDelivery;
use loanhook_core::model::progress::Status;

const COLUMN_HEADS: [&str; 7] =
    ["Accepted", "Loan", "Webhook", "Event", "Status", "Newest attempt", "Trace ID"];

pub(super) fn table(deliveries: &[ListedDelivery]) -> Markup {
    html! {
        // The roles are explicit because the style shows the table as cards on a narrow screen.
        table.list #deliveries role="table" {
            (column_heads(&COLUMN_HEADS))
            tbody role="rowgroup" { @for listed in deliveries { (row(listed)) } }
        }
    }
}

fn row(listed: &ListedDelivery) -> Markup {
    let snapshot = &listed.delivery.snapshot;
    let trace = snapshot.trace_id;
    html! {
        tr role="row" data-trace=(trace) {
            td role="cell" data-head="Accepted" { (time(snapshot.accepted_at)) }
            td.break role="cell" data-head="Loan" {
                @if let Some(path) = links::loan(&snapshot.loan_id) {
                    a href=(path) { bdi { (snapshot.loan_id) } }
                } @else {
                    span.quiet { "none" }
                }
            }
            td.title role="cell" data-head="Webhook" {
                @if snapshot.test { span.test { "test" } " " }
                bdi { (snapshot.event_title) }
            }
            td.break role="cell" data-head="Event" { bdi { (snapshot.event_name) } }
            td role="cell" data-head="Status" { (status_label(listed.delivery.progress.status())) (outlook(listed)) }
            td role="cell" data-head="Newest attempt" { (newest_attempt(listed)) }
            td role="cell" data-head="Trace ID" {
                span.id {
                    @let shown = html! { code data-whole=(trace) { (short_id(&trace)) } };
                    @if let Some(path) = links::delivery(&listed.delivery) {
                        a href=(path) title={ (trace) ": show its whole story" } { (shown) }
                    } @else {
                        (shown)
                    }
                    (copy_button("trace ID", &trace))
                }
            }
        }
    }
}

/// A status as a colour, a symbol and a word.
pub(super) fn status_label(status: Status) -> Markup {
    let (class, name, word) = match status {
        Status::Succeeded => ("ok", "yes", "Succeeded"),
        Status::Failed => ("bad", "no", "Failed"),
        Status::Pending => ("wait", "wait", "Pending"),
        Status::Canceled => ("none", "no", "Canceled"),
    };
    label(class, name, word)
}

/// What comes next: why it waits, or when its next attempt is due.
fn outlook(listed: &ListedDelivery) -> Markup {
    let next = listed.delivery.progress.next_due();
    html! {
        @match (listed.waiting, next) {
            (Some(waits), _) => { " " span.next-line { (waiting(waits)) } }
            (None, Some(due)) => { " " span.next-line { "next attempt " (time(due)) } }
            (None, None) => {}
        }
    }
}

fn newest_attempt(listed: &ListedDelivery) -> Markup {
    html! {
        @match &listed.newest_attempt {
            Some(attempt) => {
                (result_label(attempt).show())
                " "
                span.next-line {
                    @if attempt.is_manual() { "manual" } @else { "attempt " (attempt.number) }
                }
            }
            None => span.quiet { "none yet" },
        }
    }
}

//! The items of a recovery job: a row for each delivery of its list, with what became of it.

use maud::{Markup, html};

use super::format::{grouped, linked, short_id};
use super::layout::{column_heads, label};
use crate::page::bulk_scope::BulkScope;
use crate::page::job::{FROM, JobPage, OUTCOME};
use crate::page::links;
use loanhook_core::model::job::{ItemOutcome, Job, JobItem, JobKind, SkipReason};

/// The items, with the way to those of one outcome and to more of them.
pub(super) fn show(of: &JobPage, scope: &BulkScope) -> Markup {
    let here = scope.job_path(of.job.id);
    let chosen = of.outcome.map_or_else(String::new, |outcome| format!("?{OUTCOME}={}", outcome.as_str()));
    let mark = if chosen.is_empty() { '?' } else { '&' };
    html! {
        h2 #items-head { "Deliveries of this job" }
        div #items {
            nav.tabs aria-label="Which of them" {
                (tab(&here, "All", of.job.counts.total, of.outcome.is_none()))
                @for outcome in ItemOutcome::ALL {
                    @let count = of.job.counts.of(outcome);
                    @if count > 0 || of.outcome == Some(outcome) {
                        (tab(
                            &format!("{here}?{OUTCOME}={}", outcome.as_str()),
                            outcome_word(outcome, of.job.request.kind),
                            count,
                            of.outcome == Some(outcome),
                        ))
                    }
                }
            }
            @if of.items.items.is_empty() {
                section.card.empty { h2 { "There is none" } p.quiet { "No delivery of this job is like this, or is looked at yet." } }
            } @else {
                (table(of, scope))
            }
        }
        @if of.from > 0 || of.items.next.is_some() {
            nav.pages aria-label="Pages" {
                @if of.from > 0 { a.button href={ (here) (chosen) "#items-head" } { "First" } }
                @if let Some(next) = of.items.next {
                    a.button rel="next" href={ (here) (chosen) (mark) (FROM) "=" (next) "#items-head" } { "More" }
                }
            }
        }
    }
}

fn tab(href: &str, words: &str, count: u32, is_here: bool) -> Markup {
    html! {
        a href=(href) aria-current=[is_here.then_some("page")] { (words) " (" (grouped(count.into())) ")" }
    }
}

fn table(of: &JobPage, scope: &BulkScope) -> Markup {
    let heads: &[&str] = match scope.loan {
        Some(_) => &["Webhook", "Outcome", "Trace ID"],
        None => &["Webhook", "Loan", "Outcome", "Trace ID"],
    };
    html! {
        table.list role="table" {
            (column_heads(heads))
            tbody role="rowgroup" {
                @for (_, item) in &of.items.items { (row(item, of, scope)) }
            }
        }
    }
}

fn row(item: &JobItem, of: &JobPage, scope: &BulkScope) -> Markup {
    let trace = item.trace.to_string();
    html! {
        tr role="row" {
            td.title role="cell" data-head="Webhook" {
                @match of.titles.get(&item.subscription) {
                    Some(title) => bdi { (title) },
                    None => { "deleted: " code title=(item.subscription) { (short_id(&item.subscription)) } }
                }
            }
            @if scope.loan.is_none() {
                td.break role="cell" data-head="Loan" {
                    @match links::loan(&item.loan) {
                        Some(path) => a href=(path) { bdi { (item.loan) } },
                        None => span.quiet { "none" },
                    }
                }
            }
            td role="cell" data-head="Outcome" {
                (outcome_label(item, &of.job))
                @if let Some(reason) = item.state.skip_reason() { " " span.next-line { (skipped(reason)) } }
            }
            td role="cell" data-head="Trace ID" {
                (linked(links::item(item), &html! { code title=(trace) data-whole=(trace) { (short_id(&trace)) } }))
            }
        }
    }
}

/// An outcome as a colour, a symbol and a word.
fn outcome_label(item: &JobItem, job: &Job) -> Markup {
    let outcome = item.state.outcome();
    let (class, name) = match outcome {
        ItemOutcome::Waiting => ("wait", "wait"),
        ItemOutcome::Succeeded => ("ok", "yes"),
        ItemOutcome::Failed => ("bad", "no"),
        ItemOutcome::Skipped | ItemOutcome::Superseded => ("none", "no"),
    };
    let words = outcome_word(outcome, job.request.kind);
    label(class, name, words)
}

const fn outcome_word(outcome: ItemOutcome, kind: JobKind) -> &'static str {
    match (outcome, kind) {
        (ItemOutcome::Waiting, _) => "Waiting",
        (ItemOutcome::Succeeded, JobKind::Resend) => "Arrived",
        (ItemOutcome::Succeeded, JobKind::Cancel) => "Canceled",
        (ItemOutcome::Failed, JobKind::Resend) => "Failed again",
        (ItemOutcome::Failed, JobKind::Cancel) => "Not canceled",
        (ItemOutcome::Skipped, _) => "Left out",
        (ItemOutcome::Superseded, _) => "A newer one is sent",
    }
}

/// Why an item was left out.
const fn skipped(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Succeeded => "it had arrived by an automatic retry",
        SkipReason::NotPending => "it had no automatic attempt to cancel",
        SkipReason::Gone => "it cannot be read any more",
        SkipReason::NothingToSend => "it has no request: its template did not render",
        SkipReason::NotAttempted => "it was never attempted",
        SkipReason::NoCurrentAddress => "its webhook has no address for it now",
    }
}

//! The page of recovery jobs: what each is of, how far it has come, and who asked for it.

use axum::response::Response;
use maud::{Markup, html};

use super::format::{grouped, time};
use super::layout::{column_heads, label};
use super::site_header::{Section, Viewing};
use super::{criteria, job, layout};
use crate::page::job_list::{BEFORE, JobList};
use crate::page::tenant_request::{DELIVERIES_PATH, JOBS_PATH, TenantRequest};
use loanhook_core::model::job::{Job, JobKind, JobStatus};

const COLUMN_HEADS: [&str; 5] = ["Job", "Which deliveries", "State", "Progress", "Asked for"];

pub(in crate::page) fn page(list: &JobList, request: &TenantRequest) -> Response {
    let content = html! {
        header.top {
            div {
                h1 { "Recovery jobs" }
                p.lead.quiet { "Each resends or cancels many deliveries, one after the other, and goes on by itself." }
            }
        }
        @if list.page.jobs.is_empty() {
            section.card.empty {
                h2 { @if list.is_first { "There is no job yet" } @else { "Nothing older" } }
                p.quiet { "A bulk resend begins with a filter on the page of deliveries." }
                p { a.button href=(DELIVERIES_PATH) { "Show the deliveries" } }
            }
        } @else {
            table.list #jobs role="table" {
                (column_heads(&COLUMN_HEADS))
                tbody role="rowgroup" { @for job in &list.page.jobs { (row(job, list)) } }
            }
        }
        @if !list.is_first || list.page.next.is_some() {
            nav.pages aria-label="Pages" {
                @if !list.is_first { a.button href=(JOBS_PATH) { "Newest" } }
                @if let Some(next) = list.page.next {
                    a.button rel="next" href={ (JOBS_PATH) "?" (BEFORE) "=" (next) } { "Older" }
                }
            }
        }
    };
    let viewing = Viewing { grant: &request.grant, loan: None, section: Some(Section::Jobs) };
    layout::page_for("Recovery jobs", &viewing, &content)
}

fn row(of: &Job, list: &JobList) -> Markup {
    let counts = &of.counts;
    let ended = counts.ended();
    html! {
        tr role="row" {
            td.title role="cell" data-head="Job" {
                a href={ (JOBS_PATH) "/" (of.id) } { (job::title(of.request.kind)) }
            }
            td.break role="cell" data-head="Which deliveries" { (criteria::of_job(&of.request.selection, &list.titles)) }
            td role="cell" data-head="State" { (status_label(of)) }
            td role="cell" data-head="Progress" {
                (grouped(ended.into())) " of " (grouped(counts.total.into()))
                " " span.next-line { (outcomes(of)) }
            }
            td role="cell" data-head="Asked for" {
                bdi { (of.requested_by) } " " span.next-line { (time(of.created_at)) }
            }
        }
    }
}

/// The state of a job as a colour, a symbol and a word.
pub(super) fn status_label(of: &Job) -> Markup {
    let (class, name, word) = match of.status() {
        JobStatus::Running => ("wait", "wait", "Running"),
        JobStatus::Done => ("ok", "yes", "Done"),
        JobStatus::Stopped => ("none", "no", "Stopped"),
    };
    label(class, name, word)
}

/// What became of its deliveries so far.
fn outcomes(of: &Job) -> String {
    let counts = &of.counts;
    let succeeded = match of.request.kind {
        JobKind::Resend => "arrived",
        JobKind::Cancel => "canceled",
    };
    let all = [
        (counts.succeeded, succeeded),
        (counts.failed, "failed"),
        (counts.skipped + counts.superseded, "left out"),
    ];
    let told = all.into_iter().filter(|(count, _)| *count > 0);
    told.map(|(count, words)| format!("{} {words}", grouped(count.into()))).collect::<Vec<_>>().join(", ")
}

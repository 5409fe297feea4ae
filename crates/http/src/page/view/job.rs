//! The page of a recovery job: how far it has come, what was asked for, its stop, and its items.

use axum::response::Response;
use maud::{Markup, html};

use super::format::{counted, time};
use super::loan_header::{self, Tab};
use super::site_header::{Section, Viewing};
use super::{criteria, job_items, layout};
use crate::page::bulk_scope::BulkScope;
use crate::page::csrf_token;
use crate::page::job::JobPage;
use crate::page::resend::CSRF_FIELD;
use crate::page::tenant_request::JOBS_PATH;
use loanhook_core::model::attempt::ResendTo;
use loanhook_core::model::job::{Job, JobKind, JobStatus, StopReason};

/// What became of a job so far. The script renews it while it runs.
pub(in crate::page) fn page(of: &JobPage, scope: &BulkScope) -> Response {
    let job = &of.job;
    let here = scope.job_path(job.id);
    let content = html! {
        (header(job, scope))
        div #said role="status" aria-live="polite" {}
        section.card.bulk {
            div #job data-running[!job.is_over()] {
                (progress(job))
                @if !job.is_over() { (stop_form(&here, job.request.kind, scope)) }
            }
            @if scope.loan.is_none() {
                h3 { "Which deliveries" }
                (criteria::of_job(&job.request.selection, &of.titles))
            }
            (asked(job))
            p.quiet {
                "Asked for by " bdi { (job.requested_by) } ", " (time(job.created_at)) ". "
                "It goes on by itself, also when this page is closed."
            }
            div.actions {
                @if !job.is_over() { a.button href=(here) { "Look again" } }
                @match scope.loan {
                    Some(_) => a.button href={ (scope.list_path()) "?attempt=manual" } { "Show the resends" },
                    None => a.button href=(scope.list_path()) { "Back to the deliveries" },
                }
            }
        }
        (job_items::show(of, scope))
    };
    let title = title(job.request.kind);
    let title = match &scope.loan {
        Some(loan) => format!("{title} of loan {loan}"),
        None => title.to_owned(),
    };
    let viewing = Viewing {
        grant: &scope.grant,
        loan: scope.loan.as_ref(),
        section: scope.loan.is_none().then_some(Section::Jobs),
    };
    layout::page_for(&title, &viewing, &content)
}

fn header(job: &Job, scope: &BulkScope) -> Markup {
    match &scope.loan {
        Some(loan) => loan_header::of(Tab::Webhooks, &scope.grant, loan),
        None => html! {
            header.top {
                div {
                    p.over { a href=(JOBS_PATH) { "Recovery jobs" } }
                    h1 { (title(job.request.kind)) }
                }
            }
        },
    }
}

/// What a job of this kind is.
pub(super) const fn title(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Resend => "Bulk resend",
        JobKind::Cancel => "Bulk cancel",
    }
}

/// Stops the job, after one question.
fn stop_form(job: &str, kind: JobKind, scope: &BulkScope) -> Markup {
    let (says, button) = match kind {
        JobKind::Resend => ("What is not sent yet stays unsent. What was sent stays sent.", "Stop sending"),
        JobKind::Cancel => {
            ("What is not canceled yet goes on. What was canceled stays canceled.", "Stop canceling")
        }
    };
    html! {
        details.stop {
            summary.button { "Stop" }
            form.confirm method="post" action={ (job) "/stop" } {
                p { (says) }
                input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&scope.grant));
                button.primary type="submit" { (button) }
            }
        }
    }
}

fn progress(job: &Job) -> Markup {
    let counts = &job.counts;
    let ended = counts.ended();
    let is_resend = job.request.kind == JobKind::Resend;
    let title = match (job.status(), job.progress.listing.is_some()) {
        (JobStatus::Stopped, _) => "Stopped",
        (JobStatus::Done, _) => "Done",
        (JobStatus::Running, true) => "Looking for what matches",
        (JobStatus::Running, false) if is_resend => "Sending again",
        (JobStatus::Running, false) => "Canceling",
    };
    let outcomes = if is_resend {
        [
            (counts.succeeded, "arrived"),
            (counts.failed, "failed again"),
            (counts.skipped, "left out: had arrived by an automatic retry, or could not be sent"),
            (counts.superseded, "left out: a newer one of its kind is sent"),
        ]
    } else {
        [
            (counts.succeeded, "canceled"),
            (counts.failed, "not canceled"),
            (counts.skipped, "left out: had no automatic attempt to cancel any more"),
            (counts.superseded, "left out: a newer one of its kind is canceled"),
        ]
    };
    let left = match (job.is_over(), is_resend) {
        (false, _) => " to go",
        (true, true) => " not sent",
        (true, false) => " not canceled",
    };
    html! {
        h2 { (title) ": " (ended) " of " (counted(counts.total.into(), "delivery", "deliveries")) }
        progress max=(counts.total.max(1)) value=(ended) aria-label="Deliveries that have an outcome" {}
        ul {
            @for (count, words) in outcomes {
                @if count > 0 { li { (count) " " (words) } }
            }
            @if counts.left() > 0 { li { (counts.left()) (left) } }
        }
        @if let Some(reason) = job.stopped { p { (stopped(reason)) } }
    }
}

/// Why a job was stopped.
pub(super) const fn stopped(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Requested => "Somebody stopped it.",
        StopReason::Failures => "It stopped by itself: as many resends in a row failed as were allowed.",
        StopReason::TooManyDeliveries => "It stopped by itself: more than 1,000,000 deliveries match.",
    }
}

/// What was asked for beside the deliveries, where it is not the default.
fn asked(job: &Job) -> Markup {
    let request = &job.request;
    html! {
        ul {
            li { "At most " (request.per_second) " a second" }
            @if request.to == ResendTo::Current { li { "To the address that the webhook has now" } }
            @if request.newest_per_loan { li { "Only the newest of each loan and webhook" } }
            @if request.force { li { "Also what has arrived meanwhile" } }
            @if let Some(most) = request.stop_after_failures {
                li { "It stops after " (counted(most.into(), "failure", "failures")) " in a row" }
            }
        }
    }
}

//! Pages of a bulk resend: the question before it, and what became of it.

use std::time::Duration;

use axum::response::Response;
use maud::{Markup, html};
use uuid::Uuid;

use super::filters::value_label;
use super::format::time;
use super::layout;
use super::loan_header::{self, Tab};
use crate::page::bulk_resend::{PER_SECOND, Question};
use crate::page::csrf_token;
use crate::page::page_parameters::PageParameters;
use crate::page::page_request::PageRequest;
use crate::page::resend::{CSRF_FIELD, ONCE_FIELD};
use loanhook_core::model::job::{Job, JobStatus};

/// Asks whether all that match are to be sent again.
pub(in crate::page) fn question(question: &Question, request: &PageRequest) -> Response {
    let Question { parameters, plan } = question;
    let list = format!("{}{}", request.path(), parameters.query());
    let more = if plan.more { "more than " } else { "" };
    let content = html! {
        (loan_header::show(Tab::Webhooks, request))
        section.card.bulk {
            @if plan.count == 0 {
                h2 { "There is nothing to send again" }
                p { "No webhook of this loan is like this:" }
                (criteria(parameters))
                p { a.button href=(list) { "Back to the list" } }
            } @else {
                h2 { "Send " (more) (webhooks(plan.count)) " again?" }
                p { "They are all webhooks of loan " bdi { (request.loan) } " that are like this:" }
                (criteria(parameters))
                p.quiet {
                    "Each is sent once, with the same bytes as before, the oldest first, one after the other and at most "
                    (PER_SECOND) " a second. It takes at least " (rounded(plan.duration)) ". "
                    "Automatic retries go on as scheduled, and what arrives by one meanwhile is left out."
                }
                form method="post" action=(request.bulk_resend_path(parameters)) {
                    input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&request.grant));
                    input type="hidden" name=(ONCE_FIELD) value=(Uuid::new_v4());
                    div.actions {
                        button.primary type="submit" { "Send " (more) (webhooks(plan.count)) " again" }
                        a.button href=(list) { "Cancel" }
                    }
                }
            }
        }
    };
    layout::page(&format!("Resend webhooks of loan {}", request.loan), &content)
}

/// The filters, as what they say of a delivery.
fn criteria(parameters: &PageParameters) -> Markup {
    html! {
        ul {
            @for (name, value) in parameters.filters() {
                li {
                    @match (name, value) {
                        ("outcome", "failed") => { "It failed, and no automatic retry is left." }
                        ("outcome", _) => { "It has arrived." }
                        ("eventName", _) => { "Its event is " bdi { (value) } "." }
                        ("subscriptionId", _) => { "Its subscription is " code { (value) } "." }
                        ("responseCode", _) => { "Its newest attempt was answered with " bdi { (value) } "." }
                        _ => { "Its newest attempt ended with the error " bdi { (value_label(name, value)) } "." }
                    }
                }
            }
        }
    }
}

/// What became of a job so far. The script renews it while it runs.
pub(in crate::page) fn outcome(job: &Job, request: &PageRequest) -> Response {
    let here = request.job_path(job.id);
    let content = html! {
        (loan_header::show(Tab::Webhooks, request))
        div #said role="status" aria-live="polite" {}
        section.card.bulk {
            div #job data-running[!job.is_over()] { (progress(job)) }
            p.quiet {
                "Asked for by " bdi { (job.requested_by) } ", " (time(job.created_at)) ". "
                "It goes on by itself, also when this page is closed."
            }
            div.actions {
                @if !job.is_over() { a.button href=(here) { "Look again" } }
                a.button href={ (request.path()) "?attempt=manual" } { "Show the resends" }
            }
        }
    };
    layout::page(&format!("Resend of loan {}", request.loan), &content)
}

fn progress(job: &Job) -> Markup {
    let counts = &job.counts;
    let ended = counts.total - counts.left();
    let title = match (job.status(), job.progress.listing.is_some()) {
        (JobStatus::Stopped, _) => "Stopped",
        (JobStatus::Done, _) => "Done",
        (JobStatus::Running, true) => "Looking for what matches",
        (JobStatus::Running, false) => "Sending again",
    };
    let outcomes = [
        (counts.succeeded, "arrived"),
        (counts.failed, "failed again"),
        (counts.skipped, "left out: had arrived by an automatic retry, or could not be sent"),
        (counts.superseded, "left out: a newer one of its kind is sent"),
    ];
    html! {
        h2 { (title) ": " (ended) " of " (webhooks(counts.total)) }
        progress max=(counts.total.max(1)) value=(ended) aria-label="Webhooks that have an outcome" {}
        ul {
            @for (count, words) in outcomes {
                @if count > 0 { li { (count) " " (words) } }
            }
            @if counts.left() > 0 { li { (counts.left()) @if job.is_over() { " not sent" } @else { " to go" } } }
        }
    }
}

fn webhooks(count: u32) -> String {
    format!("{count} {}", if count == 1 { "webhook" } else { "webhooks" })
}

/// A time in whole seconds, minutes or hours, rounded up.
fn rounded(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().ceil().max(1.0);
    let (length, unit) = match seconds {
        0.0..120.0 => (1.0, "second"),
        120.0..7200.0 => (60.0, "minute"),
        _ => (3600.0, "hour"),
    };
    let count = (seconds / length).ceil();
    format!("{count} {unit}{}", if count > 1.0 { "s" } else { "" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::rounded;

    #[test]
    fn a_time_is_rounded_up() {
        for (milliseconds, words) in [
            (0, "1 second"),
            (1_100, "2 seconds"),
            (119_000, "119 seconds"),
            (121_000, "3 minutes"),
            (7_200_000, "2 hours"),
        ] {
            assert_eq!(rounded(Duration::from_millis(milliseconds)), words);
        }
    }
}

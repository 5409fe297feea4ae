//! The question before a bulk resend.

use std::time::Duration;

use axum::response::Response;
use maud::{Markup, html};
use uuid::Uuid;

use super::criteria::criterion;
use super::format::counted;
use super::layout;
use super::loan_header::{self, Tab};
use super::site_header::{Section, Viewing};
use crate::page::bulk_resend::{PER_SECOND, Question};
use crate::page::bulk_scope::BulkScope;
use crate::page::csrf_token;
use crate::page::resend::{CSRF_FIELD, ONCE_FIELD, TO_CURRENT, TO_FIELD};
use loanhook_core::recovery::Plan;

/// Asks whether all that match are to be sent again.
pub(in crate::page) fn question(question: &Question, scope: &BulkScope) -> Response {
    let Question { parameters, plan, .. } = question;
    let list = format!("{}{}", scope.list_path(), parameters.query());
    let more = if plan.more { "more than " } else { "" };
    let content = html! {
        (header(scope))
        section.card.bulk {
            @if plan.count == 0 {
                h2 { "There is nothing to send again" }
                p { "No webhook " @if scope.loan.is_some() { "of this loan " } "is like this:" }
                (criteria(question))
                p { a.button href=(list) { "Back to the list" } }
            } @else {
                h2 { "Send " (more) (webhooks(plan.count)) " again?" }
                p {
                    @match &scope.loan {
                        Some(loan) => { "They are all webhooks of loan " bdi { (loan) } " that are like this:" }
                        None => { "They are all webhooks of " (loans(plan)) " that are like this:" }
                    }
                }
                (criteria(question))
                p.quiet {
                    "Each is sent once, with the same bytes as before, the oldest first, "
                    @if scope.loan.is_some() { "one after the other" } @else { "those of one loan one after the other" }
                    " and at most " (PER_SECOND) " a second. It takes at least " (rounded(plan.duration)) ". "
                    "Automatic retries go on as scheduled, and what arrives by one meanwhile is left out."
                }
                form method="post" action=(scope.question_path(parameters)) {
                    input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&scope.grant));
                    input type="hidden" name=(ONCE_FIELD) value=(Uuid::new_v4());
                    label.box {
                        input type="checkbox" name=(TO_FIELD) value=(TO_CURRENT);
                        span { "To the address that each webhook has now. Deliveries of a webhook that was deleted are then left out." }
                    }
                    div.actions {
                        button.primary type="submit" { "Send " (more) (webhooks(plan.count)) " again" }
                        a.button href=(list) { "Cancel" }
                    }
                }
            }
        }
    };
    layout::page_for(&title("Resend webhooks", scope), &viewing(scope), &content)
}

fn header(scope: &BulkScope) -> Markup {
    match &scope.loan {
        Some(loan) => loan_header::of(Tab::Webhooks, &scope.grant, loan),
        None => html! { header.top { h1 { "Deliveries" } } },
    }
}

fn viewing(scope: &BulkScope) -> Viewing<'_> {
    Viewing {
        grant: &scope.grant,
        loan: scope.loan.as_ref(),
        section: scope.loan.is_none().then_some(Section::Deliveries),
    }
}

fn title(what: &str, scope: &BulkScope) -> String {
    match &scope.loan {
        Some(loan) => format!("{what} of loan {loan}"),
        None => what.to_owned(),
    }
}

fn loans(plan: &Plan) -> String {
    match (plan.loans, plan.more) {
        (1, false) => "1 loan".to_owned(),
        (count, false) => format!("{count} loans"),
        (count, true) => format!("at least {count} loans"),
    }
}

/// The filters, as what they say of a delivery.
fn criteria(question: &Question) -> Markup {
    html! {
        ul {
            @for (name, value) in question.parameters.filters() {
                li { (criterion(name, value, question.webhook.as_deref())) }
            }
        }
    }
}

fn webhooks(count: u32) -> String {
    counted(count.into(), "webhook", "webhooks")
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

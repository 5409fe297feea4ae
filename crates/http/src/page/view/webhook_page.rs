//! The page of one webhook: its state, its settings and what can be done with it; and the question before it is deleted.

use axum::response::Response;
use maud::{Markup, html};

use super::attention::{held, state_labels};
use super::format::{copy_button, counted, grouped, percent, short_time, time};
use super::site_header::{Section, Viewing};
use super::subscription_list::hold_form;
use super::webhook_form::summary;
use super::{layout, sparkline, webhook_actions};
use crate::page::resend::{CSRF_FIELD, VERSION_FIELD};
use crate::page::subscription_holds::FROM_PAGE;
use crate::page::tenant_request::TenantRequest;
use crate::page::webhook_form::of_settings;
use crate::page::webhook_form::summary::{Kind, Part, Setting, settings};
use crate::page::webhook_page::{ShownWebhook, Told};
use crate::page::{csrf_token, links};
use loanhook_core::model::destination::shown as shown_url;
use loanhook_core::model::formula_errors::FormulaErrors;
use loanhook_core::model::key::Scope;
use loanhook_core::model::subscription::{ClientCertificate, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{CheckStep, CheckStepName};
use loanhook_core::webhook_states::{self, Week};

pub(in crate::page) fn page(shown: &ShownWebhook, told: &Told, request: &TenantRequest) -> Response {
    let ShownWebhook { state, week, formula_errors } = shown;
    let webhook = &state.subscription;
    let may_write = request.grant.may(Scope::SubscriptionsWrite);
    let content = html! {
        header.top {
            div {
                p.over { "Webhook" }
                h1 { bdi { (webhook.settings.title) } }
                p.lead { (state_labels(state)) " " span.quiet { "version " (webhook.version) ", since " (time(webhook.updated_at)) } }
            }
            div.actions {
                @if may_write { a.button.primary href=(links::edit(webhook.id)) { "Change" } }
                a.button href=(links::deliveries_of(webhook.id)) { "Deliveries" }
                a.button href=(links::versions(webhook.id)) { "Versions" }
            }
        }
        (tell(told, webhook))
        section.card.group {
            h2 { "State" }
            (success(week.as_ref()))
            @if let Some(errors) = formula_errors { (failed_formulas(errors)) }
            @if let Some(hold) = &state.hold { p { (held(hold)) } }
            @if may_write { (hold_form(state, request, Some(FROM_PAGE))) }
        }
        @let all = settings(&of_settings(&webhook.settings), Some(&webhook.settings));
        @for part in Part::ALL { (settings_of(part, &all, webhook, may_write)) }
        @if may_write { (webhook_actions::show(webhook, told, request)) }
    };
    layout::page_for(&webhook.settings.title, &viewing(request), &content)
}

fn viewing(request: &TenantRequest) -> Viewing<'_> {
    Viewing { grant: &request.grant, loan: None, section: Some(Section::Webhooks) }
}

fn tell(told: &Told, webhook: &Subscription) -> Markup {
    html! {
        @match told {
            Told::Nothing => {},
            Told::Saved(version) => p.notice.ok role="status" { "Saved. The webhook is at version " (version) "." },
            Told::Tested => p.notice.ok role="status" { "A test was accepted, and is sent now." },
            Told::Created => {
                p.notice.ok role="status" { "The webhook was made, and is sent from now on." }
                (secret(webhook))
            }
            Told::Rotated => {
                p.notice.ok role="status" {
                    "There is a new signing secret. "
                    @if let Some(previous) = &webhook.secrets.previous {
                        "Requests are signed with the one before it too, until " (time(previous.until)) "."
                    }
                }
                (secret(webhook))
            }
            Told::Checked(steps) => (check(steps)),
            Told::WrongTest(_, faults) => (summary(faults, "Something is wrong, and nothing was sent")),
            // See `webhook_form::create`.
            Told::MadeBefore => p.notice.wait role="status" {
                "This form was sent before, and made this webhook: nothing was changed now. Its signing secret was shown then; if you did not "
                "see it, make a new one below. For a further webhook open an empty form."
            },
        }
    }
}

/// The signing secret, which is shown this once.
fn secret(webhook: &Subscription) -> Markup {
    let secret = webhook.secrets.current().expose();
    html! {
        section.card.group #secret {
            h2 { "Signing secret" }
            p { "Give it to the receiver now: it is not shown again." }
            p { code.break { (secret) } " " (copy_button("the signing secret", &secret)) }
        }
    }
}

fn check(steps: &[CheckStep]) -> Markup {
    html! {
        section.card.group #check role="status" {
            h2 { @if steps.iter().all(|step| step.ok) { "A request could leave" } @else { "A request could not leave" } }
            ol.steps {
                @for step in steps {
                    li {
                        @let (class, name) = if step.ok { ("ok", "yes") } else { ("bad", "no") };
                        (layout::label(class, name, step_name(step.step)))
                        " " bdi { (step.detail) } " " span.quiet { (short_time(step.took.as_secs_f64() * 1000.0)) }
                    }
                }
            }
        }
    }
}

const fn step_name(step: CheckStepName) -> &'static str {
    match step {
        CheckStepName::Resolve => "Name lookup",
        CheckStepName::Guard => "Address guard",
        CheckStepName::Connect => "Connection",
        CheckStepName::Tls => "TLS",
        CheckStepName::Token => "Token",
    }
}

fn success(week: Option<&Week>) -> Markup {
    let total = webhook_states::sum(week.into_iter().flatten().map(|(_, tally)| tally));
    html! {
        p {
            @match total.success_rate() {
                Some(rate) => {
                    strong { (percent(rate)) } " of the attempts of 7 days succeeded: "
                    (grouped(total.succeeded)) " of " (grouped(total.attempts)) "."
                }
                None => "There was no attempt in 7 days.",
            }
        }
        @if let Some(week) = week { (sparkline::show(week)) }
    }
}

/// That formulas failed, and how the last one did.
fn failed_formulas(FormulaErrors { count, last }: &FormulaErrors) -> Markup {
    html! {
        p.notice.wait {
            "A formula failed on " (counted(i64::try_from(*count).unwrap_or(i64::MAX), "event", "events")) ". The last: the "
            (last.formula.name()) " of version " (last.version) ", " (time(last.at)) ", line " (last.line) ", column " (last.column) ": "
            bdi { (last.detail) } "."
        }
    }
}

fn settings_of(part: Part, all: &[Setting], webhook: &Subscription, may_write: bool) -> Markup {
    let tls = webhook.settings.request.tls.as_ref();
    let client = tls.and_then(|tls| tls.client.as_ref()).filter(|_| part == Part::Request);
    html! {
        section.card.group {
            h2 { (part.title()) }
            dl.settings-list {
                @for setting in all.iter().filter(|setting| setting.part == part) {
                    dt { (setting.label) }
                    dd { (value(setting, may_write)) }
                }
                @if let Some(client) = client { (certificate(client)) }
                @if part == Part::About {
                    dt { "ID" } dd { code.break { (webhook.id) } }
                    dt { "Made" } dd { (time(webhook.created_at)) }
                }
            }
        }
    }
}

/// A value; the query of a URL is masked for a viewer who may not write.
fn value(setting: &Setting, may_write: bool) -> Markup {
    let text = if setting.kind == Kind::Url {
        shown_url(setting.text.clone(), may_write)
    } else {
        setting.text.clone()
    };
    html! {
        @if setting.kind != Kind::Words { code.lines { bdi { (text) } } } @else { bdi.lines { (text) } }
    }
}

fn certificate(client: &ClientCertificate) -> Markup {
    html! {
        @if let Some(subject) = client.subject() { dt { "Subject of the certificate" } dd { bdi.lines { (subject) } } }
        @if let Some(end) = client.expires_at() {
            dt { "End of the certificate" }
            dd { (time(end)) @if end <= Timestamp::now() { " " strong { "It has expired." } } }
        }
    }
}

/// Asks before a webhook is deleted.
pub(in crate::page) fn deletion(webhook: &Subscription, request: &TenantRequest) -> Response {
    let content = html! {
        section.card.group #deletion {
            h1 { "Delete a webhook?" }
            p { bdi { (webhook.settings.title) } }
            p { "It is sent for no new event. Deliveries that were accepted before go on, and its history stays. It cannot be brought back." }
            form method="post" action={ (links::webhook(webhook.id)) "/delete" } {
                input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&request.grant));
                input type="hidden" name=(VERSION_FIELD) value=(webhook.version);
                div.actions {
                    button.primary type="submit" { "Delete it" }
                    a.button href=(links::webhook(webhook.id)) { "Cancel" }
                }
            }
        }
    };
    layout::page_for("Delete a webhook", &viewing(request), &content)
}

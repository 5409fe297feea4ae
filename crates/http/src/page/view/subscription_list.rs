//! The page of webhooks: each with its state, the success of its last week, and the way to its deliveries.

use std::collections::BTreeMap;

use axum::response::Response;
use maud::{Markup, html};

use super::attention::{held, state_labels};
use super::format::{grouped, percent};
use super::site_header::{Section, Viewing};
use super::{layout, sparkline};
use crate::page::resend::CSRF_FIELD;
use crate::page::subscription_holds::FROM_FIELD;
use crate::page::tenant_request::{NEW_PATH, TenantRequest};
use crate::page::{csrf_token, links};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::key::Scope;
use loanhook_core::model::subscription::Criteria;
use loanhook_core::webhook_states::{self, WebhookState, Week};

const COLUMN_HEADS: [&str; 6] = ["Webhook", "State", "Sent for", "Success in 7 days", "By day", "Version"];
/// How many names of events are shown of a webhook.
const MAX_NAMES: usize = 3;

pub(in crate::page) fn page(
    states: &[WebhookState],
    weeks: &BTreeMap<SubscriptionId, Week>,
    request: &TenantRequest,
) -> Response {
    let content = html! {
        header.top {
            div {
                h1 { "Webhooks" }
                p.lead.quiet { "Each has settings that say which events it is for and where it is sent." }
            }
            @if request.grant.may(Scope::SubscriptionsWrite) {
                a.button.primary href=(NEW_PATH) { "New webhook" }
            }
        }
        @if states.is_empty() {
            section.card.empty {
                h2 { "There is no webhook yet" }
                @if request.grant.may(Scope::SubscriptionsWrite) {
                    p.quiet { "Make the first: say which events it is for, and where it is sent." }
                } @else {
                    p.quiet { "Webhooks are made here or by the API, with a key that has the scope subscriptions:write." }
                }
            }
        } @else {
            table.list #subscriptions role="table" {
                (layout::column_heads(&COLUMN_HEADS))
                tbody role="rowgroup" {
                    @for state in states { (row(state, weeks.get(&state.subscription.id), request)) }
                }
            }
        }
    };
    let viewing = Viewing { grant: &request.grant, loan: None, section: Some(Section::Webhooks) };
    layout::page_for("Webhooks", &viewing, &content)
}

fn row(state: &WebhookState, week: Option<&Week>, request: &TenantRequest) -> Markup {
    let subscription = &state.subscription;
    let total = webhook_states::sum(week.into_iter().flatten().map(|(_, tally)| tally));
    html! {
        tr id={ "s-" (subscription.id) } role="row" {
            td.title role="cell" data-head="Webhook" {
                a href=(links::webhook(subscription.id)) { bdi { (subscription.settings.title) } }
                a.next-line href=(links::deliveries_of(subscription.id)) { "Deliveries" span.unseen { " of " (subscription.settings.title) } }
            }
            td role="cell" data-head="State" {
                (state_labels(state))
                @if let Some(hold) = &state.hold { " " span.next-line { (held(hold)) } }
                @if request.grant.may(Scope::SubscriptionsWrite) { (hold_form(state, request, None)) }
            }
            td.break role="cell" data-head="Sent for" { (sent_for(&subscription.settings.criteria)) }
            td role="cell" data-head="Success in 7 days" {
                @match total.success_rate() {
                    Some(rate) => {
                        strong { (percent(rate)) }
                        " "
                        span.next-line { (grouped(total.succeeded)) " of " (grouped(total.attempts)) }
                    }
                    None => span.quiet { "no attempt" },
                }
            }
            td role="cell" data-head="By day" { @if let Some(week) = week { (sparkline::show(week)) } }
            td role="cell" data-head="Version" {
                a href=(links::versions(subscription.id)) {
                    (subscription.version) span.unseen { ": the versions of " (subscription.settings.title) }
                }
            }
        }
    }
}

/// The form that holds a webhook or ends its hold, each after one question; `from` is the page that it is on, where that is not the
/// list.
pub(super) fn hold_form(state: &WebhookState, request: &TenantRequest, from: Option<&str>) -> Markup {
    let id = state.subscription.id;
    let title = &state.subscription.settings.title;
    let (action, word, says) = match state.hold {
        Some(_) => ("release", "Release", "What waits leaves, the oldest first and slowly at first."),
        None => (
            "hold",
            "Hold",
            "What is due from now on waits until somebody releases the webhook. Nothing is lost.",
        ),
    };
    html! {
        details.hold {
            summary { (word) span.unseen { " " (title) } }
            form.confirm method="post" action={ (links::webhook(id)) "/" (action) } {
                p { (says) }
                input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&request.grant));
                @if let Some(from) = from { input type="hidden" name=(FROM_FIELD) value=(from); }
                button.primary type="submit" { (word) " it" }
            }
        }
    }
}

/// The events that a webhook is for.
fn sent_for(criteria: &Criteria) -> Markup {
    html! {
        @match criteria {
            Criteria::Events(names) if names.iter().any(|name| name == "*") => { "all events" }
            Criteria::Events(names) => (some_of(names.iter().map(String::as_str))),
            Criteria::Trigger { trigger, .. } => code { bdi { (trigger) } },
            Criteria::Operational(kinds) => (some_of(kinds.iter().map(|kind| kind.as_str()))),
        }
    }
}

fn some_of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Markup {
    let count = names.len();
    html! {
        @for (index, name) in names.take(MAX_NAMES).enumerate() {
            @if index > 0 { ", " }
            bdi { (name) }
        }
        @if count > MAX_NAMES { " and " (count - MAX_NAMES) " more" }
    }
}
